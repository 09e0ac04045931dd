//! The system calls of this crate. Each function makes one, retries it when a signal cut it short,
//! and turns its error number into [`Error`](crate::Error).

pub(crate) mod descriptor;
pub(crate) mod folder;
pub(crate) mod fork;
pub(crate) mod free_memory;
pub(crate) mod identity;
pub(crate) mod lock_byte;
pub(crate) mod memory;
pub(crate) mod nap;
