//! The recursive lock. Its owner is a thread, whose further acquires deepen its hold.
//!
//! ```text
//!     Free --acquire--> By(owner), 1 --acquire--> By(owner), 2 --release--> By(owner), 1 --> Free
//!                                  gone: Left; whoever takes over is told, and begins at 1
//! ```

use std::fmt;

use super::call::{Call, Limit, Op, Told};
use super::lock::Hold;
use super::{Actor, Model};

/// There is one kind of recursive lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RLockModel;

/// All that a recursive lock remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RLockState {
    /// Who owns it.
    pub hold: Hold,
    /// How often; 0 when nobody does.
    pub depth: u32,
    /// An owner died, and nobody has vouched for the data since.
    pub is_suspect: bool,
}

type Next = Vec<(Told, RLockState)>;

impl Model for RLockModel {
    type State = RLockState;
    type Call = Call;
    type Told = Told;

    fn new_state(&self) -> RLockState {
        RLockState { hold: Hold::Free, depth: 0, is_suspect: false }
    }

    fn step(&self, state: &RLockState, call: &Call) -> Next {
        let is_own = state.is_owner(call.by);
        match call.op {
            Op::Acquire(limit) => acquire(*state, call.by, limit),
            Op::Try => acquire(*state, call.by, Limit::Zero),
            Op::Release if is_own => vec![(Told::Ok, state.released(1))],
            Op::Recover if is_own => vec![(Told::Ok, RLockState { is_suspect: false, ..*state })],
            Op::Release | Op::Recover => vec![(Told::NotOwner, *state)],
            Op::Depth => vec![(Told::Number(if is_own { state.depth } else { 0 }), *state)],
            Op::Gone => vec![(Told::Ok, state.gone(call.by))],
            _ => Vec::new(), // no call of a recursive lock
        }
    }
}

fn acquire(state: RLockState, by: Actor, limit: Limit) -> Next {
    match (state.hold, limit) {
        _ if state.is_owner(by) => {
            vec![(Told::Ok, RLockState { depth: state.depth + 1, ..state })]
        }
        (Hold::Free | Hold::Left, _) => vec![state.admitted(by, 1)],
        (Hold::By(_), Limit::Zero | Limit::Short) => vec![(Told::TimedOut, state)],
        (Hold::By(_), Limit::None | Limit::Long) => Vec::new(),
    }
}

impl RLockState {
    /// Whether this thread owns it.
    #[must_use]
    pub fn is_owner(&self, by: Actor) -> bool {
        self.hold == Hold::By(by)
    }

    /// It is this one's, at that depth.
    pub(super) const fn admitted(self, by: Actor, depth: u32) -> (Told, Self) {
        let told = if self.is_suspect { Told::OwnerDied } else { Told::Ok };
        (told, Self { hold: Hold::By(by), depth, ..self })
    }

    /// So many levels less.
    pub(super) const fn released(self, count: u32) -> Self {
        let depth = self.depth - count;
        Self { hold: if depth == 0 { Hold::Free } else { self.hold }, depth, ..self }
    }

    /// A process is gone.
    pub(super) fn gone(self, by: Actor) -> Self {
        match self.hold {
            Hold::By(owner) if owner.process == by.process => {
                Self { hold: Hold::Left, depth: 0, is_suspect: true }
            }
            _ => self,
        }
    }
}

impl fmt::Display for RLockState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hold {
            Hold::Free => f.write_str("free")?,
            Hold::Left => f.write_str("left by a dead owner")?,
            Hold::By(Actor { process, thread }) => {
                write!(f, "owned {} deep by thread {thread} of process {process}", self.depth)?;
            }
        }
        f.write_str(if self.is_suspect { ", in doubt" } else { "" })
    }
}
