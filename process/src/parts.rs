//! What other crates of this family build on. Whoever starts processes needs none of it.
//!
//! A function means the same in every process of one program, and so does how far behind the
//! program's start its code lies, wherever the loader put that. What comes back is an address: that
//! it is the start of a function of the form that is called is for the caller to know, who must
//! have the offset from a process that it trusts, over a socket that nobody else has.

use crate::outcome::Outcome;
use crate::{Builder, Error, Process, builder};

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

/// Starts several children one after the other, up to [`FORK_EACH_MAX`], each as
/// [`Builder::fork`](crate::Builder::fork) does: those that were started, and why the next one was
/// not. `give` makes what the function of one is given, right before its fork; the parent drops its
/// copy behind it.
///
/// It takes less time than one by one, as long as `give` leaves the heap alone: each page that a
/// process writes to between two forks is copied. `give` neither panics nor prints: who was started
/// before would be nobody's child, and print it again. Until the last one is started none is a
/// child for other threads, which may end this process meanwhile.
///
/// ```
/// use purlin_process::parts::fork_each;
/// use purlin_process::{Builder, Error, ExitCode, ExitStatus};
///
/// let builders = vec![Builder::new(), Builder::new()];
/// let give = |index| Ok::<_, Error>(7 * index);
/// let (children, answer) = fork_each(builders, give, |_, given| ExitCode(given as i32));
/// answer?;
/// assert_eq!(children[0].join(None)?, ExitStatus::Code(0));
/// assert_eq!(children[1].join(None)?, ExitStatus::Code(7));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// * As [`Builder::fork`](crate::Builder::fork), and what `give` says.
///
/// # Panics
/// * For more builders than [`FORK_EACH_MAX`].
pub fn fork_each<T, R, E>(
    builders: Vec<Builder>,
    give: impl FnMut(usize) -> Result<T, E>,
    function: impl FnOnce(usize, T) -> R,
) -> (Vec<Process>, Result<(), E>)
where
    R: Outcome,
    E: From<Error>,
{
    assert!(builders.len() <= FORK_EACH_MAX, "more children than are started at a time");
    builder::fork_each(builders, give, function)
}

pub use crate::limits::FORK_EACH_MAX;
pub use crate::sys::manner::Manner;
pub use crate::sys::origin::{Origin, PerProcess, watch_forks};
