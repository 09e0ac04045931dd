//! The handle of a lock.

use core::fmt;

use purlin_shm::{Attachment, Object, Place, Segment, Shared};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::guard::Acquired;
use crate::words::lock::LockWord;

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
/// * Threads: a lock kept by one thread can be released by another of the same process.
pub struct Lock {
    place: Place<LockWord>,
}

#[expect(unsafe_code, reason = "a promise about the word's layout, argued here")]
// SAFETY: `repr(transparent)` over one atomic integer, of which any bits are a valid value.
unsafe impl Shared for LockWord {}

const _: () = assert!(size_of::<LockWord>() == 4 && align_of::<LockWord>() == 4);

impl Object for LockWord {
    const KIND: u16 = 1;
    const VERSION: u16 = 1;
}

impl Lock {
    /// Makes a free lock in a segment that this process keeps for such objects.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { place: Place::new()? })
    }

    /// Makes a free lock in `segment`.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the segment is full.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in(segment: &Segment) -> Result<Self, Error> {
        Ok(Self { place: Place::new_in(segment)? })
    }

    /// Opens the lock that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind of object stands there.
    /// * [`Error::Damaged`] when none does.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Ok(Self { place: Place::open(segment, offset)? })
    }

    /// Takes the lock, waiting until it is free, its owner has died, or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first. The lock is as it was.
    /// * [`Error::Damaged`] when the word names a holder that never was.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it.
    /// * [`Error::System`] when foreign code closed the descriptor by which deaths are seen.
    #[inline]
    pub fn acquire(&self, deadline: impl Into<Deadline>) -> Result<Acquired<'_>, Error> {
        let told = self.place.acquire(self.attachment(), deadline.into())?;
        Ok(Acquired::new(self, self.attachment().token(), told))
    }

    /// Takes the lock if that needs no waiting; from a dead owner too.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when somebody alive holds it, this process included.
    /// * The others as [`acquire`](Self::acquire).
    #[inline]
    pub fn try_acquire(&self) -> Result<Acquired<'_>, Error> {
        self.acquire(Deadline::passed())
    }

    /// Gives back a lock that was [kept](Acquired::keep), and wakes one of those who wait. Not for
    /// the hold of a guard that is still there: see the guard's weak points.
    ///
    /// # Errors
    /// * [`Error::OverReleased`] when nobody holds it.
    /// * [`Error::NotOwner`] when another process does, such as the parent of a forked child.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        self.place.release(self.attachment())
    }

    /// Declares the data sound, for a lock that was kept while suspect; for a guard see
    /// [`Suspect::recover`](crate::Suspect::recover). Harmless when it was sound all along.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when this process does not hold the lock.
    pub fn recover(&self) -> Result<(), Error> {
        self.place.recover(self.attachment())
    }

    /// Whether this process holds the lock. Never waits. A yes lasts until this process releases; a
    /// no is only worth the moment.
    #[must_use]
    pub fn is_mine(&self) -> bool {
        self.place.is_mine(self.attachment())
    }

    /// Where in its segment the lock is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.place.offset()
    }

    /// The segment that the lock is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.place.segment()
    }

    /// Ends the hold of a guard that was made under `token`. In a forked child, which has another
    /// token or none yet, nothing happens: it is the parent's hold.
    #[inline]
    pub(crate) fn release_held(&self, token: u32) {
        if self.attachment().token() == token {
            // It fails when somebody has released the lock already, by `release`: then there is
            // nothing left to do, and nobody to tell. Unless this process has acquired it since:
            // the word cannot tell that hold from ours, and it ends here.
            let _ = self.place.release_as(token);
        }
    }

    pub(crate) const fn attachment(&self) -> &Attachment {
        self.place.attachment()
    }
}

impl Clone for Lock {
    fn clone(&self) -> Self {
        Self { place: self.place.clone() }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.place.leave(LockWord::abandon);
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lock")
            .field("offset", &self.offset())
            .field("is_mine", &self.is_mine())
            .finish_non_exhaustive()
    }
}
