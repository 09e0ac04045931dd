//! Whether it is worth to spin before a sleep: as it was of late.
//!
//! Where what is waited for comes from another processor, it mostly comes while one spins. Where it
//! cannot, since whoever brings it needs this processor, each spin is in vain. So who spun in vain
//! a few times in a row goes to sleep at once, and tries it now and then.

// Not the cell's: it is the process's own, and no step of anything.
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::cell::{
    SPIN_FIRST_ITERATIONS, SPIN_LIMIT_ITERATIONS, SPIN_TRY_COUNT, SPIN_VAIN_COUNT, spin,
};

/// What spins have brought to the calls of one process, on one side of one queue.
#[derive(Debug, Default)]
pub(crate) struct Spins {
    /// How many sleeps there were since a spin brought what it was for.
    vain_count: AtomicU32,
}

/// The spins of one call.
pub(super) struct Spinning<'a> {
    spins: &'a Spins,
    turns: u32,
    turns_left: u32,
}

impl Spins {
    pub(super) fn begin(&self) -> Spinning<'_> {
        // Relaxed, here and below: a guess, which orders nothing.
        let is_worth_it = is_worth_it(self.vain_count.load(Relaxed));
        let turns_left = if is_worth_it { SPIN_LIMIT_ITERATIONS } else { 0 };
        Spinning { spins: self, turns: SPIN_FIRST_ITERATIONS, turns_left }
    }
}

impl Spinning<'_> {
    /// Lets a moment pass, twice as long each time. False when it is time to sleep. The first
    /// moment is long enough for several messages: who comes back for each has the other end's line
    /// taken away from whoever moves it, each time.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.turns_left < self.turns {
            return false;
        }
        spin(self.turns);
        self.turns_left -= self.turns;
        self.turns *= 2;
        true
    }

    pub(super) fn has_brought_it(&self) {
        self.spins.vain_count.store(0, Relaxed); // Relaxed: as above
    }

    pub(super) fn was_in_vain(&self) {
        // Relaxed: as above. Of two at once one may be lost.
        let vain_count = self.spins.vain_count.load(Relaxed);
        self.spins.vain_count.store(vain_count.wrapping_add(1), Relaxed);
    }
}

const fn is_worth_it(vain_count: u32) -> bool {
    vain_count < SPIN_VAIN_COUNT
        || vain_count.is_power_of_two()
        || vain_count.is_multiple_of(SPIN_TRY_COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_vain_is_tried_now_and_then() {
        let tries = |counts: core::ops::Range<u32>| counts.filter(|c| is_worth_it(*c)).count();
        assert_eq!(tries(0..SPIN_VAIN_COUNT), SPIN_VAIN_COUNT as usize);
        assert_eq!(tries(5 * SPIN_TRY_COUNT..7 * SPIN_TRY_COUNT), 2);
        assert_eq!(tries(SPIN_VAIN_COUNT..SPIN_TRY_COUNT), 8); // 4, 8, ... 512
    }
}
