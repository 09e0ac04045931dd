//! What a lock promises while nobody dies, beside what is asked of each kind (`every_lock.rs`).

use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Cell, Child, Signal, holder, told, told_at_once};
use purlin_shm::{Place, Segment};
use purlin_sync::{Acquired, Deadline, Error, Lock, Told};

#[test]
fn a_new_lock_is_free_and_can_be_taken_any_number_of_times() {
    // shows: lock-new-is-free, lock-acquire-release-again
    let lock = Lock::new().unwrap();
    for _ in 0..1000 {
        drop(lock.acquire(None).unwrap().sound().unwrap());
    }
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
    assert_eq!(lock.release(), Ok(()));
}

#[test]
fn a_held_lock_refuses_a_try_by_anybody() {
    // shows: lock-try-held-refused
    let lock = Lock::new().unwrap();
    let _held = lock.acquire(None).unwrap().sound().unwrap();
    assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut);
    Child::run("other", || i32::from(lock.try_acquire().err() != Some(Error::TimedOut))).succeed();
}

#[test]
fn signals_neither_end_a_wait_nor_cut_it_short() {
    extern "C" fn ignore(_: libc::c_int) {}
    let lock = Lock::new().unwrap();
    let _held = lock.acquire(None).unwrap().sound().unwrap();
    let limit = Duration::from_millis(60);
    Child::run("interrupted", || {
        let often = libc::timeval { tv_sec: 0, tv_usec: 500 };
        let timer = libc::itimerval { it_interval: often, it_value: often };
        // SAFETY: The handler does nothing; the timer is this child's alone, and ends with it.
        unsafe {
            libc::signal(libc::SIGALRM, ignore as extern "C" fn(libc::c_int) as libc::sighandler_t);
            libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
        }
        let start = Instant::now();
        let answer = lock.acquire(limit).map(Acquired::keep);
        i32::from(answer != Err(Error::TimedOut) || start.elapsed() < limit)
    })
    .succeed();
}

#[test]
fn a_limit_of_any_size_waits() {
    // shows: lock-timeout-huge
    let lock = Lock::new().unwrap();
    for limit in [Duration::MAX, Duration::from_secs(1 << 53), Duration::from_secs(1 << 31)] {
        let guard = lock.acquire(limit).unwrap().sound().unwrap();
        let waiter = thread::scope(|scope| {
            let waiter = scope.spawn(|| told(&lock).and_then(|_| lock.release()));
            drop(guard);
            waiter.join().unwrap()
        });
        assert_eq!(waiter, Ok(()));
    }
}

#[test]
fn a_deadline_that_has_passed_still_takes_a_free_lock() {
    // shows: lock-timeout-zero-is-try
    let lock = Lock::new().unwrap();
    drop(lock.acquire(Duration::ZERO).unwrap().sound().unwrap());
    drop(lock.acquire(Deadline::passed()).unwrap().sound().unwrap());
}

#[test]
fn a_release_by_another_process_is_refused() {
    // shows: lock-release-by-other-process-refused, lock-recover-needs-hold
    let lock = Lock::new().unwrap();
    let held = holder(&lock);
    assert_eq!(lock.release(), Err(Error::NotOwner));
    assert_eq!(lock.recover(), Err(Error::NotOwner));
    assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut);
    drop(held);
}

#[test]
fn a_recover_of_a_sound_lock_is_harmless() {
    // shows: lock-recover-of-sound-lock
    let lock = Lock::new().unwrap();
    told(&lock).unwrap();
    assert_eq!((lock.recover(), lock.release()), (Ok(()), Ok(())));
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

#[test]
fn a_lock_is_opened_by_its_offset_or_not_at_all() {
    // shows: lock-open-wrong-kind
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Lock::new_in(&segment).unwrap();
    let same = Lock::open(&segment, lock.offset()).unwrap();
    told(&lock).unwrap();
    assert_eq!(same.try_acquire().unwrap_err(), Error::TimedOut);
    assert!(same.is_mine());
    let cell = Place::<Cell>::new_in(&segment).unwrap();
    assert_eq!(Lock::open(&segment, cell.offset()).unwrap_err(), Error::Incompatible);
    assert_eq!(Lock::open(&segment, 12).unwrap_err(), Error::Damaged);
}

#[test]
fn a_waiter_whose_limit_passed_leaves_the_others_to_be_woken() {
    // shows: lock-after-timeout-unharmed
    let lock = Lock::new().unwrap();
    told(&lock).unwrap();
    let waiting = Signal::new();
    let patient = Child::run("patient", || {
        waiting.give();
        i32::from(told(&lock).is_err() || lock.release().is_err())
    });
    waiting.take("the patient one to start");
    assert_eq!(lock.acquire(Duration::from_millis(10)).unwrap_err(), Error::TimedOut);
    assert_eq!(lock.release(), Ok(()));
    patient.succeed();
}
