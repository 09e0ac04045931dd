//! What a lock promises when its holders, its waiters and its repairers are killed.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::support::{
    Cell, Child, LIMIT, Signal, holder, idle, lifeline_reader, told, told_at_once,
};
use purlin_shm::{Place, Segment};
use purlin_sync::{Error, Lock, Told};

#[test]
fn a_waiter_goes_on_when_the_holder_is_killed() {
    // shows: lock-owner-killed-waiter-woken, lock-owner-killed-timed-waiter
    let lock = Lock::new().unwrap();
    let held = holder(&lock);
    let starts = Signal::new();
    let waiter = Child::run("waiter", || {
        starts.give();
        i32::from(told(&lock) != Ok(Told::OwnerDied))
    });
    starts.take("the waiter to start");
    held.kill();
    waiter.succeed();
}

#[test]
fn a_try_takes_over_from_a_dead_holder() {
    // shows: lock-owner-killed-try-recovers, lock-owner-died-caller-holds
    let lock = Lock::new().unwrap();
    holder(&lock).kill();
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
    assert!(lock.is_mine());
    assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut);
}

#[test]
fn the_warning_stays_until_somebody_recovers() {
    // shows: lock-owner-died-stays-until-recovered, lock-recover-clears-warning
    let lock = Lock::new().unwrap();
    holder(&lock).kill();
    for _ in 0..3 {
        assert_eq!(told(&lock), Ok(Told::OwnerDied));
        lock.release().unwrap();
    }
    holder(&lock).kill(); // told, and killed in turn
    assert_eq!(told(&lock), Ok(Told::OwnerDied));
    lock.recover().unwrap();
    lock.release().unwrap();
    assert_eq!(told(&lock), Ok(Told::Held));
}

#[test]
fn a_death_after_recover_is_told_anew() {
    let lock = Lock::new().unwrap();
    holder(&lock).kill();
    let recovered = Signal::new();
    let second = Child::run("second", || {
        told(&lock).unwrap();
        lock.recover().unwrap();
        recovered.give();
        idle()
    });
    recovered.take("the second to recover");
    second.kill();
    assert_eq!(told(&lock), Ok(Told::OwnerDied));
}

#[test]
fn only_one_of_the_waiters_is_told() {
    // shows: lock-owner-died-told-to-one, lock-owner-died-no-waiter-lost
    let lock = Lock::new().unwrap();
    let held = holder(&lock);
    let answers = Signal::new();
    let waiters = [(); 3].map(|()| {
        Child::run("waiter", || {
            let got = told(&lock);
            lock.recover().unwrap();
            answers.tell(match got {
                Ok(Told::OwnerDied) => 1,
                Ok(Told::Held) => 0,
                Err(_) => 100,
            });
            i32::from(lock.release().is_err())
        })
    });
    held.kill();
    let sum: u32 = waiters.iter().map(|_| answers.hear("a waiter's answer")).sum();
    assert_eq!(sum, 1);
    waiters.iter().for_each(Child::succeed);
}

#[test]
fn a_killed_waiter_takes_nothing_with_it() {
    // shows: lock-waiter-killed-harmless, lock-wakeup-of-killed-waiter-passed-on
    let lock = Lock::new().unwrap();
    let pass_through = || {
        let got = told(&lock);
        i32::from(got.is_err() || lock.recover().is_err() || lock.release().is_err())
    };
    for _ in 0..20 {
        told(&lock).unwrap();
        let doomed = Child::run("doomed", || {
            told(&lock).unwrap();
            idle()
        });
        let patient = Child::run("patient", pass_through);
        doomed.sleeps_on_a_word();
        patient.sleeps_on_a_word();
        doomed.0.kill().unwrap(); // without waiting: at the same moment
        lock.release().unwrap();
        doomed.0.join(LIMIT).unwrap();
        patient.succeed(); // the doomed one may have had the lock for a moment, or not
        assert_eq!(pass_through(), 0);
    }
}

#[test]
fn a_sleeper_that_nobody_wakes_looks_by_itself() {
    const PRIVATE: u64 = 128; // FUTEX_PRIVATE_FLAG
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Lock::new_in(&segment).unwrap();
    told(&lock).unwrap();
    let waiter = Child::run("waiter", || i32::from(told(&lock) != Ok(Told::Held)));
    let operation = waiter.sleeps_on_a_word();
    assert_eq!(operation & PRIVATE, 0, "a private sleeper is met by no other process");
    // What a releaser leaves that is killed between R3 and R4.
    let file = File::from(segment.descriptor().try_clone_to_owned().unwrap());
    file.write_all_at(&0_u32.to_le_bytes(), lock.offset() + 16).unwrap();
    waiter.succeed();
}

#[test]
fn one_killed_after_the_other_is_told_any_number_of_times() {
    // shows: lock-recoverer-killed-too
    let lock = Lock::new().unwrap();
    for _ in 0..100 {
        holder(&lock).kill();
    }
    assert_eq!(told(&lock), Ok(Told::OwnerDied));
}

#[test]
fn a_holder_that_exits_or_crashes_counts_as_dead() {
    // shows: lock-owner-exits-holding, lock-owner-crashes-holding
    let ends: [fn() -> i32; 2] = [|| 0, || std::process::abort()];
    for end in ends {
        let lock = Lock::new().unwrap();
        let child = Child::run("leaver", || {
            told(&lock).unwrap();
            end()
        });
        child.0.join(LIMIT).unwrap();
        assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
    }
}

#[test]
fn a_holder_replaced_by_a_program_counts_as_dead() {
    // shows: lock-owner-replaced-by-program
    let lock = Lock::new().unwrap();
    let held = Signal::new();
    let replaced = Child::run("replaced", || {
        use std::os::unix::process::CommandExt;
        told(&lock).unwrap();
        held.give();
        // A program that ends when the test program does.
        let error = std::process::Command::new("cat").stdin(lifeline_reader()).exec();
        panic!("no program to execute: {error}");
    });
    held.take("the holder to hold");
    assert_eq!(told(&lock), Ok(Told::OwnerDied));
    assert_eq!(replaced.0.is_alive(), Ok(true));
}

#[test]
fn a_killed_holder_of_many_locks_is_reported_on_each() {
    // shows: lock-owner-killed-with-thousands, lock-owner-killed-with-many-locks
    const COUNT: usize = 5000;
    let segment = Segment::anonymous(COUNT as u64 * 128).unwrap();
    let locks: Vec<_> = (0..COUNT).map(|_| Lock::new_in(&segment).unwrap()).collect();
    let holds = Signal::new();
    let held = Child::run("holder", || {
        locks.iter().for_each(|lock| assert_eq!(told(lock), Ok(Told::Held)));
        locks.iter().step_by(5).for_each(|lock| lock.release().unwrap());
        holds.give();
        idle()
    });
    holds.take("the holder to hold them all");
    held.kill();
    for (index, lock) in locks.iter().enumerate() {
        let expected = if index % 5 == 0 { Told::Held } else { Told::OwnerDied };
        assert_eq!(told_at_once(lock), Ok(expected), "lock {index}");
    }
}

#[test]
fn a_holder_killed_at_random_moments_never_lets_two_in() {
    // shows: lock-killed-at-any-point
    let segment = Segment::anonymous(4096).unwrap();
    let (lock, cell) = (Lock::new_in(&segment).unwrap(), Place::<Cell>::new_in(&segment).unwrap());
    // Enters, finds nobody there but after a death, and leaves.
    let visit = |name: u32| {
        if told(&lock).unwrap() == Told::OwnerDied {
            cell.0.store(0, Relaxed); // under the lock
            lock.recover().unwrap();
        }
        // Acquire and Release: a second holder's stores would be seen here, and ours there.
        let found = cell.0.swap(name, Acquire);
        cell.0.store(0, Release);
        lock.release().unwrap();
        assert_eq!(found, 0, "{name} met {found} inside");
    };
    let begins = Signal::new();
    for round in 0..200_u32 {
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
