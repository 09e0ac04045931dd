//! The uncontended path makes no system call: done by a process to which one would be death.

use std::io;
use std::time::Duration;

use purlin_benches::sys::{Child, Ended, forbid_system_calls, leave_thread};
use purlin_channel::{JoinableQueue, LARGE_BYTES, Queue, Spsc};
use purlin_sync::{
    Barrier, BoundedSemaphore, ByAnyone, ByHolder, ByThread, Condition, Counting, Event, Exclusive,
    Lock, RLock, Reentrant, Rules, Semaphore, TrackedSemaphore, Units,
};

const PAIR_COUNT: u32 = 100_000;

/// What a child says when the kernel does not let it forbid itself system calls.
const NOT_MADE: i32 = 77;

#[test]
fn free_lock_is_taken_and_released_without_system_calls() {
    take_and_release::<ByHolder>();
    take_and_release::<ByAnyone>();
    take_and_release::<ByThread>();
    take_and_release::<Reentrant>();
}

fn take_and_release<R: Rules>() {
    let lock = Exclusive::<R>::new().expect("there is room for a lock");
    let ended = without_system_calls(&lock, || {
        for _ in 0..PAIR_COUNT {
            let Ok(guard) = lock.acquire(None).and_then(|acquired| acquired.sound()) else {
                return 1;
            };
            drop(guard);
        }
        0
    });
    expect(ended, Ended::Code(0));
}

#[test]
fn kept_lock_is_released_without_system_calls() {
    keep_and_release::<ByHolder>();
    keep_and_release::<ByAnyone>();
    keep_and_release::<ByThread>();
    keep_and_release::<Reentrant>();
}

fn keep_and_release<R: Rules>() {
    let lock = Exclusive::<R>::new().expect("there is room for a lock");
    let ended = without_system_calls(&lock, || {
        for _ in 0..PAIR_COUNT {
            let Ok(acquired) = lock.try_acquire() else { return 1 };
            acquired.keep();
            if lock.release().is_err() {
                return 2;
            }
        }
        0
    });
    expect(ended, Ended::Code(0));
}

#[test]
fn recursive_lock_goes_deeper_and_back_without_system_calls() {
    let lock = RLock::new().expect("there is room for a lock");
    let ended = without_system_calls(&lock, || {
        for _ in 0..PAIR_COUNT {
            let levels = [lock.acquire(None), lock.try_acquire(), lock.acquire(None)];
            if levels.iter().any(Result::is_err) || lock.depth() != Ok(3) {
                return 1;
            }
        }
        i32::from(lock.depth() != Ok(0))
    });
    expect(ended, Ended::Code(0));
}

#[test]
fn unit_is_taken_and_given_back_without_system_calls() {
    take_and_give(&BoundedSemaphore::new(1));
    take_and_give(&Semaphore::new(3));
    take_and_give(&TrackedSemaphore::new(3));
}

fn take_and_give<K: Units>(made: &Result<Counting<K>, purlin_sync::Error>) {
    let semaphore = made.as_ref().expect("there is room for a semaphore");
    let body = || {
        for _ in 0..PAIR_COUNT {
            let Ok(permit) = semaphore.acquire(None) else { return 1 };
            drop(permit);
            let Ok(permit) = semaphore.try_acquire() else { return 2 };
            permit.keep();
            if semaphore.release().is_err() {
                return 3;
            }
        }
        0
    };
    let ended = Child::fork(|_| match semaphore.acquire(None) {
        Ok(first) => {
            drop(first); // the child is registered by it
            alone(body)
        }
        Err(_) => 4,
    });
    expect(ended.and_then(Child::wait), Ended::Code(0));
}

#[test]
fn notify_is_given_without_system_calls_where_nobody_waits() {
    let lock = Lock::new().expect("there is room for a lock");
    let condition = Condition::over(&lock).expect("and for a condition");
    lock.acquire(None).expect("it is free").keep();
    let _ = condition.wait_kept(Duration::ZERO).expect("there is room to wait");
    lock.release().expect("it is held");
    let ended = without_system_calls(&lock, || {
        for _ in 0..PAIR_COUNT {
            let Ok(guard) = lock.acquire(None).and_then(|acquired| acquired.sound()) else {
                return 1;
            };
            if condition.notify_all() != Ok(0) {
                return 2;
            }
            drop(guard);
        }
        0
    });
    expect(ended, Ended::Code(0));
}

#[test]
fn event_that_nobody_waits_for_is_set_asked_and_cleared_without_system_calls() {
    let event = Event::new().expect("there is room for an event");
    let use_it = || {
        for _ in 0..PAIR_COUNT {
            event.set();
            if !event.is_set() || event.wait(None) != Ok(true) {
                return 1;
            }
            event.clear();
        }
        i32::from(event.is_set())
    };
    expect(Child::fork(|_| alone(use_it)).and_then(Child::wait), Ended::Code(0));
}

/// A barrier of one has nobody to wait for, or to ask about.
#[test]
fn barrier_of_one_is_passed_without_system_calls() {
    let barrier = Barrier::new(1).expect("there is room for a barrier");
    let ended = Child::fork(|_| {
        if barrier.wait(None).is_err() {
            return 3; // registers this process
        }
        alone(|| {
            let has_failed = (0..PAIR_COUNT).any(|_| barrier.wait(None) != Ok(0));
            i32::from(has_failed || barrier.is_broken() || barrier.waiting() != Ok(0))
        })
    })
    .and_then(Child::wait);
    expect(ended, Ended::Code(0));
}

/// Nobody sleeps for a message or for room, so that nobody is woken: for each of them.
#[test]
fn messages_are_sent_and_received_without_system_calls_where_nobody_sleeps() {
    let queue = Queue::bounded(3, LARGE_BYTES + 8).expect("there is room for a queue");
    let (long, mut room) = (vec![7; LARGE_BYTES + 8], vec![0; LARGE_BYTES + 8]);
    let body = || {
        let mut buffer = [0; 64];
        for length in (0..=64).cycle().take(PAIR_COUNT as usize) {
            let sent = [queue.send(&buffer[..length], None), queue.try_send(&buffer[..length])];
            let came = [queue.recv_into(&mut buffer, None), queue.recv_into(&mut buffer, None)];
            if sent != [Ok(()); 2] || came != [Ok(length); 2] {
                return 1;
            }
        }
        let is_whole = queue.send(&long, None).is_ok() && queue.recv_into(&mut room, None).is_ok();
        i32::from(!is_whole || room != long)
    };
    expect(registered(|| queue.try_send(b"").is_ok() && queue.try_recv().is_ok(), body), ENDED);
}

#[test]
fn tasks_are_marked_without_system_calls_where_nobody_joins() {
    let tasks = JoinableQueue::bounded(2, 8).expect("there is room for a queue");
    let pair = || {
        let mut buffer = [0; 8];
        let is_put = tasks.send(b"task", None).is_ok();
        let is_taken = tasks.recv_into(&mut buffer, None) == Ok(4);
        is_put && is_taken && tasks.task_done().is_ok() && tasks.join(None).is_ok()
    };
    let body = || i32::from(!(0..PAIR_COUNT).all(|_| pair()));
    expect(registered(pair, body), ENDED);
}

#[test]
fn one_sends_to_one_without_system_calls_where_nobody_sleeps() {
    let queue = Spsc::bounded(2, 64).expect("there is room for a queue");
    let ended = Child::fork(|_| {
        let (Ok(mut sender), Ok(mut receiver)) = (queue.sender(None), queue.receiver(None)) else {
            return 3;
        };
        // Before the ends are dropped, which tells who waits for them.
        alone(|| {
            let mut buffer = [0; 64];
            i32::from(!(0..PAIR_COUNT).all(|_| {
                sender.send(b"message", None).is_ok()
                    && receiver.recv_into(&mut buffer, None) == Ok(7)
            }))
        })
    });
    expect(ended.and_then(Child::wait), ENDED);
}

/// The other side of those above: a call would have been noticed. To find out whether the holder
/// lives, the kernel has to be asked.
#[test]
fn held_lock_is_not_tried_without_system_calls() {
    let lock = Lock::new().expect("there is room for a lock");
    lock.acquire(None).expect("it is free").keep();
    let ended = Child::fork(|_| {
        if lock.try_acquire().is_ok() {
            return 2; // registers this process, and finds the parent's hold
        }
        alone(|| i32::from(lock.try_acquire().is_ok()))
    })
    .and_then(Child::wait);
    expect(ended, Ended::Signal(SIGKILL));
    lock.release().expect("it is held");
}

const SIGKILL: i32 = 9;
const ENDED: Ended = Ended::Code(0);

/// Does `body` in a child that has done `first`, and so has a token, but may not ask the kernel for
/// anything from then on.
fn registered(first: impl FnOnce() -> bool, body: impl FnOnce() -> i32) -> io::Result<Ended> {
    Child::fork(|_| if first() { alone(body) } else { 3 }).and_then(Child::wait)
}

/// Does `body` in a child that has used the lock once, and so has a token, but may not ask the
/// kernel for anything from then on.
fn without_system_calls<R: Rules>(
    lock: &Exclusive<R>,
    body: impl FnOnce() -> i32,
) -> io::Result<Ended> {
    Child::fork(|_| match lock.acquire(None) {
        Ok(acquired) => {
            drop(acquired);
            alone(body)
        }
        Err(_) => 3,
    })
    .and_then(Child::wait)
}

fn alone(body: impl FnOnce() -> i32) -> i32 {
    match forbid_system_calls() {
        Ok(()) => leave_thread(body()),
        Err(_) => NOT_MADE,
    }
}

fn expect(ended: io::Result<Ended>, wanted: Ended) {
    let ended = ended.expect("the child is forked and ends");
    if ended == Ended::Code(NOT_MADE) {
        eprintln!("NOT MADE: the kernel does not allow seccomp here; nothing was shown");
        return;
    }
    assert_eq!(ended, wanted);
}
