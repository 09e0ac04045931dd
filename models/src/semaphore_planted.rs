//! Each planted fault is noticed by the semaphore's model that is there for it.

use crate::fault::Fault;
use crate::lock_planted::assert_noticed;
use crate::semaphore_live as live;
use crate::sleepers::Slices::{Hour, Pass, PassAmongMany};

#[test]
fn orderings_of_a_semaphore() {
    for fault in [Fault::ReleaseForgotten, Fault::AcquireForgotten] {
        assert_noticed(fault, "Causality violation", || live::contend(None, Pass, 1, &[1, 1]));
        assert_noticed(fault, "Causality violation", || {
            live::two_give_and_one_takes(1, PassAmongMany)
        });
    }
}

#[test]
fn wakes_of_a_semaphore() {
    for fault in [Fault::WakeForgotten, Fault::SleepWithoutLook] {
        assert_noticed(fault, "deadlock", || live::contend(None, Hour, 1, &[1, 1]));
    }
    assert_noticed(Fault::BatonForgotten, "deadlock", || {
        live::two_are_given_one_each(2, Hour, &[1, 1])
    });
    assert_noticed(Fault::FlagTakenWithUnit, "deadlock", || {
        live::contend(Some(2), Hour, 1, &[1, 1, 1])
    });
    assert_noticed(Fault::WaitersLostAtLimit, "deadlock", || {
        live::gives_up_beside_a_sleeper(3, Hour)
    });
}

#[test]
fn stores_to_a_semaphore() {
    assert_noticed(Fault::GiveByStore, "lost or doubled", || live::over_release(2, PassAmongMany));
}
