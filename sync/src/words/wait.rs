//! What a caller that could not have a word at once knows by now.

use core::time::Duration;

use super::bits::{Bits, WAITERS};
use super::cell::{
    Attachment, Deadline, Error, SPIN_AGAIN_ITERATIONS, SPIN_LIMIT_ITERATIONS, is_issued, slice,
};

/// One call's wait.
pub(super) struct Wait {
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
}

impl Wait {
    pub(super) fn new(me: u64, deadline: Deadline) -> Self {
        let deadline = deadline.start();
        let is_try = deadline.remaining().is_some_and(|left| left.is_zero());
        let spins_left = if is_try { 0 } else { SPIN_LIMIT_ITERATIONS };
        Self { me, deadline, waiters: 0, sleeps: 0, asleep_on: 0, slices: 0, spins_left }
    }

    pub(super) fn left(&self) -> Option<Duration> {
        self.deadline.remaining()
    }

    pub(super) const fn has_slept(&self) -> bool {
        self.waiters != 0
    }

    /// A5: whether there is another spin to be had, which this takes.
    pub(super) const fn takes_spin(&mut self) -> bool {
        self.takes_spins(1)
    }

    /// The same for a look that takes so many loads, at least one: the last look may take a few
    /// more than are left.
    pub(super) const fn takes_spins(&mut self, loads: usize) -> bool {
        let has_spin = self.spins_left > 0;
        let loads = if loads == 0 { 1 } else { loads };
        self.spins_left = (self.spins_left as usize).saturating_sub(loads) as u32;
        has_spin
    }

    /// Whether the process that `token` names is dead, with a second opinion from the second slice
    /// on the same token on.
    pub(super) fn is_dead(&mut self, at: &Attachment, token: u32) -> Result<bool, Error> {
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
        self.spins_left = SPIN_AGAIN_ITERATIONS;
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
