//! The lock whose holder is a thread, which is told when it would wait for itself.

use crate::exclusive::{Exclusive, Rules};
use crate::words::checked::ByThread;
use crate::words::exclusive::ExclusiveWord;

/// One holder at a time, among all processes and threads that share it. Its holder is a thread: its
/// own second acquire could never succeed and is refused, another thread's waits, and only it
/// releases.
///
/// Taking a free lock and giving it back are one atomic exchange each, as with a
/// [`Lock`](crate::Lock), and so is what happens when the holder's process dies.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use core::time::Duration;
/// use purlin_sync::{CheckedLock, Error};
///
/// let lock = CheckedLock::new()?;
/// let guard = lock.acquire(None)?.sound()?;
/// assert_eq!(lock.acquire(None).unwrap_err(), Error::WouldDeadlock); // and not for ever
/// assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut); // a try waits for nobody
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let waited = lock.acquire(Duration::from_millis(1)); // another thread rightly waits
///         assert_eq!(waited.unwrap_err(), Error::TimedOut);
///         assert_eq!(lock.release(), Err(Error::NotOwner));
///     });
/// });
/// drop(guard);
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: `release` is async-signal-safe, once the process has a token and the thread a number;
///   `acquire` is not, for a handler would be refused, or wait, for what its own thread holds.
/// * Fork: the child inherits the handle, never the hold. Its one thread is another than the
///   parent's that forked it.
/// * Death: of the process, as with a lock. The end of a single thread is seen by nobody: a lock
///   that it kept stays held, and can be released by no other thread, until its process ends or
///   drops its last handle.
/// * Cycles: only the shortest is found, a thread that waits for itself. Two that wait for each
///   other's locks wait for ever.
/// * Tasks: one that is moved from thread to thread has many names. A guard cannot be moved with
///   it; what was kept has to be released by the thread that acquired it.
/// * Numbers: a process can have 2^32 - 1 threads that use such locks, in its whole life; the next
///   is told out-of-resources.
pub type CheckedLock = Exclusive<ByThread>;

/// The word of a [`CheckedLock`]. The calling thread is part of who calls.
pub type CheckedLockWord = ExclusiveWord<ByThread>;

const _: () = assert!(size_of::<CheckedLockWord>() == 8 && align_of::<CheckedLockWord>() == 8);

impl Rules for ByThread {
    const KIND: u16 = 3;
    const NAME: &'static str = "CheckedLock";
    type Bond = *const ();
}
