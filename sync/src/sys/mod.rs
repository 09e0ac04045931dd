//! The system calls of this crate: the clock, the futex, and where a thread may run.

pub(crate) mod clock;
pub(crate) mod futex;
pub(crate) mod processors;
