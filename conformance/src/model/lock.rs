//! The lock. One holder at a time; a holder that dies leaves the lock, with what it guards in
//! doubt, until a later holder vouches for it.
//!
//! ```text
//!             acquire, try                  release
//!     Free ------------------> By(holder) ----------> Free
//!                                  | gone
//!             acquire, try         v
//!      By(next) <---------------- Left                is_suspect from here on, until `recover`
//! ```

use std::fmt;

use super::call::{Call, Limit, Op, Told};
use super::{Actor, Model};

/// Which sides of its contracts a lock takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockModel {
    /// Who may release.
    pub release: Release,
    /// What becomes of a holder's second acquire.
    pub again: Again,
}

/// The contract `lock-release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Another's release is refused.
    ByHolder,
    /// Whoever releases, it counts.
    ByAnyone,
}

/// The contract `lock-again`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It waits, as anybody's.
    Waits,
    /// It is told would-deadlock.
    Refused,
}

/// All that a lock remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LockState {
    /// Who has it.
    pub hold: Hold,
    /// An owner died, and nobody has vouched for the data since.
    pub is_suspect: bool,
}

/// Who has a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    /// Nobody.
    Free,
    /// This one.
    By(Actor),
    /// One who died, and nobody has taken over yet; always suspect.
    Left,
}

impl Hold {
    /// Whether it makes no difference between these two: neither has it, nor one's process alone.
    pub(super) fn has_alike(self, one: Actor, other: Actor) -> bool {
        match self {
            Self::Free | Self::Left => true,
            Self::By(holder) => {
                let is_near = |actor: Actor| (holder == actor, holder.process == actor.process);
                is_near(one) == is_near(other)
            }
        }
    }
}

type Next = Vec<(Told, LockState)>;

impl Model for LockModel {
    type State = LockState;
    type Call = Call;
    type Told = Told;

    fn new_state(&self) -> LockState {
        LockState { hold: Hold::Free, is_suspect: false }
    }

    fn step(&self, state: &LockState, call: &Call) -> Next {
        match call.op {
            Op::Acquire(limit) => self.acquire(*state, call.by, limit),
            Op::Try => self.acquire(*state, call.by, Limit::Zero),
            Op::Release => self.release(*state, call.by),
            Op::Recover => recover(*state, call.by),
            Op::Gone => vec![(Told::Ok, gone(*state, call.by))],
            _ => Vec::new(), // no call of a lock
        }
    }
}

impl LockModel {
    fn acquire(self, state: LockState, by: Actor, limit: Limit) -> Next {
        let Hold::By(holder) = state.hold else { return vec![admitted(state, by)] };
        let would_deadlock = (Told::WouldDeadlock, state);
        let timed_out = (Told::TimedOut, state);
        match (limit, holder == by && self.again == Again::Refused) {
            (Limit::Zero, _) | (Limit::Short, false) => vec![timed_out],
            // Where a second acquire is refused, one with a limit may also sit it out.
            (Limit::Short, true) => vec![would_deadlock, timed_out],
            (Limit::None | Limit::Long, true) => vec![would_deadlock],
            (Limit::None | Limit::Long, false) => Vec::new(),
        }
    }

    fn release(self, state: LockState, by: Actor) -> Next {
        let done = (Told::Ok, LockState { hold: Hold::Free, ..state });
        let refused = |told| (told, state);
        let is_by_anyone = self.release == Release::ByAnyone;
        match state.hold {
            // Some look for the owner first.
            Hold::Free => vec![refused(Told::OverReleased), refused(Told::NotOwner)],
            // It was held until its owner died: whoever may release another's hold may end this
            // one too. What it guards stays in doubt.
            Hold::Left if is_by_anyone => {
                vec![done, refused(Told::OverReleased), refused(Told::NotOwner)]
            }
            Hold::Left => vec![refused(Told::OverReleased), refused(Told::NotOwner)],
            Hold::By(holder) if holder == by || is_by_anyone => vec![done],
            // A lock may know its holder's process only.
            Hold::By(holder) if holder.process == by.process => {
                vec![refused(Told::NotOwner), done]
            }
            Hold::By(_) => vec![refused(Told::NotOwner)],
        }
    }
}

fn admitted(state: LockState, by: Actor) -> (Told, LockState) {
    let told = if state.is_suspect { Told::OwnerDied } else { Told::Ok };
    (told, LockState { hold: Hold::By(by), ..state })
}

fn recover(state: LockState, by: Actor) -> Next {
    let done = (Told::Ok, LockState { is_suspect: false, ..state });
    let refused = (Told::NotOwner, state);
    match state.hold {
        Hold::By(holder) if holder == by => vec![done],
        Hold::By(holder) if holder.process == by.process => vec![refused, done],
        _ => vec![refused],
    }
}

fn gone(state: LockState, by: Actor) -> LockState {
    match state.hold {
        Hold::By(holder) if holder.process == by.process => {
            LockState { hold: Hold::Left, is_suspect: true }
        }
        _ => state,
    }
}

impl fmt::Display for LockState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hold {
            Hold::Free => f.write_str("free")?,
            Hold::By(Actor { process, thread: 0 }) => write!(f, "held by process {process}")?,
            Hold::By(Actor { process, thread }) => {
                write!(f, "held by thread {thread} of process {process}")?;
            }
            Hold::Left => f.write_str("left by a dead holder")?,
        }
        f.write_str(if self.is_suspect { ", in doubt" } else { "" })
    }
}
