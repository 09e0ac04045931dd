//! What is promised of each kind of semaphore, asked of all of them. Units are given back by the
//! process that took them, so that it holds for those that have owners too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Cell, Child, LIMIT, Signal, idle};
use purlin_shm::{Carry, Luggage, Place, Segment};
use purlin_sync::{Counting, Error, Lock, Name, Permit, Units};

/// Runs a test that is generic over the kind of a semaphore, for each of them.
macro_rules! for_each_kind {
    ($($test:ident)+) => {
        mod semaphore {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::Unbounded>();
            })+
        }

        mod bounded_semaphore {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::Bounded>();
            })+
        }

        mod tracked_semaphore {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::Tracked>();
            })+
        }
    };
}

for_each_kind! {
    as_many_get_in_as_there_are_units
    a_release_lets_a_waiter_in
    a_release_of_several_lets_as_many_go
    releases_in_quick_succession_let_all_go
    a_release_of_none_is_refused
    a_limit_is_not_cut_short
    a_limit_of_any_size_waits
    a_permit_gives_its_unit_back_when_it_drops
    a_permit_may_go_to_another_thread
    a_copied_permit_is_inert_in_the_child
    a_semaphore_of_none_lets_nobody_in
    no_more_are_inside_than_there_are_units
    what_was_written_before_a_release_is_seen
    a_killed_waiter_takes_nothing_with_it
    a_killed_sleeper_does_not_take_the_wake_of_another
    a_process_killed_at_random_costs_one_unit_at_most
    who_is_stopped_inside_a_call_is_waited_for_by_nobody
    a_stopped_waiter_holds_up_no_release
    a_semaphore_outlives_its_maker
    signals_neither_end_a_wait_nor_cut_it_short
    a_semaphore_is_found_by_offset_by_name_and_by_hand_or_not_at_all
    a_semaphore_says_what_it_is_and_no_more
}

fn new<K: Units>(value: u32) -> Counting<K> {
    Counting::new(value).unwrap()
}

fn keep<K: Units>(semaphore: &Counting<K>, count: usize) {
    (0..count).for_each(|_| semaphore.acquire(LIMIT).map(Permit::keep).unwrap());
}

fn acquire<K: Units>(semaphore: &Counting<K>) -> Result<(), Error> {
    semaphore.acquire(LIMIT).map(Permit::keep)
}

fn refusal<K: Units>(semaphore: &Counting<K>) -> Option<Error> {
    semaphore.try_acquire().map(Permit::keep).err()
}

/// A child that takes a unit and ends with it; it sleeps in its acquire already.
fn sleeper<K: Units>(semaphore: &Counting<K>) -> Child {
    let child = Child::run("sleeper", || {
        let taken = acquire(semaphore);
        i32::from(taken.is_err())
    });
    child.sleeps_on_a_word();
    child
}

fn as_many_get_in_as_there_are_units<K: Units>() {
    // shows: semaphore-admits-initial-value, semaphore-try-at-zero, semaphore-value-readable
    for units in [1, 2, 7] {
        let semaphore = new::<K>(units);
        for left in (0..units).rev() {
            semaphore.try_acquire().unwrap().keep();
            assert_eq!(semaphore.value(), left);
        }
        assert_eq!(refusal(&semaphore), Some(Error::TimedOut));
        assert_eq!(semaphore.value(), 0);
        for there in 1..=units {
            semaphore.release().unwrap();
            assert_eq!(semaphore.value(), there);
        }
    }
}

fn a_release_lets_a_waiter_in<K: Units>() {
    // shows: semaphore-release-lets-waiter-in, semaphore-acquire-at-zero-waits
    let semaphore = new::<K>(2);
    keep(&semaphore, 2);
    let waiter = sleeper(&semaphore);
    assert_eq!(waiter.0.try_join(), Err(purlin_process::Error::TimedOut));
    semaphore.release().unwrap();
    waiter.succeed();
}

fn a_release_of_several_lets_as_many_go<K: Units>() {
    // shows: semaphore-release-many
    let semaphore = new::<K>(5);
    keep(&semaphore, 5);
    let waiters = [(); 3].map(|()| sleeper(&semaphore));
    semaphore.release_many(2).unwrap();
    let begin = Instant::now();
    let count_of_ended = || waiters.iter().filter(|waiter| waiter.0.try_join().is_ok()).count();
    while count_of_ended() < 2 {
        assert!(begin.elapsed() < LIMIT, "waited in vain for two to go");
        thread::yield_now();
    }
    semaphore.release_many(3).unwrap();
    waiters.iter().for_each(Child::succeed);
}

fn releases_in_quick_succession_let_all_go<K: Units>() {
    let semaphore = new::<K>(4);
    for _ in 0..20 {
        keep(&semaphore, 4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| drop(semaphore.acquire(LIMIT).unwrap()));
            }
            for _ in 0..4 {
                semaphore.release().unwrap();
            }
        });
        assert_eq!(semaphore.value(), 4);
    }
}

fn a_release_of_none_is_refused<K: Units>() {
    // shows: semaphore-release-many-needs-one
    let semaphore = new::<K>(1);
    assert_eq!(semaphore.release_many(0), Err(Error::InvalidArgument));
    keep(&semaphore, 1);
    assert_eq!(semaphore.release_many(0), Err(Error::InvalidArgument));
    assert_eq!(semaphore.value(), 0);
}

fn a_limit_is_not_cut_short<K: Units>() {
    // shows: semaphore-timeout-expires
    let semaphore = new::<K>(1);
    keep(&semaphore, 1);
    for limit in [0, 1, 49, 50, 51, 250].map(Duration::from_millis) {
        let start = Instant::now();
        let answer = semaphore.acquire(limit).map(Permit::keep);
        assert_eq!(answer, Err(Error::TimedOut));
        assert!(start.elapsed() >= limit, "gave up after {:?} of {limit:?}", start.elapsed());
    }
    semaphore.release().unwrap();
    assert_eq!(semaphore.acquire(Duration::ZERO).map(Permit::keep), Ok(()));
}

fn a_limit_of_any_size_waits<K: Units>() {
    // shows: semaphore-timeout-huge
    for limit in [Duration::MAX, Duration::from_secs(1 << 53), Duration::from_secs(1 << 31)] {
        let semaphore = new::<K>(1);
        keep(&semaphore, 1);
        let waiter = Child::run("waiter", || i32::from(semaphore.acquire(limit).is_err()));
        waiter.sleeps_on_a_word();
        semaphore.release().unwrap();
        waiter.succeed();
    }
}

fn a_permit_gives_its_unit_back_when_it_drops<K: Units>() {
    // shows: bounded-semaphore-guard-failure
    let semaphore = new::<K>(2);
    let one = semaphore.acquire(None).unwrap();
    let failure = catch_unwind(AssertUnwindSafe(|| {
        let _two = semaphore.acquire(None).unwrap();
        assert_eq!(semaphore.value(), 0);
        panic!("inside");
    }));
    assert!(failure.is_err());
    assert_eq!(semaphore.value(), 1);
    drop(one);
    assert_eq!(semaphore.value(), 2);
}

fn a_permit_may_go_to_another_thread<K: Units>() {
    let semaphore = new::<K>(1);
    let permit = semaphore.acquire(None).unwrap();
    thread::scope(|scope| scope.spawn(|| drop(permit)).join().unwrap());
    assert_eq!(semaphore.value(), 1);
}

fn a_copied_permit_is_inert_in_the_child<K: Units>() {
    // shows: semaphore-fork-guard-copy-inert
    let semaphore = new::<K>(1);
    let mut permit = Some(semaphore.acquire(None).unwrap());
    let child = Child::run("child", || {
        drop(permit.take());
        let grandchild = Child::run("grandchild", || 0);
        grandchild.succeed();
        i32::from(refusal(&semaphore) != Some(Error::TimedOut))
    });
    child.succeed();
    assert_eq!(semaphore.value(), 0);
    drop(permit);
    assert_eq!(semaphore.value(), 1);
}

fn a_semaphore_of_none_lets_nobody_in<K: Units>() {
    // shows: bounded-semaphore-zero
    let semaphore = new::<K>(0);
    assert_eq!(refusal(&semaphore), Some(Error::TimedOut));
    assert_eq!(
        semaphore.acquire(Duration::from_millis(60)).map(Permit::keep),
        Err(Error::TimedOut)
    );
    assert_eq!(semaphore.value(), 0);
}

fn no_more_are_inside_than_there_are_units<K: Units>() {
    // shows: semaphore-never-more-inside, semaphore-all-get-their-turn
    const ROUNDS: u32 = 2_000;
    let segment = Segment::anonymous(4096).unwrap();
    let inside = Place::<Cell>::new_in(&segment).unwrap();
    for units in [1, 2, 3] {
        let semaphore = Counting::<K>::new_in(&segment, units).unwrap();
        let work = || {
            for _ in 0..ROUNDS {
                let permit = semaphore.acquire(LIMIT).unwrap();
                assert!(inside.0.fetch_add(1, Relaxed) < units, "too many inside");
                inside.0.fetch_sub(1, Relaxed); // a count of its own, ordered by nothing else
                drop(permit);
            }
            0
        };
        let children = [(); 2].map(|()| Child::run("worker", work));
        thread::scope(|scope| {
            let threads = [(); 2].map(|()| scope.spawn(work));
            threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 0));
        });
        children.iter().for_each(Child::succeed);
        assert_eq!((semaphore.value(), inside.0.load(Relaxed)), (units, 0));
    }
}

fn what_was_written_before_a_release_is_seen<K: Units>() {
    // shows: semaphore-data-before-release-visible
    const ROUNDS: u32 = 20_000;
    let segment = Segment::anonymous(4096).unwrap();
    let cell = Place::<Cell>::new_in(&segment).unwrap();
    let semaphore = Counting::<K>::new_in(&segment, 1).unwrap();
    let add = || {
        for _ in 0..ROUNDS {
            let permit = semaphore.acquire(LIMIT).unwrap();
            // Two accesses that only the semaphore orders.
            cell.0.store(cell.0.load(Relaxed) + 1, Relaxed);
            drop(permit);
        }
        0
    };
    let child = Child::run("adder", add);
    add();
    child.succeed();
    let _permit = semaphore.acquire(LIMIT).unwrap();
    assert_eq!(cell.0.load(Relaxed), 2 * ROUNDS);
}

fn a_killed_waiter_takes_nothing_with_it<K: Units>() {
    // shows: semaphore-waiter-killed-takes-nothing
    let semaphore = new::<K>(1);
    keep(&semaphore, 1);
    sleeper(&semaphore).kill();
    semaphore.release().unwrap();
    assert_eq!(refusal(&semaphore), None);
    assert_eq!(refusal(&semaphore), Some(Error::TimedOut));
}

fn a_killed_sleeper_does_not_take_the_wake_of_another<K: Units>() {
    // shows: semaphore-wakeup-of-killed-waiter
    let semaphore = new::<K>(1);
    for _ in 0..20 {
        keep(&semaphore, 1);
        let doomed = Child::run("doomed", || {
            semaphore.acquire(LIMIT).map(Permit::keep).unwrap();
            semaphore.release().unwrap(); // units are the test's to count
            idle()
        });
        doomed.sleeps_on_a_word();
        let living = Child::run("living", || {
            let permit = semaphore.acquire(LIMIT).unwrap();
            drop(permit);
            0
        });
        living.sleeps_on_a_word();
        semaphore.release().unwrap(); // wakes the doomed one, which slept first
        doomed.0.kill().unwrap();
        // Killed with the unit in hand, it costs that unit: as with an acquire that returned.
        if living.0.join(Duration::from_millis(500)).is_err() {
            assert_eq!(semaphore.value(), 0, "a unit is there, and one sleeps");
            semaphore.release().unwrap();
        }
        living.succeed();
        doomed.kill();
        if semaphore.value() == 0 {
            semaphore.release().unwrap();
        }
    }
}

fn a_process_killed_at_random_costs_one_unit_at_most<K: Units>() {
    // shows: semaphore-killed-at-any-point
    const KILLS: u32 = 30;
    const UNITS: u32 = 100;
    let semaphore = new::<K>(UNITS);
    let turn = || semaphore.acquire(LIMIT).map(drop);
    let (begins, ends) = (Signal::new(), Signal::new());
    let segment = Segment::anonymous(4096).unwrap();
    let over = Place::<Cell>::new_in(&segment).unwrap();
    let survivors = [(); 2].map(|()| {
        Child::run("survivor", || {
            // Acquire and Release here and below: for form, the end is an end.
            while over.0.load(Acquire) == 0 {
                turn().unwrap();
            }
            ends.give();
            0
        })
    });
    for round in 0..KILLS {
        let victim = Child::run("victim", || {
            begins.give();
            loop {
                turn().unwrap();
            }
        });
        begins.take("the victim to begin");
        for _ in 0..round * 7 {
            turn().unwrap();
        }
        victim.kill();
    }
    over.0.store(1, Release);
    survivors.iter().for_each(|_| ends.take("a survivor to end"));
    survivors.iter().for_each(Child::succeed);
    let left = semaphore.value();
    assert!((UNITS - KILLS..=UNITS).contains(&left), "{left} units of {UNITS}");
}

fn who_is_stopped_inside_a_call_is_waited_for_by_nobody<K: Units>() {
    // shows: semaphore-stopped-caller-holds-up-nobody
    let semaphore = new::<K>(100);
    let begins = Signal::new();
    let busy = Child::run("busy", || {
        begins.give();
        loop {
            drop(semaphore.acquire(LIMIT).unwrap());
        }
    });
    begins.take("the busy one to begin");
    for _ in 0..100 {
        busy.0.signal(libc::SIGSTOP).unwrap();
        let stopped = format!("/proc/{}/stat", busy.0.pid());
        let begin = Instant::now();
        while !std::fs::read_to_string(&stopped).unwrap().contains(") T ") {
            assert!(begin.elapsed() < LIMIT, "waited in vain for it to stop");
        }
        drop(semaphore.acquire(None).unwrap());
        drop(semaphore.try_acquire().unwrap());
        assert!(semaphore.value() >= 99);
        busy.0.signal(libc::SIGCONT).unwrap();
    }
}

fn a_stopped_waiter_holds_up_no_release<K: Units>() {
    // shows: semaphore-release-never-waits
    let semaphore = new::<K>(1);
    keep(&semaphore, 1);
    let stopped = sleeper(&semaphore);
    stopped.0.signal(libc::SIGSTOP).unwrap();
    semaphore.release().unwrap();
    drop(semaphore.acquire(LIMIT).unwrap());
    stopped.0.signal(libc::SIGCONT).unwrap();
    stopped.succeed();
}

fn a_semaphore_outlives_its_maker<K: Units>() {
    // shows: semaphore-outlives-creator
    let name = Name::new(&format!("test-{}-maker-{}", K::NAME, std::process::id())).unwrap();
    let made = Signal::new();
    let maker = Child::run("maker", || {
        let _semaphore = Counting::<K>::create(&name, 2).unwrap();
        made.give();
        idle()
    });
    made.take("the semaphore to be made");
    let found = Counting::<K>::open_named(&name);
    name.unlink().unwrap();
    maker.kill();
    let semaphore = found.unwrap();
    keep(&semaphore, 2);
    assert_eq!(refusal(&semaphore), Some(Error::TimedOut));
    semaphore.release().unwrap();
}

fn signals_neither_end_a_wait_nor_cut_it_short<K: Units>() {
    // shows: semaphore-signal-does-not-cut-wait
    extern "C" fn ignore(_: libc::c_int) {}
    let semaphore = new::<K>(1);
    keep(&semaphore, 1);
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
        let answer = semaphore.acquire(limit).map(Permit::keep);
        i32::from(answer != Err(Error::TimedOut) || start.elapsed() < limit)
    })
    .succeed();
}

fn a_semaphore_is_found_by_offset_by_name_and_by_hand_or_not_at_all<K: Units>() {
    let segment = Segment::anonymous(4096).unwrap();
    let semaphore = Counting::<K>::new_in(&segment, 2).unwrap();
    keep(&semaphore, 1);
    let opened = Counting::<K>::open(&segment, semaphore.offset()).unwrap();
    assert_eq!(opened.value(), 1);
    let lock = Lock::new_in(&segment).unwrap();
    let wrong = Counting::<K>::open(&segment, lock.offset()).err();
    assert_eq!(wrong, Some(Error::Incompatible));
    assert_eq!(Lock::open(&segment, semaphore.offset()).err(), Some(Error::Incompatible));
    assert_eq!(Counting::<K>::open(&segment, 12).err(), Some(Error::Damaged));

    let mut packed = Luggage::new();
    semaphore.pack(&mut packed).unwrap();
    let (bytes, descriptors) = packed.into_parts();
    let mut arrived = Luggage::from_parts(&bytes, descriptors).unwrap();
    let carried = Counting::<K>::unpack(&mut arrived).unwrap();
    carried.release().unwrap(); // by the same process
    assert_eq!(semaphore.value(), 2);

    let name = Name::new(&format!("test-{}-{}", K::NAME, std::process::id())).unwrap();
    let made = Counting::<K>::create(&name, 3).unwrap();
    let found = Counting::<K>::open_named(&name);
    let refused = (Lock::open_named(&name).err(), Counting::<K>::create(&name, 1).err());
    name.unlink().unwrap();
    assert_eq!(refused, (Some(Error::Incompatible), Some(Error::AlreadyExists)));
    keep(&found.unwrap(), 1);
    assert_eq!(made.clone().value(), 2);
    assert_eq!(Counting::<K>::open_named(&name).err(), Some(Error::NoSuchName));
}

fn a_semaphore_says_what_it_is_and_no_more<K: Units>() {
    let semaphore = new::<K>(2);
    let text = format!("{semaphore:?}");
    assert!(text.starts_with(K::NAME) && text.contains("value: 2"), "{text}");
    let text = format!("{:?}", semaphore.acquire(None).unwrap());
    assert!(text.starts_with("Permit") && text.contains("Held"), "{text}");
}
