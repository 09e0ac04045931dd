//! The lock that anybody releases, whoever acquired it.

use crate::exclusive::{Exclusive, Rules};
use crate::words::exclusive::ExclusiveWord;
use crate::words::handover::ByAnyone;

/// One holder at a time, among all processes and threads that share it; any of them may end the
/// hold. Its holder is the process that acquired it: a second acquire waits, by whatever thread.
///
/// For work that is handed over: one acquires, another goes on with what is guarded and releases.
/// Taking a free lock and giving back one's own are one atomic exchange each, as with a
/// [`Lock`](crate::Lock).
///
/// The word names who acquired, and never who was handed the work. When that process dies before
/// the release, the next caller gets the lock and is told, and so it is when the dead one's lock is
/// released by somebody else: a release by a stranger asks whether the holder lives, which costs
/// some system calls. After the release the death of the former holder is no concern of the lock's.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use purlin_sync::{Acquired, Error, HandoverLock, Told};
///
/// let lock = HandoverLock::new()?;
/// assert_eq!(lock.acquire(None)?.keep(), Told::Held);
/// assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut);
/// std::thread::scope(|scope| {
///     scope.spawn(|| lock.release()); // or another process
/// });
/// let guard = lock.try_acquire()?.sound()?; // it may also go to another thread
/// std::thread::scope(|scope| {
///     scope.spawn(|| drop(guard));
/// });
/// assert_eq!(lock.release(), Err(Error::OverReleased));
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: `release` of what the own process holds is async-signal-safe, once that has a token;
///   a stranger's release and `acquire` are not.
/// * Fork: the child inherits the handle, never the hold; but it may release, as anybody may.
/// * Death: as with a lock, by the process that acquired: it has to live, with a handle of the
///   lock, until the release, or its death is told although its part was done. A stranger's release
///   takes for alive who is killed but not yet taken apart by the kernel, and lets its half-written
///   data pass for sound: release when the holder has said that its part is done, or is known to be
///   gone.
/// * Misuse: a stray release ends whatever hold it finds, and lets two in. A guard whose lock was
///   released by somebody else does nothing, unless its own process has acquired the lock since:
///   then it ends that hold.
/// * Order: the next holder sees what the releaser had seen. That this includes the holder's work
///   is for those two to arrange, by the message that hands it over.
pub type HandoverLock = Exclusive<ByAnyone>;

/// The word of a [`HandoverLock`].
pub type HandoverLockWord = ExclusiveWord<ByAnyone>;

const _: () = assert!(size_of::<HandoverLockWord>() == 4 && align_of::<HandoverLockWord>() == 4);

impl Rules for ByAnyone {
    const KIND: u16 = 2;
    const NAME: &'static str = "HandoverLock";
    type Bond = ();
}
