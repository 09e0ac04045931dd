//! Meeting at a barrier and meeting again, beside pthread's: two processes that do nothing else.

use std::fmt::Display;

use purlin_benches::sys::{Child, SharedBarrier, tie_to_processor};
use purlin_benches::{Contender, Effort, Machine, Rounds, Table};
use purlin_sync::{Barrier, BarrierOptions};

const FIRST: &str = "pthread, shared";
const OURS: &str = "purlin Barrier";

/// What a round of two on one processor may cost, in times of the first.
const RATIO_LIMIT: f64 = 1.30;

fn main() {
    let effort = Effort::from_arguments();
    println!("{}", Machine::here());
    for (partner, title) in [(0, "one processor"), (1, "two processors")] {
        let partners = [(1, "two"), (3, "four")];
        for (count, parties) in partners {
            println!("one round of {parties} processes, {title}\n");
            let table = Rounds::of(effort).run(&mut contenders(partner, count));
            println!("{table}\n");
            if partner == 0 && count == 1 {
                judge(&table);
            }
        }
    }
}

fn contenders(partner: u32, count: u32) -> Vec<Contender<'static>> {
    let posix = SharedBarrier::new(count + 1);
    let ours = Barrier::new(count + 1);
    let with_action = Barrier::new(BarrierOptions::new(count + 1).with_action());
    vec![
        contender(FIRST, partner, count, posix, |barrier| barrier.wait().is_ok()),
        contender(OURS, partner, count, ours, |barrier| barrier.wait(None).is_ok()),
        contender("purlin Barrier, with an action", partner, count, with_action, |barrier| {
            barrier.wait_with(None, || Ok::<(), ()>(())).is_ok()
        }),
    ]
}

/// One that meets its partners, who wait for it at all other times.
fn contender<B: 'static, E: Display>(
    name: &str,
    partner: u32,
    count: u32,
    barrier: Result<B, E>,
    meet: impl Fn(&B) -> bool + Copy + 'static,
) -> Contender<'static> {
    let barrier = match barrier {
        Ok(barrier) => barrier,
        Err(error) => return Contender::absent(name, error),
    };
    let start = |_| {
        Child::fork(|_| {
            let is_tied = tie_to_processor(partner).is_ok();
            while is_tied && meet(&barrier) {}
            1
        })
    };
    let children: Result<Vec<_>, _> = (0..count).map(start).collect();
    if let Err(error) = tie_to_processor(0) {
        return Contender::absent(name, error);
    }
    match children {
        Err(error) => Contender::absent(name, error),
        Ok(children) => Contender::present(name, move || {
            let _ = &children; // they meet this one as long as it is there
            assert!(meet(&barrier), "a partner is missing");
        }),
    }
}

/// What is asked of the barrier, beside what it does.
fn judge(table: &Table) {
    let Some(ours) = table.ratio(OURS) else { return };
    let verdict = if ours <= RATIO_LIMIT { "kept" } else { "NOT KEPT" };
    println!("at most {RATIO_LIMIT:.2} times pthread's: {verdict} ({ours:.3})\n");
}
