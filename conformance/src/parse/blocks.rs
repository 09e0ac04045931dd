//! Steps in braces: `repeat`, `parallel`, `forall`.

use super::words::at;
use super::{ParseError, Parser};
use crate::limits::{ROUNDS_MAX_COUNT, ROUNDS_READ_MAX_COUNT};
use crate::script::{Action, Span, Step};

impl Parser<'_> {
    pub(super) fn repeat(&mut self) -> Result<Action, ParseError> {
        let (count, span) = self.words.count("the number of rounds")?;
        if count == 0 {
            return Err(at(span, "there must be one round at least"));
        }
        let around = self.rounds;
        self.rounds = around.saturating_mul(count);
        if self.rounds > ROUNDS_MAX_COUNT {
            let what =
                format!("this makes {} rounds; {ROUNDS_MAX_COUNT} are the most", self.rounds);
            return Err(at(span, what));
        }
        let body = self.block(count)?;
        self.rounds = around;
        Ok(Action::Repeat { count, body })
    }

    pub(super) fn parallel(&mut self) -> Result<Action, ParseError> {
        let body = self.block(1)?;
        let mut actors: Vec<&String> = Vec::new();
        for step in &body {
            let (Action::Call { actor, .. } | Action::Run { actor, .. }) = &step.action else {
                return Err(at(step.span, "`parallel` holds calls and programs only"));
            };
            if actors.contains(&actor) {
                return Err(at(step.span, format!("`{actor}` cannot do two things at once")));
            }
            actors.push(actor);
        }
        Ok(Action::Parallel { body })
    }

    /// `forall t in 1s, 2s { … }`
    pub(super) fn forall(&mut self) -> Result<Action, ParseError> {
        let (variable, span) = self.words.word("a variable needs a name")?;
        if self.variables.contains(&variable) || self.kept.contains(&variable) {
            return Err(at(span, format!("a `forall {variable}` is around this already")));
        }
        self.words.key("in")?;
        let mut values = vec![self.value()?];
        while self.words.try_mark(",") {
            values.push(self.value()?);
        }
        self.variables.push(variable.clone());
        let around = self.rounds;
        self.rounds = around.saturating_mul(values.len() as u64);
        let body = self.block(values.len() as u64)?;
        self.rounds = around;
        self.variables.pop();
        Ok(Action::Forall { variable, values, body })
    }

    /// Reads a block once for each of its rounds, until the actors stand as before an earlier one:
    /// what can be done once cannot always be done again.
    fn block(&mut self, rounds: u64) -> Result<Vec<Step>, ParseError> {
        let open = self.words.here();
        self.words.mark("{")?;
        let start = self.words.place();
        let mut seen = vec![self.cast.clone()];
        let body = self.deeper(open, |parser| parser.steps_in(open))?;
        for round in 2..=rounds {
            if seen.contains(&self.cast) {
                break;
            }
            if round > ROUNDS_READ_MAX_COUNT {
                return Err(at(open, "this leaves the actors in ever another state"));
            }
            seen.push(self.cast.clone());
            self.words.back_to(start);
            let again = self.deeper(open, |parser| parser.steps_in(open));
            again.map_err(|error| in_round(error, round))?;
        }
        Ok(body)
    }

    fn steps_in(&mut self, open: Span) -> Result<Vec<Step>, ParseError> {
        let mut body = Vec::new();
        loop {
            self.words.skip_separators();
            if self.words.is_over() {
                return Err(at(open, "this `{` is never closed"));
            }
            if self.words.try_mark("}") {
                break;
            }
            body.push(self.step()?);
            self.words.part_end()?;
        }
        if body.is_empty() {
            return Err(at(open, "nothing happens in this block"));
        }
        Ok(body)
    }
}

fn in_round(error: ParseError, round: u64) -> ParseError {
    let message = format!("{} (in round {round})", error.message);
    ParseError { message, ..error }
}
