//! Each planted fault is noticed by the tracked semaphore's model that is there for it.

use crate::fault::Fault;
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices::{Hour, Pass};
use crate::{tracked_killed as killed, tracked_live as live};

#[test]
fn orderings_of_a_tracked_semaphore() {
    for fault in [Fault::ReleaseForgotten, Fault::AcquireForgotten] {
        assert_noticed(fault, "Causality violation", || live::contend(Some(3), Pass, 1, 2));
    }
    assert_noticed(Fault::FenceForgotten, "deadlock", || live::contend(Some(3), Hour, 1, 2));
}

#[test]
fn wakes_of_a_tracked_semaphore() {
    for fault in [Fault::WakeForgotten, Fault::SleepWithoutLook] {
        assert_noticed(fault, "deadlock", || live::contend(Some(3), Hour, 1, 2));
    }
    assert_noticed(Fault::BatonForgotten, "deadlock", || live::two_wait_for_two(3, Hour, false));
}

#[test]
fn deaths_at_a_tracked_semaphore() {
    assert_noticed(Fault::NeverDead, "deadlock", || killed::owner_dies(1, Hour, 1, 1));
    assert_noticed(Fault::DeadTooEarly, "what was told", || live::contend(Some(3), Pass, 1, 2));
}

#[test]
fn stores_to_a_tracked_semaphore() {
    assert_noticed(Fault::TakeByStore, "Causality violation", || {
        live::contend(Some(3), Pass, 1, 2)
    });
    assert_noticed(Fault::TakeoverByStore, "told", || killed::owner_dies(1, Hour, 1, 2));
    assert_noticed(Fault::ReleaseByStore, "what was given back", || {
        live::three_forget_which(2, Hour)
    });
}
