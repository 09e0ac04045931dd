//! System calls of this crate.

pub(crate) mod watch;
