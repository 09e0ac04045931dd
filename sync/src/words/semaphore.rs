//! A count of units in one word. Nobody owns a unit: what a killed process had taken stays taken.
//!
//! * A unit is taken by `value -> value - 1`, units are given by `value -> value + n`: one exchange
//!   each, and the whole path while there are units.
//! * Who finds none sets a flag beside the count, and sleeps on the word in slices.
//! * A release takes the flag away, so that the next one makes no system call, and wakes as many as
//!   it gave units. Who was woken sets the flag again by the exchange that takes its unit, since
//!   others may sleep; and wakes another if units are left, since a second release, quick enough,
//!   found no flag and woke nobody. That wake is the baton.
//!
//! No process is named anywhere, so nobody has to be known: these steps need no attachment. Their
//! numbers are those of the kill table in ARCHITECTURE.md.

use super::cell::{
    AtomicU32, Deadline, Error,
    Ordering::{Acquire, Relaxed, Release},
    SEMAPHORE_VALUE_MAX, wake_many, wake_one,
};
use super::wait::Wait;

const WAITERS: u32 = 1 << 31; // bit 31: somebody may sleep here
const _: () = assert!(SEMAPHORE_VALUE_MAX == WAITERS - 1); // bits 0..31: the units there are

const fn value(word: u32) -> u32 {
    word & SEMAPHORE_VALUE_MAX
}

const fn owes_wake(word: u32) -> bool {
    word & WAITERS != 0
}

/// What a release of so many leaves of a word: more units, and no flag.
const fn raised(word: u32, count: u32, bound: u32) -> Result<u32, Error> {
    let Some(room) = bound.checked_sub(value(word)) else {
        return Err(Error::Damaged); // no operation goes beyond the bound
    };
    if count > room { Err(Error::OverReleased) } else { Ok(value(word) + count) }
}

/// Whether a semaphore's value has a bound of its own.
pub trait Bounds: Sized + 'static {
    /// Where the bound stands.
    type Stored: Sync;

    /// A bound to start with.
    fn stored(bound: u32) -> Self::Stored;

    /// What stands there, which may be anything.
    fn bound(stored: &Self::Stored) -> u32;
}

/// No bound but the greatest value there is.
#[derive(Clone, Copy, Debug)]
pub enum Unbounded {}

impl Bounds for Unbounded {
    type Stored = ();

    fn stored(_: u32) {}

    #[inline]
    fn bound((): &()) -> u32 {
        SEMAPHORE_VALUE_MAX
    }
}

/// The value that the semaphore started with.
#[derive(Clone, Copy, Debug)]
pub enum Bounded {}

impl Bounds for Bounded {
    type Stored = AtomicU32;

    fn stored(bound: u32) -> AtomicU32 {
        AtomicU32::new(bound)
    }

    #[inline]
    fn bound(stored: &AtomicU32) -> u32 {
        // Relaxed: it was written before anybody could open the semaphore, and never since.
        stored.load(Relaxed)
    }
}

/// The word of a semaphore, for structures in a segment that have no handles of ours. All zeros is
/// an unbounded semaphore without units. Its handle is [`Counting`](crate::Counting).
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: `release` is async-signal-safe, also in a handler that interrupts an `acquire` of the
///   same word; an `acquire` in a handler may wait for its own thread.
/// * Fork: nothing is different in a child, which needs no descriptor of its own for it.
/// * Death: what a dead process had taken stays taken. Sleepers whose releaser was killed before it
///   woke them go on within a slice of 50 ms.
//
// WAITERS  value  meaning (WAITERS may be set without cause; missing, it costs a slice)
//    0       0    no units
//    1       0    no units, somebody may sleep: the next release owes a wake
//    0       n    n units; who sleeps nevertheless was woken, or is about to be
//    1       n    n units, and who took the last one had slept: others may sleep, one was woken
//    *       n    where n is beyond the bound: left by no step; a release says damaged
#[repr(C)]
pub struct SemaphoreWord<B: Bounds> {
    pub(crate) word: AtomicU32,
    pub(crate) bound: B::Stored,
}

impl<B: Bounds> SemaphoreWord<B> {
    /// A semaphore that has so many units, which is also its bound, if it has one. More than
    /// [`SEMAPHORE_VALUE_MAX`](crate::SEMAPHORE_VALUE_MAX) there are never.
    #[must_use]
    pub fn with_value(units: u32) -> Self {
        let units = units.min(SEMAPHORE_VALUE_MAX);
        Self { word: AtomicU32::new(units), bound: B::stored(units) }
    }

    /// How many units there are: one load, and never waits.
    #[inline]
    #[must_use]
    pub fn value(&self) -> u32 {
        // Relaxed: a number that may be another one by now; nothing is read by its means.
        value(self.word.load(Relaxed))
    }

    /// Takes a unit, waiting until there is one or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first. A passed deadline tries once.
    /// * [`Error::System`] when the kernel refuses to let the caller sleep, which it has no reason
    ///   to.
    #[inline]
    pub fn acquire(&self, deadline: Deadline) -> Result<(), Error> {
        // D1. Relaxed: a look; the exchange decides. Acquire pairs with the Release in `release`,
        // of every release before it: all exchanges in between hand on what came with them.
        // Relaxed when it fails: `acquire_slow` looks anew. Killed after: the unit stays taken.
        let seen = self.word.load(Relaxed);
        if value(seen) > 0 && self.word.compare_exchange(seen, seen - 1, Acquire, Relaxed).is_ok() {
            return Ok(());
        }
        self.acquire_slow(deadline)
    }

    /// Gives `count` units at once, and wakes as many of those who sleep. Waits for nobody;
    /// async-signal-safe.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when `count` is 0.
    /// * [`Error::OverReleased`] when the value would exceed its bound; none was given.
    /// * [`Error::Damaged`] when it exceeds the bound already, or that one what a bound can be.
    #[inline]
    pub fn release(&self, count: u32) -> Result<(), Error> {
        if count == 0 {
            return Err(Error::InvalidArgument);
        }
        let bound = B::bound(&self.bound);
        if bound > SEMAPHORE_VALUE_MAX {
            return Err(Error::Damaged);
        }
        // U1. Relaxed, also when the exchange fails: a look, the exchange decides.
        let mut seen = self.word.load(Relaxed);
        // U2. Release pairs with the Acquire in `acquire`. Ends: it fails when another operation
        // has succeeded in between, or a waiter has set WAITERS, which each does once a sleep.
        while let Err(now) =
            self.word.compare_exchange(seen, raised(seen, count, bound)?, Release, Relaxed)
        {
            seen = now;
        }
        if owes_wake(seen) {
            wake_many(&self.word, count); // U3. Killed before: sleepers look within a slice
        }
        Ok(())
    }

    #[cold]
    fn acquire_slow(&self, deadline: Deadline) -> Result<(), Error> {
        let mut wait = Wait::new(0, deadline);
        // Ends: with a unit, with an error, or at the deadline, which is looked at before every
        // sleep; each sleep is a slice at most. While there are units it fails to take one only
        // when another operation has succeeded.
        loop {
            let seen = self.word.load(Relaxed); // D1, again. Relaxed: as there
            if value(seen) > 0 {
                if self.take(seen, &wait) {
                    return Ok(());
                }
            } else if !wait.spins() {
                self.sleep(seen, &mut wait)?;
            }
        }
    }

    /// D1 and D5 of who may have slept: whether it got the unit.
    fn take(&self, seen: u32, wait: &Wait) -> bool {
        let flag = if wait.has_slept() { WAITERS } else { 0 };
        // Acquire and Relaxed as in `acquire`.
        if self.word.compare_exchange(seen, (seen - 1) | flag, Acquire, Relaxed).is_err() {
            return false;
        }
        if wait.has_slept() && value(seen) > 1 {
            wake_one(&self.word); // D5. Killed before: sleepers look within a slice
        }
        true
    }

    /// D2 to D4: say that somebody sleeps, look at the limit, sleep.
    fn sleep(&self, seen: u32, wait: &mut Wait) -> Result<(), Error> {
        let left = wait.left();
        if left.is_none_or(|left| !left.is_zero()) || wait.has_slept() {
            // D2. Relaxed: the kernel compares the word again before it lets us sleep. Killed
            // after: one useless wake.
            if !owes_wake(seen)
                && self.word.compare_exchange(seen, seen | WAITERS, Relaxed, Relaxed).is_err()
            {
                return Ok(());
            }
        }
        // D3, after D2: who was woken and gives up has set WAITERS again for those who still sleep.
        // Who never slept swallowed no wake, and leaves the word alone.
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Error::TimedOut);
        }
        wait.sleep_on(&self.word, (seen | WAITERS).into(), left) // D4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_adds_all_or_nothing_and_takes_the_flag_away() {
        assert_eq!(raised(0, 1, 1), Ok(1));
        assert_eq!(raised(WAITERS | 2, 3, 5), Ok(5));
        assert_eq!(raised(3, 3, 5), Err(Error::OverReleased));
        assert_eq!(raised(0, u32::MAX, SEMAPHORE_VALUE_MAX), Err(Error::OverReleased));
        let most = SEMAPHORE_VALUE_MAX;
        assert_eq!(raised(0, most, most), Ok(most));
        assert_eq!(raised(most, 1, most), Err(Error::OverReleased));
        assert_eq!(raised(u32::MAX, 1, most), Err(Error::OverReleased));
        assert_eq!(raised(6, 1, 5), Err(Error::Damaged));
    }
}
