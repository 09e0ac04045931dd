//! The queue: items go in at the back, while there is room, and come out at the front, each once.
//!
//! A call that a death cut off took effect or did not: an item that was being put is inside or is
//! nowhere, and one that was being got is still inside or is gone.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use super::call::{Call, Limit, Op, Told};
use super::{Actor, Model};

/// What kind of queue it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueModel {
    /// There is room for so many items; without end where it is none.
    pub bound: Option<u32>,
}

/// All that a queue remembers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueueState {
    items: VecDeque<u32>,
    /// Who waits for room. Whose item comes in when there is some depends on who of them it is.
    putters: BTreeSet<Actor>,
}

type Next = Vec<(Told, QueueState)>;

impl Model for QueueModel {
    type State = QueueState;
    type Call = Call;
    type Told = Told;

    fn new_state(&self) -> QueueState {
        QueueState { items: VecDeque::new(), putters: BTreeSet::new() }
    }

    fn step(&self, state: &QueueState, call: &Call) -> Next {
        match call.op {
            Op::Put(item, limit) => self.put(state, call.by, item, limit),
            Op::TryPut(item) => self.put(state, call.by, item, Limit::Zero),
            Op::Get(limit) => get(state, limit),
            Op::TryGet => get(state, Limit::Zero),
            Op::Gone => vec![(Told::Ok, without(state, call.by))],
            _ => Vec::new(), // no call of a queue
        }
    }

    fn enter(&self, state: &QueueState, call: &Call) -> QueueState {
        let mut next = state.clone();
        if matches!(call.op, Op::Put(..)) {
            next.putters.insert(call.by);
        }
        next
    }
}

impl QueueModel {
    fn put(self, state: &QueueState, by: Actor, item: u32, limit: Limit) -> Next {
        if self.has_room(state) {
            let mut next = without(state, by);
            next.items.push_back(item);
            return vec![(Told::Ok, next)];
        }
        gives_up(state, limit, Told::Full)
    }

    /// Whether a put would be taken.
    pub(super) fn has_room(self, state: &QueueState) -> bool {
        let has_fewer = |bound| u32::try_from(state.items.len()).is_ok_and(|len| len < bound);
        self.bound.is_none_or(has_fewer)
    }

    /// Whether this put would wait beside another, and nobody could say whose item comes first.
    pub(super) fn is_open(self, state: &QueueState, call: &Call) -> bool {
        let waits = matches!(call.op, Op::Put(_, Limit::None | Limit::Long));
        waits && !self.has_room(state) && !state.putters.is_empty()
    }
}

fn get(state: &QueueState, limit: Limit) -> Next {
    let mut next = state.clone();
    match next.items.pop_front() {
        Some(item) => vec![(Told::Number(item), next)],
        None => gives_up(state, limit, Told::Empty),
    }
}

/// A call that waits for a moment at most is told so; another waits.
fn gives_up(state: &QueueState, limit: Limit, told: Told) -> Next {
    match limit {
        Limit::Zero | Limit::Short => vec![(told, state.clone())],
        Limit::None | Limit::Long => Vec::new(),
    }
}

fn without(state: &QueueState, by: Actor) -> QueueState {
    let mut next = state.clone();
    next.putters.remove(&by);
    next
}

impl QueueState {
    /// Nothing can be got.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl fmt::Display for QueueState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with {:?} inside", self.items)
    }
}
