//! The condition: who is woken, and with what. See `condition_death` for what a death leaves.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use purlin_sync::{Acquired, ByHolder, Condition, Deadline, Error, ReleasedByHolder, Told, Waited};

use crate::support::condition::{NOTIFIED, Scene, TIMED_OUT, for_each_lock};
use crate::support::{Child, LIMIT, Signal, idle};

for_each_lock! {
    a_notify_wakes_who_has_waited_longest
    a_notify_of_all_wakes_processes_and_threads
    a_notify_without_waiters_is_not_remembered
    a_limit_ends_the_wait_and_the_lock_is_held_again
    who_does_not_hold_the_lock_neither_waits_nor_notifies
    one_waiter_too_many_is_refused_and_still_holds
    a_predicate_is_waited_for_under_one_limit
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
