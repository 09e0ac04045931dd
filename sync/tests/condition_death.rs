//! What a condition promises when those who wait, or hold its lock, are killed, and where a peer
//! means harm.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use purlin_sync::{ByHolder, Error, ReleasedByHolder, Told, Waited};

use crate::support::condition::{BOTH, NOTIFIED, OWNER_DIED, Scene, TIMED_OUT, for_each_lock};
use crate::support::{Child, LIMIT, Signal};

for_each_lock! {
    a_holder_killed_after_it_notified_is_told_to_who_was_notified
    a_killed_waiter_is_no_dead_owner
    an_owners_death_ends_the_wait_for_a_predicate
}

/// The same over the other locks, of tests that are named over a [`Lock`](purlin_sync::Lock).
mod over_other_locks {
    #[test]
    fn a_notification_of_a_killed_waiter_goes_to_another() {
        super::a_notification_of_a_killed_waiter_goes_to_another::<purlin_sync::ByThread>();
        super::a_notification_of_a_killed_waiter_goes_to_another::<purlin_sync::Reentrant>();
    }

    #[test]
    fn a_holder_killed_before_it_notified_is_told_to_one_sleeper() {
        super::a_holder_killed_before_it_notified_is_told_to_one_sleeper::<purlin_sync::ByThread>();
        super::a_holder_killed_before_it_notified_is_told_to_one_sleeper::<purlin_sync::Reentrant>(
        );
    }

    #[test]
    fn a_dead_waiter_is_passed_over() {
        super::a_dead_waiter_is_passed_over::<purlin_sync::ByThread>();
        super::a_dead_waiter_is_passed_over::<purlin_sync::Reentrant>();
    }

    #[test]
    fn killed_waiters_leave_no_trace() {
        super::killed_waiters_leave_no_trace::<purlin_sync::ByThread>();
        super::killed_waiters_leave_no_trace::<purlin_sync::Reentrant>();
    }

    #[test]
    fn forged_cells_are_nobodys() {
        super::forged_cells_are_nobodys::<purlin_sync::ByThread>();
        super::forged_cells_are_nobodys::<purlin_sync::Reentrant>();
    }
}

fn a_notification_of_a_killed_waiter_goes_to_another<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    for _ in 0..5 {
        let doomed = scene.waiter(NOTIFIED);
        let other = scene.waiter(NOTIFIED);
        scene.acquire();
        assert_eq!(scene.condition.notify_one(), Ok(1));
        doomed.kill(); // it waits for the lock
        let late = Signal::new();
        let late_waiter = Child::run("late", || {
            scene.acquire();
            late.give();
            let woken = scene.condition.wait_kept(Duration::from_millis(200));
            scene.release();
            i32::from(woken != Ok(TIMED_OUT))
        });
        scene.release();
        late.take("the late one to hold");
        other.succeed();
        late_waiter.succeed();
    }
    assert_eq!(scene.notify(1), 0);
}

fn a_dead_waiter_is_passed_over<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    let dead = [(); 2].map(|()| scene.waiter(NOTIFIED));
    let living = scene.waiter(NOTIFIED);
    dead.iter().for_each(Child::kill);
    assert_eq!(scene.notify(1), 1);
    living.succeed();
    assert_eq!(scene.notify(u32::MAX), 0);
}

fn a_holder_killed_before_it_notified_is_told_to_one_sleeper<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    let answers = Signal::new();
    let waiters = [(); 3].map(|()| {
        let child = Child::run("waiter", || {
            scene.acquire();
            let woken = scene.condition.wait_kept(LIMIT);
            if woken == Ok(OWNER_DIED) {
                scene.condition.lock().recover().unwrap();
                assert_eq!(scene.condition.notify_all(), Ok(2));
            }
            answers.tell(match woken {
                Ok(OWNER_DIED) => 1,
                Ok(NOTIFIED) => 0,
                _ => 100,
            });
            i32::from(scene.condition.lock().release().is_err())
        });
        child.sleeps_on_a_word();
        child
    });
    scene.holder(|_| ()).kill();
    let sum: u32 = waiters.iter().map(|_| answers.hear("a waiter's answer")).sum();
    assert_eq!(sum, 1);
    waiters.iter().for_each(Child::succeed);
}

fn a_holder_killed_after_it_notified_is_told_to_who_was_notified<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    let waiter = scene.waiter(BOTH);
    scene.holder(|scene| assert_eq!(scene.condition.notify_one(), Ok(1))).kill();
    waiter.succeed();
}

fn a_killed_waiter_is_no_dead_owner<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    scene.waiter(NOTIFIED).kill();
    assert_eq!(scene.acquire(), Told::Held);
    assert_eq!(scene.condition.notify_all(), Ok(0));
}

fn killed_waiters_leave_no_trace<R: ReleasedByHolder>() {
    let scene = Scene::<R>::with_room(3);
    for round in 0..8 {
        let doomed = [(); 3].map(|()| scene.waiter(NOTIFIED));
        scene.acquire();
        if round % 2 == 0 {
            assert_eq!(scene.condition.notify_all(), Ok(3));
        }
        doomed.iter().for_each(Child::kill);
        scene.release();
    }
    let waiter = scene.waiter(NOTIFIED);
    assert_eq!(scene.notify(1), 1);
    waiter.succeed();
    assert_eq!(scene.notify(1), 0);
    scene.acquire();
    assert_eq!(scene.condition.wait_kept(Duration::from_millis(120)), Ok(TIMED_OUT));
}

fn an_owners_death_ends_the_wait_for_a_predicate<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    let waiter = Child::run("waiter", || {
        let guard = scene.condition.lock().acquire(LIMIT).unwrap().sound().unwrap();
        let is_one = || (scene.cell.0.load(Relaxed) == 1).then_some(());
        match scene.condition.wait_for(guard, LIMIT, is_one).unwrap() {
            Waited::OwnerDied(suspect) => {
                drop(suspect.recover());
                0
            }
            _ => 1,
        }
    });
    waiter.sleeps_on_a_word();
    let holder = scene.holder(|scene| {
        scene.cell.0.store(1, Relaxed);
        scene.condition.notify_one().unwrap();
    });
    holder.kill();
    waiter.succeed();
    assert_eq!(scene.acquire(), Told::Held);
}

fn forged_cells_are_nobodys<R: ReleasedByHolder>() {
    const WAITING: u64 = 1 << 30;
    const NOTIFIED_BITS: u64 = 2 << 30;
    let never_issued = (1 << 10) - 1; // generation 0
    let scene = Scene::<R>::with_room(4);
    let waiter = scene.waiter(NOTIFIED); // in the first cell
    scene.forge(1, WAITING | never_issued);
    scene.forge(2, u64::MAX); // state 3
    scene.forge(3, NOTIFIED_BITS | never_issued);
    assert_eq!(scene.notify(1), 1);
    waiter.succeed();
    assert_eq!(scene.notify(u32::MAX), 0);
    let waiters = [(); 4].map(|()| scene.waiter(NOTIFIED));
    assert_eq!(scene.notify(u32::MAX), 4);
    waiters.iter().for_each(Child::succeed);
    let robbed = Child::run("robbed", || {
        scene.acquire();
        i32::from(scene.condition.wait_kept(LIMIT) != Err(Error::Damaged))
    });
    robbed.sleeps_on_a_word();
    scene.forge(0, 0);
    robbed.succeed();
    assert_eq!(scene.acquire(), Told::Held, "who finds its cell overwritten gives the lock back");
}

#[test]
fn no_notify_is_lost_with_the_waiter_that_it_was_for() {
    a_notification_of_a_killed_waiter_goes_to_another::<ByHolder>();
}

#[test]
fn no_holders_death_leaves_all_asleep() {
    a_holder_killed_before_it_notified_is_told_to_one_sleeper::<ByHolder>();
}

#[test]
fn no_notify_is_spent_on_the_dead() {
    a_dead_waiter_is_passed_over::<ByHolder>();
}

#[test]
fn dead_waiters_take_no_room() {
    killed_waiters_leave_no_trace::<ByHolder>();
}

#[test]
fn no_forged_cell_has_anybody_go_on() {
    forged_cells_are_nobodys::<ByHolder>();
}
