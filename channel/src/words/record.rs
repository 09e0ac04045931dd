//! What stands before each message in the ring: whose it is, and how long.
//!
//! ```text
//! 63..62  61..32  31..0
//!   10      0     length   ready
//!   11      0     length   abandoned: nothing will come
//!   01    token   length   reserved: who has this token may still write
//!   11    token   length   filling: the same, in a call
//!   00    token   length   taken: who has this token copies it out
//!   10    token   length   borrowed: who has this token looks at it where it stands
//! ```
//!
//! All others are left by no step.

const LEN_MASK: u64 = (1 << 32) - 1; // bits 0..32: bytes
const TOKEN_SHIFT: u32 = 32; // bits 32..62: the token of who works at it
const TOKEN_MASK: u64 = (1 << 30) - 1;
const TOP_SHIFT: u32 = 62;
const TOP_TAKEN: u64 = 0;
const TOP_RESERVED: u64 = 1;
const TOP_READY: u64 = 2; // without a token; borrowed with one
const TOP_OTHER: u64 = 3; // filling with a token, abandoned without

/// What can be between two positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    Abandoned,
    Reserved { token: u32 },
    Filling { token: u32 },
    Taken { token: u32 },
    Borrowed { token: u32 },
}

/// A header of this state, of a message of so many bytes.
pub(super) const fn header(state: State, len: u32) -> u64 {
    let (top, token) = match state {
        State::Ready => (TOP_READY, 0),
        State::Abandoned => (TOP_OTHER, 0),
        State::Reserved { token } => (TOP_RESERVED, token),
        State::Filling { token } => (TOP_OTHER, token),
        State::Taken { token } => (TOP_TAKEN, token),
        State::Borrowed { token } => (TOP_READY, token),
    };
    (top << TOP_SHIFT) | ((token as u64 & TOKEN_MASK) << TOKEN_SHIFT) | len as u64
}

/// What a header says; `None` for one that no step has written.
pub(super) const fn state(header: u64) -> Option<State> {
    let token = ((header >> TOKEN_SHIFT) & TOKEN_MASK) as u32;
    match (header >> TOP_SHIFT, token) {
        (TOP_READY, 0) => Some(State::Ready),
        (TOP_OTHER, 0) => Some(State::Abandoned),
        (TOP_TAKEN | TOP_RESERVED, 0) => None,
        (TOP_READY, token) => Some(State::Borrowed { token }),
        (TOP_TAKEN, token) => Some(State::Taken { token }),
        (TOP_RESERVED, token) => Some(State::Reserved { token }),
        (_, token) => Some(State::Filling { token }),
    }
}

/// How many bytes the message has.
pub(super) const fn len(header: u64) -> u32 {
    (header & LEN_MASK) as u32
}

/// How many units of the ring a message of so many bytes takes, its header included.
#[inline]
pub(crate) const fn units(len: u32) -> u64 {
    1 + (len as u64).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_it_was_made_of() {
        let token = TOKEN_MASK as u32;
        let states = [
            State::Ready,
            State::Abandoned,
            State::Reserved { token },
            State::Filling { token },
            State::Taken { token: 1 },
            State::Borrowed { token },
        ];
        for written in states {
            for bytes in [0, 1, u32::MAX] {
                let header = header(written, bytes);
                assert_eq!((state(header), len(header)), (Some(written), bytes));
            }
        }
    }

    #[test]
    fn what_no_step_writes_says_nothing() {
        for top in [TOP_TAKEN, TOP_RESERVED] {
            assert_eq!(state(top << TOP_SHIFT), None);
        }
        assert_eq!(state(0), None);
    }

    #[test]
    fn a_message_takes_its_bytes_rounded_up_and_a_header() {
        assert_eq!([0, 1, 8, 9].map(units), [1, 2, 2, 3]);
        assert_eq!(units(u32::MAX), 1 + (1 << 29));
    }
}
