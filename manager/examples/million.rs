//! A million calls: the server's memory stays what it is. Not for every day, and for release
//! builds:
//!
//! ```sh
//! cargo run --release -p purlin-manager --example million          # a million
//! cargo run --release -p purlin-manager --example million 20000    # so many
//! ```
//!
//! Sixteen calls by turns; objects come and go, and so do clients, of which every second one is
//! killed. Prints the memory of the server ten times, and fails where it has grown since the first.

use std::error::Error;
use std::fs;
use std::time::Instant;

use purlin_manager::{Acquired, Client, Dict, List, Lock, Manager, Queue, Value};
use purlin_process::{ExitStatus, Process};

/// How much more memory the server may have than after the first tenth, which fills its tables.
const GROWTH_MAX_KIB: u64 = 512;

/// A client of its own comes after so many turns.
const CLIENT_TURNS: u64 = 2000;

/// The calls of one turn, each counted.
const TURN_CALLS: u64 = 16;

fn turn(client: &Client, objects: &Objects, turn: u64) -> Result<(), purlin_manager::Error> {
    let Objects { lock, queue, list, dict, value } = objects;
    drop(lock.acquire(None)?.sound()?); // two calls
    queue.put(&turn, None)?;
    assert_eq!(queue.get(None)?, turn);
    list.push(&turn)?;
    assert_eq!(list.len()?, 1);
    assert_eq!(list.pop()?, turn);
    dict.insert(&(turn % 100), &turn)?;
    assert_eq!(dict.get(&(turn % 100))?, Some(turn));
    dict.remove(&(turn % 100))?;
    value.set(&turn)?;
    assert_eq!(value.get()?, turn);
    // Two objects, one in the other, which are gone after it.
    let inner = client.list([turn])?;
    let outer = client.list([inner])?;
    assert_eq!(outer.len()?, 1);
    assert!(list.is_empty()?);
    Ok(())
}

/// What all calls go to.
struct Objects {
    lock: Lock,
    queue: Queue<u64>,
    list: List<u64>,
    dict: Dict<u64, u64>,
    value: Value<u64>,
}

/// Another process uses them, and ends; or is killed with the lock.
fn come_and_go(
    manager: &Manager,
    objects: &Objects,
    is_killed: bool,
) -> Result<(), Box<dyn Error>> {
    let child = Process::fork("client", || -> Result<(), purlin_manager::Error> {
        if !is_killed {
            return turn(manager, objects, 1);
        }
        objects.lock.acquire(None)?.keep();
        objects.queue.put(&0, None)?; // which says that it has it
        manager.event()?.wait(None).map(drop) // nobody sets it
    })?;
    if !is_killed {
        assert_eq!(child.join(None)?, ExitStatus::Code(0));
        return Ok(());
    }
    objects.queue.get(None)?;
    child.kill()?;
    child.join(None)?;
    match objects.lock.acquire(None)? {
        Acquired::Held(_) => Err("nobody was told of a death".into()),
        Acquired::OwnerDied(suspect) => suspect.recover().map(drop).map_err(Into::into),
    }
}

/// The resident memory of a process, in KiB: `VmRSS` of `proc_pid_status(5)`.
fn memory_kib(pid: i32) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The descriptors of a process.
fn descriptor_count(pid: i32) -> Result<usize, Box<dyn Error>> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

fn main() -> Result<(), Box<dyn Error>> {
    let call_count: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let turn_count = (call_count / TURN_CALLS).max(10);
    let manager = Manager::start()?;
    let objects = Objects {
        lock: manager.lock()?,
        queue: manager.queue()?,
        list: manager.list([])?,
        dict: manager.dict([])?,
        value: manager.value(0)?,
    };
    let object_count = manager.object_count()?;
    let (began, mut first_kib) = (Instant::now(), None);
    for number in 0..turn_count {
        turn(&manager, &objects, number)?;
        if number % CLIENT_TURNS == 0 {
            come_and_go(&manager, &objects, number / CLIENT_TURNS % 2 == 1)?;
        }
        if (number + 1) % (turn_count / 10) == 0 {
            let (kib, descriptors) = (memory_kib(manager.pid())?, descriptor_count(manager.pid())?);
            let (calls, seconds) = ((number + 1) * TURN_CALLS, began.elapsed().as_secs_f64());
            println!("{calls:9} calls {seconds:7.1} s {kib:7} KiB {descriptors:4} descriptors");
            let first = *first_kib.get_or_insert(kib);
            if kib > first + GROWTH_MAX_KIB {
                return Err(format!("the server has grown from {first} to {kib} KiB").into());
            }
        }
    }
    if manager.object_count()? != object_count {
        return Err(format!("{} objects, not {object_count}", manager.object_count()?).into());
    }
    Ok(())
}
