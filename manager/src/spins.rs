//! A bounded spin before a sleep, as long as it pays.
//!
//! To wake a process on another processor takes several times as long as a call needs otherwise. So
//! who waits for the other side first looks for a moment, on both sides: as long as calls follow
//! each other nobody sleeps, and nobody is woken. Whoever spun in vain a few times in a row sleeps
//! at once, and tries it now and then. So does who spun on the processor that the other side
//! needed: who loses it again and again finds that. Where there is only one, nobody spins.

use core::time::Duration;
use std::time::Instant;

use purlin_sync::parts::has_several_processors;

use crate::limits::{
    SPIN_LIMIT, SPIN_LOST_COUNT, SPIN_PAID_COUNT, SPIN_PAUSE_TURNS, SPIN_TRY_COUNT, SPIN_VAIN_COUNT,
};
use crate::sys::preempted;

/// What spins have brought of late to one side of a connection, or to a server.
pub(crate) struct Spins {
    /// How many sleeps there were since a spin brought what it was for.
    vain_count: u32,
    /// How many have paid since its thread's loss of processors was looked at, and what that was.
    paid_count: u32,
    lost_count: u64,
}

/// One spin.
pub(crate) struct Spin {
    /// When it would have been over, had nothing come.
    first_until: Instant,
    until: Instant,
    now: Instant,
    pub(crate) look_count: u32,
}

impl Spins {
    /// Nothing is known yet, which is as good as a first doubt: the processors are looked at.
    pub(crate) const fn new() -> Self {
        Self { vain_count: SPIN_VAIN_COUNT, paid_count: 0, lost_count: 0 }
    }

    /// A spin of so long at most, if it is worth it. Each ends with one of the calls below.
    pub(crate) fn begin(&self, limit: Option<Duration>) -> Option<Spin> {
        let is_worth_it = match self.vain_count {
            0..SPIN_VAIN_COUNT => true,
            vain_count => is_tried_again(vain_count) && has_several_processors(),
        };
        let length = limit.map_or(SPIN_LIMIT, |limit| limit.min(SPIN_LIMIT));
        is_worth_it.then(|| {
            let now = Instant::now();
            Spin { first_until: now + length, until: now + length, now, look_count: 0 }
        })
    }

    /// It brought what it was for.
    pub(crate) fn have_paid(&mut self) {
        self.vain_count = 0;
        self.paid_count += 1;
        if self.paid_count >= SPIN_PAID_COUNT {
            self.paid_count = 0;
            self.have_cost(preempted::count());
        }
    }

    /// Its thread has lost its processor so often by now.
    fn have_cost(&mut self, lost_count: u64) {
        let lost_meanwhile = lost_count.saturating_sub(self.lost_count);
        self.lost_count = lost_count;
        if lost_meanwhile >= SPIN_LOST_COUNT {
            self.vain_count = SPIN_TRY_COUNT + 1; // the next try is far
        }
    }

    /// It did not, or there was none, and now one sleeps.
    pub(crate) fn were_in_vain(&mut self) {
        self.vain_count = self.vain_count.wrapping_add(1);
    }
}

impl Spin {
    /// Lets a moment pass before the next look; false when there is to be none.
    pub(crate) fn goes_on(&mut self) -> bool {
        (0..SPIN_PAUSE_TURNS).for_each(|_| core::hint::spin_loop());
        self.look_count += 1;
        self.now = Instant::now();
        self.now < self.until
    }

    /// What was looked for has come, and the next may come as soon.
    pub(crate) fn begin_anew(&mut self) {
        self.now = Instant::now();
        self.until = self.now + SPIN_LIMIT;
        self.look_count = 0;
    }

    /// Whether it goes on only since something has come.
    pub(crate) fn is_long(&self) -> bool {
        self.now >= self.first_until
    }
}

const fn is_tried_again(vain_count: u32) -> bool {
    vain_count.is_power_of_two() || vain_count.is_multiple_of(SPIN_TRY_COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spins_in(spins: &mut Spins, sleep_count: u32) -> usize {
        let mut spins_at = |_: &u32| {
            let has_spun = spins.begin(None).is_some();
            spins.were_in_vain();
            has_spun
        };
        (0..sleep_count).filter(&mut spins_at).count()
    }

    #[test]
    fn what_was_in_vain_is_tried_now_and_then() {
        let several = usize::from(has_several_processors());
        let mut spins = Spins::new();
        // 4, 8, ... 1024, 2048, 3072
        assert_eq!(spins_in(&mut spins, 4 * SPIN_TRY_COUNT - SPIN_VAIN_COUNT), 11 * several);
        spins.have_paid();
        assert_eq!(spins_in(&mut spins, SPIN_VAIN_COUNT), SPIN_VAIN_COUNT as usize);
    }

    #[test]
    fn what_cost_the_processor_was_in_vain() {
        let mut spins = Spins::new();
        spins.have_paid();
        spins.have_cost(SPIN_LOST_COUNT);
        assert!(spins.begin(None).is_none(), "it was lost as often as what is too often");
        spins.have_paid();
        spins.have_cost(2 * SPIN_LOST_COUNT - 1);
        assert!(spins.begin(None).is_some(), "once less");
    }

    #[test]
    fn a_spin_ends() {
        let mut spins = Spins::new();
        spins.have_paid();
        let mut none = spins.begin(Some(Duration::ZERO)).unwrap();
        assert!(!none.goes_on(), "not beyond the call's own limit");
        let mut spin = spins.begin(None).unwrap();
        while spin.goes_on() {
            assert!(!spin.is_long());
        } // ends, or the test does not
        spin.begin_anew();
        assert_eq!((spin.look_count, spin.is_long()), (0, true));
        while spin.goes_on() {}
    }
}
