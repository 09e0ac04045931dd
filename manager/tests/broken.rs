//! Connections that break or lead elsewhere, and references to what is something else.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use purlin_manager::{Address, Builder, Client, Error, Key, Manager, RLock};

use crate::bounded::{BRIEF, LIMIT, Test};
use crate::servers::Folder;

pub(crate) const TESTS: &[Test] = &[
    ("what_did_not_go_is_never_done", what_did_not_go_is_never_done),
    ("a_broken_connection_is_replaced", a_broken_connection_is_replaced),
    ("a_successor_at_the_address_is_another", a_successor_at_the_address_is_another),
    ("a_reference_has_its_kind", a_reference_has_its_kind),
];

/// Far more than a socket takes before somebody reads.
const LARGE_BYTES: usize = 8 << 20;

fn what_did_not_go_is_never_done() {
    let manager = Manager::start().unwrap();
    let list = manager.list(Vec::<String>::new()).unwrap();
    manager.process().signal(19).unwrap();
    let brief = list.within(BRIEF);
    // The first has no room for all of it, and so the second for none.
    assert_eq!(brief.push(&"x".repeat(LARGE_BYTES)), Err(Error::TimedOut));
    assert_eq!(brief.push(&"never".to_owned()), Err(Error::TimedOut));
    manager.process().signal(18).unwrap();
    let items = list.within(LIMIT).to_vec().unwrap();
    assert!(items.iter().all(|item| item != "never"), "{} items", items.len());
}

/// A way to a server that can be cut.
struct Relay {
    address: Address,
    cut: std::sync::mpsc::Receiver<TcpStream>,
}

impl Relay {
    /// Passes so many connections on.
    fn to(server: &Address, count: usize) -> Self {
        let Address::Tcp(server) = *server else { panic!("a port") };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let (open, cut) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for near in listener.incoming().take(count).flatten() {
                let far = TcpStream::connect(server).unwrap();
                let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                open.send(near.try_clone().unwrap()).unwrap();
                std::thread::spawn(move || pass(near, far));
                std::thread::spawn(move || pass(far_too, near_too));
            }
        });
        Self { address, cut }
    }

    /// Cuts the connection that was made first of those that are left.
    fn cut(&self) {
        self.cut.recv_timeout(LIMIT).unwrap().shutdown(Shutdown::Both).unwrap();
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 4096];
    // Ends with either side.
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn a_broken_connection_is_replaced() {
    let key = Key::new("a secret of theirs").unwrap();
    let address = "tcp:127.0.0.1:0".parse().unwrap();
    let manager = Builder::new().address(address).key(key.clone()).fork().unwrap();
    // Its own way to the server is another: this process would have one session with it.
    let server = manager.address().clone();
    let child = crate::bounded::Child::run(move || {
        let relay = Relay::to(&server, 2);
        let client = Client::connect(&relay.address, key).unwrap();
        assert_eq!(client.object_count(), Ok(0));
        relay.cut();
        assert_eq!(client.object_count(), Err(Error::ServerGone), "it is told once");
        assert_eq!(client.object_count(), Ok(0));
    });
    child.succeeds();
}

fn a_successor_at_the_address_is_another() {
    let (folder, key) = (Folder::new(), Key::new("a secret of theirs").unwrap());
    let address = Address::Path(folder.0.join("socket"));
    let start = || Builder::new().address(address.clone()).key(key.clone()).fork().unwrap();
    let first = start();
    let list = first.list([1]).unwrap();
    first.shutdown(LIMIT).unwrap();
    let second = start();
    assert_eq!(second.list([2]).unwrap().len(), Ok(1));
    assert_eq!(list.len(), Err(Error::ServerGone), "the connection has ended");
    assert_eq!(list.len(), Err(Error::ServerGone), "a new one is to another server");
    assert_eq!(first.object_count(), Err(Error::ServerGone));
}

fn a_reference_has_its_kind() {
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let mut form = postcard::to_stdvec(&lock).unwrap();
    let rlock = postcard::to_stdvec(&manager.rlock().unwrap()).unwrap();
    // The server has 16 bytes, the object one; then comes the kind. The calls of both are the same.
    form[17] = rlock[17];
    let false_rlock: RLock = postcard::from_bytes(&form).unwrap();
    assert_eq!(false_rlock.try_acquire().err(), Some(Error::Incompatible));
    assert!(lock.try_acquire().is_ok());
}
