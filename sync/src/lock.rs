//! The lock whose holder is a process, which alone releases it.

use crate::exclusive::{Exclusive, Rules};
use crate::words::exclusive::ExclusiveWord;
use crate::words::lock::ByHolder;

/// One holder at a time, among all processes and threads that share it. Its holder is a process: a
/// second acquire waits, by whatever thread, and only the holder's process releases.
///
/// Taking a free lock and giving it back are one atomic exchange each, and no system call. When a
/// holder dies (killed at any instruction, exited, replaced by another program), the next caller
/// gets the lock within the kernel's clean-up and one slice of 50 ms, and is told.
///
/// A clone is a handle of the same lock, in the same process; a forked child has copies of all.
/// When a process drops its last handle while it holds the lock, that counts as its death.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use core::time::Duration;
/// use purlin_sync::{Error, Lock};
///
/// let lock = Lock::new()?;
/// let guard = lock.acquire(Duration::from_secs(1))?.sound()?;
/// assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut); // also for its own holder
/// drop(guard);
/// assert_eq!(lock.release(), Err(Error::OverReleased));
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: `release` is async-signal-safe, once the process has a token; `acquire` is not, for
///   it may wait for its own thread.
/// * Fork: the child inherits the handle, never the hold.
/// * Death: the next caller gets the lock and is told; what it guards may be half written. The end
///   of a single thread is seen by nobody: a lock that it kept stays held until its process ends.
/// * Threads: a lock kept by one thread can be released by another of the same process. Where that
///   must not be, see [`CheckedLock`](crate::CheckedLock).
pub type Lock = Exclusive<ByHolder>;

/// The word of a [`Lock`]. The token it is called with names a process: threads of one process are
/// told apart by nobody.
pub type LockWord = ExclusiveWord<ByHolder>;

const _: () = assert!(size_of::<LockWord>() == 4 && align_of::<LockWord>() == 4);

impl Rules for ByHolder {
    const KIND: u16 = 1;
    const NAME: &'static str = "Lock";
    type Bond = *const ();
}
