//! Keys: who has it, who has not, and what neither learns.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use purlin_manager::{Address, Builder, Client, Error, Key, Manager, PROOF_LIMIT};

use crate::bounded::{Child, LIMIT, Test};
use crate::raw;

pub(crate) const TESTS: &[Test] = &[
    ("a_wrong_key_is_refused", a_wrong_key_is_refused),
    ("a_false_server_is_refused", a_false_server_is_refused),
    ("no_key_is_in_any_text", no_key_is_in_any_text),
    ("another_version_is_incompatible", another_version_is_incompatible),
    ("an_old_proof_proves_nothing", an_old_proof_proves_nothing),
    ("nothing_is_decoded_before_the_key", nothing_is_decoded_before_the_key),
    ("a_stranger_has_its_time", a_stranger_has_its_time),
];

const SECRET: &[u8] = b"a secret that is long enough to be found";

fn secret() -> Key {
    Key::new(SECRET).unwrap()
}

fn is_in(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

fn a_wrong_key_is_refused() {
    // shows: manager-wrong-key-refused
    let manager = Builder::new().key(secret()).fork().unwrap();
    let other = Key::new("another").unwrap();
    for _ in 0..3 {
        let refused = Client::connect(manager.address(), other.clone()).err();
        assert_eq!(refused, Some(Error::AuthenticationFailed));
    }
    assert_eq!(manager.list([1]).unwrap().len(), Ok(1));
    Client::connect(manager.address(), secret()).unwrap();
}

fn a_false_server_is_refused() {
    // shows: manager-client-proves-and-server-proves
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    let recording = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(&[&raw::MAGIC[..], &[7; 32]].concat()).unwrap();
        let mut proof = [0; 88];
        stream.read_exact(&mut proof).unwrap();
        // It accepts anyone, and sends the client's own proof back for its own.
        let mut welcome = [0; 57];
        welcome[0] = b'w';
        welcome[25..].copy_from_slice(&proof[56..]);
        stream.write_all(&welcome).unwrap();
        let mut more = Vec::new();
        let _ = stream.read_to_end(&mut more);
        [&proof[..], &more].concat()
    });
    assert_eq!(Client::connect(&address, secret()).err(), Some(Error::AuthenticationFailed));
    assert!(!is_in(&recording.join().unwrap()));
}

fn no_key_is_in_any_text() {
    let manager = Builder::new().key(secret()).spawn().unwrap();
    for file in ["cmdline", "environ"] {
        assert!(!is_in(&std::fs::read(format!("/proc/{}/{file}", manager.pid())).unwrap()));
    }
    let list = manager.list([1]).unwrap();
    let error = Client::connect(manager.address(), Key::new("other").unwrap()).unwrap_err();
    for text in [
        format!("{manager:?} {list:?} {error:?} {error}"),
        format!("{:?}", Builder::new().key(secret())),
    ] {
        assert!(!is_in(text.as_bytes()), "{text}");
    }
}

fn another_version_is_incompatible() {
    for greeting in [&b"PURLINM\x02"[..], b"HTTP/1.1 400 Bad Request"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let greet = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = greeting.to_vec();
            all.resize(40, b' ');
            let _ = stream.write_all(&all);
        });
        assert_eq!(Client::connect(&address, secret()).err(), Some(Error::Incompatible));
        greet.join().unwrap();
    }
    // And a client of another version is dropped.
    let manager = Manager::start().unwrap();
    let mut stream = raw::connect(manager.address());
    let server = raw::greeting(&mut stream);
    let mut proof = raw::proof(&purlin_process::current().key(), &server);
    proof[7] = 2;
    stream.write_all(&proof).unwrap();
    assert!(raw::is_closed(&mut stream));
}

fn an_old_proof_proves_nothing() {
    let manager = Manager::start().unwrap();
    let key = purlin_process::current().key();
    let mut stream = raw::connect(manager.address());
    let proof = raw::proof(&key, &raw::greeting(&mut stream));
    stream.write_all(&proof).unwrap();
    let mut welcome = [0; 57];
    stream.read_exact(&mut welcome).unwrap();
    assert_eq!(welcome[0], b'w');
    let mut again = raw::connect(manager.address());
    raw::greeting(&mut again);
    again.write_all(&proof).unwrap();
    again.read_exact(&mut welcome).unwrap();
    assert_eq!(welcome[0], b'r');
    assert!(raw::is_closed(&mut again));
}

fn nothing_is_decoded_before_the_key() {
    // shows: manager-nothing-decoded-before-key
    let manager = Manager::start().unwrap();
    let count = manager.object_count().unwrap();
    // A request that makes a lock: the fifth of what can be made, after the number of `Make`.
    let make = raw::frame(1, &[0, 5]);
    let mut stream = raw::connect(manager.address());
    stream.write_all(&make.repeat(20)).unwrap();
    assert!(raw::is_closed(&mut stream));
    let mut stream = raw::connect(manager.address());
    let server = raw::greeting(&mut stream);
    let wrong = raw::proof(&Key::new("another").unwrap(), &server);
    stream.write_all(&[wrong, make.clone()].concat()).unwrap();
    assert!(raw::is_closed(&mut stream));
    assert_eq!(manager.object_count(), Ok(count));
    // With the key it is one.
    let mut stream = raw::client(manager.address(), &purlin_process::current().key());
    stream.write_all(&make).unwrap();
    assert_eq!(raw::receive(&mut stream).unwrap().0, 1);
    assert_eq!(manager.object_count(), Ok(count + 1));
}

fn a_stranger_has_its_time() {
    // shows: manager-idle-stranger-blocks-nobody
    let manager = Manager::start().unwrap();
    let start = Instant::now();
    let mut idle = raw::connect(manager.address());
    raw::greeting(&mut idle);
    let mut slow = raw::connect(manager.address());
    let proof = raw::proof(&purlin_process::current().key(), &raw::greeting(&mut slow));
    slow.write_all(&proof[..87]).unwrap();
    Child::run(|| manager.list([1]).map(drop)).succeeds();
    assert!(raw::is_closed(&mut idle) && raw::is_closed(&mut slow));
    assert!(start.elapsed() >= PROOF_LIMIT - Duration::from_millis(1));
}
