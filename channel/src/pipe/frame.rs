//! What a message is on its way: a form, and what it holds.
//!
//! ```text
//!  plain   0      1
//!          | 1    | the message …
//!  long    0      1       4             8               16
//!          | 2    | zeros | luggage len | contents' len | contents …
//! ```
//!
//! The contents are what handles became, and then the message. As many of them as the socket takes
//! at once go in it, so that who goes on sending waits for who receives; the rest lies in a sealed
//! file, whose descriptor is the first of those that come along. The others are the luggage's.

use crate::error::Error;
use crate::limits::{INLINE_MAX_BYTES, PIPE_MESSAGE_MAX_BYTES};

pub(crate) const PLAIN: u8 = 1;
const LONG: u8 = 2;

pub(crate) const PLAIN_HEADER_BYTES: usize = 1;
pub(crate) const LONG_HEADER_BYTES: usize = 16;

/// The largest that comes by the socket.
pub(crate) const FRAME_MAX_BYTES: usize = LONG_HEADER_BYTES + INLINE_MAX_BYTES;

/// What a frame says of its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) header_bytes: usize,
    pub(crate) luggage_bytes: usize,
    /// With the luggage.
    pub(crate) contents_bytes: usize,
    /// How many of them lie in a file.
    pub(crate) rest_bytes: usize,
}

/// The header of a long one.
pub(crate) fn long_header(luggage_bytes: u32, contents_bytes: u64) -> [u8; LONG_HEADER_BYTES] {
    let mut header = [0; LONG_HEADER_BYTES];
    header[0] = LONG;
    header[4..8].copy_from_slice(&luggage_bytes.to_le_bytes());
    header[8..16].copy_from_slice(&contents_bytes.to_le_bytes());
    header
}

impl Frame {
    /// Reads a frame, which may be anything.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for what no sender of ours writes.
    #[inline]
    pub(crate) fn read(frame: &[u8], descriptor_count: usize) -> Result<Self, Error> {
        match frame.first() {
            Some(&PLAIN) if descriptor_count == 0 => {
                let contents_bytes = frame.len() - PLAIN_HEADER_BYTES;
                let header_bytes = PLAIN_HEADER_BYTES;
                Ok(Self { header_bytes, luggage_bytes: 0, contents_bytes, rest_bytes: 0 })
            }
            Some(&LONG) => Self::read_long(frame, descriptor_count),
            _ => Err(Error::Damaged),
        }
    }

    /// How many bytes the message has of a frame of so many, of which this is the beginning, as far
    /// as a header goes. What is behind it may be found wrong later.
    ///
    /// # Errors
    /// * [`Error::Damaged`] as [`read`](Self::read).
    pub(crate) fn announced_bytes(head: &[u8], frame_bytes: usize) -> Result<usize, Error> {
        match head.first() {
            Some(&PLAIN) => Ok(frame_bytes - PLAIN_HEADER_BYTES),
            // Of a file for what is not there nothing is known yet.
            Some(&LONG) => {
                let head = head.get(..frame_bytes.min(LONG_HEADER_BYTES)).unwrap_or(head);
                Ok(Self::read_long(head, 1)?.message_bytes())
            }
            _ => Err(Error::Damaged),
        }
    }

    fn read_long(frame: &[u8], descriptor_count: usize) -> Result<Self, Error> {
        let Some((header, inline)) = frame.split_first_chunk::<LONG_HEADER_BYTES>() else {
            return Err(Error::Damaged);
        };
        let word = |at: usize| u32::from_le_bytes(core::array::from_fn(|byte| header[at + byte]));
        let contents = u64::from(word(8)) | (u64::from(word(12)) << 32);
        let luggage = u64::from(word(4));
        let has_rest = contents > inline.len() as u64;
        let is_fit = header[1..4] == [0; 3]
            && luggage <= contents
            && contents - luggage <= PIPE_MESSAGE_MAX_BYTES
            && contents >= inline.len() as u64
            && descriptor_count >= usize::from(has_rest);
        if !is_fit {
            return Err(Error::Damaged);
        }
        let contents_bytes = usize::try_from(contents).map_err(|_| Error::OutOfResources)?;
        Ok(Self {
            header_bytes: LONG_HEADER_BYTES,
            luggage_bytes: word(4) as usize,
            contents_bytes,
            rest_bytes: contents_bytes - inline.len(),
        })
    }

    /// How many bytes the message has.
    pub(crate) const fn message_bytes(&self) -> usize {
        self.contents_bytes - self.luggage_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let inline = [7; 20];
        let frame = [&long_header(8, 50)[..], &inline].concat();
        let read = Frame::read(&frame, 1).unwrap();
        assert_eq!((read.message_bytes(), read.luggage_bytes, read.rest_bytes), (42, 8, 30));
        assert_eq!(Frame::read(&[PLAIN], 0).unwrap().message_bytes(), 0);
    }

    #[test]
    fn what_nobody_writes_is_damaged() {
        let long = |luggage, contents| long_header(luggage, contents).to_vec();
        let mut dirty = long(0, 0);
        dirty[2] = 1;
        let frames = [
            (vec![], 0),
            (vec![0], 0),
            (vec![3], 0),
            (vec![PLAIN], 1),       // a descriptor that nobody asked for
            (vec![LONG], 0),        // cut short
            (long(1, 0), 0),        // more luggage than contents
            (long(0, 1), 0),        // a rest, and no file
            (long(0, u64::MAX), 1), // absurd
            (long(0, 1 << 62), 1),  // absurd
            ([&long(0, 0)[..], &[1]].concat(), 0), // more than announced
            (dirty, 0),
        ];
        for (frame, descriptor_count) in frames {
            assert_eq!(Frame::read(&frame, descriptor_count), Err(Error::Damaged), "{frame:?}");
        }
    }
}
