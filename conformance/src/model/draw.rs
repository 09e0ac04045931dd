//! Random numbers from a seed, and plans made of them.

use super::call::Op;
use super::ground::Ground;
use super::kind::Kind;
use super::plan::{Move, Plan, What};
use super::stage::Stage;

/// Numbers that a seed decides (SplitMix64, by Steele, Lea and Flood).
#[derive(Debug, Clone)]
pub struct Draw {
    state: u64,
}

impl Draw {
    /// The numbers of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, and 0 for a limit of 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let wide = u128::from(self.next()) * limit as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// Whether something happens that happens `of` times in a hundred.
    pub fn percent(&mut self, of: usize) -> bool {
        self.below(100) < of
    }

    /// One of several, each as likely as its weight.
    pub fn weighted<T: Copy>(&mut self, choices: &[(usize, T)]) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *choice,
            }
        }
        choices[choices.len() - 1].1
    }
}

/// Draws a plan; only the moves that make sense are in it.
#[must_use]
pub fn plan(draw: &mut Draw, ground: &Ground) -> Plan {
    let slot_count = draw.weighted(&[(15, 2), (35, 3), (50, 4)]);
    let object_count = if draw.percent(20) { 2 } else { 1 };
    let model = ground.model.resized(draw);
    let mut stage = Stage::new(ground, model, slot_count, object_count);
    let mut moves = Vec::new();
    for _ in 0..TRIES_COUNT + draw.below(TRIES_COUNT) {
        let step = step(draw, model, &stage, slot_count, object_count);
        if stage.play(step) {
            moves.push(step);
        }
    }
    Plan { model, slot_count, object_count, moves }
}

/// A call of a burst.
pub fn op(draw: &mut Draw, model: Kind) -> Op {
    let op = draw.weighted(model.ops());
    // Most items are different.
    op.with_item(u32::try_from(draw.below(ITEMS_COUNT)).unwrap_or(0))
}

/// As many items are drawn from.
const ITEMS_COUNT: usize = 1000;

/// So many moves are tried at least, and fewer than twice as many; half of them make no sense where
/// they come.
const TRIES_COUNT: usize = 20;

/// A move of anybody; often of whom it makes most sense.
fn step(
    draw: &mut Draw,
    model: Kind,
    stage: &Stage<'_>,
    slot_count: usize,
    object_count: usize,
) -> Move {
    let (object, slot) = (draw.below(object_count), draw.below(slot_count));
    let holder = if draw.percent(60) { stage.holder(object) } else { None };
    let what = what(draw, model, object);
    if holder.is_some() && stage.is_suspect(object) && draw.percent(10) {
        let what = What::Call { object, op: Op::Recover };
        return Move { slot: holder.unwrap_or(slot), what };
    }
    let slot = match what {
        What::Fresh => stage.dead().unwrap_or(slot),
        What::Call { op, .. } if is_for_holder(op) => holder.unwrap_or(slot),
        What::Kill => holder.unwrap_or(slot),
        _ => slot,
    };
    Move { slot, what }
}

const fn is_for_holder(op: Op) -> bool {
    matches!(op, Op::Release | Op::Recover | Op::Notify(_) | Op::NotifyAll | Op::Wait(_))
}

fn what(draw: &mut Draw, model: Kind, object: usize) -> What {
    match draw.below(100) {
        0..78 => What::Call { object, op: op(draw, model) },
        78..84 => What::Kill,
        84..86 => What::Exit { code: 0 },
        86..88 => What::Abort,
        88..90 => What::Drop { object },
        _ => What::Fresh,
    }
}
