//! The semaphore whose units have owners, and come back when those die.
#![expect(unsafe_code, reason = "a promise about the words' layout, argued here")]

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use purlin_shm::{Object, Place, Shared};

use crate::counting::{At, Counting, Units};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::limits::TRACKED_UNITS_MAX;
use crate::words::event_count::EventCount;
use crate::words::exclusive::Told;
use crate::words::tracked::Permits;

/// Each unit has a permit with the token of the process that took it.
#[derive(Clone, Copy, Debug)]
pub enum Tracked {}

/// A count of units that belong to whoever took them: the process that acquired a unit gives it
/// back, and when it dies (killed at any instruction, exited, replaced by another program), its
/// units come back by themselves.
///
/// For places and resources: connections, slots, licences. Who gets the unit of a dead owner is
/// told by [`Permit::told`](crate::Permit::told), once for each unit; there is nothing to recover,
/// for a unit guards no data. While there are units, taking one and giving one back are one atomic
/// exchange each, and no system call. A call holds up nobody, wherever its process is stopped.
///
/// Its value never exceeds the one that it started with, at most [`TRACKED_UNITS_MAX`]: it is a
/// bounded semaphore too. The value counts what is free; what dead owners have not given back is
/// counted when it has been taken over, and given back.
///
/// A clone is a handle of the same semaphore, in the same process; a forked child has copies of
/// all. When a process drops its last handle, the units that it has kept count as a dead owner's.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use purlin_sync::{Error, Told, TrackedSemaphore};
///
/// let seats = TrackedSemaphore::new(2)?;
/// let permit = seats.acquire(None)?;
/// assert_eq!(permit.told(), Told::Held); // and not `OwnerDied`
/// assert_eq!(seats.value(), 1);
/// drop(permit);
/// assert_eq!(seats.release(), Err(Error::OverReleased)); // nothing is missing
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: no call is meant for a signal handler; a release of what the own process holds is
///   async-signal-safe, once that has a token.
/// * Fork: the child inherits the handle, never a unit: it cannot give back what its parent took.
/// * Death: a dead owner's unit is found by whoever finds none free, within the kernel's clean-up
///   and one slice of 50 ms.
/// * Cost: a call that finds its own last permit taken looks at all of them, four bytes each; one
///   that finds none free asks of each owner whether it lives, again after each slice.
/// * Threads: units are the process's; one thread may give back what another took. Two that give
///   back several at once, more than their process has, may both have given some back when one of
///   them is refused.
pub type TrackedSemaphore = Counting<Tracked>;

/// What stands before the permits.
#[doc(hidden)]
#[repr(C)]
pub struct TrackedWord {
    pub(crate) freed: EventCount,
    /// How many units there are; none has a row of one permit that nobody gets.
    pub(crate) total: AtomicU32,
}

const _: () = assert!(size_of::<TrackedWord>() == 8 && align_of::<TrackedWord>() == 4);

// SAFETY: `repr(C)`, two atomic integers, of which any bits are a valid value.
unsafe impl Shared for TrackedWord {}

impl Object for TrackedWord {
    const KIND: u16 = 6;
    const VERSION: u16 = 1;
    type Row = AtomicU32;
}

impl fmt::Debug for TrackedWord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TrackedWord").finish_non_exhaustive()
    }
}

/// The permits of what stands here: a row that was checked, but for none of a semaphore of none.
#[inline]
fn permits<'a>(word: &'a TrackedWord, row: &'a [AtomicU32]) -> Permits<'a> {
    // Relaxed: written before anybody could open the semaphore, and never since; a peer that means
    // harm changes how many permits of the row are looked at, and no more.
    let total = word.total.load(Relaxed);
    Permits { freed: &word.freed, permits: row.get(..total as usize).unwrap_or(row) }
}

impl Units for Tracked {
    type Word = TrackedWord;
    const NAME: &'static str = "TrackedSemaphore";
    const VALUE_MAX: u32 = TRACKED_UNITS_MAX;

    fn row_len(value: u32) -> usize {
        value.max(1) as usize
    }

    fn fill(word: &TrackedWord, _: &[AtomicU32], value: u32) {
        word.total.store(value, Relaxed); // Relaxed: published by whoever publishes the object
    }

    fn check(place: &Place<TrackedWord>) -> Result<(), Error> {
        let total = place.total.load(Relaxed); // Relaxed: as in `permits`
        let is_possible = total <= TRACKED_UNITS_MAX && Self::row_len(total) == place.row().len();
        if is_possible { Ok(()) } else { Err(Error::Damaged) }
    }

    #[inline]
    fn acquire(at: &At<'_, Self>, token: u32, deadline: Deadline) -> Result<Told, Error> {
        let hint = at.hint.load(Relaxed); // Relaxed, here and below: a hint
        let permits = permits(at.place, at.place.row());
        let taken = permits.acquire(at.place.attachment(), token, hint, deadline)?;
        if taken.index != hint {
            at.hint.store(taken.index, Relaxed);
        }
        Ok(taken.told)
    }

    #[inline]
    fn release(at: &At<'_, Self>, token: u32, count: u32) -> Result<(), Error> {
        let hint = at.hint.load(Relaxed); // Relaxed, here and below: a hint
        let index = permits(at.place, at.place.row()).release(token, hint, count)?;
        if index != hint {
            at.hint.store(index, Relaxed);
        }
        Ok(())
    }

    fn value(place: &Place<TrackedWord>) -> u32 {
        permits(place, place.row()).value()
    }

    fn leave(place: &mut Place<TrackedWord>) {
        place.leave_with_row(|word, row, at| permits(word, row).abandon(at.token()));
    }
}
