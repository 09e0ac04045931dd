//! Moves of several actors become a script: the model says what must come of each step.
//!
//! A move that makes no sense where it stands (its actor waits, or is dead) is left out, so that
//! any part of a plan is a plan: that is what makes shrinking simple. A move after which the model
//! would not know the state is left out too; such calls belong into bursts.

use super::call::Op;
use super::ground::Ground;
use super::kind::Kind;
use super::stage::Stage;
use crate::script::Script;

/// What is drawn: who does what, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What the objects are.
    pub model: Kind,
    /// How many actors there are.
    pub slot_count: usize,
    /// How many objects they share.
    pub object_count: usize,
    /// What they do.
    pub moves: Vec<Move>,
}

/// What one actor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Which actor, or whoever is in its place.
    pub slot: usize,
    /// What.
    pub what: What,
}

/// What an actor does, or what is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It makes a call.
    Call {
        /// On which object.
        object: usize,
        /// Which.
        op: Op,
    },
    /// It drops its handle of an object.
    Drop {
        /// Of which.
        object: usize,
    },
    /// It is killed; when it waits, after that was shown once more.
    Kill,
    /// It ends by itself, at once, with this status.
    Exit {
        /// The status.
        code: i32,
    },
    /// It ends by SIGABRT.
    Abort,
    /// Somebody new comes in the place of one that is dead.
    Fresh,
}

impl Plan {
    /// The script of all moves that make sense.
    #[must_use]
    pub fn script(&self, ground: &Ground) -> Script {
        let mut stage = Stage::new(ground, self.model, self.slot_count, self.object_count);
        for step in &self.moves {
            stage.play(*step);
        }
        stage.into_script()
    }

    /// The moves that make sense, alone.
    #[must_use]
    pub fn pruned(&self, ground: &Ground) -> Self {
        let mut stage = Stage::new(ground, self.model, self.slot_count, self.object_count);
        let moves = self.moves.iter().copied().filter(|step| stage.play(*step)).collect();
        Self { moves, ..*self }
    }
}
