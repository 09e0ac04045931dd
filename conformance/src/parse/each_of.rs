//! `each of a b: -> 0, 1 | barrier-broken, barrier-broken`: all of some actors come back, and what
//! they come back with belongs together.

use super::words::at;
use super::{ParseError, Parser};
use crate::script::{Action, Expected, Outcome};

impl Parser<'_> {
    pub(super) fn each_of(&mut self) -> Result<Action, ParseError> {
        self.words.key("of")?;
        let names = self.words.names_until(&[]);
        if names.len() < 2 {
            let span = names.first().map_or(self.words.here(), |(_, span)| *span);
            return Err(at(span, "`each of` needs at least two actors"));
        }
        self.words.mark(":")?;
        self.words.mark("->")?;
        let start = self.words.place();
        let mut any_of = vec![self.together(names.len())?];
        while self.words.try_mark("|") {
            any_of.push(self.together(names.len())?);
        }
        let span = self.words.since(start);
        let single = any_of.iter().flatten().cloned().collect();
        let single = Expected::Outcome { any_of: single, not_before_nanos: None };
        let mut actors: Vec<String> = Vec::new();
        for (name, place) in names {
            if actors.contains(&name) {
                return Err(at(place, format!("`{name}` stands here twice")));
            }
            self.moving(&name, place)?;
            let state = self.with_call(&name, place)?;
            self.can_come(&single, &state.course, span)?;
            self.comes(&name, &single, state.course, span)?;
            actors.push(name);
        }
        Ok(Action::EachOf { actors, any_of })
    }

    /// `0, 1, 2`, as many as there are actors.
    fn together(&mut self, count: usize) -> Result<Vec<Outcome>, ParseError> {
        let start = self.words.place();
        let mut outcomes = vec![self.outcome()?];
        while self.words.try_mark(",") {
            outcomes.push(self.outcome()?);
        }
        if outcomes.contains(&Outcome::Prevented) {
            let says = "`prevented` is said of one call alone";
            return Err(at(self.words.since(start), says));
        }
        if outcomes.len() == count {
            return Ok(outcomes);
        }
        let says = format!("{count} calls come back, and here are {} outcomes", outcomes.len());
        Err(at(self.words.since(start), says))
    }
}
