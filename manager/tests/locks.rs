//! Locks, semaphores, conditions, events and barriers.

use std::time::{Duration, Instant};

use purlin_channel::Pipe;
use purlin_manager::{Acquired, Error, Manager};

use crate::bounded::{BRIEF, Child, LIMIT, Test, sleep_on, until};

pub(crate) const TESTS: &[Test] = &[
    ("a_lock_excludes", a_lock_excludes),
    ("a_lock_is_released_by_anybody", a_lock_is_released_by_anybody),
    ("a_limit_is_kept", a_limit_is_kept),
    ("a_killed_holders_lock_goes_to_the_next", a_killed_holders_lock_goes_to_the_next),
    ("a_killed_waiter_swallows_nothing", a_killed_waiter_swallows_nothing),
    ("a_guard_of_a_parent_is_no_childs", a_guard_of_a_parent_is_no_childs),
    ("a_recursive_lock_is_its_threads", a_recursive_lock_is_its_threads),
    ("a_semaphore_counts", a_semaphore_counts),
    ("a_killed_one_in_a_semaphores_row", a_killed_one_in_a_semaphores_row),
    ("a_condition_wakes", a_condition_wakes),
    ("a_conditions_depth_comes_back", a_conditions_depth_comes_back),
    ("a_predicate_has_one_limit", a_predicate_has_one_limit),
    ("a_dead_waiters_notification_goes_on", a_dead_waiters_notification_goes_on),
    ("a_conditions_dead_holder_is_told", a_conditions_dead_holder_is_told),
    ("an_event_wakes_all", an_event_wakes_all),
    ("a_barrier_holds_until_all_are_there", a_barrier_holds_until_all_are_there),
    ("a_barrier_breaks", a_barrier_breaks),
    ("a_killed_party_breaks_a_barrier", a_killed_party_breaks_a_barrier),
];

/// A child that has done something, and then sleeps until it is killed.
fn child_that(does: impl FnOnce() -> Result<(), Error>) -> Child {
    let (reader, writer) = Pipe::simplex().unwrap();
    writer.hand_over().unwrap();
    let child = Child::run(move || -> Result<(), String> {
        does().map_err(|error| error.to_string())?;
        writer.send(b"done", None).map_err(|error| error.to_string())?;
        sleep_on();
        Ok(())
    });
    assert_eq!(reader.recv(LIMIT).unwrap(), b"done");
    child
}

fn a_lock_excludes() {
    // shows: manager-lock
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let held = lock.acquire(None).unwrap().sound().unwrap();
    assert_eq!(lock.is_held(), Ok(true));
    let waiter = Child::run(|| lock.acquire(LIMIT).map(drop));
    waiter.waits();
    assert_eq!(waiter.0.is_alive(), Ok(true));
    drop(held);
    waiter.succeeds();
    assert_eq!(lock.is_held(), Ok(false));
    let inside = manager.value(0).unwrap();
    let enter = || -> Result<(), Error> {
        for _ in 0..100 {
            let _held = lock.acquire(LIMIT)?.sound()?;
            assert_eq!(inside.replace(&1)?, 0);
            assert_eq!(inside.replace(&0)?, 1);
        }
        Ok(())
    };
    let children = [(); 3].map(|()| Child::run(enter));
    children.into_iter().for_each(Child::succeeds);
}

fn a_lock_is_released_by_anybody() {
    // shows: manager-lock-released-by-other-process
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let child = child_that(|| lock.acquire(None).map(|held| assert!(!held.keep())));
    assert_eq!(lock.try_acquire().err(), Some(Error::TimedOut));
    assert_eq!((lock.release(), lock.release()), (Ok(()), Err(Error::OverReleased)));
    child.kill();
    assert!(matches!(lock.acquire(LIMIT), Ok(Acquired::Held(_))), "it held nothing any more");
}

fn a_limit_is_kept() {
    // shows: manager-lock-timeout
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let _held = lock.acquire(None).unwrap();
    Child::run(|| {
        let start = Instant::now();
        assert_eq!(lock.acquire(BRIEF).err(), Some(Error::TimedOut));
        assert!(start.elapsed() >= BRIEF);
        assert_eq!(lock.acquire(Duration::ZERO).err(), Some(Error::TimedOut));
        assert_eq!(lock.try_acquire().err(), Some(Error::TimedOut));
    })
    .succeeds();
}

fn a_killed_holders_lock_goes_to_the_next() {
    // shows: manager-lock-holder-killed
    let manager = Manager::start().unwrap();
    let (lock, rlock) = (manager.lock().unwrap(), manager.rlock().unwrap());
    for tries in [false, true] {
        let holder = child_that(|| {
            lock.acquire(None)?.keep();
            rlock.acquire(None)?.keep();
            rlock.acquire(None)?.keep();
            Ok(())
        });
        let waits = Child::run(|| match lock.acquire(LIMIT) {
            Ok(Acquired::OwnerDied(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        if !tries {
            waits.waits();
        }
        holder.kill();
        let taken = if tries { rlock.try_acquire() } else { rlock.acquire(LIMIT) };
        let Acquired::OwnerDied(suspect) = taken.unwrap() else { panic!("nobody was told") };
        drop(suspect); // and so the next one is told, too
        let Acquired::OwnerDied(suspect) = rlock.try_acquire().unwrap() else { panic!("not told") };
        let held = suspect.recover().unwrap();
        assert!(matches!(rlock.try_acquire(), Ok(Acquired::Held(_))), "again");
        drop(held);
        assert!(rlock.acquire(LIMIT).unwrap().sound().is_ok());
        waits.succeeds();
        let Acquired::OwnerDied(suspect) = lock.acquire(LIMIT).unwrap() else { panic!("not told") };
        drop(suspect.recover().unwrap());
        assert!(lock.acquire(LIMIT).unwrap().sound().is_ok());
    }
}

fn a_killed_waiter_swallows_nothing() {
    // shows: manager-lock-waiter-killed
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    for limit in [None, Some(LIMIT)] {
        let held = lock.acquire(None).unwrap().sound().unwrap();
        let waiter = Child::run(|| lock.acquire(limit).map(drop));
        waiter.waits();
        waiter.kill();
        drop(held);
        assert!(matches!(lock.try_acquire(), Ok(Acquired::Held(_))));
    }
}

fn a_guard_of_a_parent_is_no_childs() {
    let manager = Manager::start().unwrap();
    let (lock, semaphore) = (manager.lock().unwrap(), manager.semaphore(1).unwrap());
    let held = lock.acquire(None).unwrap().sound().unwrap();
    let permit = semaphore.acquire(None).unwrap();
    let mut both = Some((held, permit));
    Child::run(|| drop(both.take())).succeeds();
    assert_eq!((lock.is_held(), semaphore.value()), (Ok(true), Ok(0)));
    drop(both);
    assert_eq!((lock.is_held(), semaphore.value()), (Ok(false), Ok(1)));
}

fn a_recursive_lock_is_its_threads() {
    // shows: manager-rlock-owner
    let manager = Manager::start().unwrap();
    let lock = manager.rlock().unwrap();
    lock.acquire(None).unwrap().keep();
    lock.acquire(None).unwrap().keep();
    let others = || {
        assert_eq!(lock.release(), Err(Error::NotOwner));
        assert_eq!(lock.acquire(BRIEF).err(), Some(Error::TimedOut));
    };
    Child::run(others).succeeds();
    std::thread::scope(|scope| scope.spawn(others).join().unwrap());
    lock.release().unwrap();
    std::thread::scope(|scope| scope.spawn(others).join().unwrap());
    lock.release().unwrap();
    assert_eq!(lock.release(), Err(Error::NotOwner));
    Child::run(|| lock.acquire(LIMIT).map(drop)).succeeds();
}

fn a_semaphore_counts() {
    // shows: manager-semaphore
    let manager = Manager::start().unwrap();
    let semaphore = manager.semaphore(2).unwrap();
    let own = semaphore.acquire(None).unwrap();
    let other = child_that(|| semaphore.acquire(None).map(|permit| permit.keep()));
    Child::run(|| assert_eq!(semaphore.acquire(BRIEF).err(), Some(Error::TimedOut))).succeeds();
    assert_eq!(semaphore.try_acquire().err(), Some(Error::TimedOut));
    let waiter = Child::run(|| semaphore.acquire(LIMIT).map(drop));
    waiter.waits();
    drop(own);
    waiter.succeeds();
    other.kill();
    assert_eq!(semaphore.value(), Ok(1), "the dead one's unit has no owner");
    semaphore.release_many(2).unwrap();
    assert_eq!(semaphore.value(), Ok(3));
    assert_eq!(semaphore.release_many(u32::MAX), Err(Error::OverReleased));
    let bounded = manager.bounded_semaphore(1).unwrap();
    assert_eq!(bounded.release(), Err(Error::OverReleased));
    drop(bounded.acquire(None).unwrap());
    assert_eq!(bounded.release(), Err(Error::OverReleased));
}

fn a_killed_one_in_a_semaphores_row() {
    let manager = Manager::start().unwrap();
    let semaphore = manager.semaphore(0).unwrap();
    let waiter = Child::run(|| semaphore.acquire(None).map(drop));
    waiter.waits();
    waiter.kill();
    semaphore.release().unwrap();
    assert_eq!(semaphore.value(), Ok(1));
}

fn a_condition_wakes() {
    // shows: manager-condition
    let manager = Manager::start().unwrap();
    let (condition, ready) = (manager.condition().unwrap(), manager.value(0).unwrap());
    let wait = || -> Result<(), Error> {
        let held = condition.acquire(None)?.sound()?;
        ready.update(|count| count + 1)?;
        assert!(condition.wait(&held, LIMIT)?);
        Ok(())
    };
    let waiters = [(); 3].map(|()| Child::run(wait));
    until("all have begun", || ready.get() == Ok(3));
    assert_eq!(condition.notify_one(), Err(Error::NotOwner));
    let held = condition.acquire(None).unwrap().sound().unwrap();
    assert_eq!(
        (condition.notify_one(), condition.notify(7), condition.notify_all()),
        (Ok(1), Ok(2), Ok(0))
    );
    drop(held);
    waiters.into_iter().for_each(Child::succeeds);
    let held = condition.acquire(None).unwrap().sound().unwrap();
    let start = Instant::now();
    assert_eq!(condition.wait(&held, BRIEF), Ok(false));
    assert!(start.elapsed() >= BRIEF);
    assert_eq!(condition.wait(&held, Duration::ZERO), Ok(false));
    let other = manager.condition().unwrap();
    assert_eq!(other.wait(&held, BRIEF), Err(Error::NotOwner));
    condition.release().unwrap(); // behind the guard's back
    assert_eq!(condition.wait(&held, BRIEF), Err(Error::NotOwner));
}

fn a_conditions_depth_comes_back() {
    let manager = Manager::start().unwrap();
    let condition = manager.condition().unwrap();
    condition.acquire(None).unwrap().keep();
    let held = condition.acquire(None).unwrap().sound().unwrap();
    std::thread::scope(|scope| {
        let notify = scope.spawn(|| {
            let _held = condition.acquire(LIMIT)?.sound()?; // it is free while the other waits
            condition.notify_one()
        });
        assert_eq!(condition.wait(&held, LIMIT), Ok(true));
        assert_eq!(notify.join().unwrap(), Ok(1));
    });
    drop(held);
    assert_eq!(condition.release(), Ok(()));
    assert_eq!(condition.release(), Err(Error::NotOwner));
}

fn a_predicate_has_one_limit() {
    // shows: manager-condition-wait-for
    let manager = Manager::start().unwrap();
    let (condition, value) = (manager.condition().unwrap(), manager.value(0).unwrap());
    let limit = Duration::from_millis(300);
    let waiter = Child::run(|| -> Result<(), Error> {
        let held = condition.acquire(None)?.sound()?;
        value.set(&1)?;
        let start = Instant::now();
        let waited = condition.wait_for(&held, || Ok(value.get()? == 2), limit);
        assert_eq!(waited, Err(Error::TimedOut));
        assert!(start.elapsed() >= limit);
        Ok(())
    });
    until("it has begun", || value.get() == Ok(1));
    for _ in 0..3 {
        let _held = condition.acquire(None).unwrap().sound().unwrap();
        condition.notify_one().unwrap();
    }
    waiter.succeeds();
}

fn a_dead_waiters_notification_goes_on() {
    let manager = Manager::start().unwrap();
    let (condition, ready) = (manager.condition().unwrap(), manager.value(0).unwrap());
    let wait = || -> Result<(), Error> {
        let held = condition.acquire(None)?.sound()?;
        ready.update(|count| count + 1)?;
        condition.wait(&held, None)?;
        Ok(())
    };
    let first = Child::run(wait);
    until("the first has begun", || ready.get() == Ok(1));
    let second = Child::run(wait);
    until("the second has begun", || ready.get() == Ok(2));
    let held = condition.acquire(None).unwrap().sound().unwrap();
    // The first is to return, and waits for the lock when it is killed.
    assert_eq!(condition.notify_one(), Ok(1));
    first.kill();
    drop(held);
    second.succeeds();
    // And one that was dead before it was notified is none that was.
    let third = Child::run(wait);
    until("the third has begun", || ready.get() == Ok(3));
    let fourth = Child::run(wait);
    until("the fourth has begun", || ready.get() == Ok(4));
    let held = condition.acquire(None).unwrap().sound().unwrap();
    third.kill();
    assert_eq!(condition.notify_one(), Ok(1));
    drop(held);
    fourth.succeeds();
}

fn a_conditions_dead_holder_is_told() {
    let manager = Manager::start().unwrap();
    let (condition, ready) = (manager.condition().unwrap(), manager.value(0).unwrap());
    let waiter = Child::run(|| -> Result<(), Error> {
        let held = condition.acquire(None)?.sound()?;
        ready.set(&1)?;
        assert_eq!(condition.wait(&held, LIMIT), Err(Error::OwnerDied));
        Ok(())
    });
    until("it has begun", || ready.get() == Ok(1));
    let holder = child_that(|| {
        condition.acquire(None)?.keep();
        condition.notify_one().map(drop)
    });
    holder.kill();
    waiter.succeeds();
    assert!(matches!(condition.acquire(LIMIT), Ok(Acquired::OwnerDied(_))));
}

fn an_event_wakes_all() {
    // shows: manager-event
    let manager = Manager::start().unwrap();
    let event = manager.event().unwrap();
    let waiters = [None, Some(LIMIT)].map(|limit| {
        let waiter = Child::run(|| match event.wait(limit) {
            Ok(true) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        waiter.waits();
        waiter
    });
    let start = Instant::now();
    assert_eq!(event.wait(BRIEF), Ok(false));
    assert!(start.elapsed() >= BRIEF);
    assert_eq!((event.is_set(), event.wait(Duration::ZERO)), (Ok(false), Ok(false)));
    event.set().unwrap();
    waiters.into_iter().for_each(Child::succeeds);
    assert_eq!((event.wait(None), event.is_set()), (Ok(true), Ok(true)));
    event.clear().unwrap();
    assert_eq!(event.is_set(), Ok(false));
}

fn a_barrier_holds_until_all_are_there() {
    // shows: manager-barrier
    let manager = Manager::start().unwrap();
    let barrier = manager.barrier(3).unwrap();
    let places = manager.list(Vec::<u32>::new()).unwrap();
    let come = || places.push(&barrier.wait(LIMIT)?);
    for _ in 0..3 {
        let others = [(); 2].map(|()| Child::run(come));
        until("two are there", || barrier.waiting() == Ok(2));
        assert_eq!(barrier.parties(), Ok(3));
        assert_eq!(places.len(), Ok(0));
        come().unwrap();
        others.into_iter().for_each(Child::succeeds);
        let mut all = places.to_vec().unwrap();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
        places.clear().unwrap();
    }
}

fn a_barrier_breaks() {
    let manager = Manager::start().unwrap();
    let barrier = manager.barrier(2).unwrap();
    let is_broken = |waited: Result<u32, Error>| waited == Err(Error::BarrierBroken);
    let start = Instant::now();
    assert!(is_broken(barrier.wait(BRIEF)));
    assert!(start.elapsed() >= BRIEF);
    assert_eq!(barrier.is_broken(), Ok(true));
    assert!(is_broken(barrier.wait(None)));
    for end in ["abort", "reset"] {
        barrier.reset().unwrap();
        let waiter = Child::run(|| assert!(is_broken(barrier.wait(LIMIT))));
        until("it is there", || barrier.waiting() == Ok(1));
        match end {
            "abort" => barrier.abort().unwrap(),
            _ => barrier.reset().unwrap(),
        }
        waiter.succeeds();
        assert_eq!(barrier.is_broken(), Ok(end == "abort"));
    }
}

fn a_killed_party_breaks_a_barrier() {
    // shows: manager-barrier-waiter-killed
    let manager = Manager::start().unwrap();
    let barrier = manager.barrier(3).unwrap();
    let victim = Child::run(|| barrier.wait(None).map(drop));
    until("one is there", || barrier.waiting() == Ok(1));
    let other = Child::run(|| assert_eq!(barrier.wait(LIMIT), Err(Error::BarrierBroken)));
    until("two are there", || barrier.waiting() == Ok(2));
    victim.kill();
    other.succeeds(); // by that death alone: nobody else has come
    assert_eq!(barrier.wait(LIMIT), Err(Error::BarrierBroken));
}
