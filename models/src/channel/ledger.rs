//! What is true of the messages of a model. It is outside the model: exact, and no step.

use core::cell::Cell;

/// No model has more messages.
const MESSAGE_COUNT: usize = 4;

/// How often each message was begun to be put, was put, and was had.
#[derive(Default)]
pub(super) struct Ledger {
    begun: [Cell<bool>; MESSAGE_COUNT],
    put: [Cell<bool>; MESSAGE_COUNT],
    had: [Cell<bool>; MESSAGE_COUNT],
    /// How many may have been had by those who have died before they could tell.
    amid_get_count: Cell<usize>,
}

impl Ledger {
    pub(super) fn begin_put(&self, number: usize) {
        self.begun[number].set(true);
    }

    pub(super) fn end_put(&self, number: usize) {
        self.put[number].set(true);
    }

    pub(super) fn begin_get(&self) {
        self.begin_get_many(1);
    }

    pub(super) fn end_get(&self) {
        self.end_get_many(1);
    }

    /// The same of up to so many at once.
    pub(super) fn begin_get_many(&self, count: usize) {
        self.amid_get_count.set(self.amid_get_count.get() + count);
    }

    pub(super) fn end_get_many(&self, count: usize) {
        self.amid_get_count.set(self.amid_get_count.get() - count);
    }

    pub(super) fn have(&self, number: usize) {
        assert!(self.begun.get(number).is_some_and(Cell::get), "{number} was never put");
        assert!(!self.had[number].replace(true), "{number} came twice");
    }

    pub(super) fn has_had(&self, number: usize) -> bool {
        self.had[number].get()
    }

    /// When all have ended, and what was inside has been taken.
    pub(super) fn inspect(&self) {
        let is_missing = |number: &usize| self.put[*number].get() && !self.had[*number].get();
        let missing_count = (0..MESSAGE_COUNT).filter(is_missing).count();
        let dead_count = self.amid_get_count.get();
        assert!(missing_count <= dead_count, "{missing_count} are lost, by {dead_count} amid");
    }
}
