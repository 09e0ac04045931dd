//! Waiting for an answer, and telling a call that waits from one that never returns.
//!
//! Nothing here measures how fast a subject is. A call waits when its thread sleeps and the reply
//! stream, read afterwards, has no answer: whoever writes the answer is the very thread that
//! sleeps. A call hangs when the whole subject sleeps, with no limit that would end a sleep, and
//! nobody has run for a while: then nobody is left who could wake it.

use std::time::{Duration, Instant};

use crate::actor::Actor;
use crate::evidence::{Look, can_tell, look, ran_nanos};
use crate::limits::{
    LOOK_APART, REST_LOOKS_COUNT, SILENCE, SPIN_NANOS, STILL, STILL_LOOK_APART, patience,
};
use crate::run::{End, Run};
use crate::session::Resting;

impl Run<'_> {
    /// Waits for the answer to the call of `actor`.
    pub(crate) fn wait_for_answer(&mut self, actor: &str, expected: &str) -> Result<(), End> {
        self.wait_for_first_answer(&[actor.to_owned()], expected).map(|_| ())
    }

    /// Waits until the call of one of `actors` has an answer, and says whose.
    pub(crate) fn wait_for_first_answer(
        &mut self,
        actors: &[String],
        expected: &str,
    ) -> Result<String, End> {
        let deadline = Instant::now() + patience();
        let mut stillness = Stillness::default();
        let mut wait = Duration::ZERO; // the answer often came with what was read before
        loop {
            self.session.pump(wait)?;
            wait = STILL_LOOK_APART;
            if let Some(first) = actors.iter().find(|actor| self.has_answer(actor)) {
                return Ok(first.clone());
            }
            for actor in actors {
                self.must_live(actor)?;
            }
            if stillness.lasts(self.still()) {
                // An answer may have come between the last read and the last look.
                self.session.pump(Duration::ZERO)?;
                if !actors.iter().any(|actor| self.has_answer(actor)) {
                    return Err(End::hung(expected.to_owned(), NOBODY_LEFT.to_owned()));
                }
            } else if Instant::now() >= deadline {
                let came = format!("nothing within {:?}", patience());
                return Err(End::hung(expected.to_owned(), came));
            }
        }
    }

    /// Whether the call of `actor` waits; otherwise it has an answer.
    pub(crate) fn is_blocked(&mut self, actor: &str) -> Result<bool, End> {
        let deadline = Instant::now() + patience();
        let silence = Silence::begin(self.session.actors.get(actor));
        let mut looks_count = 0;
        loop {
            self.session.pump(Duration::ZERO)?;
            if self.has_answer(actor) {
                return Ok(false);
            }
            self.must_live(actor)?;
            looks_count += 1;
            let asleep = if looks_count <= REST_LOOKS_COUNT {
                self.all_sleep_twice()?
            } else {
                self.sleeps_twice(actor)?
            };
            if asleep || silence.lasts(self.session.actors.get(actor)) {
                // Whoever sleeps now has written before whatever it had to say.
                self.session.pump(Duration::ZERO)?;
                return Ok(!self.has_answer(actor));
            }
            if Instant::now() >= deadline {
                let came = "neither an answer nor a wait that can be seen".to_owned();
                return Err(End::hung("blocked".to_owned(), came));
            }
        }
    }

    /// An actor that ends unasked ends the case.
    pub(crate) fn must_live(&mut self, actor: &str) -> Result<(), End> {
        let has_ended = self.session.actors.get(actor).is_some_and(|actor| actor.has_ended());
        if !has_ended {
            return Ok(());
        }
        // Its last words may be the answer.
        self.session.pump(Duration::ZERO)?;
        if self.has_answer(actor) {
            return Ok(());
        }
        Err(End::died(format!("the process of {actor} ended by itself")))
    }

    fn has_answer(&self, actor: &str) -> bool {
        let actor = self.session.actors.get(actor);
        actor.is_some_and(|actor| actor.call.is_some() && !actor.is_waiting())
    }

    /// The whole subject sleeps on two looks: also whoever might be about to answer.
    fn all_sleep_twice(&mut self) -> Result<bool, End> {
        if self.session.at_rest().is_none() {
            self.session.pump(LOOK_APART)?;
            return Ok(false);
        }
        self.session.pump(LOOK_APART)?;
        Ok(self.session.at_rest().is_some())
    }

    /// The thread that makes the call sleeps on two looks.
    fn sleeps_twice(&mut self, actor: &str) -> Result<bool, End> {
        let first = self.sleeps(actor);
        self.session.pump(LOOK_APART)?;
        Ok(first && self.sleeps(actor))
    }

    fn sleeps(&self, actor: &str) -> bool {
        let actor = self.session.actors.get(actor);
        actor.is_some_and(|actor| matches!(look(actor.pid, actor.tid), Look::Asleep(_)))
    }

    /// The subject's threads, if none of them will ever wake by itself.
    fn still(&self) -> Option<Vec<Resting>> {
        let mut calls = self.session.actors.values().filter_map(|actor| actor.call.as_ref());
        if calls.any(|call| call.answer.is_none() && call.may_end_by_limit()) {
            return None;
        }
        let resting = self.session.whole_group_at_rest()?;
        resting.iter().all(|(_, _, sleep)| !sleep.has_limit).then_some(resting)
    }
}

const NOBODY_LEFT: &str =
    "nothing: every thread of the subject sleeps without a limit, and nobody is left to wake one";

/// For callers that never sleep, and for systems that show nothing: no answer for a while, during
/// which the caller has run.
struct Silence {
    since: Instant,
    ran_nanos: Option<u64>,
}

impl Silence {
    fn begin(actor: Option<&Actor>) -> Self {
        let ran_nanos = actor.and_then(|actor| ran_nanos(actor.pid, actor.tid));
        Self { since: Instant::now(), ran_nanos }
    }

    fn lasts(&self, actor: Option<&Actor>) -> bool {
        let Some(actor) = actor.filter(|_| self.since.elapsed() >= SILENCE) else { return false };
        match (self.ran_nanos, ran_nanos(actor.pid, actor.tid)) {
            (Some(before), Some(now)) => now.saturating_sub(before) >= SPIN_NANOS,
            _ => !can_tell() || look(actor.pid, actor.tid) == Look::Unknown,
        }
    }
}

/// How long nothing has moved.
#[derive(Default)]
struct Stillness {
    seen: Option<(Instant, Vec<Resting>)>,
}

impl Stillness {
    /// Whether it lasts long enough, with what is seen now. Threads that have not given up the
    /// processor in between have not run in between.
    fn lasts(&mut self, now: Option<Vec<Resting>>) -> bool {
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
