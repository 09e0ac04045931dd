//! The system calls of this crate.

pub(crate) mod descriptor;
pub(crate) mod folder;
pub(crate) mod pause;
pub(crate) mod preempted;
pub(crate) mod random;
pub(crate) mod ready;
pub(crate) mod signals;
pub(crate) mod socket;
