//! The system calls of this crate.

pub(crate) mod fork;
pub(crate) mod origin;
pub(crate) mod pidfd;
pub(crate) mod signal;
pub(crate) mod stdio;
