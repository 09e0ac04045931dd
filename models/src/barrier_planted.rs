//! Each planted fault is noticed by the barrier's model that is there for it.

use crate::cell::Deadline;
use crate::fault::Fault;
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices::{Hour, Pass};
use crate::{barrier_killed as killed, barrier_live as live};

#[test]
fn orderings_of_a_barrier() {
    for fault in [Fault::ReleaseForgotten, Fault::AcquireForgotten] {
        assert_noticed(fault, "deadlock", || live::two_meet(Hour));
    }
}

#[test]
fn wakes_of_a_barrier() {
    assert_noticed(Fault::WakeForgotten, "deadlock", || live::two_meet(Hour));
    assert_noticed(Fault::SleepWithoutLook, "deadlock", || live::two_meet(Hour));
}

#[test]
fn deaths_at_a_barrier() {
    assert_noticed(Fault::NeverDead, "deadlock", || killed::a_party_dies(1, Hour));
    assert_noticed(Fault::NeverDead, "deadlock", || {
        killed::a_runner_dies_beside_a_newcomer(1, Hour)
    });
    assert_noticed(Fault::TimesStayRecent, "seen dead before", || killed::a_party_dies(1, Hour));
    assert_noticed(Fault::TimesStayRecent, "seen dead before", || killed::a_runner_dies(1, Hour));
    assert_noticed(Fault::DeadTooEarly, "nobody breaks it", || live::two_meet(Pass));
}

#[test]
fn stores_to_a_barrier() {
    assert_noticed(Fault::CompleteByStore, "do not agree", || {
        live::one_gives_up(Deadline::Passed, Pass)
    });
    assert_noticed(Fault::BreakByStore, "do not agree", || {
        live::one_gives_up(Deadline::FirstSleep, Hour)
    });
    assert_noticed(Fault::MarkForgotten, "left == right", || live::one_is_broken_and_reset(Hour));
    assert_noticed(Fault::MarkByStore, "left behind", || live::one_is_broken_and_reset(Hour));
}
