//! The lock that its holder acquires again: what it counts, for whom, and what is left of it when
//! its holder dies. What it has in common with the other locks stands in `every_lock`.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Cell, Child, Signal, holder, idle, overwrite, told, told_at_once};
use purlin_shm::{Carry, Luggage, Place, Segment};
use purlin_sync::{Error, Name, RLOCK_DEPTH_MAX_COUNT, RLock, Told};

fn new() -> RLock {
    RLock::new().unwrap()
}

/// What another thread of this process is answered.
fn in_another_thread<T: Send>(ask: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(ask).join().unwrap())
}

/// Whether another thread gets the lock, which it gives back.
fn is_free(lock: &RLock) -> bool {
    in_another_thread(|| match told_at_once(lock) {
        Ok(_) => lock.release() == Ok(()),
        Err(error) => {
            assert_eq!(error, Error::TimedOut);
            false
        }
    })
}

/// Acquires so many times, which succeeds at once each time.
fn acquire_times(lock: &RLock, count: u32) {
    for depth in 1..=count {
        told(lock).unwrap();
        assert_eq!(lock.depth(), Ok(depth));
    }
}

/// A child that holds the lock at `depth` levels, and idles.
fn deep_holder(lock: &RLock, depth: u32) -> Child {
    let holds = Signal::new();
    let child = Child::run("holder", || {
        acquire_times(lock, depth);
        holds.give();
        idle()
    });
    holds.take("the holder to hold");
    child
}

#[test]
fn the_holder_acquires_again_and_has_to_release_as_often() {
    // shows: rlock-owner-acquires-again, rlock-free-only-after-last-release
    let lock = new();
    assert_eq!(lock.depth(), Ok(0));
    acquire_times(&lock, 3);
    for left in [2, 1, 0] {
        assert!(!is_free(&lock));
        assert_eq!((lock.release(), lock.depth()), (Ok(()), Ok(left)));
    }
    assert!(is_free(&lock));
}

#[test]
fn no_limit_and_no_try_keeps_the_holder_out() {
    // shows: rlock-owner-timed-acquire-at-once, rlock-try-by-owner-deepens
    let lock = new();
    told(&lock).unwrap();
    for limit in [None, Some(Duration::ZERO), Some(Duration::MAX)] {
        assert_eq!(lock.acquire(limit).unwrap().keep(), Told::Held);
    }
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
    assert_eq!(lock.depth(), Ok(5));
    (0..5).for_each(|_| lock.release().unwrap());
    assert!(is_free(&lock));
}

#[test]
fn only_the_balance_counts() {
    // shows: rlock-mixed-depth-sequence, rlock-waiting-acquire-reports-success
    let lock = new();
    acquire_times(&lock, 2);
    lock.release().unwrap();
    told(&lock).unwrap();
    lock.release().unwrap();
    assert!(!is_free(&lock));
    lock.release().unwrap();
    assert!(is_free(&lock));
}

#[test]
fn a_release_too_many_is_refused_and_changes_nothing() {
    // shows: rlock-release-free-refused, rlock-extra-release-refused
    let lock = new();
    assert_eq!((lock.release(), lock.recover()), (Err(Error::NotOwner), Err(Error::NotOwner)));
    acquire_times(&lock, 3);
    (0..3).for_each(|_| lock.release().unwrap());
    assert_eq!(lock.release(), Err(Error::NotOwner));
    assert!(is_free(&lock));
}

#[test]
fn another_thread_and_another_process_are_refused_and_change_nothing() {
    // shows: rlock-release-by-other-thread-refused, rlock-release-by-other-process-refused
    // shows: rlock-try-by-other-changes-nothing, rlock-recover-needs-owner
    let lock = new();
    acquire_times(&lock, 2);
    let ask = || (lock.is_mine(), lock.depth(), lock.release(), lock.recover());
    let refused = (false, Ok(0), Err(Error::NotOwner), Err(Error::NotOwner));
    let ask_all = || (ask(), told_at_once(&lock), ask());
    let refused_all = (refused, Err(Error::TimedOut), refused);
    assert_eq!(in_another_thread(ask_all), refused_all);
    Child::run("process", || i32::from(ask_all() != refused_all)).succeed();
    assert_eq!(lock.depth(), Ok(2));
    assert_eq!((lock.release(), lock.release()), (Ok(()), Ok(())));
}

#[test]
fn others_wait_for_the_last_release_which_lets_in_one() {
    // shows: rlock-other-process-waits, rlock-last-release-admits-one
    // shows: rlock-owner-reenters-past-waiters
    let lock = new();
    acquire_times(&lock, 2);
    let entered = Signal::new();
    let leave = Signal::new();
    let waiters = [(); 2].map(|()| {
        Child::run("waiter", || {
            let got = told(&lock);
            entered.tell(lock.depth().unwrap());
            leave.take("the word to leave");
            i32::from(got != Ok(Told::Held) || lock.release().is_err())
        })
    });
    waiters.iter().for_each(|waiter| {
        waiter.sleeps_on_a_word();
    });
    told(&lock).unwrap(); // past them
    (0..2).for_each(|_| lock.release().unwrap());
    waiters.iter().for_each(|waiter| {
        waiter.sleeps_on_a_word();
    });
    lock.release().unwrap();
    assert_eq!(entered.hear("the first waiter to enter"), 1);
    assert_eq!(told_at_once(&lock), Err(Error::TimedOut));
    leave.give();
    assert_eq!(entered.hear("the second waiter to enter"), 1);
    leave.give();
    waiters.iter().for_each(Child::succeed);
}

#[test]
fn another_thread_waits_for_the_last_release() {
    // shows: rlock-other-thread-waits, rlock-timeout-expires
    let lock = new();
    acquire_times(&lock, 2);
    let limit = Duration::from_millis(60);
    let start = Instant::now();
    assert_eq!(in_another_thread(|| lock.acquire(limit).err()), Some(Error::TimedOut));
    assert!(start.elapsed() >= limit);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| told(&lock).and_then(|told| lock.release().map(|()| told)));
        lock.release().unwrap();
        assert!(!waiter.is_finished());
        lock.release().unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(Told::Held));
    });
}

#[test]
fn guards_nest_and_each_ends_one_level() {
    // shows: rlock-guard-nests
    let lock = new();
    let guards = [(); 3].map(|()| lock.acquire(None).unwrap().sound().unwrap());
    assert_eq!(lock.depth(), Ok(3));
    let [first, second, third] = guards;
    drop(first); // in whatever order
    drop(third);
    assert_eq!((lock.depth(), is_free(&lock)), (Ok(1), false));
    second.keep();
    assert_eq!(lock.depth(), Ok(1));
    assert_eq!(lock.release(), Ok(()));
    assert!(is_free(&lock));
}

#[test]
fn a_failure_in_an_inner_scope_undoes_the_inner_level() {
    // shows: rlock-guard-failure-undoes-one-level
    let lock = new();
    told(&lock).unwrap();
    let failure = std::panic::catch_unwind(|| {
        let _inner = lock.acquire(None).unwrap().sound().unwrap();
        std::panic::resume_unwind(Box::new("its own failure"));
    });
    assert_eq!(failure.unwrap_err().downcast_ref(), Some(&"its own failure"));
    assert_eq!((lock.depth(), is_free(&lock)), (Ok(1), false));
    assert_eq!(lock.release(), Ok(()));
    assert!(is_free(&lock));
}

#[test]
fn one_level_more_than_there_can_be_is_refused_and_changes_nothing() {
    // shows: rlock-depth-limit
    let lock = new();
    acquire_times(&lock, RLOCK_DEPTH_MAX_COUNT);
    for _ in 0..2 {
        assert_eq!(told(&lock), Err(Error::OutOfRange));
        assert_eq!(told_at_once(&lock), Err(Error::OutOfRange));
        assert_eq!(lock.depth(), Ok(RLOCK_DEPTH_MAX_COUNT));
    }
    for left in (0..RLOCK_DEPTH_MAX_COUNT).rev() {
        assert_eq!((lock.release(), lock.depth()), (Ok(()), Ok(left)));
    }
    assert!(is_free(&lock));
}

#[test]
fn whoever_takes_over_from_a_deep_holder_is_told_once_and_holds_once() {
    // shows: rlock-owner-killed-deep, rlock-owner-died-told-once-per-hold
    let lock = new();
    deep_holder(&lock, 3).kill();
    assert_eq!((told_at_once(&lock), lock.depth()), (Ok(Told::OwnerDied), Ok(1)));
    assert_eq!((told(&lock), lock.depth()), (Ok(Told::Held), Ok(2)));
    lock.release().unwrap();
    assert!(!is_free(&lock));
    assert_eq!((lock.recover(), lock.release()), (Ok(()), Ok(())));
    assert_eq!(told(&lock), Ok(Told::Held));
}

#[test]
fn a_waiter_goes_on_when_a_deep_holder_is_killed() {
    // shows: rlock-owner-killed-waiter-woken
    let lock = new();
    let held = deep_holder(&lock, 2);
    let waiter = Child::run("waiter", || {
        i32::from((told(&lock), lock.depth()) != (Ok(Told::OwnerDied), Ok(1)))
    });
    waiter.sleeps_on_a_word();
    held.kill();
    waiter.succeed();
}

#[test]
fn the_warning_outlives_all_levels_of_who_does_not_recover() {
    // shows: rlock-warning-stays-until-recovered
    let lock = new();
    holder(&lock).kill();
    assert_eq!((told(&lock), told(&lock)), (Ok(Told::OwnerDied), Ok(Told::Held)));
    assert_eq!((lock.release(), lock.release()), (Ok(()), Ok(())));
    let recovers = || {
        let answers = (told(&lock), told(&lock), lock.recover(), lock.release(), lock.release());
        answers == (Ok(Told::OwnerDied), Ok(Told::Held), Ok(()), Ok(()), Ok(()))
    };
    Child::run("repairer", || i32::from(!recovers())).succeed();
    assert_eq!(told(&lock), Ok(Told::Held));
}

#[test]
fn a_suspects_inner_guard_is_none() {
    let lock = new();
    holder(&lock).kill();
    let purlin_sync::Acquired::OwnerDied(suspect) = lock.acquire(None).unwrap() else {
        panic!("not told")
    };
    let inner = lock.acquire(None).unwrap().sound().unwrap();
    let outer = suspect.recover();
    assert_eq!(lock.depth(), Ok(2));
    drop((inner, outer));
    assert!(is_free(&lock));
    assert_eq!(told(&lock), Ok(Told::Held));
}

#[test]
fn a_holder_that_exits_deep_counts_as_dead() {
    // shows: rlock-owner-exits-holding
    let lock = new();
    Child::run("leaver", || {
        acquire_times(&lock, 2);
        0
    })
    .succeed();
    assert_eq!((told_at_once(&lock), lock.depth()), (Ok(Told::OwnerDied), Ok(1)));
}

#[test]
fn a_killed_waiter_changes_neither_holder_nor_depth() {
    // shows: rlock-waiter-killed-harmless
    let lock = new();
    acquire_times(&lock, 2);
    let doomed = Child::run("doomed", || i32::from(told(&lock).is_ok()));
    doomed.sleeps_on_a_word();
    doomed.kill();
    assert_eq!(lock.depth(), Ok(2));
    lock.release().unwrap();
    assert!(!is_free(&lock));
    lock.release().unwrap();
    assert!(is_free(&lock));
}

#[test]
fn a_forked_child_has_neither_its_parents_hold_nor_its_depth() {
    // shows: rlock-bare-fork-child-not-owner, rlock-bare-fork-child-cannot-release
    // shows: rlock-fork-child-own-depth
    let lock = new();
    acquire_times(&lock, 3);
    let child = Child::run("child", || {
        // Before its first acquire, and after it, by which it has a token.
        let before = (lock.is_mine(), lock.depth(), lock.release());
        let tried = told_at_once(&lock);
        let after = (lock.is_mine(), lock.depth(), lock.release());
        let refused = (false, Ok(0), Err(Error::NotOwner));
        assert_eq!((before, tried, after), (refused, Err(Error::TimedOut), refused));
        let own = (told(&lock), lock.depth(), lock.release(), lock.release());
        i32::from(own != (Ok(Told::Held), Ok(1), Ok(()), Err(Error::NotOwner)))
    });
    child.sleeps_on_a_word();
    assert_eq!(lock.depth(), Ok(3));
    (0..3).for_each(|_| lock.release().unwrap());
    child.succeed();
    assert!(is_free(&lock));
}

#[test]
fn copied_guards_are_inert_at_every_level() {
    let lock = new();
    let mut guards = Some([(); 2].map(|()| lock.acquire(None).unwrap().sound().unwrap()));
    for registers_first in [false, true] {
        Child::run("child", || {
            let is_refused = !registers_first || told_at_once(&lock) == Err(Error::TimedOut);
            drop(guards.take());
            i32::from(!is_refused)
        })
        .succeed();
        assert_eq!(lock.depth(), Ok(2), "a child that registered first: {registers_first}");
    }
    drop(guards);
    assert!(is_free(&lock));
}

#[test]
fn a_child_forked_by_another_thread_is_a_stranger_too() {
    let lock = new();
    told(&lock).unwrap();
    in_another_thread(|| {
        Child::run("child", || i32::from(lock.release() != Err(Error::NotOwner))).succeed();
    });
    assert_eq!(lock.depth(), Ok(1));
}

#[test]
fn nobody_inherits_the_levels_of_a_thread_that_ended() {
    // shows: rlock-dead-threads-hold-is-not-inherited
    let segment = Segment::anonymous(4096).unwrap();
    let lock = RLock::new_in(&segment).unwrap();
    let offset = lock.offset();
    in_another_thread(|| acquire_times(&lock, 2));
    for _ in 0..200 {
        let answers = in_another_thread(|| (lock.release(), told_at_once(&lock)));
        assert_eq!(answers, (Err(Error::NotOwner), Err(Error::TimedOut)));
    }
    drop(lock);
    let anew = RLock::open(&segment, offset).unwrap();
    assert_eq!((told_at_once(&anew), anew.depth()), (Ok(Told::OwnerDied), Ok(1)));
}

#[test]
fn the_last_handle_gives_up_all_levels() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = RLock::new_in(&segment).unwrap();
    let offset = lock.offset();
    acquire_times(&lock, 2);
    let copy = lock.clone();
    drop(lock);
    assert_eq!(copy.depth(), Ok(2), "a handle is left");
    drop(copy);
    let anew = RLock::open(&segment, offset).unwrap();
    assert_eq!(anew.depth(), Ok(0));
    assert_eq!((told_at_once(&anew), anew.depth()), (Ok(Told::OwnerDied), Ok(1)));
}

#[test]
fn a_depth_that_no_holder_left_is_damaged_and_read_by_the_holder_only() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = RLock::new_in(&segment).unwrap();
    let damaged = Err(Error::Damaged);
    for depth in [0, RLOCK_DEPTH_MAX_COUNT + 1, u32::MAX] {
        forge_depth(&lock, depth); // while it is free: nobody reads it
        assert_eq!((told(&lock), lock.depth()), (Ok(Told::Held), Ok(1)));
        forge_depth(&lock, depth);
        assert_eq!((lock.depth(), lock.release()), (damaged, Err(Error::Damaged)));
        assert_eq!((told(&lock), told_at_once(&lock)), (Err(Error::Damaged), Err(Error::Damaged)));
        assert!(lock.is_mine());
        assert!(!is_free(&lock));
        forge_depth(&lock, 1);
        assert_eq!(lock.release(), Ok(()));
    }
    let held = deep_holder(&lock, 2);
    forge_depth(&lock, u32::MAX);
    held.kill();
    assert_eq!((told(&lock), lock.depth()), (Ok(Told::OwnerDied), Ok(1)));
}

/// The word beside the lock's is overwritten.
fn forge_depth(lock: &RLock, depth: u32) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::from(lock.segment().descriptor().try_clone_to_owned().unwrap());
    file.write_all_at(&depth.to_le_bytes(), lock.offset() + 16 + 8).unwrap();
}

#[test]
fn a_thread_without_a_process_is_damage() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = RLock::new_in(&segment).unwrap();
    overwrite(&lock, &(7_u64 << 32).to_le_bytes());
    assert_eq!(told_at_once(&lock), Err(Error::Damaged));
    assert_eq!(lock.release(), Err(Error::NotOwner));
}

#[test]
fn a_holder_killed_at_random_depths_never_lets_two_in() {
    // shows: rlock-killed-at-any-point
    let segment = Segment::anonymous(4096).unwrap();
    let lock = RLock::new_in(&segment).unwrap();
    let cell = Place::<Cell>::new_in(&segment).unwrap();
    // Enters twice, finds nobody there but after a death, comes again in between, and leaves.
    let visit = |name: u32| {
        if told(&lock).unwrap() == Told::OwnerDied {
            cell.0.store(0, Relaxed); // under the lock
            lock.recover().unwrap();
        }
        assert_eq!(told(&lock), Ok(Told::Held));
        // Acquire and Release: a second holder's stores would be seen here, and ours there.
        let found = cell.0.swap(name, Acquire);
        lock.release().unwrap();
        assert_eq!((told(&lock), lock.depth()), (Ok(Told::Held), Ok(2)));
        lock.release().unwrap();
        cell.0.store(0, Release);
        lock.release().unwrap();
        assert_eq!(found, 0, "{name} met {found} inside");
    };
    let begins = Signal::new();
    for round in 0..100_u32 {
        let victim = Child::run("victim", || {
            begins.give();
            loop {
                visit(1);
            }
        });
        begins.take("the victim to begin");
        (0..round % 23).for_each(|_| visit(2));
        victim.kill();
        visit(2);
    }
}

#[test]
fn it_is_found_by_name_and_carried_without_the_hold() {
    let name = Name::new(&format!("test-rlock-{}", std::process::id())).unwrap();
    let lock = RLock::create(&name).unwrap();
    let found = RLock::open_named(&name);
    name.unlink().unwrap();
    let found = found.unwrap();
    acquire_times(&lock, 2);
    assert_eq!(found.depth(), Ok(2)); // the same thread, by another handle

    let mut packed = Luggage::new();
    lock.pack(&mut packed).unwrap();
    let (bytes, descriptors) = packed.into_parts();
    Child::run("another", || {
        let mut arrived = Luggage::from_parts(&bytes, descriptors).unwrap();
        let carried = RLock::unpack(&mut arrived).unwrap();
        let answers = (carried.depth(), told_at_once(&carried));
        i32::from(answers != (Ok(0), Err(Error::TimedOut)))
    })
    .succeed();
    assert_eq!(lock.depth(), Ok(2));
}
