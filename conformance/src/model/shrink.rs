//! Makes a failing plan small: moves are taken out as long as what is left still fails.

use super::call::{Limit, Op};
use super::ground::Ground;
use super::plan::{Move, Plan, What};

/// The smallest plan found that still fails, with at most `tries_count` tries. What must come of
/// each step is derived anew for each try, so a plan fails by itself or not at all.
pub fn shrink(
    plan: &Plan,
    ground: &Ground,
    mut tries_count: usize,
    fails: &mut dyn FnMut(&Plan) -> bool,
) -> Plan {
    let mut best = plan.pruned(ground);
    let mut fails = |candidate: &Plan, tries_count: &mut usize| {
        *tries_count = tries_count.saturating_sub(1);
        fails(candidate)
    };
    loop {
        let before = best.clone();
        let mut width = best.moves.len().next_power_of_two();
        while width > 0 && tries_count > 0 {
            let mut at = 0;
            while at < best.moves.len() && tries_count > 0 {
                let candidate = without(&best, at, width).pruned(ground);
                if candidate.moves.len() < best.moves.len() && fails(&candidate, &mut tries_count) {
                    best = candidate;
                } else {
                    at += width;
                }
            }
            width /= 2;
        }
        let tidied = tidied(&best).pruned(ground);
        if tidied != best && tries_count > 0 && fails(&tidied, &mut tries_count) {
            best = tidied;
        }
        if best == before || tries_count == 0 {
            return best;
        }
    }
}

fn without(plan: &Plan, at: usize, width: usize) -> Plan {
    let end = plan.moves.len().min(at + width);
    let moves = [&plan.moves[..at], &plan.moves[end..]].concat();
    Plan { moves, ..*plan }
}

/// The same with only the actors and objects that something is done by or to, and without limits
/// that are as good as none.
fn tidied(plan: &Plan) -> Plan {
    let slots = used(plan.slot_count, |slot| plan.moves.iter().any(|step| step.slot == slot));
    let objects = used(plan.object_count, |object| {
        plan.moves.iter().any(|step| object_of(step.what) == Some(object))
    });
    let place = |all: &[usize], one: usize| all.iter().position(|other| *other == one).unwrap_or(0);
    let moves = plan.moves.iter().map(|step| Move {
        slot: place(&slots, step.slot),
        what: match step.what {
            What::Call { object, op } => {
                What::Call { object: place(&objects, object), op: plainer(op) }
            }
            What::Drop { object } => What::Drop { object: place(&objects, object) },
            other => other,
        },
    });
    let (slot_count, object_count) = (slots.len().max(1), objects.len().max(1));
    Plan { model: plan.model, slot_count, object_count, moves: moves.collect() }
}

const fn plainer(op: Op) -> Op {
    match op {
        Op::Acquire(Limit::Long) => Op::Acquire(Limit::None),
        Op::Wait(Limit::Long) => Op::Wait(Limit::None),
        other => other,
    }
}

fn used(count: usize, is_used: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..count).filter(|place| is_used(*place)).collect()
}

const fn object_of(what: What) -> Option<usize> {
    match what {
        What::Call { object, .. } | What::Drop { object } => Some(object),
        What::Kill | What::Exit { .. } | What::Abort | What::Fresh => None,
    }
}
