//! The tracked semaphore whose owners, waiters and releasers are killed at every step: no unit is
//! lost, and each death is told once a unit.

use crate::cell::Deadline;
use crate::kill::{Swept, at_every_step, at_every_two_steps};
use crate::life::{Attachment, Stop, act_as, condemn, start, start_as};
use crate::quay::Quay;
use crate::sleepers::Slices;

/// One who uses a unit dies, beside so many others.
pub(crate) fn owner_dies(preemptions: usize, slices: Slices, units: usize, others: usize) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let quay = Quay::new(slices, units);
        condemn(&quay, stop, Quay::use_it);
        (0..others).for_each(|_| start(&quay, Quay::use_it));
        quay.inspect();
    })
}

/// The first death is over when the second victim comes, beside a third.
pub(crate) fn both_die(preemptions: usize, slices: Slices) -> Swept {
    at_every_two_steps(Some(preemptions), move |first, second| {
        let quay = Quay::new(slices, 1);
        condemn(&quay, first, Quay::use_it);
        quay.all_ended();
        condemn(&quay, second, Quay::use_it);
        start(&quay, Quay::use_it);
        quay.inspect();
    })
}

/// The unit is held when the victim comes, and another waits beside it.
fn beside_a_holder(
    preemptions: usize,
    slices: Slices,
    units: usize,
    victim: fn(&Quay, &Attachment),
) -> Swept {
    at_every_step(Some(preemptions), move |stop: Stop| {
        let quay = Quay::new(slices, units);
        let holder = Attachment::new(&quay, None);
        act_as(&holder, || {
            (0..units).for_each(|_| assert!(quay.enter(&holder, Deadline::Never).is_ok()));
            condemn(&quay, stop, victim);
            start(&quay, Quay::use_it);
            (0..units).for_each(|index| quay.leave(&holder, index));
        });
        quay.inspect();
    })
}

pub(crate) fn waiter_dies(preemptions: usize, slices: Slices, units: usize) -> Swept {
    beside_a_holder(preemptions, slices, units, Quay::use_it)
}

/// Who waits with a limit dies.
pub(crate) fn visitor_dies(preemptions: usize, slices: Slices) -> Swept {
    beside_a_holder(preemptions, slices, 1, Quay::visit)
}

/// Who has both units dies while it gives them back, beside so many that wait.
pub(crate) fn releaser_dies(preemptions: usize, slices: Slices, waiter_count: usize) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let quay = Quay::new(slices, 2);
        let releaser = Attachment::new(&quay, Some(stop));
        // Not steps: nothing is known of it yet.
        (0..2).for_each(|_| assert!(quay.enter(&releaser, Deadline::Never).is_ok()));
        start_as(&quay, &releaser, Quay::leave_all);
        (0..waiter_count).for_each(|_| start(&quay, Quay::use_it));
        quay.inspect();
    })
}

/// Who drops its last handle dies amid it.
pub(crate) fn dies_amid_abandoning(preemptions: usize, slices: Slices) -> Swept {
    at_every_step(Some(preemptions), move |stop| {
        let quay = Quay::new(slices, 1);
        condemn(&quay, stop, Quay::abandon);
        start(&quay, Quay::use_it);
        quay.inspect();
    })
}

#[test]
fn an_owner_dies_beside_one() {
    owner_dies(3, Slices::Pass, 1, 1).expect("tracked: one survives, slices pass", 18, 0);
    owner_dies(3, Slices::Hour, 1, 1).expect("the same, slices of an hour", 18, 0);
}

#[test]
fn an_owner_dies_beside_two() {
    for (units, steps) in [(1, 18), (2, 15)] {
        let swept = owner_dies(2, Slices::PassAmongMany, units, 2);
        swept.expect("tracked: two survive, slices pass", steps, 0);
        let swept = owner_dies(2, Slices::Hour, units, 2);
        swept.expect("the same, slices of an hour", steps, 0);
    }
}

#[test]
fn two_die() {
    both_die(2, Slices::Hour).expect("tracked: both die", 5, 20);
}

#[test]
fn a_waiter_dies() {
    waiter_dies(2, Slices::Hour, 1).expect("tracked: waiter dies", 24, 0);
    waiter_dies(2, Slices::Hour, 2).expect("tracked: waiter dies, two units", 25, 0);
}

#[test]
fn a_visitor_dies() {
    visitor_dies(2, Slices::Hour).expect("tracked: visitor dies", 19, 0);
}

#[test]
fn a_releaser_dies() {
    releaser_dies(2, Slices::Hour, 1).expect("tracked: releaser dies", 9, 0);
    releaser_dies(1, Slices::Hour, 2).expect("tracked: releaser dies beside two", 9, 0);
}

#[test]
fn one_dies_that_drops_its_last_handle() {
    dies_amid_abandoning(3, Slices::Pass).expect("tracked: abandoner dies, slices pass", 18, 0);
    dies_amid_abandoning(3, Slices::Hour).expect("the same, slices of an hour", 18, 0);
}
