//! Whether who has used up what it knew of the other end waits a moment before it looks there
//! again: as that has paid of late.
//!
//! The look takes the line away from whoever moves that end, who has to fetch it back. Of two that
//! are equally quick, one at the heels of the other, each would look for each message, and pay ten
//! times what a message costs. Who comes a moment later finds several, and looks that much less
//! often. Where no more came in a moment, it was in vain; after a few such there are none for a
//! while.

// Not the cell's: it is the process's own, and no step of anything.
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};

use super::cell::{PACE_FEW_COUNT, PACE_ITERATIONS, PACE_REST_COUNT, PACE_VAIN_COUNT, spin};

/// What moments have brought to the calls of one process, on one side of one queue.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Above zero: one is waited for, and that many were in vain in a row, this one included.
    /// Below: so many more looks without.
    state: AtomicI32,
}

impl Pace {
    /// Lets a moment pass, if it is worth it: before a look at the other end.
    #[inline]
    pub(super) fn wait(&self) {
        // Relaxed, here and below: a guess, which orders nothing.
        if self.state.load(Relaxed) > 0 {
            spin(PACE_ITERATIONS);
        }
    }

    /// What a look has brought: so many messages, or room for so many.
    #[inline]
    pub(super) fn note(&self, count: u32) {
        let state = self.state.load(Relaxed); // Relaxed: as above
        self.state.store(after(state, count < PACE_FEW_COUNT), Relaxed); // Relaxed: as above
    }
}

const fn after(state: i32, is_few: bool) -> i32 {
    match (state, is_few) {
        (..0, _) => state + 1,
        (PACE_VAIN_COUNT.., true) => -PACE_REST_COUNT,
        (_, true) => state + 1,
        (0, false) => 0,
        (1.., false) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_waited_for_while_it_pays() {
        let states = [true, false, false, true, true, false].into_iter();
        let states: Vec<i32> = states.scan(0, |state, is_few| Some(next(state, is_few))).collect();
        assert_eq!(states, [1, 1, 1, 2, 3, 1]);
    }

    #[test]
    fn in_vain_it_is_tried_now_and_then() {
        let looks = PACE_REST_COUNT as usize * 4;
        let mut state = 0;
        let waits = (0..looks).filter(|_| next(&mut state, true) > 0).count();
        assert_eq!(waits, 4 * PACE_VAIN_COUNT as usize);
    }

    fn next(state: &mut i32, is_few: bool) -> i32 {
        *state = after(*state, is_few);
        *state
    }
}
