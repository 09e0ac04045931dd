//! What is promised of semaphores whose units nobody owns, and of their bounds.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::support::{Cell, Child, LIMIT};
use purlin_shm::{Place, Segment};
use purlin_sync::{
    BoundedSemaphore, Counting, Error, Permit, SEMAPHORE_VALUE_MAX, Semaphore, Units,
};

#[test]
fn a_release_needs_no_acquire_and_is_remembered() {
    // shows: semaphore-release-without-acquire, semaphore-release-remembered
    // shows: semaphore-release-above-start
    let semaphore = Semaphore::new(2).unwrap();
    semaphore.release().unwrap();
    Child::run("releaser", || i32::from(semaphore.release().is_err())).succeed();
    assert_eq!(semaphore.value(), 4);
    (0..4).for_each(|_| semaphore.try_acquire().unwrap().keep());
    assert_eq!(semaphore.try_acquire().err(), Some(Error::TimedOut));
}

#[test]
fn a_release_by_another_process_lets_a_sleeper_go() {
    // shows: semaphore-zero-start, semaphore-release-then-killed-counts
    let semaphore = Semaphore::new(0).unwrap();
    let waiter = Child::run("waiter", || i32::from(semaphore.acquire(LIMIT).is_err()));
    waiter.sleeps_on_a_word();
    Child::run("releaser", || i32::from(semaphore.release().is_err())).succeed();
    waiter.succeed();
}

#[test]
fn a_semaphore_has_a_greatest_value_and_no_start_above_it() {
    // shows: semaphore-greatest-value, semaphore-start-above-greatest
    fn check<K: Units>() {
        for above in [SEMAPHORE_VALUE_MAX + 1, u32::MAX] {
            assert_eq!(Counting::<K>::new(above).err(), Some(Error::InvalidArgument));
        }
        let semaphore = Counting::<K>::new(SEMAPHORE_VALUE_MAX).unwrap();
        for count in [1, 2, SEMAPHORE_VALUE_MAX, u32::MAX] {
            assert_eq!(semaphore.release_many(count), Err(Error::OverReleased), "{count}");
        }
        assert_eq!(semaphore.value(), SEMAPHORE_VALUE_MAX);
        semaphore.acquire(None).unwrap().keep();
        assert_eq!(semaphore.release_many(2), Err(Error::OverReleased));
        assert_eq!(semaphore.release(), Ok(()));
    }
    check::<purlin_sync::Unbounded>();
    check::<purlin_sync::Bounded>();
    let semaphore = Semaphore::new(0).unwrap();
    assert_eq!(semaphore.release_many(SEMAPHORE_VALUE_MAX + 1), Err(Error::OverReleased));
    assert_eq!(semaphore.release_many(SEMAPHORE_VALUE_MAX), Ok(()));
}

#[test]
fn a_release_beyond_the_bound_is_refused_and_changes_nothing() {
    // shows: bounded-semaphore-release-beyond-refused, bounded-semaphore-refusal-changes-nothing
    // shows: bounded-semaphore-release-many-all-or-nothing, bounded-semaphore-zero
    let none = BoundedSemaphore::new(0).unwrap();
    assert_eq!(none.release(), Err(Error::OverReleased));
    let semaphore = BoundedSemaphore::new(3).unwrap();
    assert_eq!(semaphore.release(), Err(Error::OverReleased));
    semaphore.acquire(None).unwrap().keep();
    assert_eq!(semaphore.release_many(2), Err(Error::OverReleased));
    assert_eq!(semaphore.value(), 2);
    Child::run("other", || i32::from(semaphore.release().is_err())).succeed();
    assert_eq!(semaphore.release(), Err(Error::OverReleased));
    assert_eq!(semaphore.value(), 3);
}

#[test]
fn the_bound_is_exact_when_several_release_at_once() {
    // shows: bounded-semaphore-bound-exact-under-race
    let semaphore = BoundedSemaphore::new(1).unwrap();
    for round in 0..2_000 {
        semaphore.acquire(None).unwrap().keep();
        let granted = thread::scope(|scope| {
            let releasers = [(); 3].map(|()| scope.spawn(|| semaphore.release()));
            releasers.map(|releaser| releaser.join().unwrap())
        });
        assert_eq!(granted.iter().filter(|answer| answer.is_ok()).count(), 1, "round {round}");
        assert!(granted.iter().all(|answer| matches!(answer, Ok(()) | Err(Error::OverReleased))));
        assert_eq!(semaphore.value(), 1, "round {round}");
    }
}

#[test]
fn a_dead_holders_unit_stays_taken_and_anybody_gives_it_back_once() {
    // shows: semaphore-holder-killed-unit-stays-taken, bounded-semaphore-holder-killed-repair
    let semaphore = BoundedSemaphore::new(2).unwrap();
    let take = || i32::from(semaphore.acquire(LIMIT).map(Permit::keep).is_err());
    Child::run("holder", take).succeed();
    assert_eq!(semaphore.value(), 1);
    semaphore.acquire(None).unwrap().keep();
    let waited = semaphore.acquire(Duration::from_millis(120)).map(Permit::keep);
    assert_eq!(waited, Err(Error::TimedOut));
    semaphore.release_many(2).unwrap();
    assert_eq!(semaphore.release(), Err(Error::OverReleased));
}

#[test]
fn a_sleeper_whose_releaser_was_killed_before_the_wake_looks_by_itself() {
    // shows: semaphore-killed-inside-release
    const PRIVATE: u64 = 128; // FUTEX_PRIVATE_FLAG
    let segment = Segment::anonymous(4096).unwrap();
    let semaphore = Semaphore::new_in(&segment, 0).unwrap();
    let child = Child::run("sleeper", || i32::from(semaphore.acquire(LIMIT).is_err()));
    let operation = child.sleeps_on_a_word();
    assert_eq!(operation & PRIVATE, 0, "a private sleeper is met by no other process");
    overwrite(&semaphore, 0, 1); // by somebody who is gone: one unit, no flag, no wake
    child.succeed();
}

#[test]
fn a_signal_handler_releases_what_its_own_thread_waits_for() {
    // shows: semaphore-release-in-signal-handler
    static WAITED_FOR: AtomicPtr<Semaphore> = AtomicPtr::new(std::ptr::null_mut());
    extern "C" fn release(_: libc::c_int) {
        // SAFETY: Stored before the handler was installed, and alive while this child is.
        let _ = unsafe { &*WAITED_FOR.load(Relaxed) }.release();
    }
    let semaphore = Semaphore::new(0).unwrap();
    let child = Child::run("interrupted", || {
        // Relaxed, here and above: one thread.
        WAITED_FOR.store(std::ptr::from_ref(&semaphore).cast_mut(), Relaxed);
        // SAFETY: The handler does an exchange, and one system call.
        unsafe {
            libc::signal(libc::SIGUSR1, release as extern "C" fn(libc::c_int) as libc::sighandler_t)
        };
        i32::from(semaphore.acquire(LIMIT).is_err())
    });
    child.sleeps_on_a_word();
    child.0.signal(libc::SIGUSR1).unwrap();
    child.succeed();
}

#[test]
fn a_signal_orders_what_was_written_before_it() {
    const ROUNDS: u32 = 10_000;
    let segment = Segment::anonymous(4096).unwrap();
    let cell = Place::<Cell>::new_in(&segment).unwrap();
    let there = Semaphore::new_in(&segment, 0).unwrap();
    let back = Semaphore::new_in(&segment, 0).unwrap();
    let reader = Child::run("reader", || {
        for round in 0..ROUNDS {
            there.acquire(LIMIT).unwrap().keep();
            assert_eq!(cell.0.load(Relaxed), round); // ordered by the semaphore
            back.release().unwrap();
        }
        0
    });
    for round in 0..ROUNDS {
        cell.0.store(round, Relaxed); // as above
        there.release().unwrap();
        back.acquire(LIMIT).unwrap().keep();
    }
    reader.succeed();
}

#[test]
fn a_child_without_descriptors_releases_and_is_told_why_it_cannot_acquire() {
    let semaphore = Semaphore::new(1).unwrap();
    Child::run("limited", || {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: A limit of this child's own.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) }, 0);
        semaphore.release().unwrap();
        i32::from(semaphore.try_acquire().err() != Some(Error::OutOfResources))
    })
    .succeed();
    assert_eq!(semaphore.value(), 2);
}

#[test]
fn whatever_stands_in_the_word_is_a_semaphore_and_a_forged_bound_is_damaged() {
    let segment = Segment::anonymous(4096).unwrap();
    let plain = Semaphore::new_in(&segment, 0).unwrap();
    for word in [0, 1, 1 << 31, u32::MAX, u32::MAX >> 1, 0xaaaa_aaaa] {
        overwrite(&plain, 0, word);
        let value = word & SEMAPHORE_VALUE_MAX;
        assert_eq!(plain.value(), value, "{word:#x}");
        let full = value == SEMAPHORE_VALUE_MAX;
        assert_eq!(plain.release().is_err(), full, "{word:#x}");
        plain.try_acquire().unwrap().keep();
    }
    let bounded = BoundedSemaphore::new_in(&segment, 5).unwrap();
    bounded.acquire(None).unwrap().keep();
    for bound in [0, 3, 1 << 31, u32::MAX] {
        overwrite(&bounded, 4, bound);
        assert_eq!(bounded.release(), Err(Error::Damaged), "a bound of {bound}");
    }
    overwrite(&bounded, 4, 5);
    overwrite(&bounded, 0, 6);
    assert_eq!(bounded.release(), Err(Error::Damaged), "a value beyond the bound");
    bounded.acquire(None).unwrap().keep();
}

/// What stands in a semaphore's words is overwritten, as by a peer that means harm.
fn overwrite<K: Units>(semaphore: &Counting<K>, at: u64, word: u32) {
    let file = File::from(semaphore.segment().descriptor().try_clone_to_owned().unwrap());
    file.write_all_at(&word.to_le_bytes(), semaphore.offset() + 16 + at).unwrap();
}
