//! The steps of a script, one after the other.

use std::time::Duration;

use serde_json::Value;

use crate::protocol::Ask;
use crate::run::variables::{with_kept, with_value};
use crate::run::{End, Run, What};
use crate::script::{Action, Expected, Statement, Step, each_statement};

impl Run<'_> {
    pub(super) fn steps(&mut self, steps: &[Step]) -> Result<(), End> {
        steps.iter().try_for_each(|step| self.next_step(step).map_err(|end| end.at(step.span)))
    }

    fn next_step(&mut self, step: &Step) -> Result<(), End> {
        if self.kept.is_empty() {
            return self.step(step);
        }
        let step = with_kept(step, &self.kept)?;
        self.step(&step)
    }

    fn step(&mut self, step: &Step) -> Result<(), End> {
        match &step.action {
            Action::Call { .. } | Action::Run { .. } => {
                let Some((actor, expected)) = self.begin_step(step)? else { return Ok(()) };
                self.entered(&actor, expected)?;
                self.expect(&actor, expected)
            }
            Action::Await { actor, expected } => {
                let actor = self.ready(actor)?;
                self.expect(&actor, expected)
            }
            Action::OneOf { actors, expected, winner, loser } => {
                self.one_of(actors, expected, winner.as_ref(), loser.as_ref())
            }
            Action::EachOf { actors, any_of } => self.each_of(actors, any_of),
            Action::Kill { actor, moment } => self.kill(actor, *moment),
            Action::Fresh { actor } => self.fresh(actor),
            Action::Freeze { actor, moment } => self.freeze(actor, *moment),
            Action::Thaw { actor } => self.thaw(actor),
            Action::Signal { actor, every_nanos } => {
                self.signal(actor, Duration::from_nanos(*every_nanos))
            }
            Action::Interrupt { actor } => self.interrupt(actor),
            Action::Go { actor } => self.go(actor),
            Action::Repeat { count, body } => self.repeat(*count, body),
            Action::Parallel { body } => self.parallel(body),
            Action::Forall { variable, values, body } => self.forall(variable, values, body),
        }
    }

    /// Sends the call or the program of a step, and says whose it is and what must come of it.
    fn begin_step<'s>(&mut self, step: &'s Step) -> Result<Option<(String, &'s Expected)>, End> {
        let (actor, what, expected) = match &step.action {
            Action::Call { actor, target, op, args, expected } => {
                let (target, op, args) = (target.clone(), op.clone(), args.clone());
                (actor, What::Call { target, op, args }, expected)
            }
            Action::Run { actor, program, expected } => {
                (actor, What::Run(program.clone()), expected)
            }
            _ => return Ok(None),
        };
        let actor = self.ready(actor)?;
        self.begin(&actor, what)?;
        Ok(Some((actor, expected)))
    }

    fn go(&mut self, name: &str) -> Result<(), End> {
        let name = self.ready(name)?;
        if self.call(&name).is_none() {
            return Err(End::error(format!("{name} has no program under way")));
        }
        self.waiting(&name)?;
        let call = self.session.actors.get_mut(&name).and_then(|actor| actor.call.as_mut());
        if let Some(call) = call {
            call.goes();
        }
        self.session.must(Ask::Go { actor: name })?;
        Ok(())
    }

    fn repeat(&mut self, count: u64, body: &[Step]) -> Result<(), End> {
        let count = self.rounds_count(count, starts_actors(body));
        for round in 1..=count {
            self.steps(body).map_err(|end| end.within(format!("round {round} of {count}")))?;
        }
        Ok(())
    }

    fn forall(&mut self, variable: &str, values: &[Value], body: &[Step]) -> Result<(), End> {
        for value in values {
            let body = with_value(body, variable, value)?;
            self.steps(&body).map_err(|end| end.within(format!("{variable} = {value}")))?;
        }
        Ok(())
    }

    /// All begin before anything is awaited; then what comes back, and what still waits at last.
    fn parallel(&mut self, body: &[Step]) -> Result<(), End> {
        let mut begun = Vec::new();
        for step in body {
            match self.begin_step(step).map_err(|end| end.at(step.span))? {
                Some((actor, expected)) => begun.push((actor, expected, step.span)),
                None => self.step(step).map_err(|end| end.at(step.span))?,
            }
        }
        begun.sort_by_key(|(_, expected, _)| matches!(expected, Expected::Blocked { .. }));
        for (actor, expected, span) in begun {
            let came = self.entered(&actor, expected).and_then(|()| self.expect(&actor, expected));
            came.map_err(|end| end.at(span))?;
        }
        Ok(())
    }
}

/// Whether processes are started in each round.
fn starts_actors(body: &[Step]) -> bool {
    body.iter().any(|step| match &step.action {
        Action::Fresh { .. } => true,
        Action::Run { program, .. } => {
            let mut starts = false;
            each_statement(program, &mut |statement, _| {
                starts |= matches!(statement, Statement::Fork { .. } | Statement::Start { .. });
            });
            starts
        }
        Action::Repeat { body, .. } | Action::Parallel { body } | Action::Forall { body, .. } => {
            starts_actors(body)
        }
        _ => false,
    })
}
