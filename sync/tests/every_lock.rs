//! What is promised of each kind of exclusive lock, asked of each.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Cell, Child, LIMIT, Signal, holder, idle, overwrite, told, told_at_once};
use purlin_shm::{Place, Segment};
use purlin_sync::{CheckedLock, Error, Exclusive, HandoverLock, Lock, RLock, Rules, Told};

/// Runs tests that are generic over the rules of a lock, for the lock of these rules.
macro_rules! for_kind {
    ($name:ident $rules:ident $($test:ident)+) => {
        mod $name {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::$rules>();
            })+
        }
    };
}

/// The same for each kind. A lock that its holder gets once more is not asked what supposes that it
/// does not.
macro_rules! for_each_kind {
    (all { $($all:ident)+ } once { $($once:ident)+ }) => {
        for_kind! { lock ByHolder $($all)+ $($once)+ }
        for_kind! { handover_lock ByAnyone $($all)+ $($once)+ }
        for_kind! { checked_lock ByThread $($all)+ $($once)+ }
        for_kind! { rlock Reentrant $($all)+ }
    };
}

for_each_kind! {
    all {
        a_waiter_goes_on_when_the_holder_is_killed
        the_warning_stays_until_somebody_recovers
        a_death_after_recover_is_told_anew
        only_one_of_the_waiters_is_told
        a_killed_waiter_takes_nothing_with_it
        a_sleeper_that_nobody_wakes_looks_by_itself
        a_holder_that_exits_or_crashes_counts_as_dead
        a_holder_killed_at_random_moments_never_lets_two_in
        a_childs_own_death_is_noticed
        a_copied_guard_is_inert_in_the_child
        a_childs_last_handle_gives_up_nothing_of_its_parents
        a_limit_is_not_cut_short
        a_guard_releases_when_it_unwinds
        a_released_lock_wakes_all_who_wait_one_after_the_other
        processes_and_threads_lose_no_update
        a_stopped_holder_is_alive
        a_damaged_word_is_told_and_never_taken_for_a_free_one
        an_answer_of_owner_died_is_an_error_to_those_who_cannot_repair
        a_lock_says_what_it_is_and_no_more
    }
    once {
        a_try_takes_over_from_a_dead_holder
        a_lock_given_up_by_its_last_handle_tells_the_next
        a_release_without_a_hold_is_refused_and_changes_nothing
    }
}

fn new<R: Rules>() -> Exclusive<R> {
    Exclusive::new().unwrap()
}

fn a_waiter_goes_on_when_the_holder_is_killed<R: Rules>() {
    // shows: lock-owner-killed-waiter-woken, lock-owner-killed-timed-waiter
    let lock = new::<R>();
    let held = holder(&lock);
    let waiter = Child::run("waiter", || i32::from(told(&lock) != Ok(Told::OwnerDied)));
    waiter.sleeps_on_a_word();
    held.kill();
    waiter.succeed();
}

fn a_try_takes_over_from_a_dead_holder<R: Rules>() {
    // shows: lock-owner-killed-try-recovers, lock-owner-died-caller-holds
    let lock = new::<R>();
    holder(&lock).kill();
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
    assert!(lock.is_mine());
    assert_eq!(lock.try_acquire().unwrap_err(), Error::TimedOut);
}

fn the_warning_stays_until_somebody_recovers<R: Rules>() {
    // shows: lock-owner-died-stays-until-recovered, lock-recover-clears-warning
    let lock = new::<R>();
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

fn a_death_after_recover_is_told_anew<R: Rules>() {
    let lock = new::<R>();
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

fn only_one_of_the_waiters_is_told<R: Rules>() {
    // shows: lock-owner-died-told-to-one, lock-owner-died-no-waiter-lost
    let lock = new::<R>();
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

fn a_killed_waiter_takes_nothing_with_it<R: Rules>() {
    // shows: lock-waiter-killed-harmless, lock-wakeup-of-killed-waiter-passed-on
    let lock = new::<R>();
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

fn a_sleeper_that_nobody_wakes_looks_by_itself<R: Rules>() {
    const PRIVATE: u64 = 128; // FUTEX_PRIVATE_FLAG
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Exclusive::<R>::new_in(&segment).unwrap();
    told(&lock).unwrap();
    let waiter = Child::run("waiter", || i32::from(told(&lock) != Ok(Told::Held)));
    let operation = waiter.sleeps_on_a_word();
    assert_eq!(operation & PRIVATE, 0, "a private sleeper is met by no other process");
    overwrite(&lock, &0_u64.to_le_bytes()); // a releaser that is killed before it wakes
    waiter.succeed();
}

fn a_holder_that_exits_or_crashes_counts_as_dead<R: Rules>() {
    // shows: lock-owner-exits-holding, lock-owner-crashes-holding
    let ends: [fn() -> i32; 2] = [|| 0, || std::process::abort()];
    for end in ends {
        let lock = new::<R>();
        let child = Child::run("leaver", || {
            told(&lock).unwrap();
            end()
        });
        child.0.join(LIMIT).unwrap();
        assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
    }
}

fn a_holder_killed_at_random_moments_never_lets_two_in<R: Rules>() {
    // shows: lock-killed-at-any-point
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Exclusive::<R>::new_in(&segment).unwrap();
    let cell = Place::<Cell>::new_in(&segment).unwrap();
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

fn a_childs_own_death_is_noticed<R: Rules>() {
    // shows: lock-fork-child-own-death-noticed
    let lock = new::<R>();
    told(&lock).unwrap();
    lock.release().unwrap();
    holder(&lock).kill();
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
}

fn a_copied_guard_is_inert_in_the_child<R: Rules>() {
    // shows: lock-fork-guard-copy-inert
    let lock = new::<R>();
    let mut guard = Some(lock.acquire(None).unwrap().sound().unwrap());
    for registers_first in [false, true] {
        Child::run("child", || {
            let is_refused = !registers_first || told_at_once(&lock) == Err(Error::TimedOut);
            drop(guard.take());
            i32::from(!is_refused)
        })
        .succeed();
        assert!(lock.is_mine(), "a child that registered first: {registers_first}");
    }
    drop(guard);
    assert!(!lock.is_mine());
}

fn a_childs_last_handle_gives_up_nothing_of_its_parents<R: Rules>() {
    let lock = new::<R>();
    told(&lock).unwrap();
    let mut only = Some(lock); // the parent's one handle, hence the child's
    for uses_it in [false, true] {
        Child::run("child", || {
            let inherited = only.take().unwrap();
            i32::from(uses_it && told_at_once(&inherited) != Err(Error::TimedOut))
        })
        .succeed();
        assert!(only.as_ref().unwrap().is_mine(), "a child that used it: {uses_it}");
    }
}

fn a_lock_given_up_by_its_last_handle_tells_the_next<R: Rules>() {
    // shows: lock-owner-drops-handle, lock-drop-held-handle-harmless
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Exclusive::<R>::new_in(&segment).unwrap();
    let offset = lock.offset();
    let copy = lock.clone();
    told(&lock).unwrap();
    drop(lock);
    assert_eq!(copy.try_acquire().unwrap_err(), Error::TimedOut, "a handle is left");
    drop(copy);
    let anew = Exclusive::<R>::open(&segment, offset).unwrap();
    assert_eq!(told_at_once(&anew), Ok(Told::OwnerDied));
}

fn a_release_without_a_hold_is_refused_and_changes_nothing<R: Rules>() {
    // shows: lock-release-free-refused, lock-double-release-refused
    let lock = new::<R>();
    assert_eq!(lock.release(), Err(Error::OverReleased));
    assert_eq!(lock.recover(), Err(Error::NotOwner));
    told(&lock).unwrap();
    assert_eq!(lock.release(), Ok(()));
    assert_eq!(lock.release(), Err(Error::OverReleased));
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
    assert_eq!(told_at_once(&lock), Err(Error::TimedOut));
}

fn a_limit_is_not_cut_short<R: Rules>() {
    // shows: lock-timeout-expires
    let lock = new::<R>();
    let _held = holder(&lock);
    for limit in [0, 1, 49, 50, 51, 120].map(Duration::from_millis) {
        let start = Instant::now();
        assert_eq!(lock.acquire(limit).unwrap_err(), Error::TimedOut);
        assert!(start.elapsed() >= limit, "gave up after {:?} of {limit:?}", start.elapsed());
    }
}

fn a_guard_releases_when_it_unwinds<R: Rules>() {
    // shows: lock-guard-releases-on-failure
    let lock = new::<R>();
    let failure = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _held = lock.acquire(None).unwrap().sound().unwrap();
        std::panic::resume_unwind(Box::new("its own failure"));
    }));
    assert_eq!(failure.unwrap_err().downcast_ref(), Some(&"its own failure"));
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

fn a_released_lock_wakes_all_who_wait_one_after_the_other<R: Rules>() {
    // shows: lock-all-waiters-served
    let lock = new::<R>();
    told(&lock).unwrap();
    let waiters = [(); 5].map(|()| {
        Child::run("waiter", || i32::from(told(&lock).is_err() || lock.release().is_err()))
    });
    waiters.iter().for_each(|waiter| {
        waiter.sleeps_on_a_word();
    });
    assert_eq!(lock.release(), Ok(()));
    waiters.iter().for_each(Child::succeed);
    assert_eq!(told_at_once(&lock), Ok(Told::Held));
}

fn processes_and_threads_lose_no_update<R: Rules>() {
    // shows: lock-protects-read-modify-write
    const ROUNDS: u32 = 10_000;
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Exclusive::<R>::new_in(&segment).unwrap();
    let cell = Place::<Cell>::new_in(&segment).unwrap();
    let work = || {
        for _ in 0..ROUNDS {
            let _held = lock.acquire(LIMIT).unwrap().sound().unwrap();
            cell.0.store(cell.0.load(Relaxed) + 1, Relaxed); // two plain accesses, under the lock
        }
        0
    };
    let children = [Child::run("one", work), Child::run("two", work)];
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    children.iter().for_each(Child::succeed);
    assert_eq!(cell.0.load(Relaxed), 4 * ROUNDS);
}

fn a_stopped_holder_is_alive<R: Rules>() {
    // shows: lock-owner-stopped-is-alive
    let lock = new::<R>();
    let held = holder(&lock);
    held.0.signal(libc::SIGSTOP).unwrap();
    assert_eq!(lock.acquire(Duration::from_millis(120)).unwrap_err(), Error::TimedOut);
    held.0.signal(libc::SIGCONT).unwrap();
}

fn a_damaged_word_is_told_and_never_taken_for_a_free_one<R: Rules>() {
    let segment = Segment::anonymous(4096).unwrap();
    let lock = Exclusive::<R>::new_in(&segment).unwrap();
    let damaged = Err(Error::Damaged);
    for word in [1_u32, 1023, 0x3fff_ffff, 0x3fff_fc00, 1 | 1 << 31, 7 | 1 << 30] {
        overwrite(&lock, &word.to_le_bytes());
        assert_eq!((told(&lock), told_at_once(&lock)), (damaged, damaged), "{word:#x}");
        assert!(lock.release().is_err(), "{word:#x}");
        assert_eq!(told_at_once(&lock), damaged, "{word:#x}");
    }
    let nobody = 12_345 << 10 | 700; // a token that could have been issued, and was not
    overwrite(&lock, &u32::to_le_bytes(nobody));
    assert_eq!(told_at_once(&lock), Ok(Told::OwnerDied));
}

fn an_answer_of_owner_died_is_an_error_to_those_who_cannot_repair<R: Rules>() {
    let lock = new::<R>();
    holder(&lock).kill();
    assert_eq!(lock.acquire(None).unwrap().sound().unwrap_err(), Error::OwnerDied);
    match lock.try_acquire().unwrap() {
        purlin_sync::Acquired::OwnerDied(suspect) => drop(suspect.recover()),
        purlin_sync::Acquired::Held(_) => panic!("the warning was used up by being read"),
    }
    drop(lock.try_acquire().unwrap().sound().unwrap());
}

fn a_lock_says_what_it_is_and_no_more<R: Rules>() {
    let text = format!("{:?}", new::<R>());
    assert!(text.contains("Lock { offset: ") && text.contains("is_mine: false"), "{text}");
}

#[test]
fn one_kind_is_not_opened_as_another() {
    // shows: lock-open-wrong-kind
    let segment = Segment::anonymous(4096).unwrap();
    let plain = Lock::new_in(&segment).unwrap().offset();
    let handover = HandoverLock::new_in(&segment).unwrap().offset();
    let checked = CheckedLock::new_in(&segment).unwrap().offset();
    let again = RLock::new_in(&segment).unwrap().offset();
    let refused = Some(Error::Incompatible);
    for offset in [handover, checked, again] {
        assert_eq!(Lock::open(&segment, offset).err(), refused);
    }
    for offset in [plain, checked, again] {
        assert_eq!(HandoverLock::open(&segment, offset).err(), refused);
    }
    for offset in [plain, handover, again] {
        assert_eq!(CheckedLock::open(&segment, offset).err(), refused);
    }
    for offset in [plain, handover, checked] {
        assert_eq!(RLock::open(&segment, offset).err(), refused);
    }
}
