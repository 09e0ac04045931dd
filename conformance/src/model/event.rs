//! The event. A flag; whoever waits goes on when it is set, also if it is cleared right after.
//!
//! A history does not say when a wait began to count, so that there a wait may also go on by a flag
//! that was set before, and one that a set should have let go may still wait when it was cleared.
//! Scripts, which know who waits, are stricter.

use std::collections::BTreeSet;
use std::fmt;

use super::call::{Call, Limit, Op, Told};
use super::{Actor, Model};

/// There is one kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventModel;

/// All that an event remembers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventState {
    pub(super) is_set: bool,
    waiting: BTreeSet<Actor>,
    /// Those that a set has let go, and that have not gone yet.
    let_go: BTreeSet<Actor>,
}

impl Model for EventModel {
    type State = EventState;
    type Call = Call;
    type Told = Told;

    fn new_state(&self) -> EventState {
        EventState { is_set: false, waiting: BTreeSet::new(), let_go: BTreeSet::new() }
    }

    fn step(&self, state: &EventState, call: &Call) -> Vec<(Told, EventState)> {
        let mut next = state.clone();
        let told = match call.op {
            Op::Set => {
                next.is_set = true;
                next.let_go.append(&mut next.waiting);
                Told::Ok
            }
            Op::Clear => {
                next.is_set = false;
                Told::Ok
            }
            Op::IsSet => Told::Is(state.is_set),
            Op::Wait(_) if next.let_go.remove(&call.by) || state.is_set => Told::Ok,
            Op::Wait(Limit::Zero | Limit::Short) => Told::TimedOut,
            Op::Gone => {
                next.waiting.retain(|actor| actor.process != call.by.process);
                next.let_go.retain(|actor| actor.process != call.by.process);
                Told::Ok
            }
            _ => return Vec::new(), // a wait that waits, or no call of an event
        };
        vec![(told, next)]
    }

    fn enter(&self, state: &EventState, call: &Call) -> EventState {
        let mut next = state.clone();
        next.waiting.insert(call.by);
        next
    }
}

impl fmt::Display for EventState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set { "set" } else { "not set" })
    }
}
