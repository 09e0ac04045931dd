//! The barrier. Whoever comes waits until all have come, or until it is broken: by a limit, by a
//! death, by an abort.
//!
//! ```text
//!     whole: 1, 2 … have come -- the last comes --> all pass, and the next round begins
//!        | limit, death, abort, reset
//!        v
//!     broken: all who had come are told, and all who come, until a reset
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::call::{Call, Limit, Op, Told};
use super::{Actor, Model};

/// A barrier for so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarrierModel {
    /// How many have to come.
    pub party_count: u32,
}

/// All that a barrier remembers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BarrierState {
    /// A limit, a death or an abort has broken it, and no reset has mended it.
    pub(super) is_broken: bool,
    arrived: BTreeSet<Actor>,
    /// Somebody died who had come, and nobody was there or has come since to see it: whoever only
    /// asks whether it is broken may not be told yet.
    has_unseen_death: bool,
    /// Those whose round is decided, and that have not gone yet: whether they pass.
    leaving: BTreeMap<Actor, bool>,
}

type Next = Vec<(Told, BarrierState)>;

impl Model for BarrierModel {
    type State = BarrierState;
    type Call = Call;
    type Told = Told;

    fn new_state(&self) -> BarrierState {
        BarrierState {
            is_broken: false,
            has_unseen_death: false,
            arrived: BTreeSet::new(),
            leaving: BTreeMap::new(),
        }
    }

    fn step(&self, state: &BarrierState, call: &Call) -> Next {
        let waiting_count = u32::try_from(state.arrived.len()).unwrap_or(u32::MAX);
        match call.op {
            Op::Wait(limit) => self.wait(state, call.by, limit),
            Op::Abort => vec![(Told::Ok, state.clone().broken())],
            Op::Reset => {
                vec![(Told::Ok, BarrierState { is_broken: false, ..state.clone().broken() })]
            }
            Op::IsBroken => {
                let whole = state.has_unseen_death.then(|| (Told::Is(false), state.clone()));
                let told = (Told::Is(state.is_broken), state.clone());
                whole.into_iter().chain([told]).collect()
            }
            Op::Waiting => vec![(Told::Number(waiting_count), state.clone())],
            Op::Gone => vec![(Told::Ok, gone(state, call.by))],
            _ => Vec::new(), // no call of a barrier
        }
    }

    fn enter(&self, state: &BarrierState, call: &Call) -> BarrierState {
        let mut next = state.clone();
        next.arrived.insert(call.by);
        next
    }
}

impl BarrierModel {
    fn wait(self, state: &BarrierState, by: Actor, limit: Limit) -> Next {
        let mut next = BarrierState { has_unseen_death: false, ..state.clone() };
        match next.leaving.remove(&by) {
            Some(true) => return self.passed(&next),
            Some(false) => return vec![(Told::BarrierBroken, next)],
            None => {}
        }
        if state.arrived.contains(&by) {
            return Vec::new();
        }
        if state.is_broken {
            return vec![(Told::BarrierBroken, next)];
        }
        if next.arrived.len() + 1 >= self.party_count as usize {
            let arrived = std::mem::take(&mut next.arrived);
            next.leaving.extend(arrived.into_iter().map(|actor| (actor, true)));
            return self.passed(&next);
        }
        match limit {
            Limit::Zero | Limit::Short => vec![(Told::BarrierBroken, next.broken())],
            Limit::None | Limit::Long => Vec::new(),
        }
    }

    /// Which of the numbers a party gets is open.
    fn passed(self, state: &BarrierState) -> Next {
        (0..self.party_count).map(|number| (Told::Number(number), state.clone())).collect()
    }
}

impl BarrierState {
    fn broken(mut self) -> Self {
        let arrived = std::mem::take(&mut self.arrived);
        self.leaving.extend(arrived.into_iter().map(|actor| (actor, false)));
        self.is_broken = true;
        self.has_unseen_death = false;
        self
    }
}

/// The death of who has come breaks it.
fn gone(state: &BarrierState, by: Actor) -> BarrierState {
    let mut next = state.clone();
    next.leaving.retain(|actor, _| actor.process != by.process);
    next.arrived.retain(|actor| actor.process != by.process);
    if next.arrived.len() == state.arrived.len() {
        return next;
    }
    let has_unseen_death = next.arrived.is_empty();
    BarrierState { has_unseen_death, ..next.broken() }
}

impl fmt::Display for BarrierState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.is_broken { "broken" } else { "whole" };
        write!(f, "{whole}, {} have come", self.arrived.len())
    }
}
