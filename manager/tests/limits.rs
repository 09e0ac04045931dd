//! Much at once: clients, objects, calls, bytes.

use std::io::Write;

use purlin_manager::{Builder, Error, MESSAGE_MAX_BYTES, MESSAGE_MIN_BYTES, Manager};

use crate::bounded::{Child, LIMIT, Test, descriptor_count, until};
use crate::raw;

pub(crate) const TESTS: &[Test] = &[
    ("many_megabytes_pass", many_megabytes_pass),
    ("what_is_too_large_is_refused", what_is_too_large_is_refused),
    ("two_hundred_clients_at_once", two_hundred_clients_at_once),
    ("ten_thousand_objects", ten_thousand_objects),
    ("memory_is_constant_over_many_calls", memory_is_constant_over_many_calls),
];

fn many_megabytes_pass() {
    // shows: manager-huge-value
    let manager = Manager::start().unwrap();
    let dict = manager.dict(Vec::<(String, String)>::new()).unwrap();
    let much = || "0123456789abcdef".repeat(4 << 20);
    Child::run(|| dict.insert(&"x".to_owned(), &much()).map(drop)).succeeds();
    assert!(dict.at(&"x".to_owned()).unwrap() == much());
}

fn what_is_too_large_is_refused() {
    let start = |limit| Builder::new().message_max_bytes(limit).fork();
    for limit in [0, MESSAGE_MIN_BYTES - 1, MESSAGE_MAX_BYTES + 1] {
        assert_eq!(start(limit).err(), Some(Error::InvalidArgument));
    }
    let limit = MESSAGE_MIN_BYTES;
    let manager = start(limit).unwrap();
    let list = manager.list(Vec::<String>::new()).unwrap();
    let text = "x".repeat(limit / 2 + 8);
    list.push(&text).unwrap();
    list.push(&text).unwrap();
    // Each fits, and both do not: the answer is too large, and the server goes on.
    assert!(matches!(list.to_vec(), Err(Error::MessageTooLarge { .. })));
    let text = "x".repeat(limit + 1);
    assert!(matches!(list.push(&text), Err(Error::MessageTooLarge { .. })));
    assert_eq!(list.len(), Ok(2));
    // Who sends it all the same is closed.
    let mut stream = raw::client(manager.address(), &purlin_process::current().key());
    stream.write_all(&(limit as u32 + 1).to_le_bytes()).unwrap();
    stream.write_all(&[0; 4]).unwrap();
    assert!(raw::is_closed(&mut stream));
}

fn two_hundred_clients_at_once() {
    let manager = Manager::start().unwrap();
    let (event, list) = (manager.event().unwrap(), manager.list(Vec::<u32>::new()).unwrap());
    let ready = manager.semaphore(0).unwrap();
    let server = manager.pid().to_string();
    let before = descriptor_count(&server);
    let work = |own: u32| -> Result<(), Error> {
        ready.release()?;
        event.wait(LIMIT)?;
        (0..20).try_for_each(|_| list.push(&own))
    };
    let children: Vec<Child> = (0..200).map(|own| Child::run(|| work(own))).collect();
    (0..200).for_each(|_| ready.acquire(LIMIT).unwrap().keep());
    assert!(descriptor_count(&server) >= 200);
    event.set().unwrap();
    children.into_iter().for_each(Child::succeeds);
    assert_eq!(list.len(), Ok(4000));
    until("their connections are closed", || descriptor_count(&server) <= before);
}

fn ten_thousand_objects() {
    let manager = Manager::start().unwrap();
    let objects: Vec<_> = (0..10_000).map(|number| manager.value(number).unwrap()).collect();
    assert_eq!(manager.object_count(), Ok(10_000));
    let sum: u64 = objects.iter().map(|object| object.get().unwrap()).sum();
    assert_eq!(sum, (0..10_000).sum());
    drop(objects);
    assert_eq!(manager.object_count(), Ok(0));
    // A client's end is told to all of them, and takes them along.
    Child::run(|| {
        let all: Result<Vec<_>, Error> = (0..10_000).map(|number| manager.value(number)).collect();
        let all = all.unwrap();
        assert_eq!((all.len(), manager.object_count()), (10_000, Ok(10_000)));
    })
    .succeeds();
    until("all are gone", || manager.object_count() == Ok(0));
}

fn memory_is_constant_over_many_calls() {
    let manager = Manager::start().unwrap();
    let (list, queue) = (manager.list([0_u64; 10]).unwrap(), manager.queue::<String>().unwrap());
    let lock = manager.lock().unwrap();
    let turn = |number: u64| -> Result<(), Error> {
        let held = lock.acquire(LIMIT)?.sound()?;
        list.set((number % 10) as usize, &number)?;
        queue.put(&"x".repeat((number % 100) as usize), LIMIT)?;
        drop(held);
        queue.get(LIMIT)?;
        drop(manager.list([list.clone()])?);
        Ok(())
    };
    (0..1_000).for_each(|number| turn(number).unwrap());
    let before = raw::memory_of(manager.pid());
    // Seven calls each.
    (0..15_000).for_each(|number| turn(number).unwrap());
    let after = raw::memory_of(manager.pid());
    assert!(after < before + (1 << 20), "{before} and {after} bytes");
    assert_eq!(manager.object_count(), Ok(3));
}
