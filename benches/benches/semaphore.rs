//! Taking a unit of a semaphore and giving it back, beside POSIX's: one process alone, and two that
//! do nothing else.

use std::fmt::Display;

use purlin_benches::sys::{Kind, SharedMutex, SharedSemaphore};
use purlin_benches::{
    Actors, Contender, ContentionTable, Effort, Machine, Pair, PurlinSemaphore, RIVAL_COUNT,
    RIVALS_MAX_COUNT, Rivals, Rounds, Table,
};
use purlin_sync::{BoundedSemaphore, Semaphore, TrackedSemaphore};

const FIRST: &str = "sem_t, shared";
const PLAIN: &str = "purlin Semaphore";
const BOUNDED: &str = "purlin BoundedSemaphore";
const TRACKED: &str = "purlin TrackedSemaphore";

/// What a pair may cost, in times of the first.
const LIMITS: [(&str, f64); 3] = [(PLAIN, 1.10), (BOUNDED, 1.10), (TRACKED, 1.30)];

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    println!("acquire + release, a semaphore of one, free, one process\n");
    let table = Rounds::of(effort).run(&mut [
        contender(FIRST, SharedSemaphore::new()),
        contender(PLAIN, Semaphore::new(1).map(PurlinSemaphore)),
        contender(BOUNDED, BoundedSemaphore::new(1).map(PurlinSemaphore)),
        contender(TRACKED, TrackedSemaphore::new(1).map(PurlinSemaphore)),
        contender("purlin TrackedSemaphore, of 64", TrackedSemaphore::new(64).map(PurlinSemaphore)),
        contender("pthread mutex, shared", SharedMutex::new(Kind::Normal)),
    ]);
    println!("{table}\n");
    judge(&table);
    for (count, who) in [(RIVAL_COUNT, "two"), (RIVALS_MAX_COUNT, "eight")] {
        println!("the same, {who} processes at once, all the time\n");
        println!("{}\n", ContentionTable::measure(effort, &mut rivals(count)));
    }
}

fn contender<P: Pair + 'static, E: Display>(name: &str, pair: Result<P, E>) -> Contender<'static> {
    match pair {
        Ok(pair) => Contender::present(name, move || pair.with(|| ())),
        Err(error) => Contender::absent(name, error),
    }
}

/// Of one unit each, so that they let one in at a time.
fn rivals(count: u32) -> Vec<Rivals<'static>> {
    vec![
        rival(FIRST, count, SharedSemaphore::new()),
        rival(PLAIN, count, Semaphore::new(1).map(PurlinSemaphore)),
        rival(BOUNDED, count, BoundedSemaphore::new(1).map(PurlinSemaphore)),
        rival(TRACKED, count, TrackedSemaphore::new(1).map(PurlinSemaphore)),
    ]
}

fn rival<P: Pair + Sync + 'static, E: Display>(
    name: &str,
    count: u32,
    pair: Result<P, E>,
) -> Rivals<'static> {
    match pair {
        Ok(pair) => Rivals::present(name, Actors::Processes, count, pair),
        Err(error) => Rivals::absent(name, error),
    }
}

/// What is asked of the semaphores, beside what they do.
fn judge(table: &Table) {
    for (name, limit) in LIMITS {
        let Some(ratio) = table.ratio(name) else { continue };
        let verdict = if ratio <= limit { "kept" } else { "NOT KEPT" };
        println!("{name}, at most {limit:.2} times POSIX's: {verdict} ({ratio:.3})");
    }
    println!();
}
