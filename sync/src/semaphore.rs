//! The semaphores whose units nobody owns: one that counts as far as numbers go, one with a bound.
#![expect(unsafe_code, reason = "a promise about the words' layout, argued here")]

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use purlin_shm::{Object, Place, Shared};

use crate::counting::{At, Counting, Units};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::limits::SEMAPHORE_VALUE_MAX;
use crate::words::exclusive::Told;
use crate::words::semaphore::{Bounded, Bounds, SemaphoreWord, Unbounded};

/// A count of units, for all processes and threads that share it: who acquires takes one, or waits
/// until there is one; who releases gives one, whether it ever took one or not.
///
/// For turns, places and signals: a release that nobody waits for is not lost, and serves the next
/// acquire. While there are units, taking one and giving one are one atomic exchange each, and no
/// system call. A call holds up nobody, wherever its process is stopped or killed.
///
/// The greatest value is 2^31 - 1, [`SEMAPHORE_VALUE_MAX`]: a release beyond it is refused, and so
/// is a start above it.
///
/// A clone is a handle of the same semaphore, in the same process; a forked child has copies of
/// all.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use core::time::Duration;
/// use purlin_sync::{Error, Semaphore};
///
/// let signals = Semaphore::new(0)?;
/// let waited = signals.acquire(Duration::from_millis(1));
/// assert_eq!(waited.unwrap_err(), Error::TimedOut);
/// std::thread::scope(|scope| {
///     scope.spawn(|| signals.release_many(2)); // or another process
///     signals.acquire(None)?.keep(); // one is used up
///     signals.acquire(None)?.keep();
///     assert_eq!(signals.value(), 0);
///     Ok(())
/// })
/// # }
/// ```
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: `release` and `release_many` are async-signal-safe, in a handler that interrupts an
///   acquire of the same semaphore too. `acquire` is not: it may wait for its own thread.
/// * Fork: the copy of a [`Permit`](crate::Permit) in the child gives nothing back; the child may
///   release, as anybody may.
/// * Death: what a dead process had taken stays taken, until somebody gives it back.
///   Where units are to come back by themselves, see
///   [`TrackedSemaphore`](crate::TrackedSemaphore).
pub type Semaphore = Counting<Unbounded>;

/// A [`Semaphore`] whose value never exceeds the one that it started with: a release that would is
/// refused, and changes nothing. The bound is in the shared memory, with the value; the check and
/// the release are one exchange.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use purlin_sync::{BoundedSemaphore, Error};
///
/// let seats = BoundedSemaphore::new(2)?;
/// assert_eq!(seats.release(), Err(Error::OverReleased));
/// seats.acquire(None)?.keep();
/// assert_eq!(seats.release_many(2), Err(Error::OverReleased)); // all or nothing
/// assert_eq!(seats.value(), 1);
/// seats.release()?;
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness, signals, fork, death: as a [`Semaphore`]'s.
/// * Ownership: only the number counts. A stray release gives back what another one holds, if any
///   does; it is that one's own release which is then refused.
pub type BoundedSemaphore = Counting<Bounded>;

const _: () = assert!(size_of::<SemaphoreWord<Unbounded>>() == 4);
const _: () = assert!(size_of::<SemaphoreWord<Bounded>>() == 8);

// SAFETY: `repr(C)`, one atomic integer and nothing, of which any bits are a valid value.
unsafe impl Shared for SemaphoreWord<Unbounded> {}
// SAFETY: `repr(C)`, two atomic integers, of which any bits are a valid value.
unsafe impl Shared for SemaphoreWord<Bounded> {}

impl Object for SemaphoreWord<Unbounded> {
    const KIND: u16 = 4;
    const VERSION: u16 = 1;
    type Row = ();
}

impl Object for SemaphoreWord<Bounded> {
    const KIND: u16 = 5;
    const VERSION: u16 = 1;
    type Row = ();
}

/// What the two have in common, beside the names of their types.
trait Plain: Bounds + fmt::Debug {
    const NAME: &'static str;

    fn fill_bound(stored: &Self::Stored, bound: u32);
}

impl Plain for Unbounded {
    const NAME: &'static str = "Semaphore";

    fn fill_bound((): &(), _: u32) {}
}

impl Plain for Bounded {
    const NAME: &'static str = "BoundedSemaphore";

    fn fill_bound(stored: &AtomicU32, bound: u32) {
        stored.store(bound, Relaxed); // Relaxed: published as the value is
    }
}

impl<B: Plain> Units for B
where
    SemaphoreWord<B>: Object<Row = ()>,
{
    type Word = SemaphoreWord<B>;
    const NAME: &'static str = B::NAME;
    const VALUE_MAX: u32 = SEMAPHORE_VALUE_MAX;

    fn row_len(_: u32) -> usize {
        0
    }

    fn fill(word: &Self::Word, _: &[()], value: u32) {
        // Relaxed: published by whoever publishes the object.
        word.word.store(value, Relaxed);
        B::fill_bound(&word.bound, value);
    }

    fn check(_: &Place<Self::Word>) -> Result<(), Error> {
        Ok(()) // what stands there is checked by each release
    }

    #[inline]
    fn acquire(at: &At<'_, Self>, _: u32, deadline: Deadline) -> Result<Told, Error> {
        at.place.acquire(deadline).map(|()| Told::Held)
    }

    #[inline]
    fn release(at: &At<'_, Self>, _: u32, count: u32) -> Result<(), Error> {
        at.place.release(count)
    }

    #[inline]
    fn value(place: &Place<Self::Word>) -> u32 {
        place.value()
    }

    fn leave(place: &mut Place<Self::Word>) {
        place.leave(|_, _| ()); // units have no owners, so nobody gives any up
    }
}
