//! Frames: a length, the number of the call, and a serial form.

use postcard::ser_flavors::{Flavor, Size};
use serde::Serialize;

use crate::error::Error;

pub(crate) const HEAD_BYTES: usize = 8;

/// As long as most frames are, so that they are written without a move.
const USUAL_BYTES: usize = 64;

/// The frame of a value. No memory is taken beyond the limit.
///
/// # Errors
/// * [`Error::NotTransferable`] for a value without a serial form.
/// * [`Error::MessageTooLarge`] beyond the limit.
pub(crate) fn encode(call: u32, value: &impl Serialize, limit: usize) -> Result<Vec<u8>, Error> {
    let mut head = Vec::with_capacity(USUAL_BYTES);
    head.extend_from_slice(&[0; HEAD_BYTES]);
    let body = Bounded { frame: head, end: HEAD_BYTES.saturating_add(limit) };
    let mut frame = match postcard::serialize_with_flavor(value, body) {
        Ok(frame) => frame,
        Err(postcard::Error::SerializeBufferFull) => return Err(too_large(value)),
        Err(_) => return Err(Error::NotTransferable),
    };
    let len = frame.len() - HEAD_BYTES;
    let field = u32::try_from(len).map_err(|_| Error::MessageTooLarge { len })?;
    frame[..4].copy_from_slice(&field.to_le_bytes());
    frame[4..HEAD_BYTES].copy_from_slice(&call.to_le_bytes());
    Ok(frame)
}

/// Says how large it would have been: what is repeated in it may come to more than there is memory.
#[cold]
fn too_large(value: &impl Serialize) -> Error {
    match postcard::serialize_with_flavor(value, Size::default()) {
        Ok(len) => Error::MessageTooLarge { len },
        Err(_) => Error::NotTransferable,
    }
}

/// A frame up to an end.
struct Bounded {
    frame: Vec<u8>,
    end: usize,
}

impl Flavor for Bounded {
    type Output = Vec<u8>;

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if bytes.len() > self.end - self.frame.len() {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.frame.extend_from_slice(bytes);
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.frame)
    }
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

    #[test]
    fn what_is_too_large_takes_no_memory() {
        struct Endless(String);
        impl Serialize for Endless {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_seq((0..1 << 20).map(|_| &self.0))
            }
        }
        let endless = Endless("x".repeat(1 << 20));
        // A tebibyte, and the lengths.
        let Err(Error::MessageTooLarge { len }) = encode(7, &endless, 1 << 20) else { panic!() };
        assert_eq!(len, (1 << 40) + (3 << 20) + 3);
    }
}
