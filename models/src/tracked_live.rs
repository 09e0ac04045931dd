//! The tracked semaphore among processes that nobody kills: each unit has one owner at a time, and
//! nobody waits for ever while one is free.

use crate::cell::Deadline;
use crate::kill::{ALL, Swept, every_interleaving};
use crate::life::{Attachment, act_as, start};
use crate::quay::Quay;
use crate::sleepers::Slices;

/// So many that use one of so many units each.
pub(crate) fn contend(
    preemptions: Option<usize>,
    slices: Slices,
    units: usize,
    user_count: usize,
) -> Swept {
    every_interleaving(preemptions, move || {
        let quay = Quay::new(slices, units);
        (0..user_count).for_each(|_| start(&quay, Quay::use_it));
        quay.inspect();
    })
}

/// Three use two units, and look for theirs when they give them back.
pub(crate) fn three_forget_which(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let quay = Quay::new(slices, 2);
        (0..3).for_each(|_| start(&quay, Quay::use_and_forget));
        quay.inspect();
    })
}

/// One waits with a limit, beside one without and one who comes twice.
pub(crate) fn gives_up_beside_a_sleeper(preemptions: usize, slices: Slices) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let quay = Quay::new(slices, 1);
        start(&quay, |quay: &Quay, at| (0..2).for_each(|_| quay.use_it(at)));
        start(&quay, Quay::visit);
        start(&quay, Quay::use_it);
        quay.inspect();
    })
}

/// Another has both units while two wait, and gives them back one after the other, or both at once.
pub(crate) fn two_wait_for_two(preemptions: usize, slices: Slices, is_at_once: bool) -> Swept {
    every_interleaving(Some(preemptions), move || {
        let quay = Quay::new(slices, 2);
        let holder = Attachment::new(&quay, None);
        act_as(&holder, || {
            for _ in 0..2 {
                assert!(quay.enter(&holder, Deadline::Never).is_ok(), "it is free");
            }
            start(&quay, Quay::take);
            start(&quay, Quay::take);
            match is_at_once {
                true => quay.leave_all(&holder),
                false => [0, 1].into_iter().for_each(|index| quay.leave(&holder, index)),
            }
        });
        quay.all_ended();
    })
}

/// One that drops its last handle, beside so many that use the unit.
pub(crate) fn abandoned(preemptions: Option<usize>, slices: Slices, user_count: usize) -> Swept {
    every_interleaving(preemptions, move || {
        let quay = Quay::new(slices, 1);
        start(&quay, Quay::abandon);
        (0..user_count).for_each(|_| start(&quay, Quay::use_it));
        quay.inspect();
    })
}

#[test]
fn two_contend() {
    contend(ALL, Slices::Pass, 1, 2).expect("tracked: two for one, slices pass", 0, 0);
    contend(ALL, Slices::Hour, 1, 2).expect("the same, slices of an hour", 0, 0);
    contend(ALL, Slices::Hour, 2, 2).expect("tracked: two for two", 0, 0);
}

#[test]
fn three_contend() {
    for units in [1, 2] {
        contend(Some(3), Slices::PassAmongMany, units, 3).expect(
            "tracked: three, slices pass",
            0,
            0,
        );
        contend(Some(3), Slices::Hour, units, 3).expect("the same, slices of an hour", 0, 0);
    }
}

#[test]
fn who_forgot_its_unit_gives_back_no_other() {
    three_forget_which(2, Slices::PassAmongMany).expect("tracked: forgotten, slices pass", 0, 0);
    three_forget_which(2, Slices::Hour).expect("the same, slices of an hour", 0, 0);
}

#[test]
fn who_gives_up_keeps_nobody_asleep() {
    gives_up_beside_a_sleeper(2, Slices::PassAmongMany).expect(
        "tracked: gives up, slices pass",
        0,
        0,
    );
    gives_up_beside_a_sleeper(3, Slices::Hour).expect("the same, slices of an hour", 0, 0);
}

#[test]
fn as_many_are_let_in_as_units_are_free() {
    for is_at_once in [false, true] {
        two_wait_for_two(2, Slices::PassAmongMany, is_at_once).expect(
            "tracked: two wait for two, slices pass",
            0,
            0,
        );
        two_wait_for_two(3, Slices::Hour, is_at_once).expect("the same, slices of an hour", 0, 0);
    }
}

#[test]
fn what_is_abandoned_is_told_once() {
    abandoned(ALL, Slices::Pass, 1).expect("tracked: abandoned, slices pass", 0, 0);
    abandoned(ALL, Slices::Hour, 1).expect("the same, slices of an hour", 0, 0);
    abandoned(Some(3), Slices::Hour, 2).expect("tracked: abandoned beside two", 0, 0);
}
