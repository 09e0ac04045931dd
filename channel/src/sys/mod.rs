//! The system calls of this crate.

pub(crate) mod barrier;
pub(crate) mod prefetch;
