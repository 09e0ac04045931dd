//! What lasts as long as it should, and no longer: references, sessions, and what others may hold
//! up.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use purlin_channel::Pipe;
use purlin_manager::{
    Acquired, Address, Builder, Client, Error, Key, List, Lock, Manager, Server, Value,
};
use purlin_process::{ExitStatus, Process};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

use crate::bounded::{BRIEF, Child, LIMIT, Test, descriptor_count, sleep_on, until};
use crate::raw;
use crate::servers::{Folder, OTHER};

pub(crate) const TESTS: &[Test] = &[
    ("a_reference_goes_while_all_connections_wait", a_reference_goes_while_all_connections_wait),
    ("too_large_an_answer_leaves_no_reference", too_large_an_answer_leaves_no_reference),
    ("what_is_repeated_is_no_answer", what_is_repeated_is_no_answer),
    ("a_reader_in_flight_finds_its_object", a_reader_in_flight_finds_its_object),
    ("a_childs_lock_stays_while_it_has_a_client", a_childs_lock_stays_while_it_has_a_client),
    ("a_number_that_is_none_yet_is_no_reference", a_number_that_is_none_yet_is_no_reference),
    ("a_claim_has_its_own_limit", a_claim_has_its_own_limit),
    ("a_dead_holder_rouses_one_who_sleeps", a_dead_holder_rouses_one_who_sleeps),
    ("a_server_in_a_thread_is_not_its_client", a_server_in_a_thread_is_not_its_client),
    ("a_folder_that_is_held_holds_nobody_up", a_folder_that_is_held_holds_nobody_up),
    ("who_connects_holds_up_no_fork", who_connects_holds_up_no_fork),
    ("the_oldest_stranger_makes_room", the_oldest_stranger_makes_room),
    ("what_a_dead_giver_held_is_no_object", what_a_dead_giver_held_is_no_object),
    ("a_name_that_is_too_long_is_no_address", a_name_that_is_too_long_is_no_address),
    ("who_may_not_is_told", who_may_not_is_told),
    ("between_machines_the_same_holds", between_machines_the_same_holds),
];

fn a_reference_goes_while_all_connections_wait() {
    let manager = Manager::start().unwrap();
    let (list, queue) = (manager.list([1]).unwrap(), manager.queue::<u8>().unwrap());
    assert_eq!(manager.object_count(), Ok(2));
    let server = manager.pid().to_string();
    let before = descriptor_count(&server);
    thread::scope(|scope| {
        // With one connection more, each of them has one.
        let getters = [(); 2].map(|()| scope.spawn(|| queue.get(LIMIT)));
        until("both wait", || descriptor_count(&server) > before);
        drop(list);
        until("its reference is gone", || manager.object_count() == Ok(1));
        (0..getters.len()).for_each(|_| queue.put(&7, LIMIT).unwrap());
        getters.into_iter().for_each(|getter| assert_eq!(getter.join().unwrap(), Ok(7)));
    });
}

fn too_large_an_answer_leaves_no_reference() {
    let manager = Builder::new().message_max_bytes(1024).fork().unwrap();
    let list = manager.list(Vec::<Value<i32>>::new()).unwrap();
    for number in 0..30 {
        list.push(&manager.value(number).unwrap()).unwrap();
    }
    assert_eq!(manager.object_count(), Ok(31));
    assert!(matches!(list.to_vec(), Err(Error::MessageTooLarge { .. })));
    list.clear().unwrap();
    assert_eq!(manager.object_count(), Ok(1));
}

fn what_is_repeated_is_no_answer() {
    let manager = Manager::start().unwrap();
    let list = manager.list(["x".repeat(1 << 20)]).unwrap();
    list.repeat(1 << 16).unwrap();
    let before = raw::memory_of(manager.pid());
    match list.to_vec() {
        Err(Error::MessageTooLarge { len }) => assert!(len > 64 << 30, "{len}"),
        other => panic!("{} elements", other.map_or(0, |all| all.len())),
    }
    assert!(raw::memory_of(manager.pid()) < before + (64 << 20));
    // Of what refers to others, each reference counts.
    let kept = manager.list([manager.value(1).unwrap()]).unwrap();
    assert_eq!(kept.repeat((1 << 23) + 1), Err(Error::OutOfRange));
    assert_eq!(kept.len(), Ok(1));
}

fn a_reader_in_flight_finds_its_object() {
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    let message = postcard::to_stdvec(&list).unwrap();
    let (near, far) = Pipe::duplex().unwrap();
    far.hand_over().unwrap();
    let theirs = message.clone();
    let child = Child::run(move || {
        let list: List<i32> = postcard::from_bytes(&theirs).unwrap();
        assert_eq!(list.len(), Ok(1));
        far.send(b"it is claimed", LIMIT).unwrap();
        far.recv(LIMIT).unwrap();
    });
    near.recv(LIMIT).unwrap();
    drop(list); // it may have been given away
    near.send(b"now you", LIMIT).unwrap();
    child.succeeds();
    let list: List<i32> = postcard::from_bytes(&message).unwrap();
    assert_eq!(list.to_vec(), Ok(vec![1]));
}

fn a_childs_lock_stays_while_it_has_a_client() {
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    manager.publish("lock", &lock).unwrap();
    let (near, far) = Pipe::duplex().unwrap();
    far.hand_over().unwrap();
    let client = Client::clone(&manager);
    let child = Child::run(move || {
        let lock: Lock = client.find("lock").unwrap();
        lock.acquire(LIMIT).unwrap().keep();
        drop(lock);
        far.send(b"it is held", LIMIT).unwrap();
        far.recv(LIMIT).unwrap();
        drop(client);
    });
    near.recv(LIMIT).unwrap();
    assert_eq!(lock.try_acquire().err(), Some(Error::TimedOut));
    near.send(b"go", LIMIT).unwrap();
    child.succeeds();
    assert!(matches!(lock.acquire(LIMIT), Ok(Acquired::OwnerDied(_))));
}

fn a_number_that_is_none_yet_is_no_reference() {
    let manager = Manager::start().unwrap();
    let mut harmful = raw::client(manager.address(), &purlin_process::current().key());
    // Make a value of one byte, that refers to the third object. There is none yet.
    harmful.write_all(&raw::frame(1, &[0, 0, 1, 7, 1, 3])).unwrap();
    assert_eq!(raw::receive(&mut harmful).unwrap().1[..2], [0, 7], "it was made");
    let (list, lock) = (manager.list([1]).unwrap(), manager.lock().unwrap());
    assert_eq!(manager.object_count(), Ok(3));
    drop(harmful);
    until("its value is gone", || manager.object_count().unwrap() < 3);
    assert_eq!((list.len(), lock.is_held()), (Ok(1), Ok(false)));
}

fn a_claim_has_its_own_limit() {
    let manager = Manager::start().unwrap();
    let server = Pid::from_raw(manager.pid()).unwrap();
    let lists = [1, 2].map(|number| manager.list([number]).unwrap());
    let [one, other] = lists.each_ref().map(|list| {
        // As who has heard of it, and not claimed it.
        postcard::from_bytes::<List<i32>>(&postcard::to_stdvec(list).unwrap()).unwrap()
    });
    kill_process(server, Signal::STOP).unwrap();
    thread::scope(|scope| {
        let waits = scope.spawn(move || one.len());
        for _ in 0..20 {
            assert_eq!(other.within(BRIEF).len(), Err(Error::TimedOut));
        }
        kill_process(server, Signal::CONT).unwrap();
        assert_eq!(waits.join().unwrap(), Ok(1));
    });
    assert_eq!(other.len(), Ok(1));
}

fn a_dead_holder_rouses_one_who_sleeps() {
    let manager = Manager::start().unwrap();
    let (condition, at) = (manager.condition().unwrap(), manager.value(0).unwrap());
    let (told, go) = (manager.list(Vec::<u8>::new()).unwrap(), manager.event().unwrap());
    let waiters = [1, 2].map(|number| {
        let waiter = Child::run(|| -> Result<(), Error> {
            let held = condition.acquire(LIMIT)?.sound()?;
            at.set(&number)?;
            match condition.wait(&held, LIMIT) {
                Err(Error::OwnerDied) => {
                    told.push(&number)?;
                    go.wait(LIMIT)?;
                    // The other sleeps, or has been told by this one.
                    assert_eq!(condition.notify_one(), Ok(u64::from(told.len()? == 1)));
                    Ok(())
                }
                other => panic!("{other:?}"),
            }
        });
        until("it has begun", || at.get() == Ok(number));
        waiter
    });
    let holder = Child::run(|| {
        condition.acquire(LIMIT).unwrap().keep();
        at.set(&3).unwrap();
        sleep_on();
    });
    until("it holds the lock", || at.get() == Ok(3));
    holder.kill();
    // One of them, which has the lock; the other by its notification, and hears of it, too.
    until("one is told", || told.len() != Ok(0));
    assert_eq!(told.len(), Ok(1));
    go.set().unwrap();
    waiters.into_iter().for_each(Child::succeeds);
    assert_eq!(told.len(), Ok(2));
}

fn a_server_in_a_thread_is_not_its_client() {
    let folder = Folder::new();
    let (key, address) = (Key::random(), Address::Path(folder.0.join("socket")));
    let mut server = Server::bind(&address, key.clone()).unwrap();
    let kind = server.types().register("keeper", |(): ()| ());
    kind.fallible("use", |(), list: List<i32>| list.len());
    let stopper = server.stopper();
    let running = thread::spawn(move || server.run());
    let client = Client::connect(&address, key).unwrap();
    let (keeper, list) = (client.object("keeper", &()).unwrap(), client.list([1]).unwrap());
    let failed = keeper.call::<_, usize>("use", &list);
    assert_eq!(failed, Err(Error::TaskFailed { message: "would-deadlock".to_owned() }));
    assert_eq!(list.len(), Ok(1));
    stopper.stop();
    running.join().unwrap().unwrap();
}

fn a_folder_that_is_held_holds_nobody_up() {
    let folder = Folder::new();
    let held = File::open(&folder.0).unwrap();
    held.lock().unwrap();
    let address = Address::Path(folder.0.join("socket"));
    let server = Server::bind(&address, Key::random()).unwrap();
    assert_eq!(server.address(), &address);
}

fn who_connects_holds_up_no_fork() {
    let folder = Folder::new();
    let path = folder.0.join("socket");
    let full = UnixListener::bind(&path).unwrap();
    rustix::net::listen(&full, 0).unwrap();
    let _first = UnixStream::connect(&path).unwrap();
    let before = descriptor_count("self");
    let waits = thread::spawn(move || Client::connect(&Address::Path(path), Key::random()));
    until("it connects", || descriptor_count("self") > before);
    let child = Process::fork("child", || ()).unwrap();
    assert_eq!(child.join(LIMIT), Ok(ExitStatus::Code(0)));
    assert!(!waits.is_finished(), "for ten seconds there is no room");
    drop(full);
    assert_eq!(waits.join().unwrap().err(), Some(Error::ConnectionRefused));
}

fn the_oldest_stranger_makes_room() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = 3000;
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        return println!("NOT MADE: so many descriptors are not allowed");
    }
    // In a child, whose limit is nobody else's.
    let child = Child::run(move || {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).unwrap();
        let manager = Manager::start().unwrap();
        let list = manager.list([1]).unwrap();
        let connect = |_| raw::connect(manager.address());
        let mut strangers: Vec<_> = (0..1100).map(connect).collect();
        for stranger in strangers.iter_mut().rev() {
            raw::greeting(stranger);
        }
        assert_eq!(list.len(), Ok(1));
        // The last was greeted, for which the first had to go.
        assert!(!is_open(&mut strangers[0]), "it was there for longest");
        assert!(is_open(&mut strangers[500]) && is_open(&mut strangers[1099]));
    });
    child.succeeds();
}

fn what_a_dead_giver_held_is_no_object() {
    let manager = Manager::start().unwrap();
    let (near, far) = Pipe::duplex().unwrap();
    far.hand_over().unwrap();
    let giver = Child::run(|| {
        let list = manager.list([1]).unwrap();
        far.send(&postcard::to_stdvec(&list).unwrap(), LIMIT).unwrap();
        sleep_on();
    });
    let list: List<i32> = postcard::from_bytes(&near.recv(LIMIT).unwrap()).unwrap();
    giver.kill();
    assert_eq!(list.len(), Err(Error::NoSuchName));
    assert_eq!(manager.object_count(), Ok(0));
}

fn a_name_that_is_too_long_is_no_address() {
    for address in [Address::Path("x".repeat(200).into()), Address::Abstract("x".repeat(200))] {
        let connected = Client::connect(&address, Key::random());
        assert_eq!(connected.err(), Some(Error::InvalidArgument), "{address}");
    }
}

fn who_may_not_is_told() {
    let folder = Folder::new();
    let address = Address::Path(folder.0.join("socket"));
    let server = Server::bind(&address, Key::random()).unwrap();
    let allow = |mode| std::fs::set_permissions(&folder.0, Permissions::from_mode(mode)).unwrap();
    allow(0);
    let refused = Some(Error::PermissionDenied);
    if rustix::process::geteuid().is_root() {
        // Who may all asks as somebody else.
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(OTHER, address.to_string()).uid(NOBODY);
        match purlin_process::command::run(command, "", LIMIT) {
            Ok(output) => {
                let told = String::from_utf8(output.stderr.unwrap()).unwrap();
                assert!(told.contains("PermissionDenied"), "{told}");
            }
            Err(failure) => println!("NOT MADE: nobody may run this program: {failure}"),
        }
    } else {
        assert_eq!(Client::connect(&address, Key::random()).err(), refused);
        assert_eq!(Server::bind(&address, Key::random()).err(), refused);
    }
    allow(0o700);
    drop(server);
}

/// The user that owns nothing.
const NOBODY: u32 = 65534;

/// By TCP: a holder's death is told, and a server's ends those who wait.
fn between_machines_the_same_holds() {
    let manager = Builder::new().address("tcp:127.0.0.1:0".parse().unwrap()).fork().unwrap();
    let (lock, queue) = (manager.lock().unwrap(), manager.queue::<u8>().unwrap());
    let at = manager.value(0).unwrap();
    let holder = Child::run(|| {
        lock.acquire(LIMIT).unwrap().keep();
        at.set(&1).unwrap();
        sleep_on();
    });
    until("it is held", || at.get() == Ok(1));
    assert_eq!(lock.try_acquire().err(), Some(Error::TimedOut));
    holder.kill();
    match lock.acquire(LIMIT) {
        Ok(Acquired::OwnerDied(suspect)) => drop(suspect),
        other => panic!("{other:?}"),
    }
    let waiter = Child::run(|| {
        at.set(&2).unwrap();
        assert_eq!(queue.get(None), Err(Error::ServerGone));
    });
    until("it has begun", || at.get() == Ok(2));
    waiter.waits();
    kill_process(Pid::from_raw(manager.pid()).unwrap(), Signal::KILL).unwrap();
    waiter.succeeds();
    assert_eq!(queue.try_get(), Err(Error::ServerGone));
}

/// Whether nothing, not even an end, has come.
fn is_open(stream: &mut UnixStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.read(&mut [0]);
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}
