//! The system calls of this crate: processes and how they end, stepping them, what the kernel tells
//! of them, and the memory that all roles share.

pub(crate) mod cells;
pub(crate) mod clock;
pub(crate) mod descriptors;
pub(crate) mod evidence;
pub(crate) mod list;
pub(crate) mod process;
pub(crate) mod segment_file;
pub(crate) mod trace;
pub(crate) mod watch;
