//! What a caller that could not have a word at once knows by now.

use core::time::Duration;

use super::bits::{Bits, WAITERS};
use super::cell::{
    Attachment, Deadline, Error, SPIN_AGAIN_ITERATIONS, SPIN_LIMIT_ITERATIONS, is_issued, slice,
    spin,
};

/// One call's wait.
pub struct Wait {
    /// Who waits, as the word names its owner.
    pub(super) me: u64,
    deadline: Deadline,
    /// `WAITERS` once this caller has slept: its wake-up took the bit away, and there may be
    /// others.
    pub(super) waiters: u64,
    /// How often it has slept.
    sleeps: u32,
    /// The token that stood in the word at its last look, and how often it has slept on that one.
    asleep_on: u32,
    slices: u32,
    spins_left: u32,
    /// How many turns the next spin takes.
    spin: u32,
}

impl Wait {
    /// Of a call by `me`, which is 0 where the word does not name who waits.
    #[must_use]
    pub fn new(me: u64, deadline: Deadline) -> Self {
        let deadline = deadline.start();
        let is_try = deadline.remaining().is_some_and(|left| left.is_zero());
        let spins_left = if is_try { 0 } else { SPIN_LIMIT_ITERATIONS };
        Self { me, deadline, waiters: 0, sleeps: 0, asleep_on: 0, slices: 0, spins_left, spin: 1 }
    }

    /// The time left; `None` when there is no limit.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.deadline.remaining()
    }

    /// Whether it has slept, and may have used up a wake.
    #[must_use]
    pub const fn has_slept(&self) -> bool {
        self.waiters != 0
    }

    /// A5: lets a moment pass, twice as long each time. False when there is none left before a
    /// sleep.
    pub fn spins(&mut self) -> bool {
        self.spins_between(1)
    }

    /// The same between looks that take so many loads each.
    pub(super) fn spins_between(&mut self, loads: usize) -> bool {
        if self.spins_left == 0 {
            return false;
        }
        spin(self.spin);
        let turns = (self.spin as usize).max(loads);
        self.spins_left = (self.spins_left as usize).saturating_sub(turns) as u32;
        self.spin *= 2;
        true
    }

    /// Whether the process that `token` names is dead, with a second opinion from the second slice
    /// on the same token on.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a token that nobody ever had.
    /// * [`Error::System`] when foreign code closed the descriptor by which deaths are seen.
    pub fn is_dead(&mut self, at: &Attachment, token: u32) -> Result<bool, Error> {
        if token != self.asleep_on {
            self.asleep_on = token;
            self.slices = 0;
        }
        is_dead(at, token, self.slices)
    }

    /// A8. The slices of a call grow: see `slice`.
    pub(super) fn sleep_on(
        &mut self,
        word: &impl Bits,
        seen: u64,
        left: Option<Duration>,
    ) -> Result<(), Error> {
        let slice = slice(self.sleeps);
        word.sleep(seen, left.map_or(slice, |left| left.min(slice)))?;
        self.waiters = WAITERS;
        self.sleeps = self.sleeps.saturating_add(1);
        self.slices = self.slices.saturating_add(1);
        (self.spins_left, self.spin) = (SPIN_AGAIN_ITERATIONS, 1);
        Ok(())
    }
}

/// Whether the process that `token` names is dead, for a caller that has slept so many slices on
/// it; an error for a token that nobody ever had.
pub(super) fn is_dead(at: &Attachment, token: u32, slices: u32) -> Result<bool, Error> {
    if !is_issued(token) {
        return Err(Error::Damaged);
    }
    Ok(at.is_dead(token, slices)?)
}
