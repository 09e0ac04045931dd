//! One number that processes share.

use core::fmt;

use purlin_shm::{Carry, Luggage, Name, Segment};
use purlin_sync::{Deadline, Exclusive, RLock, Rules};

use crate::cells::{Cells, One};
use crate::error::Error;
use crate::guarding::{Guarding, Unlocked};
use crate::plain::stored::Cell;
use crate::plain::{Plain, Whole};

/// One number, or truth value, that processes and threads share, and a lock that goes with it.
///
/// Each read and write takes the lock: it waits while somebody else has it, and goes through while
/// the caller's thread has it. A read, some thinking and a write are one step only inside
/// [`update`](Self::update), or between an acquire and a release of [`lock`](Self::lock).
/// [`load`](Self::load) and its neighbours pass the lock by.
///
/// It is never seen half written. When the holder of the lock is killed, reads and writes go on;
/// whoever acquires the lock by itself next is told.
///
/// A clone is a handle of the same value, in the same process; a forked child has copies of all.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use purlin_channel::Value;
///
/// let count = Value::new(0_u32)?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| (0..1000).try_for_each(|_| count.update(None, |n| n + 1).map(drop)));
///     }
/// });
/// assert_eq!(count.get(None)?, 2000);
/// let _held = count.lock().acquire(None)?.sound()?; // several accesses as one step
/// count.set(count.get(None)? * 2, None)?;
/// assert_eq!(count.load(), 4000);
/// # Ok(()) }
/// ```
///
/// Without a lock there are single accesses only:
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use purlin_channel::Value;
///
/// let hits = Value::unlocked(0_u64)?;
/// assert_eq!(hits.fetch_add(5), 0);
/// assert_eq!(hits.compare_exchange(5, 7), Ok(()));
/// assert_eq!(hits.load(), 7);
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness, signals: those of its lock. [`load`](Self::load), [`store`](Self::store),
///   [`fetch_add`](Self::fetch_add) and [`compare_exchange`](Self::compare_exchange) are
///   async-signal-safe.
/// * Fork: the child inherits the handle, never the hold.
/// * Death: of a writer, leaves the old number or the new one. What a dead holder had meant to do
///   to several of them is not undone.
/// * Waiting for oneself: over a lock that its holder cannot acquire again, such as a
///   [`Lock`](purlin_sync::Lock), a holder's read waits for itself. It has
///   [`load`](Self::load).
/// * Room: it takes 128 bytes of its segment, and its own lock as many.
pub struct Value<T: Plain, L: Guarding = RLock> {
    cells: Cells<T, One, L>,
}

impl<T: Plain> Value<T> {
    /// Makes a value with an [`RLock`] of its own, in a segment that this process keeps for such
    /// objects.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn new(initial: T) -> Result<Self, Error> {
        Cells::new(&&[initial]).map(Self::at)
    }

    /// Makes a value with an [`RLock`] of its own in `segment`.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the segment is full.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in(segment: &Segment, initial: T) -> Result<Self, Error> {
        Cells::new_in(segment, &&[initial]).map(Self::at)
    }

    /// Makes a value with an [`RLock`] of its own that has a name, by which processes of this user
    /// find it that are no relatives. The name stays when all have gone, until it is
    /// [unlinked](purlin_shm::Name::unlink) or [collected](purlin_shm::collect).
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * Those of [`new`](Self::new); [`Error::Unsupported`] also where the machine has no
    ///   `/dev/shm`.
    pub fn create(name: &Name, initial: T) -> Result<Self, Error> {
        Cells::create(name, &&[initial]).map(Self::at)
    }
}

impl<T: Plain> Value<T, Unlocked> {
    /// Makes a value without a lock, as [`new`](Value::new).
    ///
    /// # Errors
    /// * Those of [`new`](Value::new).
    pub fn unlocked(initial: T) -> Result<Self, Error> {
        Cells::unlocked(&&[initial]).map(Self::at)
    }

    /// Makes a value without a lock in `segment`, as [`new_in`](Value::new_in).
    ///
    /// # Errors
    /// * Those of [`new_in`](Value::new_in).
    pub fn unlocked_in(segment: &Segment, initial: T) -> Result<Self, Error> {
        Cells::unlocked_in(segment, &&[initial]).map(Self::at)
    }

    /// Makes a value without a lock that has a name, as [`create`](Value::create).
    ///
    /// # Errors
    /// * Those of [`create`](Value::create).
    pub fn create_unlocked(name: &Name, initial: T) -> Result<Self, Error> {
        Cells::create_unlocked(name, &&[initial]).map(Self::at)
    }
}

impl<T: Plain, R: Rules> Value<T, Exclusive<R>> {
    /// Makes a value over a lock that is there already, of any kind: in the lock's segment, or in
    /// another if that is full. Then it can be carried and inherited, and not [opened](Self::open).
    ///
    /// # Errors
    /// * Those of [`new`](Value::new) and [`new_in`](Value::new_in).
    pub fn over(lock: &Exclusive<R>, initial: T) -> Result<Self, Error> {
        Cells::over(lock, &&[initial]).map(Self::at)
    }

    /// What it is, once the lock is had.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::WouldDeadlock`], [`Error::OutOfRange`], [`Error::Damaged`],
    ///   [`Error::OutOfResources`], [`Error::Unsupported`], [`Error::System`] as an
    ///   [acquire](Exclusive::acquire) of the lock.
    #[inline]
    pub fn get(&self, deadline: impl Into<Deadline>) -> Result<T, Error> {
        self.cells.get(0, deadline.into())
    }

    /// [`get`](Self::get) that never waits.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    #[inline]
    pub fn try_get(&self) -> Result<T, Error> {
        self.get(Deadline::passed())
    }

    /// Replaces it, once the lock is had.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    #[inline]
    pub fn set(&self, value: T, deadline: impl Into<Deadline>) -> Result<(), Error> {
        self.cells.set(0, value, deadline.into())
    }

    /// [`set`](Self::set) that never waits.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    #[inline]
    pub fn try_set(&self, value: T) -> Result<(), Error> {
        self.set(value, Deadline::passed())
    }

    /// Replaces it by what `change` makes of it, while the lock is held; what it is then. Of a
    /// caller that is killed amid it, all is done or nothing. When `change` panics, nothing is.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    #[inline]
    pub fn update(
        &self,
        deadline: impl Into<Deadline>,
        change: impl FnOnce(T) -> T,
    ) -> Result<T, Error> {
        self.cells.update(0, deadline.into(), change)
    }

    /// The lock that each access takes.
    #[must_use]
    pub const fn lock(&self) -> &Exclusive<R> {
        &self.cells.guard
    }
}

impl<T: Plain, L: Guarding> Value<T, L> {
    /// Opens the value that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind of object stands there, a value of another type,
    ///   or one with another kind of lock, or none, or one in another segment.
    /// * [`Error::Damaged`] when none does, or it was overwritten.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Cells::open(segment, offset).map(Self::at)
    }

    /// Opens the value that was [created](Value::create) under this name.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when there is none; [`Error::PermissionDenied`] when it is another
    ///   user's.
    /// * [`Error::TimedOut`] when for a second the name was always just being taken away.
    /// * Those of [`open`](Self::open).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Cells::open_named(name).map(Self::at)
    }

    /// What it is, whoever holds the lock: one atomic load. What was written before the
    /// [`store`](Self::store) that it sees is seen, too.
    #[inline]
    #[must_use]
    pub fn load(&self) -> T {
        T::of_bits(self.cell().load())
    }

    /// Replaces it, whoever holds the lock: one atomic store.
    #[inline]
    pub fn store(&self, value: T) {
        self.cell().store(value.to_bits());
    }

    /// Replaces it if it is `seen`, bit by bit, whoever holds the lock: one atomic exchange.
    ///
    /// # Errors
    /// * What it is, when that is something else.
    #[inline]
    pub fn compare_exchange(&self, seen: T, next: T) -> Result<(), T> {
        self.cell().exchange(seen.to_bits(), next.to_bits()).map_err(T::of_bits)
    }

    /// Where in its segment the value is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.cells.place.offset()
    }

    /// The segment that the value is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.cells.place.segment()
    }

    const fn at(cells: Cells<T, One, L>) -> Self {
        Self { cells }
    }

    /// The one. A row is never of none.
    #[inline]
    fn cell(&self) -> &T::Cell {
        &self.cells.place.row()[0]
    }
}

impl<T: Whole, L: Guarding> Value<T, L> {
    /// Adds to it, whoever holds the lock, and says what it was: one atomic addition, which goes
    /// round at the end of the type.
    #[inline]
    pub fn fetch_add(&self, summand: T) -> T {
        T::of_bits(self.cell().add(summand.to_bits()))
    }
}

impl<T: Plain, L: Guarding> Carry for Value<T, L> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.cells.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Cells::unpack(luggage).map(Self::at)
    }
}

impl<T: Plain, L: Guarding> Clone for Value<T, L> {
    fn clone(&self) -> Self {
        Self { cells: self.cells.clone() }
    }
}

impl<T: Plain, L: Guarding> fmt::Debug for Value<T, L> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Value")
            .field("value", &self.load())
            .field("guard", &self.cells.guard)
            .finish_non_exhaustive()
    }
}
