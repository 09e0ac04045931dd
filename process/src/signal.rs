//! A setting of the whole process on which the status of every child depends.

use crate::{Error, sys};

/// Undoes that this process ignores `SIGCHLD`, so that its children keep their status until they
/// are collected.
///
/// Whoever starts a program may have the signal ignored (`trap '' CHLD` in a shell), and the
/// program inherits that, across `execve(2)` too. Then nobody learns how a child has ended:
/// [`join`](crate::Process::join) says [`ExitStatus::Unknown`](crate::ExitStatus::Unknown), and
/// `std::process::Child::wait` fails. A program that needs the status calls this first in `main`.
///
/// This changes a setting of the whole process, which is why no other call of this crate does it: a
/// program, or another library in it, may ignore the signal on purpose, to be rid of children that
/// it never collects. A handler of the program stays; only `SA_NOCLDWAIT` is taken from it.
/// Children that have ended before are gone. Two threads that change the action of the signal at
/// the same time may undo each other's change.
///
/// # Errors
/// * [`Error::System`] as the system says, which it has no reason to; nothing has changed.
///
/// # Example
/// ```
/// purlin_process::reset_child_signal()?;
/// let child = purlin_process::Process::fork("fails", || Err::<(), _>("no luck"))?;
/// assert_eq!(child.join(None)?, purlin_process::ExitStatus::Code(1));
/// # Ok::<(), purlin_process::Error>(())
/// ```
pub fn reset_child_signal() -> Result<(), Error> {
    sys::signal::keep_ended_children()
}
