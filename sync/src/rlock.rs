//! The lock whose holder is a thread, which may acquire it again.

use crate::error::Error;
use crate::exclusive::{Exclusive, Rules};
use crate::words::depth::Depth;
use crate::words::exclusive::ExclusiveWord;
use crate::words::rlock::Reentrant;

/// One holder at a time, among all processes and threads that share it. Its holder is a thread,
/// which may acquire it again and again: each acquire goes one level deeper, each release, or
/// guard, ends one level, and with the last one the lock is free.
///
/// Taking a free lock and giving it back are one atomic exchange each, as with a
/// [`Lock`](crate::Lock); to go deeper and back is none, and nobody else sees it. When the holder's
/// process dies, at whatever depth, the next caller gets the lock, at depth one, and is told; it is
/// told at its first level only.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use purlin_sync::{Error, RLock};
///
/// let lock = RLock::new()?;
/// let outer = lock.acquire(None)?.sound()?;
/// let inner = lock.acquire(None)?.sound()?; // at once
/// assert_eq!(lock.depth(), Ok(2));
/// let in_another_thread = |lock: &RLock| std::thread::scope(|scope| {
///     scope.spawn(|| lock.try_acquire().map(|got| drop(got))).join().unwrap()
/// });
/// drop(inner);
/// assert_eq!(in_another_thread(&lock), Err(Error::TimedOut)); // one level is left
/// drop(outer);
/// assert_eq!(in_another_thread(&lock), Ok(()));
/// assert_eq!(lock.release(), Err(Error::NotOwner)); // one release too many
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound; the holder overtakes
///   them whenever it goes deeper.
/// * Signals: no call is async-signal-safe: a handler that interrupts its own thread amid one may
///   find a depth that is about to be written.
/// * Fork: the child inherits the handle, never the hold, nor the depth. Its one thread is another
///   than the parent's that forked it.
/// * Death: of the process, as with a lock. The end of a single thread is seen by nobody: a lock
///   that it kept stays held, and can be released by no other thread, until its process ends or
///   drops its last handle.
/// * Cycles: two threads that wait for each other's locks wait for ever.
/// * Tasks: one that is moved from thread to thread has many names, as with a
///   [`CheckedLock`](crate::CheckedLock), and threads are numbered as there.
/// * Data: who goes deeper finds what its own outer levels have left half done.
pub type RLock = Exclusive<Reentrant>;

/// The word of an [`RLock`], and its depth beside it. The calling thread is part of who calls.
pub type RLockWord = ExclusiveWord<Reentrant>;

// The depth shares the word's line: its holder has that at hand, and nobody else reads it.
const _: () = assert!(size_of::<RLockWord>() == 16 && align_of::<RLockWord>() == 8);
const _: () = assert!(core::mem::offset_of!(RLockWord, depth) == 8);

impl Rules for Reentrant {
    const KIND: u16 = 9;
    const NAME: &'static str = "RLock";
    type Bond = *const ();
}

impl Exclusive<Reentrant> {
    /// At how many levels the calling thread holds the lock: 0 when it does not. Never waits.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when the calling thread holds it, and somebody has overwritten the
    ///   depth.
    pub fn depth(&self) -> Result<u32, Error> {
        if self.is_mine() { self.word().depth.get() } else { Ok(0) }
    }
}
