//! What all have in common that run whole: players that wait for each other, and nobody who is
//! stepped.

use crate::stage::{AnyStage, Stage};
use crate::sys::trace::Mark;
use crate::verdict::Outcome;

/// Those who play together, at full speed.
pub(super) trait Ensemble: 'static {
    /// How many they are.
    fn player_count(&self) -> usize;

    /// What each of them does.
    fn play(&self, index: usize) -> Outcome;

    /// As [`Stage::pulse`].
    fn pulse(&self) -> u64;

    /// As [`Stage::check`].
    fn check(&self) -> Outcome;
}

/// The stage of an ensemble.
pub(super) fn stage(ensemble: impl Ensemble) -> AnyStage {
    Box::new(Whole(ensemble))
}

struct Whole<E: Ensemble>(E);

impl<E: Ensemble> Stage for Whole<E> {
    fn peer_count(&self) -> usize {
        self.0.player_count()
    }

    fn peer(&self, index: usize) -> Outcome {
        self.0.play(index)
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        true // they wait for each other
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        mark.begin();
        mark.end();
        Ok(())
    }

    fn pulse(&self) -> u64 {
        self.0.pulse()
    }

    fn check(&self) -> Outcome {
        self.0.check()
    }
}
