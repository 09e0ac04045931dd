//! The system calls of this crate: the clock and the futex, nothing else.

pub(crate) mod clock;
pub(crate) mod futex;
