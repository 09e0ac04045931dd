//! System calls of this crate.

pub(crate) mod processors;
pub(crate) mod watch;
