//! How elements and their lock are made, found and carried. The two are objects of one segment,
//! unless the lock was there before and its segment has no room; where the lock is stands before
//! the elements, and is checked whenever they are opened.

use core::sync::atomic::Ordering::Relaxed;

use purlin_shm::{Carry, LINE_BYTES, Luggage, Name, Place, Segment};
use purlin_sync::{Exclusive, RLock, RLockWord, Rules};

use crate::cells::{Cells, Head, Many};
use crate::contents::Contents;
use crate::error::Error;
use crate::guarding::{ELSEWHERE, Guarding, NONE, Unlocked};
use crate::limits::OWN_SEGMENT_BYTES;
use crate::plain::Plain;
use crate::plain::stored::Cell;

/// What stands in the elements at first, and where their lock is.
struct Filling<'a, T> {
    len: usize,
    elements: &'a [T],
    lock: u64,
}

impl<'a, T: Plain> Filling<'a, T> {
    fn new(contents: &'a impl Contents<T>, lock: u64) -> Self {
        Self { len: contents.count(), elements: contents.elements(), lock }
    }

    /// A row is never of none.
    fn row_len(&self) -> usize {
        self.len.max(1)
    }

    fn fill<K: Many>(&self, head: &Head<T, K>, row: &[T::Cell]) {
        // Relaxed, both: nobody has the object yet, and its check orders them.
        head.lock.store(self.lock, Relaxed);
        head.len.store(self.len as u64, Relaxed);
        for (cell, element) in row.iter().zip(self.elements) {
            cell.store(element.to_bits());
        }
    }

    /// What the elements take in a segment.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when that cannot be counted.
    fn footprint_bytes<K: Many>(&self) -> Result<u64, Error> {
        let row_bytes = self.row_len().checked_mul(size_of::<T::Cell>());
        let bytes = row_bytes.and_then(|bytes| bytes.checked_add(size_of::<Head<T, K>>()));
        let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok());
        bytes.and_then(footprint_bytes).ok_or(Error::InvalidArgument)
    }

    fn make_in<K: Many>(&self, segment: &Segment) -> Result<Place<Head<T, K>>, Error> {
        Ok(Place::new_in_with(segment, self.row_len(), |head, row| self.fill(head, row))?)
    }

    fn make<K: Many>(&self) -> Result<Place<Head<T, K>>, Error> {
        Ok(Place::new_with(self.row_len(), |head, row| self.fill(head, row))?)
    }
}

/// What an object of `bytes` takes in a segment.
fn footprint_bytes(bytes: u64) -> Option<u64> {
    bytes.checked_add(16)?.checked_next_multiple_of(LINE_BYTES)
}

const LOCK_BYTES: u64 = (size_of::<RLockWord>() as u64 + 16).next_multiple_of(LINE_BYTES);

/// Who may use a named one: this user, and nobody else.
const NAMED_MODE: u32 = 0o600;

impl<T: Plain, K: Many> Cells<T, K, RLock> {
    pub(crate) fn new(contents: &impl Contents<T>) -> Result<Self, Error> {
        let filling = Filling::new(contents, NONE);
        let bytes = filling.footprint_bytes::<K>()?;
        if bytes <= OWN_SEGMENT_BYTES {
            // Twice: a segment that others share may have room for the one and not the other, and
            // a new one has it for both.
            for _ in 0..2 {
                let place = filling.make::<K>()?;
                match RLock::new_in(&place.segment()) {
                    Ok(lock) => {
                        // Relaxed: whoever opens them has heard of them after this.
                        place.lock.store(lock.offset(), Relaxed);
                        return Self::of(place, lock);
                    }
                    Err(purlin_sync::Error::OutOfResources) => {}
                    Err(other) => return Err(other.into()),
                }
            }
        }
        let together = bytes.checked_add(LOCK_BYTES).ok_or(Error::InvalidArgument)?;
        check_size(bytes)?;
        Self::new_in(&Segment::anonymous(together)?, contents)
    }

    pub(crate) fn new_in(segment: &Segment, contents: &impl Contents<T>) -> Result<Self, Error> {
        let lock = RLock::new_in(segment)?;
        let place = Filling::new(contents, lock.offset()).make_in(segment)?;
        Self::of(place, lock)
    }

    pub(crate) fn create(name: &Name, contents: &impl Contents<T>) -> Result<Self, Error> {
        let filling = Filling::new(contents, NONE);
        let bytes = filling.footprint_bytes::<K>()?;
        let together = bytes.checked_add(LOCK_BYTES).ok_or(Error::InvalidArgument)?;
        check_size(bytes)?;
        // The elements come first: whoever finds the name finds them.
        let inside = |segment: &Segment| -> Result<_, Error> {
            let place = filling.make_in::<K>(segment)?;
            let lock = RLock::new_in(segment)?;
            place.lock.store(lock.offset(), Relaxed); // Relaxed: as in `new`
            Self::of(place, lock)
        };
        Ok(Segment::create_with(name, together, NAMED_MODE, inside)?.1)
    }
}

impl<T: Plain, K: Many, R: Rules> Cells<T, K, Exclusive<R>> {
    pub(crate) fn over(lock: &Exclusive<R>, contents: &impl Contents<T>) -> Result<Self, Error> {
        let beside = Filling::new(contents, lock.offset()).make_in(&lock.segment());
        let place = match beside {
            Err(Error::OutOfResources) => Filling::new(contents, ELSEWHERE).make()?,
            other => other?,
        };
        Self::of(place, lock.clone())
    }
}

impl<T: Plain, K: Many> Cells<T, K, Unlocked> {
    pub(crate) fn unlocked(contents: &impl Contents<T>) -> Result<Self, Error> {
        Self::of(Filling::new(contents, NONE).make()?, Unlocked::new())
    }

    pub(crate) fn unlocked_in(
        segment: &Segment,
        contents: &impl Contents<T>,
    ) -> Result<Self, Error> {
        Self::of(Filling::new(contents, NONE).make_in(segment)?, Unlocked::new())
    }

    pub(crate) fn create_unlocked(name: &Name, contents: &impl Contents<T>) -> Result<Self, Error> {
        let filling = Filling::new(contents, NONE);
        let place =
            Place::create_with(name, filling.row_len(), |head, row| filling.fill(head, row));
        Self::of(place?, Unlocked::new())
    }
}

impl<T: Plain, K: Many, L: Guarding> Cells<T, K, L> {
    pub(crate) fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Self::found(Place::open(segment, offset)?)
    }

    pub(crate) fn open_named(name: &Name) -> Result<Self, Error> {
        Self::found(Place::open_named(name)?)
    }

    fn found(place: Place<Head<T, K>>) -> Result<Self, Error> {
        // Relaxed: written before anybody heard of the object.
        let guard = L::found(&place.segment(), place.lock.load(Relaxed))?;
        Self::of(place, guard)
    }
}

impl<T: Plain, K: Many, L: Guarding> Carry for Cells<T, K, L> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)?;
        self.guard.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        let place = Place::<Head<T, K>>::unpack(luggage)?;
        // Relaxed: as in `found`.
        let guard = L::unpack(luggage, place.lock.load(Relaxed))?;
        Self::of(place, guard).map_err(|_| purlin_shm::Error::Damaged)
    }
}

/// Refuses what no object can be as large as, before anything is set aside for it.
fn check_size(bytes: u64) -> Result<(), Error> {
    if bytes > u64::from(u32::MAX) { Err(Error::InvalidArgument) } else { Ok(()) }
}
