//! A mailbox among the living: each task is run once, with its own input, and its own output comes
//! back; nobody is left asleep; and what is taken back is run by one of both.

use std::rc::Rc;

use super::desk::Desk;
use crate::kill::{Swept, every_interleaving};
use crate::life::{Attachment, start_as};
use crate::sleepers::Slices::{self, Hour, Pass};

/// A worker, and an owner that does this with it, by its token.
fn beside(desk: &Rc<Desk>, own: impl FnOnce(&Desk, &Attachment, u32) + 'static) {
    let worker = Attachment::new(desk, None);
    let token = worker.token();
    start_as(desk, &worker, Desk::work);
    start_as(desk, &Attachment::new(desk, None), move |desk: &Desk, at| own(desk, at, token));
}

/// An owner hands so many tasks to a worker, and ends it.
pub(super) fn handed(preemptions: usize, slices: Slices, count: usize) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let desk = Desk::new(slices);
        beside(&desk, move |desk, at, worker| desk.own(at, count, worker));
        desk.inspect(count, 0);
        assert!(desk.is_ready());
    })
}

/// An owner takes back what its worker may be about to begin.
pub(super) fn taken_back(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let desk = Desk::new(slices);
        beside(&desk, Desk::own_and_take_back);
        desk.inspect(2, 0);
    })
}

#[test]
fn tasks_are_handed_over() {
    handed(3, Hour, 1).expect("mailbox: a task", 0, 0);
    handed(2, Hour, 2).expect("mailbox: two tasks", 0, 0);
    handed(1, Hour, 3).expect("mailbox: three tasks", 0, 0);
    handed(2, Pass, 1).expect("mailbox: a task, slices pass", 0, 0);
}

#[test]
fn a_task_is_taken_back() {
    taken_back(2, Hour).expect("mailbox: one is taken back", 0, 0);
}
