//! Messages from one process to another, beside rings that no death can be repaired in, and the
//! kernel's own queues.

use std::fmt::Display;
use std::io;

use crossbeam_queue::ArrayQueue;
use purlin_benches::sys::{BareMail, BareRing, PosixQueue};
use purlin_benches::{
    BarePipe, Carries, Contender, Effort, Machine, PingPong, Rounds, Table, Traffic,
};
use purlin_channel::Queue;

const BARE: &str = "bare ring, many to many";
const OURS: &str = "purlin Queue";
const FUTEX: &str = "bare futex, a word";

/// What a small message may cost, in nanoseconds, and in times of the bare ring's.
const NANOS_LIMIT: f64 = 50.0;
const RATIO_LIMIT: f64 = 2.5;

/// What a message of 64 KiB may cost, in times of the bare ring's, which copies it twice too.
const COPY_LIMIT: f64 = 1.2;

/// What waking one who sleeps for a message may cost, in times of the bare futex's.
const HANDOVER_LIMIT: f64 = 1.3;

/// How many messages a ring takes.
const COUNT: usize = 256;
const LARGE_COUNT: usize = 8;
const LARGE: usize = 64 << 10;

/// What an unprivileged user may have.
const POSIX_COUNT: i64 = 10;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    for (size, mut contenders) in [(8, small::<8>()), (64, small::<64>())] {
        println!("a message of {size} bytes, to another process on another processor\n");
        let table = Rounds::of(effort).run(&mut contenders);
        println!("{table}\n");
        judge_small(&table);
    }
    println!("a message of 64 KiB, the same\n");
    let table = Rounds::of(effort).run(&mut large());
    println!("{table}\n");
    judge(&table, COPY_LIMIT, "the bare ring's");
    println!("a message there and one back, both asleep, on one processor\n");
    let table = Rounds::of(effort).run(&mut handovers());
    println!("{table}\n");
    judge(&table, HANDOVER_LIMIT, "the bare futex's");
}

fn small<const BYTES: usize>() -> Vec<Contender<'static>> {
    vec![
        traffic(BARE, BYTES, BareRing::<COUNT, BYTES>::new()),
        traffic(OURS, BYTES, Queue::bounded(COUNT, BYTES)),
        between_threads("crossbeam ArrayQueue (one process only)", BYTES),
        traffic("pipe", BYTES, BarePipe::new()),
        traffic("POSIX message queue", BYTES, PosixQueue::new(POSIX_COUNT, BYTES as i64)),
        Contender::absent("Boost.Interprocess message_queue", "no C++ in this build"),
        Contender::absent("iceoryx2", "not among this workspace's dependencies"),
    ]
}

fn large() -> Vec<Contender<'static>> {
    vec![
        traffic(BARE, LARGE, BareRing::<LARGE_COUNT, LARGE>::new()),
        traffic(OURS, LARGE, Queue::bounded(LARGE_COUNT, LARGE)),
        traffic("pipe", LARGE, BarePipe::new()),
        Contender::absent("iceoryx2", "not among this workspace's dependencies"),
    ]
}

fn handovers() -> Vec<Contender<'static>> {
    vec![
        handover(FUTEX, || Ok::<_, io::Error>((BareMail::new()?, BareMail::new()?))),
        handover(OURS, || Ok::<_, purlin_channel::Error>((one_message()?, one_message()?))),
        handover("pipe", || Ok::<_, io::Error>((BarePipe::new()?, BarePipe::new()?))),
    ]
}

fn one_message() -> Result<Queue, purlin_channel::Error> {
    Queue::bounded(1, 8)
}

fn traffic<C: Carries + 'static, E: Display>(
    name: &str,
    size: usize,
    carrier: Result<C, E>,
) -> Contender<'static> {
    let carrier = match carrier {
        Ok(carrier) => carrier,
        Err(error) => return Contender::absent(name, error),
    };
    match Traffic::between_processes(carrier, size) {
        Ok(traffic) => Contender::whole(name, move |count| traffic.send_all(count)),
        Err(error) => Contender::absent(name, error),
    }
}

fn between_threads(name: &str, size: usize) -> Contender<'static> {
    match size {
        8 => in_threads(name, ArrayQueue::<[u8; 8]>::new(COUNT), size),
        _ => in_threads(name, ArrayQueue::<[u8; 64]>::new(COUNT), size),
    }
}

fn in_threads<C: Carries + Send + Sync + 'static>(
    name: &str,
    carrier: C,
    size: usize,
) -> Contender<'static> {
    match Traffic::between_threads(carrier, size) {
        Ok(traffic) => Contender::whole(name, move |count| traffic.send_all(count)),
        Err(error) => Contender::absent(name, error),
    }
}

fn handover<C: Carries + Sync + 'static, E: Display>(
    name: &str,
    make: impl FnOnce() -> Result<(C, C), E>,
) -> Contender<'static> {
    let (there, back) = match make() {
        Ok(both) => both,
        Err(error) => return Contender::absent(name, error),
    };
    let mut buffer = [0; 8];
    match PingPong::new(there, back, buffer.len()) {
        Ok(two) => Contender::present(name, move || two.round_trip(&mut buffer)),
        Err(error) => Contender::absent(name, error),
    }
}

/// What is asked of the queue, beside what it does.
fn judge_small(table: &Table) {
    if let Some(nanos) = table.median(OURS) {
        let verdict = if nanos <= NANOS_LIMIT { "kept" } else { "NOT KEPT" };
        println!("at most {NANOS_LIMIT} ns a message: {verdict} ({nanos:.1})");
    }
    judge(table, RATIO_LIMIT, "the bare ring's");
}

fn judge(table: &Table, limit: f64, whose: &str) {
    let Some(ours) = table.ratio(OURS) else { return };
    let verdict = if ours <= limit { "kept" } else { "NOT KEPT" };
    println!("at most {limit:.2} times {whose}: {verdict} ({ours:.3})\n");
}
