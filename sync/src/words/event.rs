//! A flag that callers wait for, in one word.
//!
//! * A set moves the epoch on in the same exchange, so that whoever waited at that moment is let
//!   go even if a clear follows at once: it finds another epoch than the one it came with.
//! * Nobody is counted. A waiter says that somebody may sleep here; the next set takes that away
//!   and wakes all. A killed waiter thus leaves a useless wake behind, and no more.
//! * A setter that is killed before it wakes leaves a flag that is set: sleepers look within a
//!   slice.
//!
//! No process is named anywhere, so nobody has to be known: these steps need no attachment. Their
//! numbers are those of the kill table in ARCHITECTURE.md.

use core::time::Duration;

use super::cell::{
    AtomicU32, Deadline, Error,
    Ordering::{Acquire, Relaxed, Release},
    SPIN_LIMIT_ITERATIONS, slice, spin, wait, wake_all,
};

const SET: u32 = 1; // bit 0: the flag
pub(super) const WAITERS: u32 = 1 << 1; // bit 1: somebody may sleep here
const EPOCH_ONE: u32 = 1 << 2; // bits 2..32: how often it was set, without its carries

pub(super) const fn is_set(word: u32) -> bool {
    word & SET != 0
}

const fn owes_wake(word: u32) -> bool {
    word & WAITERS != 0
}

pub(super) const fn epoch(word: u32) -> u32 {
    word & !(SET | WAITERS)
}

/// The word after a set, whether it was set before or not.
const fn after_set(word: u32) -> u32 {
    epoch(word).wrapping_add(EPOCH_ONE) | SET
}

/// The word of an event, for structures in a segment that have no handles of ours. All zeros is an
/// event that is not set. Its handle is [`Event`](crate::Event).
///
/// # Weak points
/// * Fairness: a set lets all go; which of them runs first is the scheduler's matter.
/// * Signals: `set`, `clear` and `is_set` are async-signal-safe; a handler's `wait` may wait for
///   its own thread.
/// * Fork: nothing is different in a child, which needs no descriptor of its own for it.
/// * Death: of a waiter, costs a useless wake; of a setter, nothing or a slice.
/// * Epochs: a waiter that does not run while the event is set 2^30 times, or a multiple of that,
///   and cleared last, has missed them all. It looks every 50 ms, unless it is stopped.
//
// SET  WAITERS  meaning (WAITERS may be set without cause; missing, it costs a slice)
//  0      0     not set
//  0      1     not set, somebody may sleep: the next set owes a wake to all
//  1      0     set; who sleeps nevertheless was there before a setter that has not woken yet
//  1      1     left by no step, since a set takes WAITERS away; the next set wakes
#[repr(transparent)]
pub struct EventWord {
    pub(super) word: AtomicU32,
}

impl EventWord {
    /// An event that is not set. So is memory that is all zeros.
    #[must_use]
    pub fn unset() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// Whether it is set: one load, and never waits.
    #[inline]
    #[must_use]
    pub fn is_set(&self) -> bool {
        // Acquire pairs with the Release in `set`: what was written before it is seen.
        is_set(self.word.load(Acquire))
    }

    /// Sets it, and wakes all who sleep for it. Waits for nobody; async-signal-safe.
    #[inline]
    pub fn set(&self) {
        // E1. Relaxed, also when the exchange fails: a look, the exchange decides.
        let mut seen = self.word.load(Relaxed);
        // E2. An exchange also when the flag is set, or those who see that would not see what this
        // caller wrote. Ends: it fails when another operation has succeeded in between; a waiter's
        // does so once for each set or clear.
        // Release pairs with the Acquire in `wait`, `is_set` and `clear`.
        while let Err(now) = self.word.compare_exchange(seen, after_set(seen), Release, Relaxed) {
            seen = now;
        }
        if owes_wake(seen) {
            wake_all(&self.word); // E3. Killed before: sleepers look within a slice
        }
    }

    /// Takes the flag away. Those who waited when it was set go on nevertheless. Waits for nobody.
    #[inline]
    pub fn clear(&self) {
        // C1. Acquire pairs with the Release in `set`: who clears it, and then looks whether there
        // is something to do, sees what came with the set that it has just taken away.
        self.word.fetch_and(!SET, Acquire);
    }

    /// Waits until it is set, or `deadline` passes; whether it was set. It is enough that it was
    /// set at some moment of the wait.
    ///
    /// # Errors
    /// * [`Error::System`] when the kernel refuses to let the caller sleep, which it has no reason
    ///   to.
    #[inline]
    pub fn wait(&self, deadline: Deadline) -> Result<bool, Error> {
        // V1. Acquire pairs with the Release in `set`.
        let seen = self.word.load(Acquire);
        if is_set(seen) { Ok(true) } else { self.wait_slow(seen, deadline.start()) }
    }

    #[cold]
    fn wait_slow(&self, first: u32, deadline: Deadline) -> Result<bool, Error> {
        let mut seen = first;
        let mut sleeps = 0_u32;
        let mut spins_left = SPIN_LIMIT_ITERATIONS;
        // Ends: with the flag, with an error, or at the deadline, which is looked at before every
        // sleep; each sleep is a slice at most.
        loop {
            let left = deadline.remaining();
            if left.is_some_and(|left| left.is_zero()) {
                // V2. WAITERS may stay: the next set wakes all, so nobody swallows another's wake.
                return Ok(false);
            }
            if spins_left > 0 {
                spins_left -= 1;
                spin(1);
            } else if self.announce(seen) {
                self.sleep(seen, left, sleeps)?;
                sleeps = sleeps.saturating_add(1);
            }
            // V5. Acquire as V1; also when the flag is gone: clears and announcements are
            // exchanges, and hand on what came with the set before them.
            seen = self.word.load(Acquire);
            if is_set(seen) || epoch(seen) != epoch(first) {
                return Ok(true);
            }
        }
    }

    /// V3: says that somebody sleeps here; whether the word was as seen. Killed after: one useless
    /// wake.
    pub(super) fn announce(&self, seen: u32) -> bool {
        // Relaxed: the kernel compares the word again before it lets us sleep.
        owes_wake(seen)
            || self.word.compare_exchange(seen, seen | WAITERS, Relaxed, Relaxed).is_ok()
    }

    /// V4. The slices of a call grow: see `slice`.
    fn sleep(&self, seen: u32, left: Option<Duration>, sleeps: u32) -> Result<(), Error> {
        let slice = slice(sleeps);
        wait(&self.word, seen | WAITERS, left.map_or(slice, |left| left.min(slice)))
    }
}

impl Default for EventWord {
    fn default() -> Self {
        Self::unset()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_moves_the_epoch_and_a_wrap_touches_no_flag() {
        for word in [0, SET, WAITERS, EPOCH_ONE, u32::MAX] {
            let after = after_set(word);
            assert!(is_set(after) && !owes_wake(after), "{word:#x}");
            assert_eq!(epoch(after), epoch(word).wrapping_add(EPOCH_ONE), "{word:#x}");
        }
        assert_eq!(after_set(u32::MAX), SET);
    }
}
