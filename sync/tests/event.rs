//! What an event promises, while nobody dies and when waiters and setters are killed.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Cell, Child, LIMIT, Signal};
use purlin_shm::{Carry, Luggage, Place, Segment};
use purlin_sync::{Deadline, Error, Event, Lock, Name};

const HOUR: Duration = Duration::from_secs(3600);

fn new() -> Event {
    Event::new().unwrap()
}

/// A child that waits, and sleeps in its wait already.
fn sleeper(event: &Event) -> Child {
    let child = Child::run("sleeper", || i32::from(event.wait(LIMIT) != Ok(true)));
    child.sleeps_on_a_word();
    child
}

#[test]
fn an_event_is_set_until_it_is_cleared_however_often_it_was_set() {
    // shows: event-starts-unset, event-is-set-reports, event-set-twice, event-clear-twice
    let event = new();
    assert!(!event.is_set());
    event.set();
    event.set();
    assert!(event.is_set());
    event.clear();
    assert!(!event.is_set());
    event.clear();
    assert!(!event.is_set());
    event.set();
    assert!(event.is_set());
}

#[test]
fn a_wait_for_what_is_set_returns_at_once_and_uses_nothing_up() {
    // shows: event-wait-when-set-at-once, event-wait-does-not-consume, event-set-remembered
    let event = new();
    event.set();
    for limit in [None, Some(HOUR), Some(Duration::ZERO)] {
        assert_eq!(event.wait(limit), Ok(true), "{limit:?}");
    }
    assert_eq!(event.wait(Deadline::passed()), Ok(true));
    Child::run("other", || i32::from(event.wait(None) != Ok(true))).succeed();
    assert!(event.is_set());
}

#[test]
fn a_limit_is_not_cut_short_and_answers_that_it_was_not_set() {
    // shows: event-wait-limit-goes-on-unset, event-fractional-limit, event-wait-zero-or-negative
    let event = new();
    for limit in [0, 1, 49, 50, 51, 250].map(Duration::from_millis) {
        let start = Instant::now();
        assert_eq!(event.wait(limit), Ok(false));
        assert!(start.elapsed() >= limit, "gave up after {:?} of {limit:?}", start.elapsed());
    }
    assert_eq!(event.wait(Deadline::passed()), Ok(false));
    assert!(!event.is_set());
}

#[test]
fn one_set_lets_all_go() {
    // shows: event-set-wakes-all, event-wait-blocks-until-set, event-set-during-limit
    let event = new();
    for _ in 0..3 {
        let children = [sleeper(&event), sleeper(&event), sleeper(&event)];
        thread::scope(|scope| {
            let (event, limits) = (&event, [None, Some(HOUR)]);
            let threads = limits.map(|limit| scope.spawn(move || event.wait(limit)));
            event.set();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), Ok(true));
            }
        });
        children.iter().for_each(Child::succeed);
        event.clear(); // and a second group is served like the first
    }
}

#[test]
fn a_set_that_is_cleared_right_after_lets_all_go_that_slept() {
    // shows: event-set-then-clear-releases-waiters, event-again-after-clear
    let event = new();
    for _ in 0..20 {
        let children = [sleeper(&event), sleeper(&event), sleeper(&event)];
        event.set();
        event.clear();
        children.iter().for_each(Child::succeed);
        assert!(!event.is_set());
    }
}

#[test]
fn who_comes_after_the_clear_waits() {
    // shows: event-waiter-after-clear-waits, event-clear-makes-wait-block
    let event = new();
    event.set();
    event.clear();
    assert_eq!(event.wait(Duration::from_millis(60)), Ok(false));
    let late = sleeper(&event);
    assert_eq!(late.0.try_join(), Err(purlin_process::Error::TimedOut));
    event.set();
    late.succeed();
}

#[test]
fn one_waiters_limit_does_not_touch_another() {
    // shows: event-timed-out-and-unlimited-waiter
    let event = new();
    let patient = sleeper(&event);
    assert_eq!(event.wait(Duration::from_millis(10)), Ok(false));
    event.set();
    patient.succeed();
}

#[test]
fn a_limit_of_any_size_waits() {
    // shows: event-timeout-huge
    for limit in [Duration::MAX, Duration::from_secs(1 << 53), Duration::from_secs(1 << 31)] {
        let event = new();
        let waiter = Child::run("waiter", || i32::from(event.wait(limit) != Ok(true)));
        waiter.sleeps_on_a_word();
        event.set();
        waiter.succeed();
    }
}

#[test]
fn a_killed_waiter_holds_nobody_up_and_leaves_nothing_behind() {
    // shows: event-dead-waiter-does-not-hold-up-set, event-waiter-killed-no-trace
    let event = new();
    for _ in 0..10 {
        let doomed = [sleeper(&event), sleeper(&event)];
        let living = sleeper(&event);
        doomed.iter().for_each(Child::kill);
        event.set();
        living.succeed();
        event.clear();
    }
    assert_eq!(event.wait(Duration::ZERO), Ok(false));
}

#[test]
fn a_stopped_waiter_holds_nobody_up() {
    // shows: event-stopped-waiter-does-not-hold-up-set
    let event = new();
    let stopped = sleeper(&event);
    stopped.0.signal(libc::SIGSTOP).unwrap();
    event.set();
    assert_eq!(event.wait(LIMIT), Ok(true));
    event.clear();
    stopped.0.signal(libc::SIGCONT).unwrap();
    stopped.succeed(); // it was set while it waited
}

#[test]
fn a_sleeper_whose_setter_was_killed_before_the_wake_looks_by_itself() {
    // shows: event-setter-killed-waiters-wakeable
    const PRIVATE: u64 = 128; // FUTEX_PRIVATE_FLAG
    const SET_ONCE: u32 = 0b101; // epoch 1, and the flag
    let segment = Segment::anonymous(4096).unwrap();
    for left in [SET_ONCE, SET_ONCE & !1] {
        let event = Event::new_in(&segment).unwrap();
        let child = Child::run("sleeper", || i32::from(event.wait(LIMIT) != Ok(true)));
        let operation = child.sleeps_on_a_word();
        assert_eq!(operation & PRIVATE, 0, "a private sleeper is met by no other process");
        overwrite(&event, left); // set by somebody who is gone, and perhaps cleared since
        child.succeed();
    }
}

#[test]
fn a_set_survives_its_setter_and_the_event_its_maker() {
    // shows: event-set-survives-setter, event-outlives-creator
    let event = new();
    let waiter = sleeper(&event);
    let sets = Signal::new();
    let setter = Child::run("setter", || {
        event.set();
        sets.give();
        crate::support::idle()
    });
    sets.take("the set");
    setter.kill();
    waiter.succeed();
    assert!(event.is_set());
}

#[test]
fn a_kill_inside_any_call_leaves_an_event_that_the_others_can_use() {
    // shows: event-killed-inside-any-call
    let event = new();
    let begins = Signal::new();
    for _ in 0..100 {
        let victim = Child::run("victim", || {
            begins.give();
            loop {
                event.set();
                event.clear();
                let _ = event.wait(Duration::ZERO);
            }
        });
        begins.take("the victim to begin");
        victim.kill();
        event.set();
        assert_eq!(event.wait(None), Ok(true));
        event.clear();
        assert!(!event.is_set());
    }
}

#[test]
fn who_is_stopped_inside_a_call_is_waited_for_by_nobody() {
    // shows: event-is-set-never-waits, event-set-and-clear-never-wait
    let event = new();
    let begins = Signal::new();
    let busy = Child::run("busy", || {
        begins.give();
        loop {
            event.set();
            event.clear();
            let _ = event.wait(Duration::ZERO);
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
        event.set();
        assert!(event.is_set());
        event.clear();
        assert!(!event.is_set());
        busy.0.signal(libc::SIGCONT).unwrap();
    }
}

#[test]
fn what_was_written_before_a_set_is_seen_after_the_wait() {
    // shows: event-data-before-set-visible
    const ROUNDS: u32 = 10_000;
    let segment = Segment::anonymous(4096).unwrap();
    let cell = Place::<Cell>::new_in(&segment).unwrap();
    let (there, back) = (Event::new_in(&segment).unwrap(), Event::new_in(&segment).unwrap());
    let reader = Child::run("reader", || {
        for round in 0..ROUNDS {
            assert_eq!(there.wait(LIMIT), Ok(true));
            assert_eq!(cell.0.load(Relaxed), round); // ordered by the event
            there.clear();
            back.set();
        }
        0
    });
    for round in 0..ROUNDS {
        cell.0.store(round, Relaxed); // as above
        there.set();
        assert_eq!(back.wait(LIMIT), Ok(true), "round {round}");
        back.clear();
    }
    reader.succeed();
}

#[test]
fn a_set_that_meets_a_waiter_falling_asleep_is_not_lost() {
    // shows: event-no-wakeup-lost
    const ROUNDS: u32 = 2_000;
    let events: Vec<Event> = (0..2 * ROUNDS).map(|_| new()).collect();
    let waiter = Child::run("waiter", || {
        for pair in events.chunks(2) {
            pair[0].set();
            assert_eq!(pair[1].wait(LIMIT), Ok(true));
        }
        0
    });
    for pair in events.chunks(2) {
        assert_eq!(pair[0].wait(LIMIT), Ok(true));
        pair[1].set();
    }
    waiter.succeed();
}

#[test]
fn a_signal_handler_sets_the_event_that_its_own_thread_waits_for() {
    // shows: event-set-in-signal-handler
    static WAITED_FOR: AtomicPtr<Event> = AtomicPtr::new(std::ptr::null_mut());
    extern "C" fn set(_: libc::c_int) {
        // SAFETY: Stored before the handler was installed, and alive while this child is.
        unsafe { &*WAITED_FOR.load(Relaxed) }.set();
    }
    let event = new();
    let child = Child::run("interrupted", || {
        // Relaxed, here and above: one thread.
        WAITED_FOR.store(std::ptr::from_ref(&event).cast_mut(), Relaxed);
        // SAFETY: The handler does one exchange, and one system call.
        unsafe {
            libc::signal(libc::SIGUSR1, set as extern "C" fn(libc::c_int) as libc::sighandler_t);
        };
        i32::from(event.wait(LIMIT) != Ok(true))
    });
    child.sleeps_on_a_word();
    child.0.signal(libc::SIGUSR1).unwrap();
    child.succeed();
}

#[test]
fn signals_neither_end_a_wait_nor_cut_it_short() {
    // shows: event-signal-does-not-end-wait
    extern "C" fn ignore(_: libc::c_int) {}
    let event = new();
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
        let answer = event.wait(limit);
        i32::from(answer != Ok(false) || start.elapsed() < limit)
    })
    .succeed();
}

#[test]
fn a_child_uses_it_without_a_descriptor_of_its_own() {
    // shows: event-shared-with-child
    let event = new();
    let child = Child::run("child", || {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: A limit of this child's own.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) }, 0);
        event.set();
        event.clear();
        i32::from(event.wait(LIMIT) != Ok(true))
    });
    child.sleeps_on_a_word();
    event.set();
    child.succeed();
}

#[test]
fn whatever_stands_in_the_word_is_an_event() {
    let segment = Segment::anonymous(4096).unwrap();
    let event = Event::new_in(&segment).unwrap();
    for word in [0, 1, 2, 3, u32::MAX, u32::MAX - 1, u32::MAX - 3, 1 << 31, 0xaaaa_aaaa] {
        overwrite(&event, word);
        assert_eq!(event.is_set(), word & 1 == 1, "{word:#x}");
        assert_eq!(event.wait(Duration::from_millis(2)), Ok(word & 1 == 1), "{word:#x}");
        event.set();
        assert_eq!(event.wait(None), Ok(true), "{word:#x}");
        event.clear();
        assert_eq!(event.wait(Duration::from_millis(2)), Ok(false), "{word:#x}");
    }
}

#[test]
fn a_waiter_that_saw_the_last_epoch_notices_the_first() {
    let segment = Segment::anonymous(4096).unwrap();
    let event = Event::new_in(&segment).unwrap();
    overwrite(&event, u32::MAX - 3); // the last epoch, not set, nobody sleeps
    let waiter = sleeper(&event);
    event.set();
    event.clear();
    waiter.succeed();
}

#[test]
fn an_event_is_found_by_offset_by_name_and_by_hand_or_not_at_all() {
    // shows: event-any-start-method
    let segment = Segment::anonymous(4096).unwrap();
    let event = Event::new_in(&segment).unwrap();
    event.set();
    assert!(Event::open(&segment, event.offset()).unwrap().is_set());
    let lock = Lock::new_in(&segment).unwrap();
    assert_eq!(Event::open(&segment, lock.offset()).err(), Some(Error::Incompatible));
    assert_eq!(Lock::open(&segment, event.offset()).err(), Some(Error::Incompatible));
    assert_eq!(Event::open(&segment, 12).err(), Some(Error::Damaged));

    let mut packed = Luggage::new();
    event.pack(&mut packed).unwrap();
    let (bytes, descriptors) = packed.into_parts();
    let mut arrived = Luggage::from_parts(&bytes, descriptors).unwrap();
    let carried = Event::unpack(&mut arrived).unwrap();
    carried.clear();
    assert!(!event.is_set());

    let name = Name::new(&format!("test-event-{}", std::process::id())).unwrap();
    let made = Event::create(&name).unwrap();
    let found = Event::open_named(&name);
    let refused = (Lock::open_named(&name).err(), Event::create(&name).err());
    name.unlink().unwrap();
    assert_eq!(refused, (Some(Error::Incompatible), Some(Error::AlreadyExists)));
    found.unwrap().set();
    assert!(made.clone().is_set());
    assert_eq!(Event::open_named(&name).err(), Some(Error::NoSuchName));
}

#[test]
fn an_event_says_what_it_is_and_no_more() {
    let text = format!("{:?}", new());
    assert!(text.starts_with("Event { offset: ") && text.contains("is_set: false"), "{text}");
}

/// What stands in an event's word is overwritten.
fn overwrite(event: &Event, word: u32) {
    let file = File::from(event.segment().descriptor().try_clone_to_owned().unwrap());
    file.write_all_at(&word.to_le_bytes(), event.offset() + 16).unwrap();
}
