//! The lock whose holder is a thread: what it refuses, to whom, and what it cannot see.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Child, LIMIT, Signal, holder, idle, overwrite, told, told_at_once};
use purlin_shm::Segment;
use purlin_sync::{CheckedLock, Error, Told};

fn new() -> CheckedLock {
    CheckedLock::new().unwrap()
}

/// What another thread of this process is answered.
fn in_another_thread<T: Send>(ask: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(ask).join().unwrap())
}

#[test]
fn a_threads_second_acquire_is_refused_and_takes_nothing() {
    // shows: lock-self-deadlock-refused, lock-second-acquire-by-holder-waits
    let lock = new();
    told(&lock).unwrap();
    assert_eq!(lock.acquire(None).unwrap_err(), Error::WouldDeadlock);
    assert_eq!(lock.acquire(Duration::from_secs(3600)).unwrap_err(), Error::WouldDeadlock);
    assert_eq!(lock.acquire(Duration::ZERO).unwrap_err(), Error::TimedOut);
    assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut);
    assert_eq!(in_another_thread(|| told_at_once(&lock)), Err(Error::TimedOut));
    assert_eq!(lock.release(), Ok(()));
    assert_eq!(in_another_thread(|| told_at_once(&lock)), Ok(Told::Held));
}

#[test]
fn a_second_acquire_of_what_was_taken_over_is_refused_too() {
    let lock = new();
    holder(&lock).kill();
    assert_eq!(told(&lock), Ok(Told::OwnerDied));
    assert_eq!(lock.acquire(None).unwrap_err(), Error::WouldDeadlock);
    assert_eq!((lock.recover(), lock.release()), (Ok(()), Ok(())));
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

#[test]
fn another_thread_waits_and_gets_it() {
    // shows: lock-threads-exclude-each-other
    let lock = new();
    let guard = lock.acquire(None).unwrap().sound().unwrap();
    let waits = |limit| in_another_thread(|| lock.acquire(limit).map(|_| ()));
    assert_eq!(waits(Duration::from_millis(120)), Err(Error::TimedOut));
    let starts = Signal::new();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            starts.give();
            told(&lock).and_then(|told| lock.release().map(|()| told))
        });
        starts.take("the waiter to start");
        drop(guard);
        assert_eq!(waiter.join().unwrap(), Ok(Told::Held));
    });
}

#[test]
fn nobody_but_the_holders_thread_releases_or_vouches() {
    // shows: lock-release-by-other-thread-refused, lock-release-by-other-process-refused
    let lock = new();
    told(&lock).unwrap();
    let ask = || (lock.is_mine(), lock.release(), lock.recover());
    let refused = (false, Err(Error::NotOwner), Err(Error::NotOwner));
    assert_eq!(in_another_thread(ask), refused);
    Child::run("process", || i32::from(ask() != refused)).succeed();
    assert!(lock.is_mine());
    assert_eq!(lock.release(), Ok(()));
}

#[test]
fn a_forked_childs_thread_is_not_its_parents() {
    // shows: lock-fork-child-waits-for-parent, lock-fork-child-cannot-release
    let lock = new();
    told(&lock).unwrap();
    Child::run("child", || {
        // Before its first acquire, and after it, by which it has a token. It is no deadlock.
        let before = (lock.is_mine(), lock.release());
        let waited = lock.acquire(Duration::from_millis(60)).err();
        let after = (lock.is_mine(), lock.release());
        let refused = (false, Err(Error::NotOwner));
        i32::from((before, waited, after) != (refused, Some(Error::TimedOut), refused))
    })
    .succeed();
    assert!(lock.is_mine());
}

#[test]
fn a_child_forked_by_another_thread_is_a_stranger_too() {
    let lock = new();
    told(&lock).unwrap();
    in_another_thread(|| {
        Child::run("child", || i32::from(lock.release() != Err(Error::NotOwner))).succeed();
    });
    assert!(lock.is_mine());
}

#[test]
fn a_thread_that_ended_holds_until_its_process_gives_up() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = CheckedLock::new_in(&segment).unwrap();
    let offset = lock.offset();
    assert_eq!(in_another_thread(|| told(&lock)), Ok(Told::Held));
    // The system gives the ids of threads again; those that come now are others all the same.
    for _ in 0..200 {
        let answers = in_another_thread(|| (lock.release(), told_at_once(&lock)));
        assert_eq!(answers, (Err(Error::NotOwner), Err(Error::TimedOut)));
    }
    assert_eq!(lock.acquire(Duration::from_millis(120)).unwrap_err(), Error::TimedOut);
    drop(lock);
    let anew = CheckedLock::open(&segment, offset).unwrap();
    assert_eq!(told_at_once(&anew), Ok(Told::OwnerDied));
}

#[test]
fn a_thread_that_ended_is_dead_with_its_process() {
    let lock = new();
    let holds = Signal::new();
    let child = Child::run("child", || {
        run_in_a_thread(&lock, false);
        holds.give();
        idle()
    });
    holds.take("a thread to have held");
    assert_eq!(told_at_once(&lock), Err(Error::TimedOut));
    child.kill();
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
}

#[test]
fn a_process_dies_with_a_lock_that_its_second_thread_holds() {
    let lock = new();
    let child = Child::run("child", || run_in_a_thread(&lock, true));
    let begin = Instant::now();
    while told_at_once(&lock) != Err(Error::TimedOut) {
        lock.release().unwrap();
        assert!(begin.elapsed() < LIMIT, "waited in vain for the thread to hold");
        thread::yield_now();
    }
    child.kill();
    assert_eq!(told(&lock), Ok(Told::OwnerDied));
}

/// In a child: acquires in a thread, which idles there if it `stays`. By the system's own call:
/// std's takes locks of its own, which a thread of the test program may have held at the fork.
fn run_in_a_thread(lock: &CheckedLock, stays: bool) -> i32 {
    extern "C" fn hold(lock: *mut c_void) -> *mut c_void {
        // SAFETY: The lock outlives the process that this runs in.
        told(unsafe { &*lock.cast::<CheckedLock>() }).unwrap();
        null_mut()
    }
    extern "C" fn hold_and_stay(lock: *mut c_void) -> *mut c_void {
        hold(lock);
        idle();
        null_mut()
    }
    let body = if stays { hold_and_stay } else { hold };
    let (mut thread, argument) = (0, std::ptr::from_ref(lock).cast_mut().cast());
    // SAFETY: The body takes the lock, which lives as long as this process.
    let error = unsafe { libc::pthread_create(&raw mut thread, null(), body, argument) };
    assert_eq!(error, 0);
    // SAFETY: A thread that nobody else joins.
    unsafe { libc::pthread_join(thread, null_mut()) }
}

#[test]
fn a_thread_without_a_process_is_damage() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = CheckedLock::new_in(&segment).unwrap();
    overwrite(&lock, &(7_u64 << 32).to_le_bytes());
    assert_eq!(told_at_once(&lock), Err(Error::Damaged));
    assert_eq!(lock.release(), Err(Error::NotOwner));
}

#[test]
fn another_locks_hold_deadlocks_with_nobody() {
    // shows: lock-two-locks-independent
    let (one, two) = (new(), new());
    told(&one).unwrap();
    assert_eq!(told(&two), Ok(Told::Held));
    assert_eq!((one.release(), two.release()), (Ok(()), Ok(())));
}
