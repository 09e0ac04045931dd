//! What each of those that hammer has written down.

use crate::limits::{HAMMER_COUNT, LONG_VISIT_PERIOD, LONG_VISIT_TURNS};
use crate::sys::cells::Cells;
use crate::verdict::Failure;

/// Some cells for each.
pub(super) struct Accounts(Cells);

const CELLS_EACH: usize = 8;

impl Accounts {
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self(Cells::new()?))
    }

    pub(super) fn get(&self, index: usize, cell: usize) -> u64 {
        self.0.get(index * CELLS_EACH + cell)
    }

    pub(super) fn set(&self, index: usize, cell: usize, value: u64) {
        self.0.set(index * CELLS_EACH + cell, value);
    }

    pub(super) fn add_one(&self, index: usize, cell: usize) {
        self.0.add(index * CELLS_EACH + cell, 1);
    }

    /// Of all of them, those before and those that took their places.
    pub(super) fn sum(&self, cell: usize) -> u64 {
        (0..HAMMER_COUNT).map(|index| self.get(index, cell)).sum()
    }
}

/// Lets a moment pass inside: now and then longer than the others spin, so that they sleep.
pub(super) fn stay(visit: u64) {
    let turns = if visit.is_multiple_of(LONG_VISIT_PERIOD) { LONG_VISIT_TURNS } else { 0 };
    (0..turns).for_each(|_| core::hint::spin_loop());
}
