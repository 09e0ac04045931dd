//! The condition over a recursive lock. Which waiter a notify picks is open, so what is remembered
//! is how many are to go; that they return one after another, each with the lock, is the lock's
//! doing.
//!
//! ```text
//!     owner -- wait --> waiting -- notify --> waiting, one may go -- lock is free --> owner again
//!                          |                                             told, as by an acquire
//!                          +---- the lock's owner died: one of them returns, told owner-died
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::call::{Call, Limit, Op, Told};
use super::lock::Hold;
use super::rlock::{RLockModel, RLockState};
use super::{Actor, Model};

/// There is one kind of condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionModel;

/// All that a condition remembers, its lock included.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConditionState {
    pub(super) lock: RLockState,
    /// Those who wait for a notify, or for the lock after one, and how deep their hold was.
    waiting: BTreeMap<Actor, u32>,
    /// So many of them may go.
    notified_count: usize,
    /// Those who wait for the lock alone.
    queued: BTreeSet<Actor>,
}

type Next = Vec<(Told, ConditionState)>;

impl Model for ConditionModel {
    type State = ConditionState;
    type Call = Call;
    type Told = Told;

    fn new_state(&self) -> ConditionState {
        ConditionState {
            lock: RLockModel.new_state(),
            waiting: BTreeMap::new(),
            notified_count: 0,
            queued: BTreeSet::new(),
        }
    }

    fn step(&self, state: &ConditionState, call: &Call) -> Next {
        match call.op {
            Op::Wait(limit) => match state.waiting.get(&call.by) {
                Some(depth) => state.back(call.by, *depth),
                None => state.begin(call.by, limit),
            },
            Op::Notify(count) => {
                state.notify(call.by, usize::try_from(count).unwrap_or(usize::MAX))
            }
            Op::NotifyAll => state.notify(call.by, usize::MAX),
            Op::Gone => vec![(Told::Ok, state.gone(call.by))],
            _ => state.of_lock(call),
        }
    }

    fn enter(&self, state: &ConditionState, call: &Call) -> ConditionState {
        let mut next = state.clone();
        if matches!(call.op, Op::Wait(_)) {
            let depth = state.lock.depth;
            next.waiting.insert(call.by, depth);
            next.lock = next.lock.released(depth);
        } else {
            next.queued.insert(call.by);
        }
        next
    }
}

impl ConditionState {
    /// Whether some wait for a notify.
    pub(super) fn has_sleepers(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether it is open who would come next, of callers that are no equals: those who return from
    /// a wait and those who want the lock, or waiters of different depths.
    pub(super) fn is_open(&self, call: &Call) -> bool {
        let is_own = self.lock.is_owner(call.by);
        let has_queue = !self.queued.is_empty();
        let is_let_go = self.notified_count > 0;
        match call.op {
            Op::Wait(Limit::Zero | Limit::Short) => is_own && (has_queue || is_let_go),
            Op::Wait(_) => {
                let depths = self.waiting.values();
                is_own && (is_let_go || depths.clone().any(|depth| *depth != self.lock.depth))
            }
            Op::Release => is_own && has_queue && is_let_go,
            Op::Gone => {
                let is_owner = self.lock.gone(call.by) != self.lock;
                let are_some_let_go = is_let_go && self.notified_count < self.waiting.len();
                is_owner && (are_some_let_go || has_queue && !self.waiting.is_empty())
            }
            _ => false,
        }
    }

    fn of_lock(&self, call: &Call) -> Next {
        let next = RLockModel.step(&self.lock, call).into_iter();
        let is_in = |lock: &RLockState| lock.is_owner(call.by);
        next.map(|(told, lock)| {
            let mut next = Self { lock, ..self.clone() };
            if is_in(&lock) {
                next.queued.remove(&call.by);
            }
            (told, next)
        })
        .collect()
    }

    /// The beginning of a wait; one that does not give up goes on in `enter`.
    fn begin(&self, by: Actor, limit: Limit) -> Next {
        match limit {
            _ if !self.lock.is_owner(by) => vec![(Told::NotOwner, self.clone())],
            // The lock was given up and taken again meanwhile, which tells of a doubt.
            Limit::Zero | Limit::Short if self.lock.is_suspect => {
                vec![(Told::OwnerDied, self.clone())]
            }
            Limit::Zero | Limit::Short => vec![(Told::TimedOut, self.clone())],
            Limit::None | Limit::Long => Vec::new(),
        }
    }

    /// The end of a wait.
    fn back(&self, by: Actor, depth: u32) -> Next {
        let may_go = match self.lock.hold {
            Hold::By(_) => false,
            Hold::Free => self.notified_count > 0,
            Hold::Left => true,
        };
        if !may_go {
            return Vec::new();
        }
        let (told, lock) = self.lock.admitted(by, depth);
        let mut next = Self { lock, ..self.clone() };
        next.waiting.remove(&by);
        next.notified_count = next.notified_count.saturating_sub(1);
        vec![(told, next)]
    }

    fn notify(&self, by: Actor, count: usize) -> Next {
        if !self.lock.is_owner(by) {
            return vec![(Told::NotOwner, self.clone())];
        }
        let notified_count = self.notified_count.saturating_add(count).min(self.waiting.len());
        vec![(Told::Ok, Self { notified_count, ..self.clone() })]
    }

    /// A notify that a dead waiter got goes to another.
    fn gone(&self, by: Actor) -> Self {
        let mut next = Self { lock: self.lock.gone(by), ..self.clone() };
        next.waiting.retain(|actor, _| actor.process != by.process);
        next.queued.retain(|actor| actor.process != by.process);
        next.notified_count = next.notified_count.min(next.waiting.len());
        next
    }
}

impl fmt::Display for ConditionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (waiting_count, notified_count) = (self.waiting.len(), self.notified_count);
        write!(f, "{}, {waiting_count} waiting, {notified_count} notified", self.lock)
    }
}
