//! A row of numbers that processes share.

use core::fmt;
use core::ops::{Bound, Range, RangeBounds};

use purlin_shm::{Carry, Luggage, Name, Segment};
use purlin_sync::{Deadline, Exclusive, RLock, Rules};

use crate::cells::{Cells, Several};
use crate::contents::Contents;
use crate::error::Error;
use crate::guarding::{Guarding, Unlocked};
use crate::plain::stored::Cell;
use crate::plain::{Plain, Whole};

/// A row of numbers, as many as it was made with, that processes and threads share, and a lock that
/// goes with them.
///
/// Each access takes the lock: it waits while somebody else has it, and goes through while the
/// caller's thread has it. A range is read or written as one step. An element is never seen half
/// written, with a lock or without.
///
/// When the holder of the lock is killed, single elements are read and written all the same. A
/// range may be half old and half new then, and is refused as owner-died, until somebody has
/// [recovered](purlin_sync::Suspect::recover) the lock.
///
/// A range that reaches past the end is cut there, and one that ends before it begins is empty.
///
/// A clone is a handle of the same array, in the same process; a forked child has copies of all.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use purlin_channel::{Array, Error};
///
/// let array = Array::new(&[1, 2, 3, 4])?;
/// array.set(0, 10, None)?;
/// array.write(1..3, &[20, 30], None)?;
/// assert_eq!(array.read(.., None)?, [10, 20, 30, 4]);
/// assert_eq!(array.get(4, None), Err(Error::OutOfRange));
/// assert_eq!(array.write(1..3, &[7], None), Err(Error::InvalidArgument)); // of another length
/// array.update_range(2.., None, |rest| rest.reverse())?;
/// assert_eq!(array.read(2..9, None)?, [4, 30]);
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness, signals: those of its lock. [`load`](Self::load) and [`store`](Self::store) are
///   async-signal-safe.
/// * Fork: the child inherits the handle, never the hold.
/// * Death: of who writes a range, leaves whole elements, old and new ones, and the lock suspect.
/// * Going over it element by element takes the lock for each: what is read is no picture of one
///   moment, unless the caller holds the lock around it.
/// * Waiting for oneself: as a [`Value`](crate::Value).
/// * Length: it never changes. With 16 bytes and its head it has at most 4 GiB.
pub struct Array<T: Plain, L: Guarding = RLock> {
    cells: Cells<T, Several, L>,
}

impl<T: Plain> Array<T> {
    /// Makes an array with an [`RLock`] of its own, in a segment that this process keeps for such
    /// objects, or in one of its own if it is large.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for more than 4 GiB.
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn new(contents: impl Contents<T>) -> Result<Self, Error> {
        Cells::new(&contents).map(Self::at)
    }

    /// Makes an array with an [`RLock`] of its own in `segment`.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] as [`new`](Self::new).
    /// * [`Error::OutOfResources`] when the segment has not room enough: 32 bytes and the elements,
    ///   rounded up to 128, and 128 bytes for the lock.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in(segment: &Segment, contents: impl Contents<T>) -> Result<Self, Error> {
        Cells::new_in(segment, &contents).map(Self::at)
    }

    /// Makes an array with an [`RLock`] of its own that has a name, as
    /// [`Value::create`](crate::Value::create).
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * Those of [`new`](Self::new); [`Error::Unsupported`] also where the machine has no
    ///   `/dev/shm`.
    pub fn create(name: &Name, contents: impl Contents<T>) -> Result<Self, Error> {
        Cells::create(name, &contents).map(Self::at)
    }
}

impl<T: Plain> Array<T, Unlocked> {
    /// Makes an array without a lock, as [`new`](Array::new).
    ///
    /// # Errors
    /// * Those of [`new`](Array::new).
    pub fn unlocked(contents: impl Contents<T>) -> Result<Self, Error> {
        Cells::unlocked(&contents).map(Self::at)
    }

    /// Makes an array without a lock in `segment`, as [`new_in`](Array::new_in).
    ///
    /// # Errors
    /// * Those of [`new_in`](Array::new_in).
    pub fn unlocked_in(segment: &Segment, contents: impl Contents<T>) -> Result<Self, Error> {
        Cells::unlocked_in(segment, &contents).map(Self::at)
    }

    /// Makes an array without a lock that has a name, as [`create`](Array::create).
    ///
    /// # Errors
    /// * Those of [`create`](Array::create).
    pub fn create_unlocked(name: &Name, contents: impl Contents<T>) -> Result<Self, Error> {
        Cells::create_unlocked(name, &contents).map(Self::at)
    }
}

impl<T: Plain, R: Rules> Array<T, Exclusive<R>> {
    /// Makes an array over a lock that is there already, as
    /// [`Value::over`](crate::Value::over).
    ///
    /// # Errors
    /// * Those of [`new`](Array::new) and [`new_in`](Array::new_in).
    pub fn over(lock: &Exclusive<R>, contents: impl Contents<T>) -> Result<Self, Error> {
        Cells::over(lock, &contents).map(Self::at)
    }

    /// One element, once the lock is had.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] when there is none of this index; then the lock was not asked for.
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::WouldDeadlock`], [`Error::OutOfRange`], [`Error::Damaged`],
    ///   [`Error::OutOfResources`], [`Error::Unsupported`], [`Error::System`] as an
    ///   [acquire](Exclusive::acquire) of the lock.
    #[inline]
    pub fn get(&self, index: usize, deadline: impl Into<Deadline>) -> Result<T, Error> {
        self.cells.get(index, deadline.into())
    }

    /// Replaces one element, once the lock is had.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    #[inline]
    pub fn set(
        &self,
        index: usize,
        element: T,
        deadline: impl Into<Deadline>,
    ) -> Result<(), Error> {
        self.cells.set(index, element, deadline.into())
    }

    /// Replaces one element by what `change` makes of it, while the lock is held; what it is then.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    #[inline]
    pub fn update(
        &self,
        index: usize,
        deadline: impl Into<Deadline>,
        change: impl FnOnce(T) -> T,
    ) -> Result<T, Error> {
        self.cells.update(index, deadline.into(), change)
    }

    /// The elements of a range, as they are at one moment.
    ///
    /// # Errors
    /// * [`Error::OwnerDied`] when a holder of the lock was killed and nobody has recovered it
    ///   since. Not inside the caller's own hold, who was told when it acquired.
    /// * The others as [`get`](Self::get).
    pub fn read(
        &self,
        range: impl RangeBounds<usize>,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<T>, Error> {
        let range = self.clip(&range);
        let _held = self.cells.hold_sound(deadline.into())?;
        Ok(self.cells.to_vec(range))
    }

    /// Copies as many elements from `start` on as `into` has, as they are at one moment.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] when there are not so many.
    /// * The others as [`read`](Self::read).
    pub fn read_into(
        &self,
        start: usize,
        into: &mut [T],
        deadline: impl Into<Deadline>,
    ) -> Result<(), Error> {
        let range = self.exact(start, into.len())?;
        let _held = self.cells.hold_sound(deadline.into())?;
        self.cells.copy_out(range, into);
        Ok(())
    }

    /// Replaces the elements of a range, as one step.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when there are more or fewer `elements` than in the range.
    ///   Nothing was written.
    /// * The others as [`read`](Self::read).
    pub fn write(
        &self,
        range: impl RangeBounds<usize>,
        elements: &[T],
        deadline: impl Into<Deadline>,
    ) -> Result<(), Error> {
        let range = self.clip(&range);
        if range.len() != elements.len() {
            return Err(Error::InvalidArgument);
        }
        let _held = self.cells.hold_sound(deadline.into())?;
        self.cells.copy_in(range, elements);
        Ok(())
    }

    /// Hands a copy of a range to `change`, and writes back what it makes of it, while the lock is
    /// held. When `change` panics, nothing is written.
    ///
    /// # Errors
    /// * As [`read`](Self::read).
    pub fn update_range<U>(
        &self,
        range: impl RangeBounds<usize>,
        deadline: impl Into<Deadline>,
        change: impl FnOnce(&mut [T]) -> U,
    ) -> Result<U, Error> {
        let range = self.clip(&range);
        let _held = self.cells.hold_sound(deadline.into())?;
        let mut elements = self.cells.to_vec(range.clone());
        let answer = change(&mut elements);
        self.cells.copy_in(range, &elements);
        Ok(answer)
    }

    /// The lock that each access takes.
    #[must_use]
    pub const fn lock(&self) -> &Exclusive<R> {
        &self.cells.guard
    }
}

impl<R: Rules> Array<u8, Exclusive<R>> {
    /// The bytes up to the first zero, or all.
    ///
    /// ```
    /// # fn main() -> Result<(), purlin_channel::Error> {
    /// let array = purlin_channel::Array::<u8>::new(8)?;
    /// array.set_text(b"hello", None)?;
    /// assert_eq!(array.text(None)?, b"hello");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * As [`read`](Self::read).
    pub fn text(&self, deadline: impl Into<Deadline>) -> Result<Vec<u8>, Error> {
        let mut bytes = self.read(.., deadline)?;
        let end = bytes.iter().position(|byte| *byte == 0);
        bytes.truncate(end.unwrap_or(bytes.len()));
        Ok(bytes)
    }

    /// Writes a text at the start, and a zero behind it if there is room.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when it is longer than the array. Nothing was written.
    /// * The others as [`read`](Self::read).
    pub fn set_text(&self, text: &[u8], deadline: impl Into<Deadline>) -> Result<(), Error> {
        if text.len() > self.len() {
            return Err(Error::InvalidArgument);
        }
        let end = (text.len() + 1).min(self.len());
        let bytes = [text, &[0]].concat();
        self.write(..end, &bytes[..end], deadline)
    }
}

impl<T: Plain, L: Guarding> Array<T, L> {
    /// Opens the array that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * As [`Value::open`](crate::Value::open).
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Cells::open(segment, offset).map(Self::at)
    }

    /// Opens the array that was [created](Array::create) under this name.
    ///
    /// # Errors
    /// * As [`Value::open_named`](crate::Value::open_named).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Cells::open_named(name).map(Self::at)
    }

    /// How many elements there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.cells.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One element, whoever holds the lock: one atomic load. What was written before the
    /// [`store`](Self::store) that it sees is seen, too.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] when there is none of this index.
    #[inline]
    pub fn load(&self, index: usize) -> Result<T, Error> {
        Ok(T::of_bits(self.cells.cell(index)?.load()))
    }

    /// Replaces one element, whoever holds the lock: one atomic store.
    ///
    /// # Errors
    /// * As [`load`](Self::load).
    #[inline]
    pub fn store(&self, index: usize, element: T) -> Result<(), Error> {
        self.cells.cell(index)?.store(element.to_bits());
        Ok(())
    }

    /// The elements of a range, whoever holds the lock: each whole, and each of another moment.
    #[must_use]
    pub fn load_range(&self, range: impl RangeBounds<usize>) -> Vec<T> {
        self.cells.to_vec(self.clip(&range))
    }

    /// Replaces the elements of a range, whoever holds the lock: one after the other.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when there are more or fewer `elements` than in the range.
    pub fn store_range(&self, range: impl RangeBounds<usize>, elements: &[T]) -> Result<(), Error> {
        let range = self.clip(&range);
        if range.len() != elements.len() {
            return Err(Error::InvalidArgument);
        }
        self.cells.copy_in(range, elements);
        Ok(())
    }

    /// Where in its segment the array is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.cells.place.offset()
    }

    /// The segment that the array is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.cells.place.segment()
    }

    const fn at(cells: Cells<T, Several, L>) -> Self {
        Self { cells }
    }

    /// What there is of a range.
    fn clip(&self, range: &impl RangeBounds<usize>) -> Range<usize> {
        let start = match range.start_bound() {
            Bound::Unbounded => 0,
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
        };
        let end = match range.end_bound() {
            Bound::Unbounded => self.len(),
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
        };
        let start = start.min(self.len());
        start..end.clamp(start, self.len())
    }

    fn exact(&self, start: usize, len: usize) -> Result<Range<usize>, Error> {
        let end = start.checked_add(len).filter(|end| *end <= self.len());
        end.map(|end| start..end).ok_or(Error::OutOfRange)
    }
}

impl<T: Whole, L: Guarding> Array<T, L> {
    /// Adds to one element, whoever holds the lock, and says what it was: one atomic addition,
    /// which goes round at the end of the type.
    ///
    /// # Errors
    /// * As [`load`](Self::load).
    #[inline]
    pub fn fetch_add(&self, index: usize, summand: T) -> Result<T, Error> {
        Ok(T::of_bits(self.cells.cell(index)?.add(summand.to_bits())))
    }
}

impl<T: Plain, L: Guarding> Carry for Array<T, L> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.cells.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Cells::unpack(luggage).map(Self::at)
    }
}

impl<T: Plain, L: Guarding> Clone for Array<T, L> {
    fn clone(&self) -> Self {
        Self { cells: self.cells.clone() }
    }
}

impl<T: Plain, L: Guarding> fmt::Debug for Array<T, L> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Array")
            .field("len", &self.len())
            .field("guard", &self.cells.guard)
            .finish_non_exhaustive()
    }
}
