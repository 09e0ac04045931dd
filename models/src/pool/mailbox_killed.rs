//! A mailbox whose worker is killed at every step: each task is told once, as done or as lost; what
//! was not begun is run by the next one, and nothing twice. And the faults that the models of a
//! mailbox must notice.

use super::desk::Desk;
use super::mailbox_live::{handed, taken_back};
use crate::fault::Fault;
use crate::kill::{Swept, at_every_step};
use crate::life::{Attachment, start_as};
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices::{self, Hour};

/// A worker dies that was handed so many tasks.
pub(super) fn worker_dies(preemptions: usize, slices: Slices, count: usize) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let desk = Desk::new(slices);
        let worker = Attachment::new(&desk, Some(stop));
        let token = worker.token();
        start_as(&desk, &worker, Desk::work);
        start_as(&desk, &Attachment::new(&desk, None), move |desk: &Desk, at| {
            desk.own(at, count, token);
        });
        desk.inspect(count, 1);
    })
}

#[test]
fn a_worker_dies() {
    worker_dies(2, Hour, 1).expect("mailbox: a worker with a task dies", 33, 0);
    worker_dies(1, Hour, 2).expect("mailbox: a worker with two dies", 52, 0);
}

#[test]
fn planted_faults_are_noticed() {
    let two = || handed(1, Hour, 2);
    for fault in [Fault::WakeForgotten, Fault::SleepWithoutLook, Fault::FenceForgotten] {
        assert_noticed(fault, "deadlock", two);
    }
    for fault in [Fault::StoreReleasesNothing, Fault::AcquireForgotten] {
        assert_noticed(fault, "half an answer", two);
    }
    // W1 and S1 by a store.
    for fault in [Fault::TakeoverByStore, Fault::ReleaseByStore] {
        assert_noticed(fault, "task 1 was run twice", || taken_back(2, Hour));
    }
    assert_noticed(Fault::NeverDead, "deadlock", || worker_dies(0, Hour, 1));
    assert_noticed(Fault::DeadTooEarly, "deadlock", || worker_dies(1, Hour, 1));
}
