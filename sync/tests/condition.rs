//! The condition: who is woken, with what, and what a death leaves.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use purlin_shm::{Place, Segment};
use purlin_sync::{
    Acquired, ByHolder, Condition, Deadline, Error, Exclusive, ReleasedByHolder, Told, Waited,
    Woken,
};

use crate::support::{Cell, Child, LIMIT, Signal, idle};

const NOTIFIED: Woken<Told> = Woken { acquired: Told::Held, is_notified: true };
const TIMED_OUT: Woken<Told> = Woken { acquired: Told::Held, is_notified: false };
const OWNER_DIED: Woken<Told> = Woken { acquired: Told::OwnerDied, is_notified: false };
const BOTH: Woken<Told> = Woken { acquired: Told::OwnerDied, is_notified: true };

/// A condition over a lock in a segment with room, and a cell.
struct Scene<R: ReleasedByHolder> {
    segment: Segment,
    condition: Condition<R>,
    cell: Place<Cell>,
}

impl<R: ReleasedByHolder> Scene<R> {
    fn new() -> Self {
        Self::with_room(128)
    }

    fn with_room(waiter_count: u32) -> Self {
        let segment = Segment::anonymous(1 << 14).unwrap();
        let lock = Exclusive::<R>::new_in(&segment).unwrap();
        let condition = Condition::over_with_room(&lock, waiter_count).unwrap();
        let cell = Place::new_in(&segment).unwrap();
        Self { segment, condition, cell }
    }

    fn acquire(&self) -> Told {
        self.condition.lock().acquire(LIMIT).map(Acquired::keep).unwrap()
    }

    fn release(&self) {
        self.condition.lock().release().unwrap();
    }

    /// A child that waits once, leaves the lock, and is successful when its wait ended so.
    fn waiter(&self, expected: Woken<Told>) -> Child {
        let child = Child::run("waiter", || {
            self.acquire();
            let woken = self.condition.wait_kept(LIMIT);
            let is_left = self.condition.lock().recover().and(self.condition.lock().release());
            i32::from(woken != Ok(expected)) + 2 * i32::from(is_left.is_err())
        });
        child.sleeps_on_a_word();
        child
    }

    /// A child that holds the lock, has done `act` under it, and idles.
    fn holder(&self, act: impl FnOnce(&Self)) -> Child {
        let holds = Signal::new();
        let child = Child::run("holder", || {
            self.acquire();
            act(self);
            holds.give();
            idle()
        });
        holds.take("the holder to hold");
        child
    }

    fn notify(&self, count: u32) -> u32 {
        self.acquire();
        let notified = self.condition.notify(count).unwrap();
        self.release();
        notified
    }

    /// Writes into a cell of the condition, as a peer that means harm.
    fn forge(&self, index: u64, cell: u64) {
        use std::os::unix::fs::FileExt;
        let copy = self.segment.descriptor().try_clone_to_owned().expect("a descriptor");
        let place = self.condition.offset() + 16 + 16 + 8 * index;
        std::fs::File::from(copy).write_all_at(&cell.to_le_bytes(), place).expect("its file");
    }
}

/// Runs a test for each kind of lock that a condition is made over.
macro_rules! for_each_lock {
    ($($test:ident)+) => {
        mod over_lock {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::ByHolder>();
            })+
        }

        mod over_checked_lock {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::ByThread>();
            })+
        }

        mod over_rlock {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::Reentrant>();
            })+
        }
    };
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

for_each_lock! {
    a_notify_wakes_who_has_waited_longest
    a_notify_of_all_wakes_processes_and_threads
    a_notify_without_waiters_is_not_remembered
    a_limit_ends_the_wait_and_the_lock_is_held_again
    who_does_not_hold_the_lock_neither_waits_nor_notifies
    one_waiter_too_many_is_refused_and_still_holds
    a_holder_killed_after_it_notified_is_told_to_who_was_notified
    a_killed_waiter_is_no_dead_owner
    a_predicate_is_waited_for_under_one_limit
    an_owners_death_ends_the_wait_for_a_predicate
    no_notify_is_lost_between_two_who_take_turns
}

fn a_notify_wakes_who_has_waited_longest<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    let [first, second, third] = [(); 3].map(|()| scene.waiter(NOTIFIED));
    assert_eq!(scene.notify(0), 0);
    assert_eq!(scene.notify(1), 1);
    first.succeed();
    assert_eq!(scene.notify(1), 1);
    second.succeed();
    assert_eq!(scene.notify(7), 1);
    third.succeed();
    assert_eq!(scene.notify(7), 0);
}

fn a_notify_of_all_wakes_processes_and_threads<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    let children = [(); 3].map(|()| scene.waiter(NOTIFIED));
    let waits = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let guard = scene.condition.lock().acquire(LIMIT).unwrap().sound().unwrap();
                waits.fetch_add(1, Relaxed); // under the lock
                let woken = scene.condition.wait(guard, LIMIT).unwrap();
                assert!(woken.is_notified);
                woken.acquired.sound().map(drop)
            });
        }
        // Whoever has counted itself has begun to wait when the lock is free again.
        let begin = Instant::now();
        while waits.load(Relaxed) < 3 {
            assert!(begin.elapsed() < LIMIT, "waited in vain for three threads");
            thread::yield_now();
        }
        assert_eq!(scene.notify(u32::MAX), 6);
    });
    children.iter().for_each(Child::succeed);
}

fn a_notify_without_waiters_is_not_remembered<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    scene.acquire();
    assert_eq!(scene.condition.notify_one(), Ok(0));
    assert_eq!(scene.condition.notify_all(), Ok(0));
    assert_eq!(scene.condition.wait_kept(Duration::from_millis(20)), Ok(TIMED_OUT));
}

fn a_limit_ends_the_wait_and_the_lock_is_held_again<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    scene.acquire();
    let (begin, limit) = (Instant::now(), Duration::from_millis(80)); // longer than a slice
    assert_eq!(scene.condition.wait_kept(limit), Ok(TIMED_OUT));
    assert!(begin.elapsed() >= limit);
    assert_eq!(scene.condition.wait_kept(Duration::ZERO), Ok(TIMED_OUT));
    assert!(scene.condition.lock().is_mine());
    scene.release();
    assert_eq!(scene.notify(1), 0, "who has timed out does not wait any more");
}

fn who_does_not_hold_the_lock_neither_waits_nor_notifies<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    let condition = &scene.condition;
    let all_refused = || {
        let waits = (condition.wait_kept(Duration::ZERO), condition.wait_kept(LIMIT));
        let waited_for = condition.wait_for_kept(LIMIT, || -> Option<()> { panic!("asked") });
        waits == (Err(Error::NotOwner), Err(Error::NotOwner))
            && waited_for == Err(Error::NotOwner)
            && condition.notify(1) == Err(Error::NotOwner)
            && condition.notify(0) == Err(Error::NotOwner)
    };
    assert!(all_refused());
    let mut guard = Some(condition.lock().acquire(LIMIT).unwrap().sound().unwrap());
    // A copy of the hold, with and without a token of its own.
    for uses_it in [false, true] {
        Child::run("child", || {
            let is_refused = !uses_it || all_refused();
            let failed = condition.wait(guard.take().unwrap(), LIMIT).unwrap_err();
            let is_given_back = failed.error == Error::NotOwner && failed.guard.is_some();
            i32::from(!is_refused || !is_given_back || !all_refused())
        })
        .succeed();
    }
    assert!(condition.lock().is_mine());
}

fn one_waiter_too_many_is_refused_and_still_holds<R: ReleasedByHolder>() {
    let scene = Scene::<R>::with_room(2);
    assert_eq!(scene.condition.room(), 2);
    let waiters = [(); 2].map(|()| scene.waiter(NOTIFIED));
    scene.acquire();
    assert_eq!(scene.condition.wait_kept(LIMIT), Err(Error::OutOfResources));
    assert!(scene.condition.lock().is_mine());
    scene.release();
    let guard = scene.condition.lock().acquire(LIMIT).unwrap().sound().unwrap();
    let failed = scene.condition.wait(guard, LIMIT).unwrap_err();
    assert_eq!(failed.error, Error::OutOfResources);
    assert!(scene.condition.lock().is_mine());
    drop(failed);
    assert_eq!(scene.notify(u32::MAX), 2);
    waiters.iter().for_each(Child::succeed);
    scene.acquire();
    assert_eq!(scene.condition.wait_kept(Duration::ZERO), Ok(TIMED_OUT), "there is room again");
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

fn a_predicate_is_waited_for_under_one_limit<R: ReleasedByHolder>() {
    let scene = Scene::<R>::new();
    let is_four = || (scene.cell.0.load(Relaxed) == 4).then_some(44);
    let waiter = Child::run("waiter", || {
        scene.acquire();
        i32::from(scene.condition.wait_for_kept(LIMIT, is_four) != Ok(Waited::Met((), 44)))
    });
    waiter.sleeps_on_a_word();
    while waiter.0.try_join().is_err() && scene.cell.0.load(Relaxed) < 4 {
        scene.acquire();
        scene.cell.0.fetch_add(1, Relaxed);
        scene.condition.notify_one().unwrap();
        scene.release();
    }
    waiter.succeed();

    let limit = Duration::from_millis(60);
    let impatient = Child::run("impatient", || {
        scene.acquire();
        scene.condition.lock().recover().unwrap();
        let begin = Instant::now();
        let never = || None::<()>;
        let is_in_vain = scene.condition.wait_for_kept(limit, never) == Ok(Waited::TimedOut(()));
        let is_held = scene.condition.lock().release().is_ok();
        i32::from(!is_in_vain || !is_held || begin.elapsed() < limit)
    });
    let begin = Instant::now();
    while impatient.0.try_join().is_err() {
        assert!(begin.elapsed() < LIMIT, "each notify starts its limit anew");
        scene.acquire();
        scene.condition.lock().recover().unwrap();
        scene.condition.notify_all().unwrap();
        scene.release();
        thread::yield_now();
    }
    impatient.succeed();
    scene.acquire();
    let mut asked = 0;
    let counts = || {
        asked += 1;
        None::<()>
    };
    let waited = scene.condition.wait_for_kept(Deadline::passed(), counts);
    assert_eq!((waited, asked), (Ok(Waited::TimedOut(())), 1));
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

fn no_notify_is_lost_between_two_who_take_turns<R: ReleasedByHolder>() {
    const TURN_COUNT: u32 = 2000;
    let scene = Scene::<R>::new();
    let play = |own: u32| {
        for turn in 0..TURN_COUNT {
            let guard = scene.condition.lock().acquire(LIMIT).unwrap().sound().unwrap();
            let is_mine = || (scene.cell.0.load(Relaxed) == 2 * turn + own).then_some(());
            let (guard, ()) =
                scene.condition.wait_for(guard, LIMIT, is_mine).unwrap().met().unwrap();
            scene.cell.0.fetch_add(1, Relaxed);
            scene.condition.notify_one().unwrap();
            drop(guard);
        }
    };
    let other = Child::run("other", || {
        play(1);
        0
    });
    play(0);
    other.succeed();
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

#[test]
fn an_rlock_is_given_up_at_all_levels_and_had_again_at_as_many() {
    let condition = Condition::new().unwrap();
    let lock = condition.lock();
    for _ in 0..3 {
        lock.acquire(LIMIT).unwrap().keep();
    }
    let child = Child::run("child", || {
        let told = lock.acquire(LIMIT).map(Acquired::keep);
        let notified = condition.notify_all();
        let released = lock.release();
        i32::from((told, notified, released) != (Ok(Told::Held), Ok(1), Ok(())))
    });
    assert_eq!(condition.wait_kept(LIMIT), Ok(NOTIFIED));
    assert_eq!(lock.depth(), Ok(3));
    child.succeed();
    assert_eq!(condition.wait_kept(Duration::ZERO), Ok(TIMED_OUT));
    assert_eq!(lock.depth(), Ok(3));
}

#[test]
fn the_return_waits_for_the_lock_beyond_the_limit() {
    let scene = Scene::<ByHolder>::new();
    let (held, go_on) = (Signal::new(), Signal::new());
    scene.acquire();
    let holder = Child::run("holder", || {
        scene.acquire(); // as soon as the other waits
        held.give();
        go_on.take("the order to leave");
        i32::from(scene.condition.lock().release().is_err())
    });
    holder.sleeps_on_a_word();
    thread::scope(|scope| {
        let wait = scope.spawn(|| scene.condition.wait_kept(Duration::from_millis(5)));
        held.take("the holder to hold");
        thread::yield_now();
        go_on.give();
        assert_eq!(wait.join().unwrap(), Ok(TIMED_OUT));
        assert!(scene.condition.lock().is_mine());
    });
    holder.succeed();
}

#[test]
fn a_predicate_that_panics_leaves_a_kept_lock_held_and_drops_a_guard() {
    let condition = Condition::new().unwrap();
    let panics = || -> Option<()> { panic!("planted") };
    let quietly = |act: &(dyn Fn() + std::panic::RefUnwindSafe)| {
        assert!(std::panic::catch_unwind(act).is_err());
    };
    condition.lock().acquire(LIMIT).unwrap().keep();
    quietly(&|| assert_eq!(condition.wait_for_kept(LIMIT, panics), Ok(Waited::OwnerDied(()))));
    assert!(condition.lock().is_mine());
    condition.lock().release().unwrap();
    quietly(&|| {
        let guard = condition.lock().acquire(LIMIT).unwrap().sound().unwrap();
        drop(condition.wait_for(guard, LIMIT, panics));
    });
    assert!(!condition.lock().is_mine());
}

#[test]
fn the_guard_of_another_lock_is_refused_and_comes_back() {
    let (one, other) = (Condition::new().unwrap(), Condition::new().unwrap());
    let guard = other.lock().acquire(LIMIT).unwrap().sound().unwrap();
    let held = one.lock().acquire(LIMIT).unwrap().sound().unwrap();
    let failed = one.wait(guard, LIMIT).unwrap_err();
    assert_eq!((failed.error, failed.guard.is_some()), (Error::InvalidArgument, true));
    drop(failed);
    assert!(!other.lock().is_mine());
    // The same lock by another handle is the same.
    let same = one.lock().clone();
    drop(held);
    let guard = same.acquire(LIMIT).unwrap().sound().unwrap();
    assert!(!one.wait(guard, Duration::ZERO).unwrap().is_notified);
}

#[test]
fn a_fork_beside_a_waiting_thread_makes_no_second_waiter() {
    let (scene, waits) = (Scene::<ByHolder>::new(), Signal::new());
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            scene.acquire();
            waits.give();
            let woken = scene.condition.wait_kept(LIMIT);
            scene.release();
            woken
        });
        waits.take("the thread to hold");
        scene.acquire(); // it waits
        scene.release();
        let idler = Child::run("idler", idle);
        let other = scene.waiter(NOTIFIED);
        assert_eq!(scene.notify(2), 2);
        assert_eq!(thread.join().unwrap(), Ok(NOTIFIED));
        other.succeed();
        idler.kill();
    });
}

#[test]
fn who_has_waited_longest_is_found_across_the_wrap_of_the_tickets() {
    use std::os::unix::fs::FileExt;
    let scene = Scene::<ByHolder>::new();
    let copy = scene.segment.descriptor().try_clone_to_owned().unwrap();
    let ticket = scene.condition.offset() + 16 + 8;
    std::fs::File::from(copy).write_all_at(&(u32::MAX - 1).to_le_bytes(), ticket).unwrap();
    let waiters = [(); 4].map(|()| scene.waiter(NOTIFIED));
    for waiter in &waiters {
        assert_eq!(scene.notify(1), 1);
        waiter.succeed();
    }
    // And so is a dead one's notification, by those it was for.
    std::fs::File::from(scene.segment.descriptor().try_clone_to_owned().unwrap())
        .write_all_at(&(u32::MAX - 1).to_le_bytes(), ticket)
        .unwrap();
    let (doomed, other) = (scene.waiter(NOTIFIED), scene.waiter(NOTIFIED));
    scene.acquire();
    assert_eq!(scene.condition.notify_one(), Ok(1)); // stamped with 0
    doomed.kill();
    scene.release();
    other.succeed();
}

#[test]
fn two_conditions_over_one_lock_have_waiters_of_their_own() {
    let scene = Scene::<ByHolder>::new();
    let other = Condition::over(scene.condition.lock()).unwrap();
    let waiter = scene.waiter(NOTIFIED);
    scene.acquire();
    assert_eq!(other.notify_all(), Ok(0));
    assert_eq!(scene.condition.notify_all(), Ok(1));
    scene.release();
    waiter.succeed();
}

#[test]
fn a_stopped_waiter_does_not_hold_up_a_notify() {
    let scene = Scene::<ByHolder>::new();
    let waiter = scene.waiter(NOTIFIED);
    let pid = rustix::process::Pid::from_raw(waiter.0.pid()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    assert_eq!(scene.notify(1), 1);
    assert_eq!(scene.acquire(), Told::Held);
    scene.release();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    waiter.succeed();
}
