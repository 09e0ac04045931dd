//! How a condition is made, found and carried. The condition and its lock are two objects of one
//! segment; the lock's offset is written down in the condition, and checked whenever it is opened.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use purlin_shm::{Carry, LINE_BYTES, Luggage, Name, Place, Segment};

use crate::condition::{Condition, ConditionHead, ReleasedByHolder};
use crate::error::Error;
use crate::exclusive::Exclusive;
use crate::limits::{CONDITION_WAITER_COUNT, CONDITION_WAITER_MAX, NAMED_MODE};
use crate::rlock::{RLock, RLockWord};

const ROOM: usize = CONDITION_WAITER_COUNT as usize;

impl Condition {
    /// Makes a condition with an [`RLock`] of its own, in a segment that this process keeps for
    /// such objects.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn new() -> Result<Self, Error> {
        let place = Place::new_with(ROOM, |_, _| ())?;
        match Self::with_lock(place) {
            Err(Error::OutOfResources) => Self::new_in(&Segment::anonymous(Self::TOGETHER_BYTES)?),
            other => other,
        }
    }

    /// Makes a condition with an [`RLock`] of its own in `segment`.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the segment is full.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in(segment: &Segment) -> Result<Self, Error> {
        Self::with_lock(Place::new_in_with(segment, ROOM, |_, _| ())?)
    }

    /// Makes a condition with an [`RLock`] of its own that has a name, as
    /// [`Lock::create`](crate::Exclusive::create) does.
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * Those of [`new`](Self::new); [`Error::Unsupported`] also where the machine has no
    ///   `/dev/shm`.
    pub fn create(name: &Name) -> Result<Self, Error> {
        Segment::create_with(name, Self::TOGETHER_BYTES, NAMED_MODE, Self::new_in)
            .map(|(_, condition)| condition)
    }

    /// What a condition and its lock take together.
    const TOGETHER_BYTES: u64 =
        footprint_bytes(size_of::<ConditionHead>() + ROOM * size_of::<AtomicU64>())
            + footprint_bytes(size_of::<RLockWord>());

    /// Makes the lock of a condition that has none yet, and that nobody knows of.
    fn with_lock(place: Place<ConditionHead>) -> Result<Self, Error> {
        let lock = RLock::new_in(&place.segment())?;
        // Relaxed: whoever opens the condition has heard of it after this.
        place.lock.store(lock.offset(), Relaxed);
        Ok(Self { place, lock })
    }
}

impl<R: ReleasedByHolder> Condition<R> {
    /// Makes a condition over `lock`, in the lock's segment. Several conditions may share one lock;
    /// each has its own waiters.
    ///
    /// It takes a little more than a kilobyte, which the segment of a lock that was made by
    /// [`Lock::new`](crate::Exclusive::new) may not have: many locks share one.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the segment is full.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn over(lock: &Exclusive<R>) -> Result<Self, Error> {
        Self::over_with_room(lock, CONDITION_WAITER_COUNT)
    }

    /// As [`over`](Self::over), with room for so many that wait at once, each of which takes eight
    /// bytes. Otherwise there is room for 128.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when the room is none, or for more than 4096.
    /// * Those of [`over`](Self::over).
    pub fn over_with_room(lock: &Exclusive<R>, waiter_count: u32) -> Result<Self, Error> {
        if waiter_count > CONDITION_WAITER_MAX {
            return Err(Error::InvalidArgument);
        }
        let (segment, offset) = (lock.segment(), lock.offset());
        // Relaxed: what is filled in is published with the object.
        let fill = |head: &ConditionHead, _: &[AtomicU64]| head.lock.store(offset, Relaxed);
        let place = Place::new_in_with(&segment, waiter_count as usize, fill)?;
        Ok(Self { place, lock: lock.clone() })
    }

    /// Opens the condition that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind of object stands there, or a condition over
    ///   another kind of lock.
    /// * [`Error::Damaged`] when none does, or its lock is no longer to be found.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Self::found(Place::open(segment, offset)?)
    }

    /// Opens the condition that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * Those of [`Lock::open_named`](crate::Exclusive::open_named), and of [`open`](Self::open).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Self::found(Place::open_named(name)?)
    }

    /// Finds the lock of a condition.
    fn found(place: Place<ConditionHead>) -> Result<Self, Error> {
        // Relaxed: it was written before anybody heard of the condition.
        let lock = Exclusive::open(&place.segment(), place.lock.load(Relaxed))?;
        Ok(Self { place, lock })
    }
}

/// What an object of `size` bytes takes in a segment.
const fn footprint_bytes(size: usize) -> u64 {
    (size as u64 + 16).next_multiple_of(LINE_BYTES)
}

/// A hold, and a wait, stay with their process: what arrives is a handle.
impl<R: ReleasedByHolder> Carry for Condition<R> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        let place = Place::<ConditionHead>::unpack(luggage)?;
        // Relaxed: as in `found`.
        let lock = Place::open(&place.segment(), place.lock.load(Relaxed))?;
        Ok(Self { place, lock: Exclusive::at(lock) })
    }
}
