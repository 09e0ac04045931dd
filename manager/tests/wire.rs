//! A wire that others write on: random, cut off, too long, out of order, before and after the key
//! was proved. The server answers or drops that one, and serves the others; its memory is bounded.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use purlin_manager::{Key, List, MESSAGE_MAX_BYTES, Manager};

use crate::bounded::{Test, descriptor_count, until};
use crate::raw;

pub(crate) const TESTS: &[Test] = &[
    ("garbage_is_survived", garbage_is_survived),
    ("strangers_may_send_anything", strangers_may_send_anything),
    ("clients_may_send_anything", clients_may_send_anything),
    ("a_request_is_cut_anywhere", a_request_is_cut_anywhere),
    ("a_length_alone_takes_no_memory", a_length_alone_takes_no_memory),
    ("who_does_not_read_is_not_served_on", who_does_not_read_is_not_served_on),
    ("a_slow_sender_holds_up_nobody", a_slow_sender_holds_up_nobody),
    ("many_strangers_keep_nobody_out", many_strangers_keep_nobody_out),
];

fn own_key() -> Key {
    purlin_process::current().key()
}

/// The manager serves, and has nothing that it had not.
fn is_served(list: &List<i32>, manager: &Manager) -> bool {
    list.len() == Ok(1) && manager.object_count() == Ok(1)
}

fn garbage_is_survived() {
    // shows: manager-garbage-is-survived
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    let before = raw::memory_of(manager.pid());
    let announced = (1_u32 << 31) - 1;
    let all: [&[u8]; 4] = [&[], &[255; 100], &[9, 0, 0, 0], &announced.to_le_bytes()];
    for garbage in all {
        let mut stream = raw::connect(manager.address());
        stream.write_all(garbage).unwrap();
        drop(stream);
        assert!(is_served(&list, &manager));
    }
    assert!(raw::memory_of(manager.pid()) < before + (16 << 20));
}

/// Runs a property against one server, which has to go on.
/// Returns what it had to do with.
fn check(
    strategy: impl Strategy<Value = Vec<u8>>,
    send: impl Fn(&Manager, Vec<u8>),
) -> (Manager, List<i32>) {
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    let server = manager.pid().to_string();
    let (before, descriptors) = (raw::memory_of(manager.pid()), descriptor_count(&server));
    let count = Cell::new(0);
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&strategy, |bytes| {
            send(&manager, bytes);
            count.set(count.get() + 1);
            prop_assert!(list.len().is_ok());
            Ok(())
        })
        .unwrap();
    assert!(count.get() >= 400);
    until("its connections are closed", || descriptor_count(&server) <= descriptors);
    assert!(raw::memory_of(manager.pid()) < before + (64 << 20));
    (manager, list)
}

/// Sends it all, and looks what comes, until the server closes or has nothing more to say.
fn exchange(stream: &mut UnixStream, bytes: &[u8]) {
    let sent = stream.write_all(bytes);
    // It may have closed meanwhile.
    assert!(sent.is_ok() || sent.is_err_and(|error| error.kind() != ErrorKind::WouldBlock));
    let _ = stream.shutdown(std::net::Shutdown::Write);
    assert!(raw::is_closed(stream), "the server neither ends it nor sees its end");
}

fn strangers_may_send_anything() {
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    // Half of them begin as they should.
    let strategy = (bytes, any::<bool>()).prop_map(|(bytes, begins_well)| {
        if begins_well { [&raw::MAGIC[..], &bytes].concat() } else { bytes }
    });
    let (manager, list) = check(strategy, |manager, bytes| {
        let mut stream = raw::connect(manager.address());
        exchange(&mut stream, &bytes);
    });
    assert!(is_served(&list, &manager));
}

/// Bytes that are often almost a request.
fn requests() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        // Small numbers are those of variants, lengths and objects.
        proptest::collection::vec(0..14_u8, 0..40),
        proptest::collection::vec(0..3_u8, 0..12),
    ];
    let frame = (body, any::<u32>(), 0..20_u8).prop_map(|(body, call, kind)| {
        let mut frame = raw::frame(call % 4, &body);
        match kind {
            0 => frame[0] ^= 1, // too long or too short by one
            1 => frame[3] = 255,
            2 => frame.truncate(frame.len() / 2),
            _ => {}
        }
        frame
    });
    proptest::collection::vec(frame, 0..12).prop_map(|frames| frames.concat())
}

fn clients_may_send_anything() {
    // What it has given a name stays, and it may have come by the list; nothing else is left.
    let (manager, list) = check(requests(), |manager, bytes| {
        let mut stream = raw::client(manager.address(), &own_key());
        exchange(&mut stream, &bytes);
    });
    let fresh = manager.list([1, 2, 3]).unwrap();
    assert_eq!(fresh.to_vec(), Ok(vec![1, 2, 3]));
    assert!(list.len().is_ok());
}

fn a_request_is_cut_anywhere() {
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    // To make a list of one value of three bytes.
    let make = raw::frame(1, &[0, 2, 1, 3, 7, 7, 7, 0]);
    let key = own_key();
    for cut in 0..make.len() {
        let mut stream = raw::client(manager.address(), &key);
        stream.write_all(&make[..cut]).unwrap();
        drop(stream);
        assert!(is_served(&list, &manager), "{cut}");
    }
    // Byte by byte it is one request, and two at once are two.
    let mut stream = raw::client(manager.address(), &key);
    for byte in &make {
        stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(raw::receive(&mut stream).unwrap().0, 1);
    stream.write_all(&make.repeat(2)).unwrap();
    raw::receive(&mut stream).unwrap();
    raw::receive(&mut stream).unwrap();
    assert_eq!(manager.object_count(), Ok(4));
    // What is no request is said to be none, and the end.
    stream.write_all(&raw::frame(9, &[200, 200])).unwrap();
    assert_eq!(raw::receive(&mut stream).unwrap().0, 9);
    assert!(raw::is_closed(&mut stream));
    until("what it had made is gone", || is_served(&list, &manager));
}

fn a_length_alone_takes_no_memory() {
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    let before = raw::memory_of(manager.pid());
    let key = own_key();
    let lengths = [MESSAGE_MAX_BYTES as u32, MESSAGE_MAX_BYTES as u32 - 1];
    let streams: Vec<UnixStream> = (0..50)
        .map(|number| {
            let mut stream = raw::client(manager.address(), &key);
            stream.write_all(&lengths[number % 2].to_le_bytes()).unwrap();
            stream.write_all(&[0; 100]).unwrap();
            stream
        })
        .collect();
    // Lists that claim to have as many elements as there are numbers.
    for count in [&[255, 255, 255, 255, 15][..], &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]]
    {
        let mut stream = raw::client(manager.address(), &key);
        stream.write_all(&raw::frame(1, &[&[0, 2], count].concat())).unwrap();
        raw::receive(&mut stream).unwrap();
        assert!(raw::is_closed(&mut stream));
    }
    let mut stream = raw::client(manager.address(), &key);
    stream.write_all(&(MESSAGE_MAX_BYTES as u32 + 1).to_le_bytes()).unwrap();
    stream.write_all(&[0; 4]).unwrap();
    assert!(raw::is_closed(&mut stream));
    assert!(is_served(&list, &manager));
    assert!(raw::memory_of(manager.pid()) < before + (32 << 20));
    drop(streams);
}

fn who_does_not_read_is_not_served_on() {
    let manager = Manager::start().unwrap();
    let big = manager.value(vec![7_u8; 8 << 20]).unwrap();
    manager.publish("big", &big).unwrap();
    let before = raw::memory_of(manager.pid());
    let key = own_key();
    let mut stream = raw::client(manager.address(), &key);
    // It finds the value, and then asks for it again and again without reading.
    stream.write_all(&raw::frame(1, &[&[7, 3], &b"big"[..]].concat())).unwrap();
    raw::receive(&mut stream).unwrap();
    let get = raw::frame(2, &[4, 1, 0, 0, 0, 0]); // object 1, thread 0, no limit, value, get
    stream.set_write_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
    let mut asked = 0;
    while asked < 10_000 && stream.write_all(&get.repeat(100)).is_ok() {
        asked += 100;
    }
    assert!(asked >= 100);
    assert_eq!(manager.list([1]).unwrap().len(), Ok(1));
    assert!(raw::memory_of(manager.pid()) < before + (64 << 20));
    // What it asked for is there when it reads.
    for _ in 0..3 {
        let (call, body) = raw::receive(&mut stream).unwrap();
        assert!(call == 2 && body.len() > 8 << 20, "{call} {}", body.len());
    }
}

fn a_slow_sender_holds_up_nobody() {
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    let key = own_key();
    let mut slow = raw::client(manager.address(), &key);
    let count = raw::frame(5, &[8]);
    for byte in &count {
        slow.write_all(&[*byte]).unwrap();
        assert!(is_served(&list, &manager));
    }
    // A success, the third kind of reply, and one object.
    assert_eq!(raw::receive(&mut slow).unwrap(), (5, vec![0, 2, 1]));
}

fn many_strangers_keep_nobody_out() {
    // shows: manager-idle-stranger-blocks-nobody
    let manager = Manager::start().unwrap();
    let mut strangers: Vec<UnixStream> = Vec::new();
    for _ in 0..400 {
        strangers.push(raw::connect(manager.address()));
    }
    let list = manager.list([1]).unwrap();
    assert_eq!(list.len(), Ok(1));
    // The server's own limit of descriptors is not the end of it either.
    let limited = purlin_manager::Builder::new().spawn().unwrap(); // without copies of ours
    let pid = limited.pid().to_string();
    let lowered =
        std::process::Command::new("prlimit").args(["--pid", &pid, "--nofile=40"]).status();
    if lowered.is_ok_and(|status| status.success()) {
        let more: Vec<UnixStream> = (0..100).map(|_| raw::connect(limited.address())).collect();
        assert_eq!(limited.list([1]).unwrap().len(), Ok(1));
        assert!(descriptor_count(&pid) <= 40);
        drop(more);
    }
    let mut first = strangers.swap_remove(0);
    assert_eq!(first.read(&mut [0; 40]).unwrap(), 40);
}
