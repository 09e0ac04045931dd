//! What stands behind the arrow.

use serde_json::Value;

use super::flow::{Course, Worth};
use super::words::at;
use super::{ParseError, Parser};
use crate::script::{Ended, Expected, Outcome, Span};

impl Parser<'_> {
    /// `-> …`; the place is that of all behind the arrow.
    pub(super) fn expected(&mut self) -> Result<(Expected, Span), ParseError> {
        self.words.mark("->")?;
        let start = self.words.place();
        let expected = match self.alone()? {
            Some(expected) => {
                if self.words.next_is("|") {
                    let says = format!("`{expected}` stands alone; it is no alternative");
                    return Err(at(self.words.since(start), says));
                }
                expected
            }
            None => self.outcomes()?,
        };
        Ok((expected, self.words.since(start)))
    }

    fn alone(&mut self) -> Result<Option<Expected>, ParseError> {
        let words = &mut self.words;
        if words.try_key("blocked") {
            let for_nanos = if words.try_key("for") { Some(self.nanos()?) } else { None };
            let has_using = for_nanos.is_some() && self.words.try_key("using");
            let using_nanos = if has_using { Some(self.nanos()?) } else { None };
            return Ok(Some(Expected::Blocked { for_nanos, using_nanos }));
        }
        if words.try_key("started") {
            return Ok(Some(Expected::Started));
        }
        if words.try_key("waiting") {
            return Ok(Some(Expected::Waiting));
        }
        if words.try_key("gone") {
            return Ok(Some(Expected::Gone { ended: self.ended()? }));
        }
        Ok(None)
    }

    /// `with 3`, `by 6`, or nothing
    fn ended(&mut self) -> Result<Option<Ended>, ParseError> {
        if self.words.try_key("with") {
            let code = self.small("an exit status", 0, 255)?;
            return Ok(Some(Ended::Code(code)));
        }
        if self.words.try_key("by") {
            let signal = self.small("a signal's number", 1, 64)?;
            return Ok(Some(Ended::Signal(signal)));
        }
        Ok(None)
    }

    pub(super) fn small(&mut self, what: &str, min: i32, max: i32) -> Result<i32, ParseError> {
        let (number, span) = self.words.count(what)?;
        let number = i32::try_from(number).ok().filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| at(span, format!("{what} is from {min} to {max}")))
    }

    fn outcomes(&mut self) -> Result<Expected, ParseError> {
        let start = self.words.place();
        let mut any_of = vec![self.outcome()?];
        while self.words.try_mark("|") {
            any_of.push(self.outcome()?);
        }
        if any_of.iter().all(|outcome| *outcome == Outcome::Prevented) {
            return Err(at(self.words.since(start), NO_MISTAKE));
        }
        let has_limit = self.words.try_key("after");
        let not_before_nanos = if has_limit { Some(self.nanos()?) } else { None };
        Ok(Expected::Outcome { any_of, not_before_nanos })
    }

    pub(super) fn outcome(&mut self) -> Result<Outcome, ParseError> {
        if self.words.next_is("{") {
            return Ok(Outcome::Value(self.map()?));
        }
        if self.words.next_is("$") {
            return Ok(Outcome::Value(self.argument()?));
        }
        let start = self.words.place();
        let Some((word, span)) = self.words.try_word() else {
            return Ok(Outcome::Value(self.value()?));
        };
        match word.as_str() {
            "blocked" | "started" | "waiting" | "gone" => {
                Err(at(span, format!("`{word}` stands alone; it is no alternative")))
            }
            "value" => self.kept(),
            "prevented" => Ok(Outcome::Prevented),
            "not" => Ok(Outcome::OtherThan(self.argument()?)),
            "ok" | "null" | "true" | "false" | "infinity" | "nan" => {
                self.words.back_to(start);
                Ok(Outcome::Value(self.value()?))
            }
            kind if self.error_kinds.contains(kind) => Ok(Outcome::Error(word)),
            _ => Err(at(span, format!("`{word}` is neither a value nor a kind in errors.toml"))),
        }
    }

    /// `value as x`, behind its first word: from here on `$x` stands for what came.
    fn kept(&mut self) -> Result<Outcome, ParseError> {
        self.words.key("as")?;
        let (name, span) = self.words.word("the value needs a name")?;
        if self.variables.contains(&name) {
            return Err(at(span, format!("a `forall {name}` is around this already")));
        }
        self.kept.insert(name.clone()); // again in each round of a block
        Ok(Outcome::Kept(name))
    }

    /// Whether this can come of a call or program.
    pub(super) fn can_come(
        &self,
        expected: &Expected,
        course: &Course,
        span: Span,
    ) -> Result<(), ParseError> {
        if let Some(why) = course.refuses(expected) {
            return Err(at(span, format!("this cannot come: {why}")));
        }
        let Expected::Outcome { any_of, .. } = expected else { return Ok(()) };
        for outcome in any_of {
            match (outcome, course.worth) {
                (Outcome::Value(value), Worth::Tally(rounds)) => {
                    self.fits_tally(value, rounds, span)?;
                }
                (Outcome::Value(value), Worth::Nothing) if !value.is_null() => {
                    return Err(at(span, "this has no value; when it succeeds, it is `ok`"));
                }
                (Outcome::Kept(_) | Outcome::OtherThan(_), Worth::Nothing | Worth::Tally(_)) => {
                    return Err(at(span, "a value of a call is meant here"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The value of `tally 10` counts ten rounds, by outcome.
    fn fits_tally(&self, value: &Value, rounds: u64, span: Span) -> Result<(), ParseError> {
        let Value::Object(counts) = value else {
            return Err(at(span, "a tally's value counts outcomes, such as {ok: 9, timed-out: 1}"));
        };
        let mut sum = 0_u64;
        for (key, count) in counts {
            if key != "ok" && !self.error_kinds.contains(key) {
                return Err(at(span, format!("`{key}` is neither `ok` nor a kind in errors.toml")));
            }
            let count = count.as_u64();
            let count =
                count.ok_or_else(|| at(span, format!("`{key}` comes a number of times")))?;
            sum = sum.saturating_add(count);
        }
        if sum != rounds {
            let says = format!("this counts {sum} rounds, and the tally has {rounds}");
            return Err(at(span, says));
        }
        Ok(())
    }
}

const NO_MISTAKE: &str =
    "`prevented` stands behind what comes of the call where it can be made: `ok | prevented`";
