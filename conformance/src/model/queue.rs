//! The queue: items go in at the back, while there is room, and come out at the front, each once.
//!
//! A call that a death cut off took effect or did not: an item that was being put is inside or is
//! nowhere, and one that was being got is still inside or is gone.
//!
//! One that was shut down takes nothing any more, and gives what is inside. One that counts tasks
//! counts each item as one from its put on, until somebody says that one is done.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use super::call::{Call, Limit, Op, Told};
use super::{Actor, Model};

/// What kind of queue it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueModel {
    /// There is room for so many items; without end where it is none.
    pub bound: Option<u32>,
    /// What is done of its items is counted.
    pub is_joinable: bool,
}

/// All that a queue remembers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueueState {
    items: VecDeque<u32>,
    /// Who waits for room. Whose item comes in when there is some depends on who of them it is.
    putters: BTreeSet<Actor>,
    is_shut: bool,
    /// Items that were put, and of which nobody has said that they are done; where that is counted.
    undone_count: u32,
}

type Next = Vec<(Told, QueueState)>;

impl Model for QueueModel {
    type State = QueueState;
    type Call = Call;
    type Told = Told;

    fn new_state(&self) -> QueueState {
        let (items, putters) = (VecDeque::new(), BTreeSet::new());
        QueueState { items, putters, is_shut: false, undone_count: 0 }
    }

    fn step(&self, state: &QueueState, call: &Call) -> Next {
        match call.op {
            Op::Put(item, limit) => self.put(state, call.by, item, limit),
            Op::TryPut(item) => self.put(state, call.by, item, Limit::Zero),
            Op::Get(limit) => get(state, limit),
            Op::TryGet => get(state, Limit::Zero),
            Op::Shutdown(is_immediate) => vec![(Told::Ok, shut(state, is_immediate))],
            Op::TaskDone if self.is_joinable => mark(state),
            Op::Join(_) if self.is_joinable && state.undone_count == 0 => {
                vec![(Told::Ok, state.clone())]
            }
            Op::Join(limit) if self.is_joinable => gives_up(state, limit, Told::TimedOut),
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
        if state.is_shut {
            return vec![(Told::Closed, without(state, by))];
        }
        if self.has_room(state) {
            let mut next = without(state, by);
            next.items.push_back(item);
            next.undone_count += u32::from(self.is_joinable);
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
        waits && !state.is_shut && !self.has_room(state) && !state.putters.is_empty()
    }
}

fn get(state: &QueueState, limit: Limit) -> Next {
    let mut next = state.clone();
    match next.items.pop_front() {
        Some(item) => vec![(Told::Number(item), next)],
        None if state.is_shut => vec![(Told::Closed, next)],
        None => gives_up(state, limit, Told::Empty),
    }
}

/// Nothing comes in any more; of what is inside, all is dropped, or nothing.
fn shut(state: &QueueState, is_immediate: bool) -> QueueState {
    let items = if is_immediate { VecDeque::new() } else { state.items.clone() };
    QueueState { items, is_shut: true, ..state.clone() }
}

fn mark(state: &QueueState) -> Next {
    match state.undone_count.checked_sub(1) {
        Some(undone_count) => vec![(Told::Ok, QueueState { undone_count, ..state.clone() })],
        None => vec![(Told::TaskDoneTooOften, state.clone())],
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
    /// Nothing can be got, and something may come.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.is_shut
    }

    /// Somebody may wait until all is done.
    pub(super) const fn has_undone(&self) -> bool {
        self.undone_count > 0
    }
}

impl fmt::Display for QueueState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with {:?} inside", self.items)?;
        if self.undone_count > 0 {
            write!(f, ", {} not done", self.undone_count)?;
        }
        f.write_str(if self.is_shut { ", shut down" } else { "" })
    }
}
