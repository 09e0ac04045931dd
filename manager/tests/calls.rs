//! Calls by hand, in an order that no client of ours makes them in.

use std::io::Write;
use std::os::unix::net::UnixStream;

use purlin_manager::{Acquired, Key, List, Manager};

use crate::bounded::{Test, until};
use crate::raw;

pub(crate) const TESTS: &[Test] = &[
    ("who_has_no_reference_may_not_call", who_has_no_reference_may_not_call),
    ("a_call_that_waits_is_given_up", a_call_that_waits_is_given_up),
    ("who_waits_without_a_reference_is_answered", who_waits_without_a_reference_is_answered),
    ("a_lock_does_not_go_to_the_dead", a_lock_does_not_go_to_the_dead),
    ("a_join_waits_for_all_that_was_put", a_join_waits_for_all_that_was_put),
    ("not_all_calls_of_a_connection_may_wait", not_all_calls_of_a_connection_may_wait),
];

/// An answer's first byte.
const SUCCESS: u8 = 0;
const FAILURE: u8 = 1;

/// Requests about the object of number 1.
const CLAIM: [u8; 2] = [1, 1];
const ACQUIRE: [u8; 6] = [4, 1, 0, 0, 5, 0]; // thread 0, no limit, a lock's
const RELEASE: [u8; 6] = [4, 1, 0, 0, 5, 1];
const COUNT: [u8; 1] = [8];

/// So many calls of one connection may wait.
const WAITING_MAX: u32 = 1024;

fn own_key() -> Key {
    purlin_process::current().key()
}

/// Sends one request, and returns what comes first.
fn ask(stream: &mut UnixStream, call: u32, request: &[u8]) -> (u32, Vec<u8>) {
    stream.write_all(&raw::frame(call, request)).unwrap();
    raw::receive(stream).unwrap()
}

fn who_has_no_reference_may_not_call() {
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    let mut guesser = raw::client(manager.address(), &own_key());
    let (len, publish) = ([4, 1, 0, 0, 2, 0], [5, 1, b'x', 1]);
    for (call, request) in [(1, &len[..]), (2, &publish)] {
        let (answered, body) = ask(&mut guesser, call, request);
        assert_eq!((answered, body[0]), (call, FAILURE));
    }
    assert!(manager.find::<List<i32>>("x").is_err());
    assert_eq!(ask(&mut guesser, 3, &CLAIM).1[0], SUCCESS);
    assert_eq!(ask(&mut guesser, 4, &len), (4, vec![SUCCESS, 2, 1]));
    assert_eq!(ask(&mut guesser, 5, &publish).1[0], SUCCESS);
    assert_eq!(list.len(), Ok(1));
}

fn a_call_that_waits_is_given_up() {
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let held = lock.acquire(None).unwrap();
    let mut other = raw::client(manager.address(), &own_key());
    ask(&mut other, 1, &CLAIM);
    other.write_all(&raw::frame(2, &ACQUIRE)).unwrap();
    other.write_all(&raw::frame(0, &[3, 2])).unwrap(); // gives call 2 up
    assert_eq!(ask(&mut other, 3, &COUNT).0, 3);
    drop(held);
    assert!(lock.try_acquire().is_ok());
    assert_eq!(ask(&mut other, 4, &COUNT).0, 4, "no answer to what was given up");
}

fn who_waits_without_a_reference_is_answered() {
    let manager = Manager::start().unwrap();
    let mut client = raw::client(manager.address(), &own_key());
    // A queue of its own, of which it asks for a message, before it gives it back.
    assert_eq!(ask(&mut client, 1, &[0, 11, 0]).1[0], SUCCESS);
    client.write_all(&raw::frame(2, &[4, 1, 0, 0, 10, 1])).unwrap();
    let (call, body) = ask(&mut client, 0, &[2, 1, 0]);
    assert_eq!((call, body[0]), (2, FAILURE));
    assert_eq!(manager.object_count(), Ok(0));
}

fn a_lock_does_not_go_to_the_dead() {
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let (mut holder, mut waiter) =
        (raw::client(manager.address(), &own_key()), raw::client(manager.address(), &own_key()));
    ask(&mut holder, 1, &CLAIM);
    ask(&mut waiter, 1, &CLAIM);
    assert_eq!(ask(&mut holder, 2, &ACQUIRE).1[0], SUCCESS);
    waiter.write_all(&raw::frame(2, &ACQUIRE)).unwrap();
    assert_eq!(ask(&mut waiter, 3, &COUNT).0, 3);
    // When it goes on, the release has come, and the end of who would be next.
    manager.process().signal(19).unwrap();
    until("the server stands still", || is_stopped(manager.pid()));
    holder.write_all(&raw::frame(3, &RELEASE)).unwrap();
    drop(waiter);
    manager.process().signal(18).unwrap();
    assert_eq!(raw::receive(&mut holder).unwrap().1[0], SUCCESS);
    assert!(matches!(lock.try_acquire(), Ok(Acquired::Held(_))), "nobody has died with it");
}

fn is_stopped(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}

fn a_join_waits_for_all_that_was_put() {
    let manager = Manager::start().unwrap();
    let queue = manager.queue().unwrap();
    [1, 2].iter().for_each(|message| queue.put(message, None).unwrap());
    let mut joiner = raw::client(manager.address(), &own_key());
    ask(&mut joiner, 1, &CLAIM);
    joiner.write_all(&raw::frame(2, &[4, 1, 0, 0, 10, 5])).unwrap();
    assert_eq!(ask(&mut joiner, 3, &COUNT).0, 3);
    queue.task_done().unwrap();
    assert_eq!(ask(&mut joiner, 4, &COUNT).0, 4, "it waits on: one is left");
    queue.task_done().unwrap();
    assert_eq!(raw::receive(&mut joiner).unwrap(), (2, vec![SUCCESS, 0]));
}

fn not_all_calls_of_a_connection_may_wait() {
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let held = lock.acquire(None).unwrap();
    let mut greedy = raw::client(manager.address(), &own_key());
    ask(&mut greedy, 1, &CLAIM);
    let refused = 2 + WAITING_MAX;
    (2..=refused)
        .for_each(|call| greedy.write_all(&raw::frame(call, &ACQUIRE)).expect("it takes requests"));
    let (call, body) = raw::receive(&mut greedy).unwrap();
    assert_eq!((call, body[0]), (refused, FAILURE));
    drop(held);
    assert_eq!(raw::receive(&mut greedy).unwrap().0, 2, "the others wait on");
}
