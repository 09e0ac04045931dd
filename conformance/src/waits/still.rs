//! Is anybody left who could wake the others?

use std::time::Instant;

use crate::actor::State;
use crate::limits::STILL;
use crate::run::Run;
use crate::session::Resting;

impl Run<'_> {
    /// The subject's threads, if none of them will ever wake by itself.
    pub(super) fn still(&self) -> Option<Vec<Resting>> {
        let actors = self.session.actors.values();
        let may_wake = actors.filter(|actor| actor.state == State::Living && actor.is_waiting());
        let mut calls = may_wake.filter_map(|actor| actor.call.as_ref());
        if calls.any(|call| call.may_end_by_limit()) {
            return None;
        }
        let resting = self.session.at_rest()?;
        resting.iter().all(|(_, _, sleep)| !sleep.has_limit).then_some(resting)
    }
}

/// How long nothing has moved.
#[derive(Default)]
pub(super) struct Stillness {
    seen: Option<(Instant, Vec<Resting>)>,
}

impl Stillness {
    /// Whether it lasts long enough, with what is seen now. Threads that have not given up the
    /// processor in between have not run in between.
    pub(super) fn lasts(&mut self, now: Option<Vec<Resting>>) -> bool {
        match (&self.seen, now) {
            (Some((since, before)), Some(now)) if *before == now => since.elapsed() >= STILL,
            (_, now) => {
                self.seen = now.map(|now| (Instant::now(), now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Sleep;

    #[test]
    fn a_thread_that_ran_starts_the_stillness_anew() {
        let resting = |switches| Some(vec![(1, 1, Sleep { has_limit: false, switches })]);
        let mut stillness = Stillness::default();
        assert!(!stillness.lasts(resting(7)));
        let since = stillness.seen.as_ref().map(|(since, _)| *since);
        assert!(!stillness.lasts(resting(7)));
        assert_eq!(stillness.seen.as_ref().map(|(since, _)| *since), since);
        assert!(!stillness.lasts(None));
        assert!(stillness.seen.is_none());
        assert!(!stillness.lasts(resting(8)));
        assert_ne!(stillness.seen.as_ref().map(|(since, _)| *since), since);
    }
}
