//! Servers: their starts, their addresses, their ends.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use purlin_channel::Pipe;
use purlin_manager::{Address, Builder, Client, Error, Key, Manager, Queue, Server};
use purlin_process::{ExitStatus, active_children};

use crate::bounded::{BRIEF, Child, LIMIT, Test, sleep_on, until};

pub(crate) const TESTS: &[Test] = &[
    ("a_server_is_a_child_that_ends_with_its_manager", a_server_is_a_child),
    ("a_spawned_server_is_the_same", a_spawned_server_is_the_same),
    ("shutting_down_again_is_harmless", shutting_down_again_is_harmless),
    ("after_the_end_all_is_server_gone", after_the_end_all_is_server_gone),
    ("a_shutdown_ends_calls_that_wait", a_shutdown_ends_calls_that_wait),
    ("a_stopped_server_is_killed", a_stopped_server_is_killed),
    ("a_server_ends_with_its_owner", a_server_ends_with_its_owner),
    ("a_server_ends_with_its_owner_that_is_killed", a_server_ends_with_its_killed_owner),
    ("an_interrupt_does_not_end_it", an_interrupt_does_not_end_it),
    ("two_servers_are_two", two_servers_are_two),
    ("addresses_of_all_kinds", addresses_of_all_kinds),
    ("the_socket_is_private", the_socket_is_private),
    ("an_address_in_use_is_told_to_the_starter", an_address_in_use),
    ("an_address_is_free_again_at_once", an_address_is_free_again_at_once),
    ("a_stale_socket_is_taken_over", a_stale_socket_is_taken_over),
    ("addresses_that_cannot_be", addresses_that_cannot_be),
    ("nobody_listens", nobody_listens),
    ("another_program_connects", another_program_connects),
    ("a_server_in_a_thread_stops", a_server_in_a_thread_stops),
    ("a_killed_servers_calls_fail_at_once", a_killed_servers_calls_fail),
    ("a_killed_server_ends_calls_that_wait", a_killed_server_ends_waits),
    ("a_relative_path_is_found_from_elsewhere", a_relative_path_is_found_from_elsewhere),
    ("a_stopped_server_answers_when_it_goes_on", a_stopped_server_answers),
    ("a_call_has_a_deadline", a_call_has_a_deadline),
    ("what_comes_after_a_limit_is_undone", what_comes_after_a_limit_is_undone),
];

fn file_of(address: &Address) -> Option<PathBuf> {
    match address {
        Address::Path(path) => Some(path.clone()),
        _ => None,
    }
}

fn is_running(pid: i32) -> bool {
    std::fs::exists(format!("/proc/{pid}")).unwrap_or(true)
}

fn a_server_is_a_child() {
    // shows: manager-runs-in-own-process, manager-shutdown-stops-server
    // shows: manager-starts-by-scope
    let manager = Manager::start().unwrap();
    let (pid, address) = (manager.pid(), manager.address().clone());
    assert_ne!(pid, purlin_process::current().pid());
    assert_eq!(active_children(), [manager.process().clone()]);
    assert!(file_of(&address).unwrap().exists());
    assert_eq!(manager.list([1]).unwrap().len(), Ok(1));
    drop(manager);
    assert_eq!(active_children(), []);
    assert!(!is_running(pid));
    let file = file_of(&address).unwrap();
    assert!(!file.exists() && !file.parent().unwrap().exists(), "{file:?}");
}

fn a_spawned_server_is_the_same() {
    let manager = Builder::new().spawn().unwrap();
    let list = manager.list([1]).unwrap();
    list.push(&2).unwrap();
    assert_eq!(list.to_vec(), Ok(vec![1, 2]));
    assert_eq!(manager.shutdown(LIMIT), Ok(ExitStatus::Code(0)));
    assert!(!file_of(manager.address()).unwrap().exists());
}

fn shutting_down_again_is_harmless() {
    // shows: manager-shutdown-twice
    let manager = Manager::start().unwrap();
    for _ in 0..2 {
        assert_eq!(manager.shutdown(LIMIT), Ok(ExitStatus::Code(0)));
    }
}

fn after_the_end_all_is_server_gone() {
    // shows: manager-after-shutdown-refused
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    manager.shutdown(LIMIT).unwrap();
    assert_eq!(list.len(), Err(Error::ServerGone));
    assert_eq!(manager.list([1]).err(), Some(Error::ServerGone));
    assert_eq!(list.len(), Err(Error::ServerGone));
}

fn a_shutdown_ends_calls_that_wait() {
    // shows: manager-shutdown-wakes-waiters
    let manager = Manager::start().unwrap();
    let queue = manager.queue::<i32>().unwrap();
    let waiter = Child::run(|| match queue.get(None) {
        Err(Error::ServerGone) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    waiter.waits();
    assert_eq!(manager.shutdown(LIMIT), Ok(ExitStatus::Code(0)));
    waiter.succeeds();
}

fn a_stopped_server_is_killed() {
    // shows: manager-shutdown-stuck-server-is-forced
    let manager = Manager::start().unwrap();
    manager.process().signal(19).unwrap();
    assert_eq!(manager.shutdown(BRIEF), Ok(ExitStatus::Signal(9)));
    assert!(!file_of(manager.address()).unwrap().exists());
}

fn a_server_ends_with_its_owner() {
    // shows: manager-ends-with-its-owner
    let (reader, writer) = Pipe::simplex().unwrap();
    writer.hand_over().unwrap();
    let owner = Child::run(move || -> Result<(), Error> {
        let manager = Manager::start()?;
        let said = format!("{} {}", manager.pid(), manager.address());
        writer.send(said.as_bytes(), None).map_err(|_| Error::Damaged)?;
        std::mem::forget(manager); // no shutdown
        Ok(())
    });
    let said = String::from_utf8(reader.recv(LIMIT).unwrap()).unwrap();
    let (pid, address) = said.split_once(' ').unwrap();
    owner.succeeds();
    until("the server is gone", || !is_running(pid.parse().unwrap()));
    let file = file_of(&address.parse().unwrap()).unwrap();
    until("its socket is gone", || !file.exists());
}

fn a_server_ends_with_its_killed_owner() {
    // shows: manager-ends-when-owner-killed
    let (reader, writer) = Pipe::simplex().unwrap();
    writer.hand_over().unwrap();
    let owner = Child::run(move || {
        let manager = Manager::start().unwrap();
        let said = format!("{} {}", manager.pid(), manager.address());
        writer.send(said.as_bytes(), None).unwrap();
        sleep_on();
    });
    let said = String::from_utf8(reader.recv(LIMIT).unwrap()).unwrap();
    let (pid, address) = said.split_once(' ').unwrap();
    owner.kill();
    until("the server is gone", || !is_running(pid.parse().unwrap()));
    // What it has left is taken away by the next one.
    let _next = Manager::start().unwrap();
    assert!(!file_of(&address.parse().unwrap()).unwrap().exists());
}

fn an_interrupt_does_not_end_it() {
    // shows: manager-ignores-keyboard-interrupt
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    manager.process().signal(2).unwrap();
    assert_eq!(list.len(), Ok(1));
    manager.process().signal(15).unwrap();
    assert_eq!(manager.process().join(LIMIT), Ok(ExitStatus::Code(0)));
    assert_eq!(list.len(), Err(Error::ServerGone));
}

fn two_servers_are_two() {
    // shows: manager-two-servers-independent
    let (one, other) = (Manager::start().unwrap(), Manager::start().unwrap());
    let (first, second) = (one.list([1]).unwrap(), other.list([2]).unwrap());
    one.shutdown(LIMIT).unwrap();
    assert_eq!(second.get(0), Ok(2));
    assert_eq!(first.get(0), Err(Error::ServerGone));
}

fn addresses_of_all_kinds() {
    // shows: manager-address-is-reported, manager-default-key-inherited
    let folder = Folder::new();
    let path = folder.0.join("socket").to_string_lossy().into_owned();
    let name = format!("unix:@purlin-test-{}", purlin_process::current().pid());
    let all = [format!("unix:{path}"), name, "tcp:127.0.0.1:0".into(), "tcp:[::1]:0".into()];
    for text in all {
        let address: Address = text.parse().unwrap();
        let manager = match Builder::new().address(address.clone()).fork() {
            // A machine without the newer protocol.
            Err(_) if text.contains("::1") && TcpListener::bind("[::1]:0").is_err() => continue,
            made => made.unwrap(),
        };
        match manager.address() {
            Address::Tcp(given) => assert_ne!(given.port(), 0),
            other => assert_eq!(*other, address),
        }
        let list = manager.list([1]).unwrap();
        manager.publish("list", &list).unwrap();
        let address = manager.address().clone();
        Child::run(move || {
            let client = Client::connect(&address, purlin_process::current().key())?;
            client.find::<purlin_manager::List<i32>>("list")?.push(&2)
        })
        .succeeds();
        assert_eq!(list.to_vec(), Ok(vec![1, 2]), "{text}");
    }
    assert!(!folder.0.join("socket").exists());
}

fn the_socket_is_private() {
    // shows: manager-socket-private
    let manager = Manager::start().unwrap();
    let folder = file_of(manager.address()).unwrap().parent().unwrap().to_owned();
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o077, 0);
}

fn an_address_in_use() {
    // shows: manager-address-in-use
    let folder = Folder::new();
    let file = folder.0.join("a file");
    std::fs::write(&file, "theirs").unwrap();
    let taken = |address: &Address| Builder::new().address(address.clone()).fork().err();
    assert_eq!(taken(&Address::Path(file.clone())), Some(Error::AlreadyExists));
    assert_eq!(std::fs::read(&file).unwrap(), b"theirs");
    for address in ["tcp:127.0.0.1:0".to_owned(), format!("unix:{}/x", folder.0.display())] {
        let first = Builder::new().address(address.parse().unwrap()).fork().unwrap();
        assert_eq!(taken(first.address()), Some(Error::AlreadyExists), "{address}");
        assert_eq!(first.list([1]).unwrap().len(), Ok(1));
        assert_eq!(active_children().len(), 1);
    }
}

fn an_address_is_free_again_at_once() {
    // shows: manager-rapid-restart
    let mut address: Address = "tcp:127.0.0.1:0".parse().unwrap();
    let mut before = None;
    for _ in 0..5 {
        let manager = Builder::new().address(address.clone()).fork().unwrap();
        address = manager.address().clone();
        let list = manager.list([1]).unwrap();
        assert_eq!(list.len(), Ok(1));
        // Who has a proxy of the one that was there does not take this one for it.
        if let Some(before) = before.replace(list) {
            assert_eq!(before.len(), Err(Error::ServerGone));
        }
    }
}

fn a_stale_socket_is_taken_over() {
    // shows: manager-stale-socket-path-taken-over
    let folder = Folder::new();
    let address = Address::Path(folder.0.join("socket"));
    let start = || Builder::new().address(address.clone()).fork();
    let killed = start().unwrap();
    killed.process().kill().unwrap();
    killed.process().join(LIMIT).unwrap();
    assert!(folder.0.join("socket").exists());
    let manager = start().unwrap();
    assert_eq!(manager.list([1]).unwrap().len(), Ok(1));
    // The other manager's end does not take away what is no longer its own.
    drop(killed);
    assert_eq!(start().err(), Some(Error::AlreadyExists));
    Client::connect(&address, purlin_process::current().key()).unwrap();
}

fn a_relative_path_is_found_from_elsewhere() {
    let folder = Folder::new();
    Child::run(|| {
        std::env::set_current_dir(&folder.0).unwrap();
        let address: Address = "unix:socket".parse().unwrap();
        let manager = Builder::new().address(address).fork().unwrap();
        std::env::set_current_dir("/").unwrap();
        let key = purlin_process::current().key();
        Client::connect(manager.address(), key).unwrap().list([1]).unwrap();
        manager.shutdown(LIMIT).unwrap();
        assert!(!folder.0.join("socket").exists());
    })
    .succeeds();
}

fn addresses_that_cannot_be() {
    let fails = |text: String| Builder::new().address(text.parse().unwrap()).fork().err();
    assert_eq!(fails(format!("unix:/tmp/{}", "x".repeat(120))), Some(Error::InvalidArgument));
    assert_eq!(fails(format!("unix:@{}", "x".repeat(120))), Some(Error::InvalidArgument));
    assert_eq!(fails("unix:/no/such/folder/x".into()), Some(Error::NoSuchName));
    for text in ["", "unix:", "unix:@", "tcp:", "tcp:here", "/tmp/x"] {
        assert_eq!(text.parse::<Address>(), Err(Error::InvalidArgument), "{text}");
    }
}

fn nobody_listens() {
    // shows: manager-nobody-listens
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(bound.local_addr().unwrap());
    drop(bound);
    let connect = |address: &Address| Client::connect(address, Key::random()).err();
    assert_eq!(connect(&address), Some(Error::ConnectionRefused));
    let folder = Folder::new();
    assert_eq!(connect(&Address::Path(folder.0.join("none"))), Some(Error::NoSuchName));
    let name = format!("purlin-none-{}", purlin_process::current().pid());
    assert_eq!(connect(&Address::Abstract(name)), Some(Error::ConnectionRefused));
}

pub(crate) const OTHER: &str = "PURLIN_TEST_OTHER_PROGRAM";
const SECRET: &str = "a key between programs";

/// What another program does that knows an address and a key.
pub(crate) fn be_other_program() -> bool {
    let Ok(address) = std::env::var(OTHER) else { return false };
    let key = Key::new(SECRET).unwrap();
    let client = Client::connect(&address.parse().unwrap(), key).unwrap();
    let queue: Queue<String> = client.find("queue").unwrap();
    queue.put(&"hello".to_owned(), LIMIT).unwrap();
    true
}

fn another_program_connects() {
    // shows: manager-remote-by-address-and-key
    let address = "tcp:127.0.0.1:0".parse().unwrap();
    let manager = Builder::new().address(address).key(Key::new(SECRET).unwrap()).fork().unwrap();
    let queue = manager.queue::<String>().unwrap();
    manager.publish("queue", &queue).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(OTHER, manager.address().to_string());
    let output = purlin_process::command::run(command, "", LIMIT).unwrap();
    assert!(output.status.is_success());
    assert_eq!(queue.try_get(), Ok("hello".to_owned()));
}

fn a_server_in_a_thread_stops() {
    let server = Server::bind(&"tcp:127.0.0.1:0".parse().unwrap(), Key::random()).unwrap();
    let (address, stopper) = (server.address().clone(), server.stopper());
    drop(server); // closed, and was never run
    assert!(Client::connect(&address, Key::random()).is_err());
    stopper.stop();
    let folder = Folder::new();
    let (key, address) = (Key::random(), Address::Path(folder.0.join("socket")));
    let server = Manager::serve(&address, key.clone()).unwrap();
    let stopper = server.stopper();
    let running = std::thread::spawn(move || server.run());
    let client = Manager::connect(&address, key).unwrap();
    let list = client.list([1]).unwrap();
    // A forked child has no copy of the server's connections, nor of its end.
    let bystander = Child::run(sleep_on);
    let queue = client.queue::<i32>().unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| queue.get(None));
        until("it waits at the server", || client.object_count() == Ok(2));
        stopper.stop();
        assert_eq!(waits.join().unwrap(), Err(Error::ServerGone));
    });
    assert_eq!(running.join().unwrap(), Ok(()));
    assert_eq!(list.len(), Err(Error::ServerGone));
    assert!(!folder.0.join("socket").exists());
    bystander.kill();
}

fn a_killed_servers_calls_fail() {
    // shows: manager-server-killed-call-fails, manager-server-killed-shutdown-works
    let manager = Manager::start().unwrap();
    let dict = manager.dict([("a".to_owned(), 1)]).unwrap();
    manager.process().kill().unwrap();
    manager.process().join(LIMIT).unwrap();
    for _ in 0..3 {
        assert_eq!(dict.get(&"a".to_owned()), Err(Error::ServerGone));
    }
    assert_eq!(manager.list([1]).err(), Some(Error::ServerGone));
    assert_eq!(manager.shutdown(LIMIT), Ok(ExitStatus::Signal(9)));
    assert_eq!(active_children(), []);
    assert!(!file_of(manager.address()).unwrap().exists());
}

fn a_killed_server_ends_waits() {
    // shows: manager-server-killed-while-waiting
    let manager = Manager::start().unwrap();
    let queue = manager.queue::<i32>().unwrap();
    let waiters: Vec<Child> = [None, Some(LIMIT)]
        .into_iter()
        .map(|limit| {
            Child::run(|| match queue.get(limit) {
                Err(Error::ServerGone) => Ok(()),
                other => Err(format!("{other:?}")),
            })
        })
        .collect();
    waiters.iter().for_each(Child::waits);
    manager.process().kill().unwrap();
    waiters.into_iter().for_each(Child::succeeds);
}

fn a_stopped_server_answers() {
    // shows: manager-server-stopped-call-waits
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    manager.process().signal(19).unwrap();
    let asks = Child::run(|| match list.len() {
        Ok(1) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    asks.waits();
    assert_eq!(asks.0.is_alive(), Ok(true));
    manager.process().signal(18).unwrap();
    asks.succeeds();
}

fn a_call_has_a_deadline() {
    // shows: manager-call-deadline
    let manager = Manager::start().unwrap();
    let list = manager.list([1]).unwrap();
    manager.process().signal(19).unwrap();
    for _ in 0..3 {
        let start = std::time::Instant::now();
        assert_eq!(list.within(BRIEF).len(), Err(Error::TimedOut));
        assert!(start.elapsed() >= BRIEF);
    }
    let patient = list.within(LIMIT);
    assert_eq!(patient.within(BRIEF).push(&7), Err(Error::TimedOut));
    manager.process().signal(18).unwrap();
    // None of the late answers is taken for this one's.
    let first = patient.get(0);
    assert_eq!(first, Ok(1));
    let len = patient.len().unwrap();
    assert!((1..=2).contains(&len), "whether it was pushed is not known: {len}");
}

fn what_comes_after_a_limit_is_undone() {
    let manager = Manager::start().unwrap();
    let (lock, semaphore) = (manager.lock().unwrap(), manager.semaphore(1).unwrap());
    let (queue, rlock) = (manager.queue().unwrap(), manager.rlock().unwrap());
    [1, 2].iter().for_each(|message| queue.put(message, None).unwrap());
    let count = manager.object_count().unwrap();
    manager.process().signal(19).unwrap();
    assert_eq!(lock.acquire(BRIEF).err(), Some(Error::TimedOut));
    assert_eq!(rlock.within(BRIEF).try_acquire().err(), Some(Error::TimedOut));
    assert_eq!(semaphore.acquire(BRIEF).err(), Some(Error::TimedOut));
    assert_eq!(queue.get(BRIEF), Err(Error::TimedOut));
    assert_eq!(manager.within(BRIEF).event().err(), Some(Error::TimedOut));
    manager.process().signal(18).unwrap();
    assert!(lock.try_acquire().is_ok() && rlock.try_acquire().is_ok());
    assert!(semaphore.try_acquire().is_ok());
    assert_eq!((queue.try_get(), queue.try_get()), (Ok(1), Ok(2)));
    assert_eq!(manager.object_count(), Ok(count));
}

/// A folder that goes when this does.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let name = Key::random().as_bytes()[..8].iter().fold(String::new(), |mut name, byte| {
            name.push_str(&format!("{byte:02x}"));
            name
        });
        let path = std::env::temp_dir().join(format!("purlin-test-{name}"));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
