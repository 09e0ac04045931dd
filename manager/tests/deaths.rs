//! Clients that are killed anywhere, and what they leave: nothing.

use purlin_channel::Pipe;
use purlin_manager::{Acquired, Client, Error, Manager};

use crate::bounded::{Child, LIMIT, Test, descriptor_count, until};

pub(crate) const TESTS: &[Test] = &[
    ("killed_anywhere_nothing_stays", killed_anywhere_nothing_stays),
    ("a_reader_of_much_is_killed", a_reader_of_much_is_killed),
    ("half_a_request_is_none", half_a_request_is_none),
    ("clients_come_and_go", clients_come_and_go),
    ("a_client_of_its_own_dies", a_client_of_its_own_dies),
    ("a_server_is_killed_among_its_clients", a_server_is_killed_among_its_clients),
];

/// How long a child goes on before it is killed, in turns of a busy loop.
fn pass_some_time(turns: u32) {
    (0..turns).for_each(|_| std::hint::spin_loop());
}

fn killed_anywhere_nothing_stays() {
    // shows: manager-client-killed-in-call
    let manager = Manager::start().unwrap();
    let (lock, rlock) = (manager.lock().unwrap(), manager.rlock().unwrap());
    let (condition, barrier) = (manager.condition().unwrap(), manager.barrier(2).unwrap());
    let (requests, answers) = (manager.queue::<u32>().unwrap(), manager.bounded_queue(2).unwrap());
    let count = manager.object_count().unwrap();
    let server = manager.pid().to_string();
    let descriptors = descriptor_count(&server);
    for round in 0..150_u32 {
        let (reader, writer) = Pipe::simplex().unwrap();
        writer.hand_over().unwrap();
        let victim = Child::run(|| -> Result<(), Error> {
            writer.send(b"begins", None).unwrap();
            loop {
                let list = manager.list([manager.list([round])?])?;
                let held = lock.acquire(None)?;
                let inner = rlock.acquire(None)?;
                list.get(0)?.push(&1)?;
                drop((held, inner));
                requests.put(&round, None)?;
                requests.get(None)?;
                answers.put(&round, core::time::Duration::from_millis(1)).ok();
                let held = condition.acquire(None)?.keep();
                let _ = (held, condition.notify_all()?, condition.release()?);
                if round % 3 == 0 {
                    answers.get(None)?;
                    answers.get(None)?;
                    answers.get(None)?; // waits
                }
                if round % 3 == 1 {
                    let _ = barrier.wait(None); // waits
                }
            }
        });
        assert_eq!(reader.recv(LIMIT).unwrap(), b"begins");
        pass_some_time(round * 7919 % 400_000);
        victim.kill();
        for taken in [lock.acquire(LIMIT), rlock.acquire(LIMIT), condition.acquire(LIMIT)] {
            match taken.unwrap() {
                Acquired::Held(_) => {}
                Acquired::OwnerDied(suspect) => drop(suspect.recover().unwrap()),
            }
        }
        until("its references are given back", || manager.object_count() == Ok(count));
        // What it put it had put, and nothing of a wait comes after it.
        while requests.try_get().is_ok() {}
        while answers.try_get().is_ok() {}
        assert_eq!((requests.try_get(), answers.try_get()), (Err(Error::Empty), Err(Error::Empty)));
        requests.put(&round, None).unwrap();
        assert_eq!(requests.get(LIMIT), Ok(round));
        barrier.reset().unwrap();
        assert_eq!(barrier.waiting(), Ok(0));
    }
    until("its connections are closed", || descriptor_count(&server) <= descriptors);
}

fn a_reader_of_much_is_killed() {
    let manager = Manager::start().unwrap();
    let list = manager.list(0..200_000).unwrap();
    for round in 0..10 {
        let (reader, writer) = Pipe::simplex().unwrap();
        writer.hand_over().unwrap();
        let victim = Child::run(|| -> Result<(), Error> {
            writer.send(b"begins", None).unwrap();
            loop {
                list.to_vec()?;
            }
        });
        reader.recv(LIMIT).unwrap();
        pass_some_time(round * 400_000);
        victim.kill();
        assert_eq!(list.len(), Ok(200_000));
    }
}

fn half_a_request_is_none() {
    // shows: manager-half-sent-request
    let manager = Manager::start().unwrap();
    let list = manager.list(Vec::<String>::new()).unwrap();
    let (reader, writer) = Pipe::simplex().unwrap();
    writer.hand_over().unwrap();
    let victim = Child::run(|| -> Result<(), Error> {
        list.len()?; // it is connected
        let text = "x".repeat(256 << 20);
        writer.send(b"begins", None).unwrap();
        list.push(&text)
    });
    reader.recv(LIMIT).unwrap();
    manager.process().signal(19).unwrap();
    victim.waits();
    victim.kill();
    manager.process().signal(18).unwrap();
    list.push(&"whole".to_owned()).unwrap();
    let len = list.len().unwrap();
    // The server may have been stopped after all had come.
    assert!(len == 1 || list.get(0).unwrap().len() == 256 << 20, "{len}");
}

fn clients_come_and_go() {
    // shows: manager-many-clients
    let manager = Manager::start().unwrap();
    let list = manager.list(Vec::<u32>::new()).unwrap();
    let server = manager.pid().to_string();
    let before = descriptor_count(&server);
    let children: Vec<Child> = (0..100).map(|own| Child::run(|| list.push(&own))).collect();
    children.into_iter().for_each(Child::succeeds);
    let mut all = list.to_vec().unwrap();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    until("their connections are closed", || descriptor_count(&server) <= before);
}

fn a_client_of_its_own_dies() {
    let manager = Manager::start().unwrap();
    let (address, key) = (manager.address().clone(), purlin_process::current().key());
    let lock = manager.lock().unwrap();
    manager.publish("lock", &lock).unwrap();
    let (reader, writer) = Pipe::simplex().unwrap();
    writer.hand_over().unwrap();
    // By threads, each of which has a connection by then; and with a child, which has none of them.
    let victim = Child::run(|| {
        let client = Client::connect(&address, key).unwrap();
        let lock: purlin_manager::Lock = client.find("lock").unwrap();
        let queue = client.queue::<i32>().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| queue.get(None));
            }
            lock.acquire(None).unwrap().keep();
            until("all wait", || client.object_count() == Ok(2));
            let child =
                purlin_process::Process::fork("bystander", crate::bounded::sleep_on).unwrap();
            writer.send(&child.pid().to_le_bytes(), None).unwrap();
            crate::bounded::sleep_on();
        });
    });
    let bystander = reader.recv(LIMIT).unwrap();
    victim.kill();
    assert!(matches!(lock.acquire(LIMIT), Ok(Acquired::OwnerDied(_))));
    until("its queue is gone", || manager.object_count() == Ok(1));
    let bystander = i32::from_le_bytes(bystander.try_into().unwrap());
    let ended = std::process::Command::new("kill").arg("-9").arg(bystander.to_string()).status();
    assert!(ended.unwrap().success());
}

fn a_server_is_killed_among_its_clients() {
    for round in 0..20_u32 {
        let manager = Manager::start().unwrap();
        let (lock, queue) = (manager.lock().unwrap(), manager.bounded_queue(1).unwrap());
        let (value, event) = (manager.value(0).unwrap(), manager.event().unwrap());
        let work = || -> Result<(), Error> {
            loop {
                let held = lock.acquire(LIMIT)?.sound()?;
                value.update(|seen| seen + 1)?;
                drop(held);
                queue.put(&1, LIMIT)?;
                queue.get(LIMIT)?;
            }
        };
        let ended = |ended: Result<(), Error>| match ended {
            Err(Error::ServerGone) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        let mut clients: Vec<Child> = (0..3).map(|_| Child::run(|| ended(work()))).collect();
        clients.push(Child::run(|| ended(event.wait(None).map(drop))));
        until("they are at work", || value.get().unwrap() > round % 7);
        pass_some_time(round * 7919 % 100_000);
        manager.process().kill().unwrap();
        clients.into_iter().for_each(Child::succeeds);
    }
}
