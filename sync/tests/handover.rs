//! The lock that anybody releases: what is said of releases by who did not acquire.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;
use std::time::Instant;

use crate::support::{Cell, Child, LIMIT, Signal, holder, idle, overwrite, told, told_at_once};
use purlin_shm::{Place, Segment};
use purlin_sync::{Acquired, Error, HandoverLock, Told};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn new() -> HandoverLock {
    HandoverLock::new().unwrap()
}

#[test]
fn another_process_releases_and_a_sleeper_gets_it() {
    // shows: lock-release-by-other-process-hands-over
    let lock = new();
    let _held = holder(&lock);
    let waiter = Child::run("waiter", || i32::from(told(&lock) != Ok(Told::Held)));
    waiter.sleeps_on_a_word();
    assert_eq!(lock.release(), Ok(()));
    waiter.succeed();
}

#[test]
fn another_thread_releases_and_a_sleeper_gets_it() {
    // shows: lock-release-by-other-thread-hands-over
    let lock = new();
    told(&lock).unwrap();
    let waiter = Child::run("waiter", || i32::from(told(&lock) != Ok(Told::Held)));
    waiter.sleeps_on_a_word();
    let released = thread::scope(|scope| scope.spawn(|| lock.release()).join().unwrap());
    assert_eq!(released, Ok(()));
    waiter.succeed();
}

#[test]
fn the_holders_second_acquire_waits_for_another_to_release() {
    // shows: lock-second-acquire-without-limit-waits
    let lock = new();
    let twice = Child::run("twice", || {
        let first = told(&lock);
        let second = lock.acquire(None).map(Acquired::keep);
        i32::from((first, second) != (Ok(Told::Held), Ok(Told::Held)))
    });
    twice.sleeps_on_a_word();
    assert_eq!(lock.release(), Ok(()));
    twice.succeed();
}

#[test]
fn a_former_holders_death_is_no_concern() {
    // shows: lock-handed-over-holder-killed
    let lock = new();
    let former = holder(&lock);
    assert_eq!(lock.release(), Ok(()));
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
    former.kill();
    Child::run("third", || i32::from(told_at_once(&lock) != Err(Error::TimedOut))).succeed();
    assert_eq!(lock.release(), Ok(()));
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

#[test]
fn a_former_holders_death_is_no_concern_while_nobody_holds_either() {
    let lock = new();
    let former = holder(&lock);
    assert_eq!(lock.release(), Ok(()));
    former.kill();
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

#[test]
fn a_strangers_release_of_a_dead_owners_lock_keeps_the_news() {
    let lock = new();
    holder(&lock).kill();
    assert_eq!(lock.release(), Ok(()));
    assert_eq!(lock.release(), Err(Error::OverReleased));
    for _ in 0..2 {
        assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied), "until somebody recovers");
        Child::run("stranger", || i32::from(lock.release().is_err())).succeed();
    }
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
    assert_eq!((lock.recover(), lock.release()), (Ok(()), Ok(())));
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

#[test]
fn a_dead_owners_lock_that_a_stranger_releases_wakes_who_is_told() {
    let lock = new();
    let held = holder(&lock);
    let waiter = Child::run("waiter", || i32::from(told(&lock) != Ok(Told::OwnerDied)));
    waiter.sleeps_on_a_word();
    held.kill();
    // The waiter may have looked already, and have taken the lock over: then this ends its hold.
    assert!(matches!(lock.release(), Ok(()) | Err(Error::OverReleased)));
    waiter.succeed();
}

#[test]
fn a_release_of_what_is_suspect_vouches_for_nothing() {
    let lock = new();
    holder(&lock).kill();
    let told_and_alive = holder(&lock); // and does not recover
    assert_eq!(lock.release(), Ok(()));
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
    drop(told_and_alive);
}

#[test]
fn only_the_holder_vouches() {
    let lock = new();
    holder(&lock).kill();
    let _suspect = holder(&lock);
    assert!(!lock.is_mine());
    assert_eq!(lock.recover(), Err(Error::NotOwner));
}

#[test]
fn a_forked_child_releases_what_its_parent_holds() {
    let lock = new();
    told(&lock).unwrap();
    // Its first operation of all: it registers, to ask whether its parent lives.
    Child::run("child", || i32::from(lock.release() != Ok(()))).succeed();
    assert!(!lock.is_mine());
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

#[test]
fn a_guard_whose_lock_was_handed_over_does_nothing() {
    let lock = new();
    let guard = lock.acquire(None).unwrap().sound().unwrap();
    let next = Child::run("stranger", || i32::from(lock.release().is_err()));
    next.succeed();
    let _held = holder(&lock);
    drop(guard);
    assert_eq!(told_at_once(&lock), Err(Error::TimedOut), "another's hold ended with the guard");
}

#[test]
fn a_guard_can_be_handed_to_another_thread() {
    let lock = new();
    let guard = lock.acquire(None).unwrap().sound().unwrap();
    thread::scope(|scope| scope.spawn(move || drop(guard)).join().unwrap());
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

#[test]
fn a_recover_after_the_hand_over_recovers_nothing() {
    let lock = new();
    holder(&lock).kill();
    let Acquired::OwnerDied(suspect) = lock.try_acquire().unwrap() else { panic!("nobody died") };
    Child::run("stranger", || i32::from(lock.release().is_err())).succeed();
    drop(suspect.recover());
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
}

#[test]
fn what_nobody_can_have_acquired_is_not_released() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = HandoverLock::new_in(&segment).unwrap();
    for word in [1_u32, 0x3fff_fc00, 7 | 1 << 30] {
        overwrite(&lock, &word.to_le_bytes());
        assert_eq!(lock.release(), Err(Error::Damaged), "{word:#x}");
    }
}

#[test]
fn a_child_without_descriptors_cannot_ask_and_releases_nothing() {
    let lock = new();
    told(&lock).unwrap();
    Child::run("limited", || {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum }).unwrap();
        i32::from(lock.release() != Err(Error::OutOfResources))
    })
    .succeed();
    assert!(lock.is_mine());
}

#[test]
fn a_baton_goes_round_among_processes() {
    // Each acquires, and the next in turn releases: nobody waits for ever, and nobody comes twice.
    const ROUNDS: u32 = 300;
    let lock = new();
    let (there, back) = (Signal::new(), Signal::new());
    let partner = Child::run("partner", || {
        for _ in 0..ROUNDS {
            there.take("a baton");
            if lock.release().is_err() || told(&lock) != Ok(Told::Held) {
                return 1;
            }
            back.give();
        }
        there.take("the end"); // who ends with the lock has died with it
        0
    });
    for round in 0..ROUNDS {
        assert_eq!(told(&lock), Ok(Told::Held), "round {round}");
        there.give();
        back.take("the baton");
        assert_eq!(lock.release(), Ok(()), "round {round}");
    }
    there.give();
    partner.succeed();
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

/// A holder says that its work is done, and is killed at some moment around the release: whoever
/// comes next is told nothing that is not so.
#[test]
fn holders_killed_around_a_hand_over_lose_no_lock() {
    let lock = new();
    let done = Signal::new();
    for round in 0..200_u32 {
        let victim = Child::run("victim", || {
            assert_eq!(told(&lock), Ok(Told::Held));
            done.give();
            idle()
        });
        done.take("the work to be done");
        victim.0.kill().unwrap(); // without waiting: at the same moment
        (0..round % 7 * 50).for_each(|_| std::hint::spin_loop());
        assert_eq!(lock.release(), Ok(()), "round {round}");
        // Told or not, for nobody knows which came first: but the lock is there.
        lock.acquire(LIMIT).unwrap().keep();
        assert_eq!((lock.recover(), lock.release()), (Ok(()), Ok(())), "round {round}");
        victim.0.join(LIMIT).unwrap();
    }
}

/// One works inside and hands over, again and again, until it is killed at some moment; another
/// releases what was handed over. Torn data is never told to be sound.
#[test]
fn a_holder_killed_at_random_moments_leaves_nothing_torn_untold() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = HandoverLock::new_in(&segment).unwrap();
    let [torn, handed] = [(); 2].map(|()| Place::<Cell>::new_in(&segment).unwrap());
    let mut released = 0;
    let mut told_count = 0;
    // Acquire and Release: what was written inside goes with the word that it is done.
    let release_if_handed = |released: &mut u32| {
        if handed.0.load(Acquire) != *released {
            *released += 1;
            assert_eq!(lock.release(), Ok(()), "the hold that was handed over");
        }
    };
    for round in 0..200_u32 {
        let victim = Child::run("victim", || {
            loop {
                assert_eq!(told(&lock), Ok(Told::Held));
                torn.0.store(1, Relaxed); // under the lock, and below
                torn.0.store(0, Relaxed);
                handed.0.fetch_add(1, Release);
            }
        });
        let (begin, enough) = (Instant::now(), released + 1 + round % 3);
        while released < enough {
            release_if_handed(&mut released);
            assert!(begin.elapsed() < LIMIT, "waited in vain for work to be handed over");
            thread::yield_now();
        }
        (0..round % 17 * 40).for_each(|_| std::hint::spin_loop());
        victim.kill();
        release_if_handed(&mut released);
        let told = lock.try_acquire().unwrap().keep();
        assert!(told == Told::OwnerDied || torn.0.load(Relaxed) == 0, "round {round}: torn");
        told_count += u32::from(told == Told::OwnerDied);
        torn.0.store(0, Relaxed); // under the lock
        assert_eq!((lock.recover(), lock.release()), (Ok(()), Ok(())));
    }
    println!("{released} handed over, {told_count} deaths told");
    assert!(released > 0 && told_count > 0, "nothing was tried");
}
