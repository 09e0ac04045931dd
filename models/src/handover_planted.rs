//! What is new in the hand-over lock and in the checked one, spoiled: each fault is noticed.

use crate::fault::Fault;
use crate::handover_killed::unharmed_release_of_a_dead_owners;
use crate::life::World;
use crate::lock_planted::assert_noticed;
use crate::sleepers::Slices::{Hour, Pass, PassAmongMany};
use crate::{checked_threads, handover_live};

#[test]
fn answers_about_the_dead_at_a_strangers_release() {
    assert_noticed(Fault::NeverDead, "what was told", || {
        unharmed_release_of_a_dead_owners(|| World::new(Pass))
    });
    assert_noticed(Fault::SecondOpinionForgotten, "what was told", || {
        unharmed_release_of_a_dead_owners(|| World::with_bytes_kept(Pass))
    });
    assert_noticed(Fault::DeadTooEarly, "what was told", || {
        handover_live::one_releases_for_another(PassAmongMany)
    });
    assert_noticed(Fault::UnvouchedLostAtRelease, "what was told", || {
        unharmed_release_of_a_dead_owners(|| World::new(Pass))
    });
}

#[test]
fn a_strangers_exchange_that_is_a_store() {
    assert_noticed(Fault::ReleaseByStore, "two releases", || handover_live::two_release(Pass));
}

#[test]
fn a_strangers_wake_that_is_forgotten() {
    assert_noticed(Fault::WakeForgotten, "deadlock", || {
        handover_live::one_releases_for_another(Hour)
    });
}

#[test]
fn threads_that_are_all_one() {
    assert_noticed(Fault::ThreadForgotten, "a stranger's release", || {
        checked_threads::strangers_are_refused(PassAmongMany)
    });
    assert_noticed(Fault::ThreadForgotten, "no limit, no damage", || {
        checked_threads::threads_contend(PassAmongMany)
    });
}
