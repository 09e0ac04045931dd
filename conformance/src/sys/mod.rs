//! What this crate knows of the system by number, and the few calls that no safe crate offers.

pub(crate) mod calls;
pub(crate) mod endings;
pub(crate) mod environment;
pub(crate) mod fork;
pub(crate) mod group;
pub(crate) mod memory;
pub(crate) mod signal;
pub(crate) mod signal_thread;
