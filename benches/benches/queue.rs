//! Messages from one process to another, beside rings that no death can be repaired in, and the
//! kernel's own queues.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crossbeam_queue::ArrayQueue;
use purlin_benches::sys::{BareMail, BareRing, PosixQueue};
use purlin_benches::{
    BarePipe, Carries, Contender, Copied, Effort, InPlace, Machine, PingPong, Rounds, Table,
    Traffic, cpp, foreign, peer,
};
use purlin_channel::Queue;

const BARE: &str = "bare ring, many to many";
const OURS: &str = "purlin Queue";
const IN_PLACE: &str = "purlin Queue, in place";
const FITTING: &str = "the same, 8 bytes less, never round the end";
const FUTEX: &str = "bare futex, a word";
const BOOST: &str = "Boost.Interprocess message_queue";
const ICEORYX: &str = "iceoryx2, in place";

/// What a small message may cost, in nanoseconds, and in times of the bare ring's.
const NANOS_LIMIT: f64 = 50.0;
const RATIO_LIMIT: f64 = 2.5;

/// How many times slower Boost's has to be, where it is there.
const BOOST_LIMIT: f64 = 4.0;

/// What one that is written and read in its place may cost, in times of iceoryx2's.
const IN_PLACE_LIMIT: f64 = 1.0;

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

/// What a message has beside its bytes in a ring, whose length is a power of two.
const HEADER: usize = 8;

/// How many of its bytes are written and read where not all are.
const FEW: usize = 8;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    let boost = cpp("foreign/boost_queue.cpp", Path::new(env!("CARGO_TARGET_TMPDIR")));
    for (size, mut contenders) in [(8, small::<8>(&boost)), (64, small::<64>(&boost))] {
        println!("a message of {size} bytes, to another process on another processor\n");
        let table = Rounds::of(effort).run(&mut contenders);
        println!("{table}\n");
        judge_small(&table);
    }
    println!("a message of 64 KiB, the same\n");
    let table = Rounds::of(effort).run(&mut large(&boost));
    println!("{table}\n");
    judge(&table, COPY_LIMIT, "the bare ring's");
    for (what, contenders) in [
        ("64 bytes, the same, all of them", touched::<COUNT, 64> as fn(usize) -> _),
        ("1 KiB, the same, all of it", touched::<COUNT, 1024>),
        ("64 KiB, the same, all of it", touched::<LARGE_COUNT, LARGE>),
    ] {
        in_place(effort, what, contenders(usize::MAX));
    }
    in_place(effort, "64 KiB, the same, 8 bytes of it", touched::<LARGE_COUNT, LARGE>(FEW));
    println!("a message there and one back, both asleep, on one processor\n");
    let table = Rounds::of(effort).run(&mut handovers());
    println!("{table}\n");
    judge(&table, HANDOVER_LIMIT, "the bare futex's");
}

fn small<const BYTES: usize>(boost: &Result<PathBuf, String>) -> Vec<Contender<'static>> {
    vec![
        traffic(BARE, BYTES, BareRing::<COUNT, BYTES>::new()),
        traffic(OURS, BYTES, Queue::bounded(COUNT, BYTES)),
        between_threads("crossbeam ArrayQueue (one process only)", BYTES),
        traffic("pipe", BYTES, BarePipe::new()),
        traffic("POSIX message queue", BYTES, PosixQueue::new(POSIX_COUNT, BYTES as i64)),
        program(BOOST, boost, &[COUNT, BYTES]),
    ]
}

fn large(boost: &Result<PathBuf, String>) -> Vec<Contender<'static>> {
    vec![
        traffic(BARE, LARGE, BareRing::<LARGE_COUNT, LARGE>::new()),
        traffic(OURS, LARGE, Queue::bounded(LARGE_COUNT, LARGE)),
        traffic("pipe", LARGE, BarePipe::new()),
        program(BOOST, boost, &[LARGE_COUNT, LARGE]),
    ]
}

/// Of messages that are made by the one and looked at by the other, so many bytes of each.
fn touched<const CELLS: usize, const BYTES: usize>(bytes: usize) -> Vec<Contender<'static>> {
    let bytes = bytes.min(BYTES);
    let copied = |queue| Copied::by(queue, bytes);
    let bare = BareRing::<CELLS, BYTES>::new().map(|ring| Copied::by(ring, bytes));
    let in_place =
        |size| Queue::bounded(CELLS, size).map(|queue| InPlace::of(queue, bytes.min(size)));
    let fitting = BYTES - HEADER;
    vec![
        traffic(BARE, BYTES, bare),
        traffic(OURS, BYTES, Queue::bounded(CELLS, BYTES).map(copied)),
        traffic(IN_PLACE, BYTES, in_place(BYTES)),
        traffic(FITTING, fitting, in_place(fitting)),
        program(ICEORYX, &peer("iceoryx2_traffic"), &[CELLS, BYTES, bytes]),
    ]
}

fn in_place(effort: Effort, what: &str, mut contenders: Vec<Contender<'static>>) {
    println!("a message of {what} written by the one and read by the other\n");
    let table = Rounds::of(effort).run(&mut contenders);
    println!("{table}\n");
    judge_in_place(&table);
}

fn program(name: &str, path: &Result<PathBuf, String>, sizes: &[usize]) -> Contender<'static> {
    match path {
        Ok(path) => foreign(name, Command::new(path).args(sizes.iter().map(usize::to_string))),
        Err(why) => Contender::absent(name, why),
    }
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
    if let (Some(nanos), Some(boost)) = (table.median(OURS), table.median(BOOST)) {
        let times = boost / nanos;
        let verdict = if times >= BOOST_LIMIT { "kept" } else { "NOT KEPT" };
        println!("{BOOST_LIMIT:.2} times faster than Boost's: {verdict} ({times:.1})");
    }
    judge(table, RATIO_LIMIT, "the bare ring's");
}

/// Beside who does the same, where that is there.
fn judge_in_place(table: &Table) {
    let (Some(ours), Some(theirs)) = (table.median(IN_PLACE), table.median(ICEORYX)) else {
        return;
    };
    let times = ours / theirs;
    let verdict = if times <= IN_PLACE_LIMIT { "kept" } else { "NOT KEPT" };
    println!("in place, at most {IN_PLACE_LIMIT:.2} times iceoryx2's: {verdict} ({times:.3})\n");
}

fn judge(table: &Table, limit: f64, whose: &str) {
    let Some(ours) = table.ratio(OURS) else { return };
    let verdict = if ours <= limit { "kept" } else { "NOT KEPT" };
    println!("at most {limit:.2} times {whose}: {verdict} ({ours:.3})\n");
}
