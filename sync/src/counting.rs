//! The handle of a semaphore, whatever its kind: the same methods for all of them.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use purlin_shm::{Carry, Luggage, Name, Object, Place, Segment};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::permit::Permit;
use crate::words::exclusive::Told;

/// What kind of semaphore it is: whether its units have owners, and its value a bound. There are
/// three, and nobody can make others: [`Unbounded`], [`Bounded`] and [`Tracked`].
///
/// [`Unbounded`]: crate::Unbounded
/// [`Bounded`]: crate::Bounded
/// [`Tracked`]: crate::Tracked
pub trait Units: Sized + fmt::Debug + 'static {
    /// What stands in the segment.
    #[doc(hidden)]
    type Word: Object;
    /// What it is called.
    #[doc(hidden)]
    const NAME: &'static str;
    /// The greatest value that one may start with.
    #[doc(hidden)]
    const VALUE_MAX: u32;

    /// How many cells stand behind the word.
    #[doc(hidden)]
    fn row_len(value: u32) -> usize;

    /// Makes zeros a semaphore that has so many units.
    #[doc(hidden)]
    fn fill(word: &Self::Word, row: &[<Self::Word as Object>::Row], value: u32);

    /// Whether what was opened can be one.
    #[doc(hidden)]
    fn check(place: &Place<Self::Word>) -> Result<(), Error>;

    /// Takes a unit for the process with this token.
    #[doc(hidden)]
    fn acquire(at: &At<'_, Self>, token: u32, deadline: Deadline) -> Result<Told, Error>;

    /// Gives units, as the process with this token or with none.
    #[doc(hidden)]
    fn release(at: &At<'_, Self>, token: u32, count: u32) -> Result<(), Error>;

    /// How many there are.
    #[doc(hidden)]
    fn value(place: &Place<Self::Word>) -> u32;

    /// What happens when a process drops its last handle.
    #[doc(hidden)]
    fn leave(place: &mut Place<Self::Word>);
}

/// Where a semaphore stands, and where this handle had its last unit in it.
#[doc(hidden)]
#[derive(Debug)]
pub struct At<'a, K: Units> {
    pub(crate) place: &'a Place<K::Word>,
    pub(crate) hint: &'a AtomicUsize,
}

/// The handle of a semaphore. It goes by the names [`Semaphore`], [`BoundedSemaphore`] and
/// [`TrackedSemaphore`], where its contract is written down.
///
/// [`Semaphore`]: crate::Semaphore
/// [`BoundedSemaphore`]: crate::BoundedSemaphore
/// [`TrackedSemaphore`]: crate::TrackedSemaphore
pub struct Counting<K: Units> {
    place: Place<K::Word>,
    hint: AtomicUsize,
}

impl<K: Units> Counting<K> {
    /// Makes a semaphore that has so many units, in a segment that this process keeps for such
    /// objects.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for more units than this kind can have.
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn new(value: u32) -> Result<Self, Error> {
        let row_len = row_len::<K>(value)?;
        Ok(Self::at(Place::new_with(row_len, |word, row| K::fill(word, row, value))?))
    }

    /// Makes a semaphore that has so many units, in `segment`.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for more units than this kind can have.
    /// * [`Error::OutOfResources`] when the segment is full.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in(segment: &Segment, value: u32) -> Result<Self, Error> {
        let row_len = row_len::<K>(value)?;
        let fill = |word: &K::Word, row: &[_]| K::fill(word, row, value);
        Ok(Self::at(Place::new_in_with(segment, row_len, fill)?))
    }

    /// Opens the semaphore that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind of object stands there.
    /// * [`Error::Damaged`] when none does, or one that was overwritten.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Self::checked(Place::open(segment, offset)?)
    }

    /// Makes a semaphore that has a name; as [`Lock::create`](crate::Exclusive::create).
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * Those of [`new`](Self::new); [`Error::Unsupported`] also where the machine has no
    ///   `/dev/shm`.
    pub fn create(name: &Name, value: u32) -> Result<Self, Error> {
        let row_len = row_len::<K>(value)?;
        let fill = |word: &K::Word, row: &[_]| K::fill(word, row, value);
        Ok(Self::at(Place::create_with(name, row_len, fill)?))
    }

    /// Opens the semaphore that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * As [`Lock::open_named`](crate::Exclusive::open_named).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Self::checked(Place::open_named(name)?)
    }

    /// Takes a unit, waiting until there is one or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first. The value is unchanged.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it.
    /// * [`Error::Damaged`], of a [`TrackedSemaphore`](crate::TrackedSemaphore), when it names an
    ///   owner that never was.
    /// * [`Error::System`], of the same, when foreign code closed the descriptor by which deaths
    ///   are seen.
    #[inline]
    pub fn acquire(&self, deadline: impl Into<Deadline>) -> Result<Permit<'_, K>, Error> {
        let mut token = self.token();
        if token == 0 {
            token = self.place.attachment().token_or_register()?;
        }
        let told = K::acquire(&self.here(), token, deadline.into())?;
        Ok(Permit::new(self, token, told))
    }

    /// Takes a unit if that needs no waiting.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when there is none.
    /// * The others as [`acquire`](Self::acquire).
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_, K>, Error> {
        self.acquire(Deadline::passed())
    }

    /// Gives a unit back that was [kept](Permit::keep), or one more where units have no owners.
    /// Waits for nobody.
    ///
    /// # Errors
    /// * [`Error::OverReleased`] when the value is at its bound, or the greatest there is.
    /// * [`Error::NotOwner`], of a [`TrackedSemaphore`](crate::TrackedSemaphore), when units are
    ///   missing, but none of them is this process's.
    /// * [`Error::Damaged`] when the bound or the value is none that there can be.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        self.release_many(1)
    }

    /// Gives so many units at once, and lets as many go of those who wait; or gives none.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when `count` is 0.
    /// * Those of [`release`](Self::release).
    #[inline]
    pub fn release_many(&self, count: u32) -> Result<(), Error> {
        K::release(&self.here(), self.token(), count)
    }

    /// How many units there are, which may be another number by now. Never waits.
    #[inline]
    #[must_use]
    pub fn value(&self) -> u32 {
        K::value(&self.place)
    }

    /// Where in its segment the semaphore is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.place.offset()
    }

    /// The segment that the semaphore is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.place.segment()
    }

    /// Gives the unit of a permit back that was made under `token`. In a forked child, which has
    /// another token or none yet, nothing happens: it is the parent's unit.
    #[inline]
    pub(crate) fn release_held(&self, token: u32) {
        if self.token() == token {
            // It fails when somebody has given too many units: then this one is there already, and
            // there is nobody to tell.
            let _ = K::release(&self.here(), token, 1);
        }
    }

    fn at(place: Place<K::Word>) -> Self {
        Self { place, hint: AtomicUsize::new(0) }
    }

    fn checked(place: Place<K::Word>) -> Result<Self, Error> {
        K::check(&place)?;
        Ok(Self::at(place))
    }

    #[inline]
    const fn here(&self) -> At<'_, K> {
        At { place: &self.place, hint: &self.hint }
    }

    #[inline]
    fn token(&self) -> u32 {
        self.place.attachment().token()
    }
}

fn row_len<K: Units>(value: u32) -> Result<usize, Error> {
    if value > K::VALUE_MAX { Err(Error::InvalidArgument) } else { Ok(K::row_len(value)) }
}

/// Units stay with their process: what arrives is a handle, and a stranger's.
impl<K: Units> Carry for Counting<K> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        let place = Place::unpack(luggage)?;
        Self::checked(place).map_err(|_| purlin_shm::Error::Damaged)
    }
}

impl<K: Units> Clone for Counting<K> {
    fn clone(&self) -> Self {
        // Relaxed: a hint.
        let hint = AtomicUsize::new(self.hint.load(Relaxed));
        Self { place: self.place.clone(), hint }
    }
}

impl<K: Units> Drop for Counting<K> {
    fn drop(&mut self) {
        K::leave(&mut self.place);
    }
}

impl<K: Units> fmt::Debug for Counting<K> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct(K::NAME)
            .field("offset", &self.offset())
            .field("value", &self.value())
            .finish_non_exhaustive()
    }
}
