//! The semaphore. So many units, of which each acquire takes one. A plain one knows no owners; of a
//! tracked one each unit remembers the process that has it, and comes back when that dies, to
//! somebody who is told.
//!
//! ```text
//!     free units  -- acquire -->  taken  -- release -->  free
//!                                   | gone, where they are tracked
//!     taken  <-- acquire, told --  left
//! ```

use std::collections::BTreeMap;
use std::fmt;

use super::call::{Call, Limit, Op, Told};
use super::{Actor, Model};

/// What kind of semaphore it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemaphoreModel {
    /// So many units there are at first.
    pub start_count: u32,
    /// There are never more than at first.
    pub is_bounded: bool,
    /// Units know who has them.
    pub is_tracked: bool,
}

/// All that a semaphore remembers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SemaphoreState {
    free_count: u32,
    /// How many units each process has, where they are tracked.
    taken: BTreeMap<u32, u32>,
    /// Units whose owner died.
    left_count: u32,
}

type Next = Vec<(Told, SemaphoreState)>;

impl Model for SemaphoreModel {
    type State = SemaphoreState;
    type Call = Call;
    type Told = Told;

    fn new_state(&self) -> SemaphoreState {
        let free_count = self.start_count;
        SemaphoreState { free_count, taken: BTreeMap::new(), left_count: 0 }
    }

    fn step(&self, state: &SemaphoreState, call: &Call) -> Next {
        match call.op {
            Op::Acquire(limit) => self.acquire(state, call.by, limit),
            Op::Try => self.acquire(state, call.by, Limit::Zero),
            Op::Release => self.release(state, call.by, 1),
            Op::ReleaseMany(count) => self.release(state, call.by, count),
            Op::Value => vec![(Told::Number(state.free_count), state.clone())],
            Op::Gone => vec![(Told::Ok, gone(state, call.by))],
            _ => Vec::new(), // no call of a semaphore
        }
    }
}

impl SemaphoreModel {
    /// Where there are both a free unit and one that a dead process left, either will do.
    fn acquire(self, state: &SemaphoreState, by: Actor, limit: Limit) -> Next {
        let mut next = Vec::new();
        if state.free_count > 0 {
            let free_count = state.free_count - 1;
            next.push((Told::Ok, self.taken(SemaphoreState { free_count, ..state.clone() }, by)));
        }
        if state.left_count > 0 {
            let left_count = state.left_count - 1;
            let state = SemaphoreState { left_count, ..state.clone() };
            next.push((Told::OwnerDied, self.taken(state, by)));
        }
        if next.is_empty() && matches!(limit, Limit::Zero | Limit::Short) {
            next.push((Told::TimedOut, state.clone()));
        }
        next
    }

    fn taken(self, mut state: SemaphoreState, by: Actor) -> SemaphoreState {
        if self.is_tracked {
            *state.taken.entry(by.process).or_default() += 1;
        }
        state
    }

    fn release(self, state: &SemaphoreState, by: Actor, count: u32) -> Next {
        let mut next = state.clone();
        next.free_count += count;
        if self.is_tracked {
            let own_count = state.taken.get(&by.process).copied().unwrap_or(0);
            let Some(left_count) = own_count.checked_sub(count) else {
                // Where nobody has a unit, that there is none to give back is as good an answer.
                let mut answers = vec![(Told::NotOwner, state.clone())];
                if state.taken.is_empty() {
                    answers.push((Told::OverReleased, state.clone()));
                }
                return answers;
            };
            next.taken.insert(by.process, left_count);
            next.taken.retain(|_, count| *count > 0);
        } else if self.is_bounded && next.free_count > self.start_count {
            return vec![(Told::OverReleased, state.clone())];
        }
        vec![(Told::Ok, next)]
    }
}

fn gone(state: &SemaphoreState, by: Actor) -> SemaphoreState {
    let mut next = state.clone();
    next.left_count += next.taken.remove(&by.process).unwrap_or(0);
    next
}

impl SemaphoreState {
    /// Nobody could take a unit.
    pub(super) const fn is_empty(&self) -> bool {
        self.free_count == 0 && self.left_count == 0
    }

    /// Whether two have so many units each that their deaths come to the same.
    pub(super) fn has_alike(&self, one: Actor, other: Actor) -> bool {
        self.taken.get(&one.process) == self.taken.get(&other.process)
    }

    /// A process that has a unit, where that is known.
    pub(super) fn owner(&self) -> Option<Actor> {
        self.taken.keys().next().map(|process| Actor::process(*process))
    }
}

impl fmt::Display for SemaphoreState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}", self.free_count)?;
        for (process, count) in &self.taken {
            write!(f, ", {count} with process {process}")?;
        }
        match self.left_count {
            0 => Ok(()),
            count => write!(f, ", {count} left by the dead"),
        }
    }
}
