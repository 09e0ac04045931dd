//! Waiting for a notify and giving one, beside pthread's condition variable.

use purlin_benches::sys::SharedCondition;
use purlin_benches::{Contender, Effort, Machine, Rounds, Table, TakesTurns, Turns};
use purlin_sync::{Acquired, Condition, Lock};

const FIRST: &str = "pthread, shared";
const OVER_LOCK: &str = "purlin, over a Lock";
const OVER_RLOCK: &str = "purlin, over an RLock";

/// What a round trip may cost, in times of the first.
const RATIO_LIMIT: f64 = 1.30;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    println!("notify, nobody waits, lock held\n");
    println!("{}\n", Rounds::of(effort).run(&mut notifiers()));
    println!("wait + notify + wait + notify, two processes on one processor\n");
    let table = Rounds::of(effort).run(&mut turns());
    println!("{table}\n");
    judge(&table);
}

fn over_lock() -> Result<Condition<purlin_sync::ByHolder>, purlin_sync::Error> {
    Condition::over(&Lock::new()?)
}

fn notifiers() -> Vec<Contender<'static>> {
    let theirs = match SharedCondition::new() {
        Ok(condition) => Contender::present(FIRST, move || {
            std::hint::black_box(&condition).signal().expect("it is a condition variable");
        }),
        Err(error) => Contender::absent(FIRST, error),
    };
    let ours = match over_lock() {
        Ok(condition) => {
            let told = condition.lock().acquire(None).map(Acquired::keep);
            told.expect("nobody else has it");
            Contender::present(OVER_LOCK, move || {
                std::hint::black_box(&condition).notify_one().expect("it is held");
            })
        }
        Err(error) => Contender::absent(OVER_LOCK, error),
    };
    vec![theirs, ours]
}

fn turns() -> Vec<Contender<'static>> {
    vec![
        contender(FIRST, SharedCondition::new()),
        contender(OVER_LOCK, over_lock()),
        contender(OVER_RLOCK, Condition::new()),
    ]
}

fn contender<T: TakesTurns + 'static, E: std::fmt::Display>(
    name: &str,
    by: Result<T, E>,
) -> Contender<'static> {
    match by.map(Turns::new) {
        Ok(Ok(turns)) => Contender::present(name, move || turns.round_trip()),
        Ok(Err(error)) => Contender::absent(name, error),
        Err(error) => Contender::absent(name, error),
    }
}

fn judge(table: &Table) {
    for name in [OVER_LOCK, OVER_RLOCK] {
        let Some(ours) = table.ratio(name) else { continue };
        let verdict = if ours <= RATIO_LIMIT { "kept" } else { "NOT KEPT" };
        println!("{name}, at most {RATIO_LIMIT:.2} times pthread's: {verdict} ({ours:.3})");
    }
}
