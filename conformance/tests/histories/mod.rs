//! Who checks the checker: histories that a lock could have, and the same altered.

mod exhaustive;
mod simulated;

use purlin_conformance::model::Actor;
use purlin_conformance::model::call::{Call, Limit, Op, Told};
use purlin_conformance::model::draw::Draw;
use purlin_conformance::model::history::{End, Event, HistoryOf};
use purlin_conformance::model::linear::explain;
use purlin_conformance::model::lock::{Again, Hold, LockModel, Release};

use self::exhaustive::has_order;
use self::simulated::{one_by_one, overlapping};

type History = HistoryOf<LockModel>;
type LockEvent = Event<Call, Told>;

/// Every side of the contracts.
const MODELS: [LockModel; 4] = [
    LockModel { release: Release::ByHolder, again: Again::Waits },
    LockModel { release: Release::ByHolder, again: Again::Refused },
    LockModel { release: Release::ByAnyone, again: Again::Waits },
    LockModel { release: Release::ByAnyone, again: Again::Refused },
];

/// All that a lock tells.
const TOLD: [Told; 6] = [
    Told::Ok,
    Told::OwnerDied,
    Told::TimedOut,
    Told::NotOwner,
    Told::OverReleased,
    Told::WouldDeadlock,
];

const ROUNDS: u64 = 1000;

#[test]
fn what_a_lock_did_is_explained() {
    for model in MODELS {
        for seed in 0..ROUNDS {
            let history = overlapping(&model, &mut Draw::new(seed), 4, 6);
            assert!(explain(&model, &history).is_ok(), "{model:?}, seed {seed}: {history:#?}");
        }
    }
}

/// One after the other leaves one order only, so an outcome that the model does not have there has
/// no explanation: each altered history must be refused.
#[test]
fn an_outcome_that_cannot_be_is_refused() {
    let mut refused_count = 0;
    for model in MODELS {
        for seed in 0..ROUNDS {
            let mut draw = Draw::new(seed);
            let (mut history, allowed) = one_by_one(&model, &mut draw, 3, 12);
            let at = draw.below(allowed.len());
            let (line, place, ref right) = allowed[at];
            let wrong: Vec<Told> = TOLD.into_iter().filter(|told| !right.contains(told)).collect();
            set_told(&mut history.lines[line][place], wrong[draw.below(wrong.len())]);
            assert!(explain(&model, &history).is_err(), "{model:?}, seed {seed}: {history:#?}");
            refused_count += 1;
        }
    }
    assert_eq!(refused_count, 4 * ROUNDS);
    println!("{refused_count} wrong outcomes refused");
}

/// Without its release, a lock cannot be had by the next.
#[test]
fn a_release_that_is_left_out_is_missed() {
    let mut refused_count = 0;
    for model in MODELS {
        for seed in 0..ROUNDS {
            let (mut history, _) = one_by_one(&model, &mut Draw::new(seed), 3, 16);
            let order = in_order(&history);
            let Some((line, place)) = release_before_an_acquire(&history, &order) else { continue };
            history.lines[line].remove(place);
            assert!(explain(&model, &history).is_err(), "{model:?}, seed {seed}: {history:#?}");
            refused_count += 1;
        }
    }
    println!("{refused_count} missing releases noticed");
    assert!(refused_count > ROUNDS, "only {refused_count}");
}

/// Who was refused, or waits, while somebody holds the lock, was let in as well.
#[test]
fn a_second_holder_is_refused() {
    let mut refused_count = 0;
    for model in MODELS {
        for seed in 0..ROUNDS {
            let (mut history, _) = one_by_one(&model, &mut Draw::new(seed), 3, 12);
            let mut events = history.lines.iter_mut().flatten();
            let Some(event) = events.find(|event| is_kept_out(event)) else { continue };
            match event.end {
                End::Returned { .. } => set_told(event, Told::Ok),
                _ => event.end = End::Returned { at: u64::MAX, told: Told::Ok },
            }
            assert!(explain(&model, &history).is_err(), "{model:?}, seed {seed}: {history:#?}");
            refused_count += 1;
        }
    }
    println!("{refused_count} second holders refused");
    assert!(refused_count > ROUNDS, "only {refused_count}");
}

/// A call that waits although the lock is free at the end.
#[test]
fn a_wake_that_is_lost_is_missed() {
    let mut refused_count = 0;
    for model in MODELS {
        for seed in 0..ROUNDS {
            let mut draw = Draw::new(seed);
            let mut history = overlapping(&model, &mut draw, 3, 5);
            let states = explain(&model, &history).unwrap();
            if states.iter().any(|state| matches!(state.hold, Hold::By(_))) {
                continue;
            }
            let by = Actor::process(99);
            let call = Call { by, op: Op::Acquire(Limit::None) };
            history.lines.push(vec![Event { call, entered: 0, end: End::Blocked }]);
            assert!(explain(&model, &history).is_err(), "{model:?}, seed {seed}: {history:#?}");
            refused_count += 1;
        }
    }
    println!("{refused_count} lost wakes noticed");
    assert!(refused_count > ROUNDS / 2, "only {refused_count}");
}

/// Overlapping calls may be altered into what a lock could also have done. An exhaustive search,
/// which tries every order by brute force, has the last word on each.
#[test]
fn the_checker_says_what_an_exhaustive_search_says() {
    let (mut refused_count, mut count) = (0, 0);
    for model in MODELS {
        for seed in 0..ROUNDS {
            let mut draw = Draw::new(seed);
            let mut history = overlapping(&model, &mut draw, 3, 2);
            if history.is_empty() {
                continue;
            }
            alter(&mut history, &mut draw);
            let is_refused = explain(&model, &history).is_err();
            let has_order = has_order(&model, &history);
            assert_eq!(is_refused, !has_order, "{model:?}, seed {seed}: {history:#?}");
            refused_count += u64::from(is_refused);
            count += 1;
        }
    }
    println!("{refused_count} of {count} altered histories refused");
    let (least, most) = (count / 4, count - count / 10);
    assert!((least..most).contains(&refused_count), "{refused_count} of {count}");
}

#[test]
fn a_refusal_says_how_far_an_order_got() {
    let model = MODELS[0];
    let by = Actor::process(1);
    let event = |op, at, told| Event {
        call: Call { by, op },
        entered: at,
        end: End::Returned { at: at + 1, told },
    };
    let history = History {
        lines: vec![vec![
            event(Op::Try, 0, Told::Ok),
            event(Op::Release, 2, Told::Ok),
            event(Op::Release, 4, Told::Ok),
        ]],
    };
    let refusal = explain(&model, &history).unwrap_err();
    assert_eq!(refusal.places, [2]);
    assert_eq!(refusal.states.len(), 1);
    assert_eq!(refusal.states[0].to_string(), "free");
}

fn set_told(event: &mut LockEvent, new: Told) {
    if let End::Returned { told, .. } = &mut event.end {
        *told = new;
    }
}

fn is_kept_out(event: &LockEvent) -> bool {
    let is_acquire = matches!(event.call.op, Op::Acquire(_) | Op::Try);
    let is_refused = matches!(event.end, End::Returned { told: Told::TimedOut, .. });
    is_acquire && (is_refused || event.end == End::Blocked)
}

/// All events in the order in which they began.
fn in_order(history: &History) -> Vec<(usize, usize)> {
    let lines = history.lines.iter().enumerate();
    let mut order: Vec<(usize, usize)> =
        lines.flat_map(|(line, events)| (0..events.len()).map(move |at| (line, at))).collect();
    order.sort_by_key(|(line, at)| history.lines[*line][*at].entered);
    order
}

/// A release that counts, such that the next that anybody has of the lock is to be let in.
fn release_before_an_acquire(
    history: &History,
    order: &[(usize, usize)],
) -> Option<(usize, usize)> {
    let event = |at: (usize, usize)| &history.lines[at.0][at.1];
    let told = |at| match event(at).end {
        End::Returned { told, .. } => Some(told),
        _ => None,
    };
    order.windows(2).find_map(|pair| {
        let (first, second) = (pair[0], pair[1]);
        let releases = event(first).call.op == Op::Release && told(first) == Some(Told::Ok);
        let is_let_in = matches!(event(second).call.op, Op::Acquire(_) | Op::Try)
            && matches!(told(second), Some(Told::Ok | Told::OwnerDied));
        (releases && is_let_in).then_some(first)
    })
}

/// One random change: another outcome, one event less, or an end that comes earlier.
fn alter(history: &mut History, draw: &mut Draw) {
    let lines: Vec<usize> =
        (0..history.lines.len()).filter(|line| !history.lines[*line].is_empty()).collect();
    let line = &mut history.lines[lines[draw.below(lines.len())]];
    let at = draw.below(line.len());
    match (draw.below(4), line[at].end) {
        // A line without the death behind a call that was cut off would be none.
        (0, End::Returned { .. }) if line[at].call.op != Op::Gone => {
            line.remove(at);
        }
        (1, End::Returned { told, .. }) => {
            let at_once = line[at].entered;
            line[at].end = End::Returned { at: at_once, told };
        }
        (_, End::Blocked) => {
            line[at].end = End::Returned { at: u64::MAX, told: TOLD[draw.below(6)] };
        }
        _ => set_told(&mut line[at], TOLD[draw.below(6)]),
    }
}
