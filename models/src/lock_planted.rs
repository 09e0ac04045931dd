//! Each planted fault is noticed by the model that is there for it.

use std::panic::UnwindSafe;

use crate::fault::{Fault, plant};
use crate::kill::{Swept, failure};
use crate::sleepers::Slices::{Hour, Pass, PassAmongMany};
use crate::{lock_abandon, lock_killed, lock_limit, lock_live, lock_stranger, lock_suspect};

pub(crate) fn assert_noticed(fault: Fault, by: &str, model: impl FnOnce() -> Swept + UnwindSafe) {
    let failure = plant(fault, || failure(model));
    let Some(failure) = failure else { panic!("{fault:?} went unnoticed") };
    println!("{fault:?}: {}", failure.lines().next().unwrap_or_default());
    assert!(failure.contains(by), "{fault:?} was noticed by something else: {failure}");
}

#[test]
fn orderings() {
    for fault in [Fault::ReleaseForgotten, Fault::AcquireForgotten] {
        assert_noticed(fault, "Causality violation", || lock_live::contend(None, Pass, &[1, 1]));
    }
}

#[test]
fn wakes_and_sleeps() {
    assert_noticed(Fault::WakeForgotten, "deadlock", || lock_live::contend(None, Hour, &[1, 1]));
    assert_noticed(Fault::SleepWithoutLook, "deadlock", || lock_live::contend(None, Hour, &[1, 1]));
    assert_noticed(Fault::WaitersLostAtTake, "deadlock", || {
        lock_live::contend(Some(3), Hour, &[1, 1, 1])
    });
    assert_noticed(Fault::WaitersLostAtLimit, "deadlock", || {
        lock_limit::gives_up_beside_a_sleeper(Hour)
    });
}

#[test]
fn answers_about_the_dead() {
    assert_noticed(Fault::DeadTooEarly, "what was told", || {
        lock_live::contend(None, Pass, &[1, 1])
    });
    assert_noticed(Fault::NeverDead, "deadlock", || lock_killed::one_survives(Hour));
    assert_noticed(Fault::SecondOpinionForgotten, "maximum number of branches", || {
        lock_killed::one_survives_by_the_second_opinion()
    });
}

#[test]
fn exchanges_that_are_stores() {
    assert_noticed(Fault::TakeByStore, "Causality violation", || {
        lock_live::contend(None, Pass, &[1, 1])
    });
    assert_noticed(Fault::TakeoverByStore, "what was told", || {
        lock_killed::two_survive(2, PassAmongMany)
    });
    assert_noticed(Fault::ReleaseByStore, "a stranger's release", || {
        lock_stranger::releases_what_another_holds(Pass)
    });
}

#[test]
fn warnings() {
    assert_noticed(Fault::UnvouchedLostAtTakeover, "what was told", || {
        lock_suspect::releases_unvouched(Pass)
    });
    assert_noticed(Fault::UnvouchedLostAtTake, "what was told", || {
        lock_suspect::releases_unvouched(Pass)
    });
    assert_noticed(Fault::UnvouchedLostAtRelease, "what was told", || {
        lock_suspect::releases_unvouched(Pass)
    });
    assert_noticed(Fault::UnvouchedLostAtRelease, "what was told", || {
        lock_abandon::beside_one(Pass)
    });
    assert_noticed(Fault::UnvouchedKeptAtRecovery, "what was told", || {
        lock_killed::one_survives(Pass)
    });
}

/// The word's table says so of a missing `WAITERS`: each death costs every sleeper a slice, in
/// which it says again that it sleeps, and no wake is lost after that.
#[test]
fn a_takeover_that_loses_waiters_costs_no_more_than_the_slice() {
    let failure =
        plant(Fault::WaitersLostAtTakeover, || failure(|| lock_killed::two_survive(2, Hour)));
    assert_eq!(failure, None);
}
