//! Tasks of a pool, beside CPython's pools: the start and the end of all workers, what a tiny one
//! costs in a map, one there and back, a large result.

use std::hint::black_box;
use std::io;

use purlin_benches::sys::{BareMail, fork_and_wait_for, is_real_time};
use purlin_benches::{Contender, Effort, Machine, PingPong, Rounds, Table, python};
use purlin_pool::{Bytes, Pool};

const OURS: &str = "purlin Pool";
const AS_BYTES: &str = "purlin Pool, Bytes";
const THEIRS: &str = "CPython Pool";
const EXECUTOR: &str = "CPython ProcessPoolExecutor";

/// How many workers there are, where nothing else is said.
const WORKER_COUNT: usize = 2;

const CHUNKS: [usize; 4] = [1, 10, 100, 1000];
/// How many times less than CPython's a tiny task has to cost.
const CPYTHON_LIMIT: f64 = 10.0;
/// What it may cost in a map whose chunks are chosen for it, in nanoseconds.
const NANOS_LIMIT: f64 = 1000.0;
/// What one task there and back may cost, in times of two bare hand-overs.
const HANDOVERS_LIMIT: f64 = 1.5;
/// What the start and the end may cost, in times of the bare forks.
const START_LIMIT: f64 = 1.5;

const LARGE_BYTES: usize = 1 << 20;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    let rounds = Rounds::of(effort);
    // First, while this process is small: what a fork copies of a large one is nobody's merit.
    for count in [2, 8] {
        println!("the start and the end of {count} workers\n");
        judge(&shown(rounds, &mut starts(count)), "the bare forks'", START_LIMIT);
    }
    for chunk in CHUNKS {
        println!("a tiny task in a map of chunks of {chunk}\n");
        judge_tiny(&shown(rounds, &mut maps(chunk)));
    }
    println!("a tiny task in a map whose chunks are chosen for it\n");
    judge_chosen(&shown(rounds, &mut chosen()));
    println!("a task whose result is of {LARGE_BYTES} bytes\n");
    shown(rounds, &mut large());
    println!("a task there and back, all on one processor\n");
    judge(&shown(rounds, &mut single()), "two bare hand-overs'", HANDOVERS_LIMIT);
}

fn shown(rounds: Rounds, contenders: &mut [Contender<'_>]) -> Table {
    let table = rounds.run(contenders);
    println!("{table}\n");
    table
}

fn next(number: u64) -> u64 {
    number + 1
}

fn bytes(len: usize) -> Vec<u8> {
    vec![7; len]
}

fn as_they_are(len: usize) -> Bytes {
    Bytes(bytes(len))
}

fn pool() -> Pool {
    Pool::fork(WORKER_COUNT).expect("workers")
}

/// By how many is told, each a task.
fn maps(chunk: usize) -> Vec<Contender<'static>> {
    let pool = pool();
    vec![
        Contender::whole(OURS, move |count| {
            black_box(pool.map(next, 0..count, chunk).expect("all of them"));
        }),
        theirs(THEIRS, &format!("p.map(next, range(n), {chunk})")),
        executor(&format!("list(p.map(next, range(n), chunksize={chunk}))")),
        Contender::absent("loky", "not among what CPython brings along"),
        Contender::absent("procspawn", "not among this workspace's dependencies"),
    ]
}

fn chosen() -> Vec<Contender<'static>> {
    let pool = pool();
    vec![
        Contender::whole(OURS, move |count| {
            black_box(pool.map(next, 0..count, None).expect("all of them"));
        }),
        theirs(THEIRS, "p.map(next, range(n))"),
    ]
}

fn large() -> Vec<Contender<'static>> {
    let (one, other) = (pool(), pool());
    let source = bytes(LARGE_BYTES);
    vec![
        Contender::present("a copy of as many bytes", move || {
            black_box(black_box(&source).clone());
        }),
        Contender::present(OURS, move || {
            black_box(one.apply(bytes, LARGE_BYTES).expect("all of it"));
        }),
        Contender::present(AS_BYTES, move || {
            black_box(other.apply(as_they_are, LARGE_BYTES).expect("all of it"));
        }),
        theirs(THEIRS, &format!("for _ in range(n): p.apply(bytes, ({LARGE_BYTES},))")),
        executor(&format!("for _ in range(n): p.submit(bytes, {LARGE_BYTES}).result()")),
    ]
}

fn starts(count: usize) -> Vec<Contender<'static>> {
    let operation = format!("for _ in range(n): p = Pool({count}); p.close(); p.join()");
    vec![
        Contender::present("fork, waitpid", move || fork_and_wait_for(count).expect("children")),
        Contender::present(OURS, move || {
            let pool = Pool::fork(count).expect("workers");
            pool.close().expect("it is open");
            pool.join(None).expect("they end");
        }),
        python(THEIRS, "from multiprocessing import Pool", "pass", &operation),
    ]
}

/// Whoever is started here is on the first processor, as all that it starts.
fn single() -> Vec<Contender<'static>> {
    let bare = handovers();
    let pool = pool();
    vec![
        bare,
        Contender::present(OURS, move || {
            black_box(pool.apply(next, black_box(7)).expect("an answer"));
        }),
        theirs_on_one("for _ in range(n): p.apply(next, (7,))"),
        executor("for _ in range(n): p.submit(next, 7).result()"),
    ]
}

/// With one processor and a real-time policy CPython's pool runs for ever: one of its threads looks
/// again and again for what another would do, and lets nobody run.
fn theirs_on_one(operation: &str) -> Contender<'static> {
    if is_real_time() {
        return Contender::absent(THEIRS, "on one processor it never ends under this policy");
    }
    theirs(THEIRS, operation)
}

fn handovers() -> Contender<'static> {
    const NAME: &str = "bare futexes, there and back";
    let both = || Ok::<_, io::Error>((BareMail::new()?, BareMail::new()?));
    let two = both().and_then(|(there, back)| PingPong::new(there, back, 0));
    match two {
        Ok(two) => Contender::present(NAME, move || two.round_trip(&mut [])),
        Err(error) => Contender::absent(NAME, error),
    }
}

fn theirs(name: &str, operation: &str) -> Contender<'static> {
    let imports = "from multiprocessing import Pool\ndef next(number): return number + 1";
    python(name, imports, &format!("p = Pool({WORKER_COUNT})"), operation)
}

fn executor(operation: &str) -> Contender<'static> {
    let imports = "from concurrent.futures import ProcessPoolExecutor\n\
                   def next(number): return number + 1";
    let begin = format!("p = ProcessPoolExecutor({WORKER_COUNT})");
    python(EXECUTOR, imports, &begin, operation)
}

fn judge_tiny(table: &Table) {
    let Some(times) = table.ratio(THEIRS) else { return };
    let verdict = if times >= CPYTHON_LIMIT { "kept" } else { "NOT KEPT" };
    println!("at least {CPYTHON_LIMIT} times less than CPython's: {verdict} ({times:.1})\n");
}

fn judge_chosen(table: &Table) {
    judge_tiny(table);
    let Some(nanos) = table.median(OURS) else { return };
    let verdict = if nanos <= NANOS_LIMIT { "kept" } else { "NOT KEPT" };
    println!("at most {NANOS_LIMIT} ns: {verdict} ({nanos:.0})\n");
}

fn judge(table: &Table, whose: &str, limit: f64) {
    let Some(ours) = table.ratio(OURS) else { return };
    let verdict = if ours <= limit { "kept" } else { "NOT KEPT" };
    println!("at most {limit} times {whose}: {verdict} ({ours:.2})\n");
}
