//! What other crates of this family build on. Whoever starts processes needs none of it.
//!
//! A function means the same in every process of one program, and so does how far behind the
//! program's start its code lies, wherever the loader put that. What comes back is an address: that
//! it is the start of a function of the form that is called is for the caller to know, who must
//! have the offset from a process that it trusts, over a socket that nobody else has.

/// How far behind the start of the program the code at this address lies, in bytes. `None` when it
/// is no code of the main program: a plugin's lies elsewhere in each process.
///
/// ```
/// use purlin_process::parts::{address_of, offset_of};
///
/// fn work() {}
///
/// let address = work as fn() as usize;
/// let offset = offset_of(address).expect("code of this program");
/// assert_eq!(address_of(offset), Some(address));
/// assert_eq!(address_of(u64::MAX), None);
/// ```
#[must_use]
pub fn offset_of(address: usize) -> Option<u64> {
    crate::sys::program::offset_of(address)
}

/// The address of the code that lies so many bytes behind the start of the program. `None` when no
/// code of the main program does.
#[must_use]
pub fn address_of(offset: u64) -> Option<usize> {
    crate::sys::program::address_of(offset)
}

pub use crate::builder::fork_each;
pub use crate::limits::FORK_EACH_MAX;
pub use crate::sys::manner::Manner;
pub use crate::sys::origin::{Origin, PerProcess, watch_forks};
