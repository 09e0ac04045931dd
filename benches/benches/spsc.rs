//! Messages from one process to another by the queue of one to one, beside a ring in which no death
//! is noticed.

use std::fmt::Display;

use purlin_benches::sys::{BareRing, BareSpsc};
use purlin_benches::{Carries, Contender, Effort, Machine, PurlinSpsc, Rounds, Table, Traffic};
use purlin_channel::{Error, Queue, Spsc};

const BARE: &str = "bare ring, one to one";
const OURS: &str = "purlin Spsc";

/// What a message may cost, in times of the bare ring's.
const RATIO_LIMIT: f64 = 1.5;

/// How many messages a ring takes.
const COUNT: usize = 256;
const LARGE_COUNT: usize = 8;
const LARGE: usize = 64 << 10;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    let sizes = [
        ("8 bytes", contenders::<COUNT, 8>()),
        ("64 bytes", contenders::<COUNT, 64>()),
        ("1 KiB", contenders::<COUNT, 1024>()),
        ("64 KiB", contenders::<LARGE_COUNT, LARGE>()),
    ];
    for (size, mut contenders) in sizes {
        println!("a message of {size}, to another process on another processor\n");
        let table = Rounds::of(effort).run(&mut contenders);
        println!("{table}\n");
        judge(&table);
    }
}

fn contenders<const CELLS: usize, const BYTES: usize>() -> Vec<Contender<'static>> {
    vec![
        traffic(BARE, BYTES, BareSpsc::<CELLS, BYTES>::new()),
        traffic(OURS, BYTES, spsc(CELLS, BYTES)),
        traffic("bare ring, many to many", BYTES, BareRing::<CELLS, BYTES>::new()),
        traffic("purlin Queue", BYTES, Queue::bounded(CELLS, BYTES)),
        Contender::absent("rtrb", "not among this workspace's dependencies, and of one process"),
    ]
}

fn spsc(count: usize, size: usize) -> Result<PurlinSpsc, Error> {
    Spsc::bounded(count, size).map(PurlinSpsc::from)
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

fn judge(table: &Table) {
    let Some(ours) = table.ratio(OURS) else { return };
    let verdict = if ours <= RATIO_LIMIT { "kept" } else { "NOT KEPT" };
    println!("{OURS}, at most {RATIO_LIMIT:.2} times the bare ring's: {verdict} ({ours:.3})\n");
}
