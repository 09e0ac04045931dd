//! Settings of the whole process on which the status of children depends.

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

/// Has a stack that overflows end this process by `SIGSTKFLT`, number 16, and not by `SIGABRT` as
/// an abort does: so its parent tells the two apart. What std prints of it is printed all the same.
///
/// This changes a setting of the whole process, which is why nothing else of this crate does it: a
/// handler of ours goes in front of std's handler of faults (`SIGSEGV`), and calls it. Std's aborts
/// for an overflow alone, and an abort from within it ends by that other signal. Forked children
/// have it as well. A spawned one begins anew: a program that wants it there calls this first thing
/// in `main`, before [`init`](crate::init). To call it again does nothing.
///
/// # Errors
/// * [`Error::Unsupported`] when nothing handles faults, as in a program that was started with
///   `SIGSEGV` ignored; nothing has changed.
/// * [`Error::System`] as the system says, which it has no reason to.
///
/// # Weak points
/// * Threads: one that aborts while another has just overflowed its stack ends as that does. On one
///   of [`thread`](crate::thread) in a forked child an overflow stays `SIGSEGV`: std has no stack
///   for its handler there.
/// * A handler of the program's for faults that was there before is called as std's is; if it
///   aborts, that ends by `SIGSTKFLT`, too. One that never returns and goes on elsewhere has every
///   later abort end so. The program's handler of `SIGABRT` is not called for an overflow.
///
/// # Example
/// ```
/// use purlin_process::{ExitStatus, Process, tell_overflow_apart};
///
/// fn deep(number: u64) -> u64 {
///     let room = std::hint::black_box([number; 512]);
///     if number == u64::MAX { 0 } else { deep(number + 1) + room[7] }
/// }
///
/// tell_overflow_apart()?;
/// let overflows = Process::fork("overflows", || assert_eq!(deep(0), 0))?;
/// assert_eq!(overflows.join(None)?, ExitStatus::Signal(16));
/// let aborts = Process::fork("aborts", || std::process::abort() as ())?;
/// assert_eq!(aborts.join(None)?, ExitStatus::Signal(6));
/// # Ok::<(), purlin_process::Error>(())
/// ```
pub fn tell_overflow_apart() -> Result<(), Error> {
    sys::overflow::stand_in_front()
}
