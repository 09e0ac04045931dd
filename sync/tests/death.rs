//! What a lock promises when its holders are killed, or replaced, again and again or by the
//! thousand. What is asked of each kind of lock is in `every_lock.rs`.

use crate::support::{Child, Signal, holder, idle, lifeline_reader, told, told_at_once};
use purlin_shm::Segment;
use purlin_sync::{Lock, Told};

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
