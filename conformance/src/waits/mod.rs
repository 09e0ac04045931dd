//! Waiting for what must come, and telling a call that waits from one that never returns.
//!
//! Nothing here measures how fast a subject is. A call waits when the whole subject sleeps and the
//! reply stream, read afterwards, has no answer: whoever would write it sleeps too. A call hangs
//! when the whole subject sleeps, with no limit that would end a sleep, and nobody has run for a
//! while: then nobody is left who could wake it.

mod blocked;
mod patience;
mod still;

use std::time::Duration;

use crate::limits::{LOOK_APART, SILENCE, STILL_LOOK_APART};
use crate::run::{End, Run};
pub(crate) use blocked::Wait;
pub(crate) use patience::Patience;
use still::Stillness;

impl Run<'_> {
    /// Waits until `check` finds what it looks for, while these actors must live. `expected` is for
    /// the report; `more` is what is waited beyond the usual patience.
    pub(crate) fn wait_for<T>(
        &mut self,
        expected: &str,
        actors: &[String],
        more: Duration,
        check: impl Fn(&Self) -> Option<T>,
    ) -> Result<T, End> {
        let mut patience = Patience::new(more);
        let mut stillness = Stillness::default();
        let mut wait = Duration::ZERO; // what is waited for often came with what was read before
        loop {
            self.session.pump(wait)?;
            wait = (wait * 2).clamp(LOOK_APART, STILL_LOOK_APART);
            if let Some(found) = check(self) {
                return Ok(found);
            }
            if let Some(dead) = actors.iter().find(|actor| self.has_ended(actor)) {
                // Its last words may be what is waited for.
                self.session.pump(Duration::ZERO)?;
                return check(self).ok_or_else(|| self.ended_by_itself(dead, expected));
            }
            if wait < STILL_LOOK_APART {
                continue;
            }
            if stillness.lasts(self.still()) {
                // It may have come between the last read and the last look.
                self.session.pump(Duration::ZERO)?;
                return check(self).ok_or_else(|| self.in_vain(expected, NOBODY_LEFT.to_owned()));
            }
            if patience.is_over(|| self.session.is_awake()) {
                let came = format!("nothing within {:?}", patience.waited());
                return Err(self.in_vain(expected, came));
            }
        }
    }

    /// Nothing came. It may have waited for what another was asked and does not offer, of which the
    /// script would have heard later.
    fn in_vain(&self, expected: &str, came: String) -> End {
        match self.not_offered() {
            Some(text) => End::unsupported(text),
            None => End::hung(expected.to_owned(), came),
        }
    }

    /// An actor that ends unasked ends the case.
    pub(crate) fn must_live(&self, actor: &str) -> Result<(), End> {
        if self.has_ended(actor) {
            Err(self.ended_by_itself(actor, "that it lives"))
        } else {
            Ok(())
        }
    }

    fn has_ended(&self, actor: &str) -> bool {
        let actor = self.session.actors.get(actor);
        actor.is_some_and(|actor| actor.is_living() && actor.has_ended())
    }

    fn ended_by_itself(&self, name: &str, expected: &str) -> End {
        let Some(actor) = self.session.actors.get(name) else {
            return End::died(format!("{name} is not there"));
        };
        // The threads of a process that ends are gone a little before it.
        let what =
            if actor.ends_within(SILENCE) { "process" } else { "thread that makes the calls" };
        if actor.call.as_ref().is_some_and(|call| call.traits.ends) {
            return End::broken(expected.to_owned(), format!("the {what} of {name} is gone"));
        }
        if actor.is_interrupted {
            let came = format!("the {what} of {name} ended when it was interrupted");
            return End::broken(expected.to_owned(), came);
        }
        End::died(format!("the {what} of {name} ended by itself"))
    }
}

const NOBODY_LEFT: &str =
    "nothing: every thread of the subject sleeps without a limit, and nobody is left to wake one";
