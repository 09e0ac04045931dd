//! What an object does, written once as a pure function, and the masters that it serves.
//!
//! ```text
//!   lock.rs, semaphore.rs, event.rs …
//!      step(state, call) -> set of (told, next state); an empty set: the call waits
//!      |
//!      +-- plan.rs     random moves of several actors, deaths among them, become a script
//!      +-- linear.rs   is there an order of these overlapping calls that the model allows?
//!      +-- tests       random calls of one actor on the real objects, shrunk to a script
//! ```
//!
//! A model knows no time. Who waits is whoever made a call that the model has no answer for yet;
//! where it matters who does, such a call leaves its place in the state (`enter`). What several
//! answers are right for gives several; what a promise leaves open is open here too. The page for
//! people is `docs/models.md`.

pub mod barrier;
pub mod burst;
pub mod call;
pub mod condition;
pub mod draw;
mod drive;
pub mod event;
pub mod ground;
pub mod history;
pub mod kind;
pub mod linear;
pub mod lock;
pub mod observed;
pub mod plan;
pub mod queue;
pub mod random;
pub mod rlock;
pub mod semaphore;
mod shown;
pub mod shrink;
mod stage;

use std::fmt::Debug;
use std::hash::Hash;

/// An object as a pure function.
pub trait Model {
    /// All that the object remembers.
    type State: Clone + Eq + Hash + Debug;
    /// What is done to it, and by whom.
    type Call: Clone + Debug;
    /// What comes of a call.
    type Told: Clone + PartialEq + Debug;

    /// A new object.
    fn new_state(&self) -> Self::State;

    /// Everything that may come of a call in this state, with the state after it. The call waits
    /// when nothing may.
    fn step(&self, state: &Self::State, call: &Self::Call) -> Vec<(Self::Told, Self::State)>;

    /// The state in which a call begins to wait: with its place among those who do, where a later
    /// call can concern those alone.
    fn enter(&self, state: &Self::State, _call: &Self::Call) -> Self::State {
        state.clone()
    }
}

/// Who calls: a thread of a process. Both are numbers that are given once, so that somebody new in
/// the place of a dead one is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// Which process.
    pub process: u32,
    /// Which thread of it.
    pub thread: u32,
}

impl Actor {
    /// The only thread of a process.
    #[must_use]
    pub const fn process(number: u32) -> Self {
        Self { process: number, thread: 0 }
    }
}
