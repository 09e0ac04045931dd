//! Steps about several calls at once.

use crate::run::{End, Run};
use crate::script::{Expected, Outcome, Together};

impl Run<'_> {
    /// One of the calls that are under way comes back, and the others still wait.
    pub(super) fn one_of(
        &mut self,
        names: &[String],
        expected: &Expected,
        winner: Option<&String>,
        loser: Option<&String>,
    ) -> Result<(), End> {
        let mut actors = Vec::new();
        for name in names {
            let actor = self.ready(name)?;
            if self.call(&actor).is_some() {
                actors.push(actor);
            }
        }
        let wanted = format!("{expected} for exactly one of {}", actors.join(" "));
        if actors.is_empty() {
            return Err(End::error(format!("none of {} has a call under way", names.join(" "))));
        }
        let has_come = |run: &Self| {
            let is_there = |actor: &&String| {
                run.call(actor).is_some_and(|call| call.answer.is_some() || call.is_at_wait())
            };
            actors.iter().find(is_there).cloned()
        };
        let more = actors.iter().map(|actor| self.more_patience(actor, None)).max();
        let first = self.wait_for(&wanted, &actors, more.unwrap_or_default(), has_come)?;
        self.expect(&first, expected)?;
        for other in actors.iter().filter(|actor| **actor != first) {
            if !self.is_blocked(other)? {
                let end = self.other_than(other, expected);
                let came = format!("{first} was the one, and {other}: {}", end.came);
                return Err(End { expected: wanted, came, ..end });
            }
        }
        let other = actors.iter().find(|actor| **actor != first);
        for (name, actor) in [(winner, Some(&first)), (loser, other)] {
            if let (Some(name), Some(actor)) = (name, actor) {
                self.names.insert(name.clone(), actor.clone());
            }
        }
        Ok(())
    }

    /// All of the calls come back, with what belongs together.
    pub(super) fn each_of(&mut self, names: &[String], any_of: &[Vec<Outcome>]) -> Result<(), End> {
        let actors: Vec<String> =
            names.iter().map(|name| self.ready(name)).collect::<Result<_, _>>()?;
        let wanted = format!("{} for {}", Together(any_of), actors.join(" "));
        let have_answers =
            |run: &Self| actors.iter().all(|actor| run.has_answer(actor)).then_some(());
        let more = actors.iter().map(|actor| self.more_patience(actor, None)).max();
        self.wait_for(&wanted, &actors, more.unwrap_or_default(), have_answers)?;
        let mut came = Vec::new();
        let may_be_prevented = any_of.iter().flatten().any(Outcome::may_be_prevented);
        for actor in &actors {
            came.push(self.answer(actor, &wanted, may_be_prevented)?);
        }
        let is_it = |outcomes: &Vec<Outcome>| {
            let mut left: Vec<&Outcome> = outcomes.iter().collect();
            came.iter().all(|came| {
                let place = left.iter().position(|wanted| came.is(wanted));
                place.map(|place| left.swap_remove(place)).is_some()
            })
        };
        if any_of.iter().any(is_it) {
            return Ok(());
        }
        let each = actors.iter().zip(&came);
        let each: Vec<String> =
            each.map(|(actor, came)| format!("{actor}: {}", came.shown(None))).collect();
        Err(End::broken(wanted, each.join(", ")))
    }
}
