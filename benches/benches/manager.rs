//! A call of a manager's object, beside a bare round trip over a Unix socket and CPython's manager.
//!
//! First wherever the scheduler puts them; then all on one processor, where a call is two switches
//! between processes, whatever else it is.

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use purlin_benches::sys::tie_to_processor;
use purlin_benches::{Contender, Effort, Machine, Rounds, Table, python};
use purlin_manager::Manager;
use purlin_process::Process;

const BARE: &str = "bare Unix socket, there and back";
const GET: &str = "purlin Value, get";
const SET: &str = "purlin List, set";
const LOCK: &str = "purlin Lock, acquire and release";
const QUEUE: &str = "purlin Queue, put and get";
const THEIRS_GET: &str = "CPython Value, get";
const THEIRS_LOCK: &str = "CPython Lock, acquire and release";
const THEIRS_QUEUE: &str = "CPython Queue, put and get";

/// What a call may cost, in times of the bare round trip.
const BARE_LIMIT: f64 = 1.5;
/// How many times faster than CPython's it has to be.
const CPYTHON_LIMIT: f64 = 5.0;

/// About as long as a request for a number and its answer.
const REQUEST_BYTES: usize = 16;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    println!("a call and its answer, on whatever processors there are\n");
    measure(effort);
    match tie_to_processor(0) {
        Ok(()) => {
            println!("\nthe same, all on one processor\n");
            measure(effort);
        }
        Err(error) => println!("\nnot tied to one processor: {error}"),
    }
}

fn measure(effort: Effort) {
    let manager = Manager::start().expect("a server");
    let (value, list) = (manager.value(7_u64).expect("it"), manager.list([7_u64]).expect("it"));
    let (lock, queue) = (manager.lock().expect("it"), manager.queue().expect("it"));
    let table = Rounds::of(effort).run(&mut [
        bare(),
        Contender::present(GET, || {
            black_box(value.get().expect("an answer"));
        }),
        Contender::present(SET, || list.set(0, &black_box(8)).expect("an answer")),
        Contender::present(LOCK, || {
            lock.acquire(None).expect("it is free").keep();
            lock.release().expect("it is held");
        }),
        Contender::present(QUEUE, || {
            queue.put(&black_box(7_u64), None).expect("there is room");
            black_box(queue.get(None).expect("it is there"));
        }),
        theirs(THEIRS_GET, "v.value"),
        theirs(THEIRS_LOCK, "k.acquire(); k.release()"),
        theirs(THEIRS_QUEUE, "q.put(7); q.get()"),
    ]);
    println!("{table}\n");
    judge(&table);
}

fn judge(table: &Table) {
    for name in [GET, SET] {
        let Some(ours) = table.ratio(name) else { continue };
        let verdict = if ours <= BARE_LIMIT { "kept" } else { "NOT KEPT" };
        println!("{name}: at most {BARE_LIMIT} times the bare one's: {verdict} ({ours:.2})");
    }
    for (ours, theirs) in [(GET, THEIRS_GET), (LOCK, THEIRS_LOCK), (QUEUE, THEIRS_QUEUE)] {
        let (Some(own), Some(other)) = (table.ratio(ours), table.ratio(theirs)) else { continue };
        let times = other / own;
        let verdict = if times >= CPYTHON_LIMIT { "kept" } else { "NOT KEPT" };
        println!("{ours}: at least {CPYTHON_LIMIT} times CPython's: {verdict} ({times:.2})");
    }
}

/// A child that is ended with its contender.
struct Echo(Process);

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(None);
    }
}

fn bare() -> Contender<'static> {
    let (mut near, mut far) = UnixStream::pair().expect("descriptors");
    let echo = Process::fork("echo", move || {
        let mut buffer = [0; REQUEST_BYTES];
        while far.read_exact(&mut buffer).is_ok() && far.write_all(&buffer).is_ok() {}
    });
    let echo = Echo(echo.expect("a child"));
    let mut buffer = [7; REQUEST_BYTES];
    Contender::present(BARE, move || {
        let _alive = &echo;
        near.write_all(black_box(&buffer)).expect("it is open");
        near.read_exact(&mut buffer).expect("it comes");
    })
}

fn theirs(name: &str, operation: &str) -> Contender<'static> {
    let begin = "m = Manager(); v, k, q = m.Value('Q', 7), m.Lock(), m.Queue()";
    let operation = format!("for _ in range(n): {operation}");
    python(name, "from multiprocessing import Manager", begin, &operation)
}
