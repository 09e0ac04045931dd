//! The handle of an exclusive lock, whatever its rules: the same methods for all of them.

use core::fmt;

use purlin_shm::{Attachment, Carry, Luggage, Name, Object, Place, Segment, Shared};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::guard::Acquired;
use crate::words::exclusive::{ExclusiveWord, Steps};

/// What kind of exclusive lock it is: who its holder is, who may release it, and what its word is.
/// There are four, and nobody can make others: [`ByHolder`], [`ByAnyone`], [`ByThread`] and
/// [`Reentrant`].
///
/// [`ByHolder`]: crate::ByHolder
/// [`ByAnyone`]: crate::ByAnyone
/// [`ByThread`]: crate::ByThread
/// [`Reentrant`]: crate::Reentrant
pub trait Rules: Steps + fmt::Debug {
    /// The kind of the object, as a segment has it written down.
    #[doc(hidden)]
    const KIND: u16;
    /// What it is called.
    #[doc(hidden)]
    const NAME: &'static str;
    /// What a guard has in it: a pointer, if it must stay in its thread.
    #[doc(hidden)]
    type Bond;
}

/// The handle of an exclusive lock. It goes by the names [`Lock`], [`HandoverLock`],
/// [`CheckedLock`] and [`RLock`], where its contract is written down.
///
/// [`Lock`]: crate::Lock
/// [`HandoverLock`]: crate::HandoverLock
/// [`CheckedLock`]: crate::CheckedLock
/// [`RLock`]: crate::RLock
pub struct Exclusive<R: Rules> {
    place: Place<ExclusiveWord<R>>,
}

#[expect(unsafe_code, reason = "a promise about the word's layout, argued here")]
// SAFETY: `repr(C)` over an atomic integer and either nothing or two more (of the words' own
// choice, for `Steps` has no other implementations), of which any bits are a valid value.
unsafe impl<R: Rules> Shared for ExclusiveWord<R> {}

impl<R: Rules> Object for ExclusiveWord<R> {
    const KIND: u16 = R::KIND;
    const VERSION: u16 = 1;
    type Row = ();
}

impl<R: Rules> Exclusive<R> {
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

    /// Makes a free lock that has a name, by which processes of this user find it that are no
    /// relatives. The name stays when all have gone, until it is [unlinked] or [collected].
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * Those of [`new`](Self::new); [`Error::Unsupported`] also where the machine has no
    ///   `/dev/shm`.
    ///
    /// [unlinked]: purlin_shm::Name::unlink
    /// [collected]: purlin_shm::collect
    ///
    /// ```
    /// use purlin_sync::{Error, Lock, Name};
    ///
    /// # fn main() -> Result<(), purlin_sync::Error> {
    /// let name = Name::new(&format!("doc-lock-{}", std::process::id()))?;
    /// let lock = Lock::create(&name)?;
    /// let held = lock.acquire(None)?;
    /// // In another process, say:
    /// let same = Lock::open_named(&name)?;
    /// assert_eq!(same.try_acquire().unwrap_err(), Error::TimedOut);
    /// # drop(held);
    /// name.unlink()?;
    /// # Ok(()) }
    /// ```
    pub fn create(name: &Name) -> Result<Self, Error> {
        Ok(Self { place: Place::create(name)? })
    }

    /// Opens the lock that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when there is none; [`Error::PermissionDenied`] when it is another
    ///   user's.
    /// * [`Error::Incompatible`] when the name leads to something else than such a lock,
    ///   [`Error::Damaged`] when it was truncated or overwritten.
    /// * [`Error::TimedOut`] when for a second the name was always just being taken away.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] as for [`create`](Self::create).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Ok(Self { place: Place::open_named(name)? })
    }

    /// Takes the lock, waiting until it is free, its owner has died, or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first. The lock is as it was.
    /// * [`Error::WouldDeadlock`] when this thread holds a [`CheckedLock`](crate::CheckedLock)
    ///   already.
    /// * [`Error::OutOfRange`] when this thread holds an [`RLock`](crate::RLock) at
    ///   [`RLOCK_DEPTH_MAX_COUNT`](crate::RLOCK_DEPTH_MAX_COUNT) levels already.
    /// * [`Error::Damaged`] when the word names a holder that never was, or this thread at a depth
    ///   that never was.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it.
    /// * [`Error::System`] when foreign code closed the descriptor by which deaths are seen.
    #[inline]
    pub fn acquire(&self, deadline: impl Into<Deadline>) -> Result<Acquired<'_, R>, Error> {
        let told = self.place.acquire(self.attachment(), deadline.into())?;
        Ok(Acquired::new(self, self.attachment().token(), told))
    }

    /// Takes the lock if that needs no waiting; from a dead owner too.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when somebody alive holds it, this process and thread included; but an
    ///   [`RLock`](crate::RLock) that this thread holds is had once more.
    /// * The others as [`acquire`](Self::acquire).
    #[inline]
    pub fn try_acquire(&self) -> Result<Acquired<'_, R>, Error> {
        self.acquire(Deadline::passed())
    }

    /// Gives back a lock that was [kept](Acquired::keep), and wakes one of those who wait. Not for
    /// the hold of a guard that is still there: see the guard's weak points. Of an
    /// [`RLock`](crate::RLock), ends one level.
    ///
    /// # Errors
    /// * [`Error::OverReleased`] when nobody holds it.
    /// * [`Error::NotOwner`] when another process does, such as the parent of a forked child; of a
    ///   [`CheckedLock`](crate::CheckedLock) also when another thread does, and of an
    ///   [`RLock`](crate::RLock) also when nobody does. A [`HandoverLock`](crate::HandoverLock)
    ///   never answers so: it is released.
    /// * [`Error::Damaged`] when this thread holds it, and somebody has overwritten the depth.
    /// * The others as [`acquire`](Self::acquire), when a [`HandoverLock`](crate::HandoverLock) is
    ///   held by another process: to release it is to ask whether that lives.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        self.place.release(self.attachment())
    }

    /// Declares the data sound, for a lock that was kept while suspect; for a guard see
    /// [`Suspect::recover`](crate::Suspect::recover). Harmless when it was sound all along.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock.
    pub fn recover(&self) -> Result<(), Error> {
        self.place.recover(self.attachment())
    }

    /// Whether the caller holds the lock: this process, and of a
    /// [`CheckedLock`](crate::CheckedLock) or [`RLock`](crate::RLock) this thread. Never waits. A
    /// yes lasts until the lock is released; a no is only worth the moment.
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
            let _ = self.place.release_own(token);
        }
    }

    pub(crate) fn word(&self) -> &ExclusiveWord<R> {
        &self.place
    }

    #[inline]
    pub(crate) const fn attachment(&self) -> &Attachment {
        self.place.attachment()
    }

    pub(crate) const fn at(place: Place<ExclusiveWord<R>>) -> Self {
        Self { place }
    }
}

/// A hold stays with its process: what arrives is a handle, and a stranger's.
impl<R: Rules> Carry for Exclusive<R> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Ok(Self { place: Place::unpack(luggage)? })
    }
}

impl<R: Rules> Clone for Exclusive<R> {
    fn clone(&self) -> Self {
        Self { place: self.place.clone() }
    }
}

impl<R: Rules> Drop for Exclusive<R> {
    fn drop(&mut self) {
        self.place.leave(ExclusiveWord::abandon);
    }
}

impl<R: Rules> fmt::Debug for Exclusive<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct(R::NAME)
            .field("offset", &self.offset())
            .field("is_mine", &self.is_mine())
            .finish_non_exhaustive()
    }
}
