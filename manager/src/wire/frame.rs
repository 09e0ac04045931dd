//! Frames: a length, the number of the call, and a serial form.

use serde::Serialize;

use crate::error::Error;

pub(crate) const HEAD_BYTES: usize = 8;

/// As long as most frames are, so that they are written without a move.
const USUAL_BYTES: usize = 64;

/// The frame of a value.
///
/// # Errors
/// * [`Error::NotTransferable`] for a value without a serial form.
/// * [`Error::MessageTooLarge`] beyond the limit.
pub(crate) fn encode(call: u32, value: &impl Serialize, limit: usize) -> Result<Vec<u8>, Error> {
    let mut head = Vec::with_capacity(USUAL_BYTES);
    head.extend_from_slice(&[0; HEAD_BYTES]);
    let mut frame = postcard::to_extend(value, head).map_err(|_| Error::NotTransferable)?;
    let len = frame.len() - HEAD_BYTES;
    let field = u32::try_from(len).ok().filter(|_| len <= limit);
    let Some(field) = field else { return Err(Error::MessageTooLarge { len }) };
    frame[..4].copy_from_slice(&field.to_le_bytes());
    frame[4..HEAD_BYTES].copy_from_slice(&call.to_le_bytes());
    Ok(frame)
}

/// What stands at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// A frame of so many bytes, its head included.
    Whole { call: u32, len: usize },
    /// The start of one, or nothing.
    Part,
}

/// Looks at the start of what came.
///
/// # Errors
/// * [`Error::MessageTooLarge`] for a frame beyond the limit.
pub(crate) fn begin(bytes: &[u8], limit: usize) -> Result<Begun, Error> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
        return Ok(Begun::Part);
    };
    let [a, b, c, d, e, f, g, h] = *head;
    let len = u32::from_le_bytes([a, b, c, d]) as usize;
    if len > limit {
        return Err(Error::MessageTooLarge { len });
    }
    if rest.len() < len {
        return Ok(Begun::Part);
    }
    Ok(Begun::Whole { call: u32::from_le_bytes([e, f, g, h]), len: HEAD_BYTES + len })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_whole_or_a_part_or_too_large() {
        let frame = encode(7, &[1_u8, 2, 3], 16).unwrap();
        let len = frame.len();
        assert_eq!(begin(&frame, 16), Ok(Begun::Whole { call: 7, len }));
        for cut in 0..len {
            assert_eq!(begin(&frame[..cut], 16), Ok(Begun::Part), "{cut}");
        }
        assert_eq!(begin(&frame, 2), Err(Error::MessageTooLarge { len: len - HEAD_BYTES }));
        let refused = encode(7, &[0_u8; 9], 8);
        assert_eq!(refused, Err(Error::MessageTooLarge { len: 9 }));
    }
}
