//! The event whose setters and waiters are killed at every step, and the faults that its models
//! must notice.

use crate::event_live::{Square, clear_and_look, set_and_clear, wait_for_one};
use crate::fault::Fault;
use crate::kill::{Swept, at_every_step, at_every_two_steps};
use crate::life::{condemn, start};
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices::{self, Hour, Pass, PassAmongMany};

/// A setter dies; another sets it too. So many wait.
pub(crate) fn setter_dies(preemptions: usize, slices: Slices, waiter_count: usize) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let square = Square::new(slices);
        condemn(&square, stop, Square::set);
        (0..waiter_count).for_each(|_| start(&square, Square::wait));
        start(&square, Square::set);
        square.inspect();
    })
}

/// A waiter dies beside another.
pub(crate) fn waiter_dies(slices: Slices) -> Swept {
    at_every_step(Some(2), move |stop| {
        let square = Square::new(slices);
        condemn(&square, stop, Square::wait);
        start(&square, Square::wait);
        start(&square, Square::set);
        square.inspect();
    })
}

/// A setter and a waiter die beside a waiter and a setter.
pub(crate) fn both_die(slices: Slices) -> Swept {
    at_every_two_steps(Some(1), move |first, second| {
        let square = Square::new(slices);
        condemn(&square, first, Square::set);
        condemn(&square, second, Square::wait);
        start(&square, Square::wait);
        start(&square, Square::set);
        square.inspect();
    })
}

#[test]
fn a_setter_dies() {
    setter_dies(3, PassAmongMany, 1).expect("setter dies, slices pass", 5, 0);
    setter_dies(3, Hour, 1).expect("setter dies, slices of an hour", 5, 0);
    setter_dies(1, Hour, 2).expect("setter dies beside two, slices of an hour", 5, 0);
}

#[test]
fn a_waiter_dies() {
    waiter_dies(PassAmongMany).expect("waiter dies, slices pass", 7, 0);
    waiter_dies(Hour).expect("waiter dies, slices of an hour", 7, 0);
}

#[test]
fn a_setter_and_a_waiter_die() {
    both_die(Hour).expect("both die, slices of an hour", 5, 10);
}

#[test]
fn planted_faults_are_noticed() {
    for fault in [Fault::ReleaseForgotten, Fault::AcquireForgotten] {
        assert_noticed(fault, "Causality violation", || wait_for_one(None, Pass, 1));
    }
    for fault in [Fault::WakeForgotten, Fault::SleepWithoutLook, Fault::SetByStore] {
        assert_noticed(fault, "deadlock", || wait_for_one(None, Hour, 1));
    }
    assert_noticed(Fault::OneOfAllWoken, "deadlock", || wait_for_one(Some(3), Hour, 2));
    assert_noticed(Fault::EpochStays, "deadlock", || set_and_clear(1));
    for fault in [Fault::SetLooksFirst, Fault::ClearByStore, Fault::AcquireForgotten] {
        assert_noticed(fault, "deadlock", || clear_and_look(3, Hour));
    }
}
