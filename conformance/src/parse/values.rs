//! Values, arguments and lengths of time.

use serde_json::{Map, Number, Value, json};

use super::flow::{Course, Flow};
use super::lex::TokenKind;
use super::words::at;
use super::{ParseError, Parser};
use crate::script::{Arguments, FUNCTION, IT, Span, function_value, it, loop_variable};

impl Parser<'_> {
    /// `(timeout=50ms, name="x")`, `({ n.get() })`; `alone` is the name of an argument that may
    /// stand without one. The course is that of a call that may run the functions.
    pub(super) fn arguments(
        &mut self,
        alone: Option<&str>,
    ) -> Result<(Arguments, Course), ParseError> {
        let mut args = Arguments::new();
        let mut course = Course::from(Flow::PASSES);
        self.words.mark("(")?;
        while !self.words.next_is(")") {
            if !args.is_empty() {
                self.words.mark(",")?;
            }
            let start = self.words.place();
            let here = self.words.here();
            let name = self.words.try_word().filter(|_| self.words.try_mark("="));
            let name = match (name, alone) {
                (Some((name, _)), _) => name,
                (None, _) if self.words.next_is("{") => FUNCTION.to_owned(),
                (None, Some(name)) if args.is_empty() => {
                    self.words.back_to(start);
                    name.to_owned()
                }
                _ => return Err(at(here, "an argument is `name=value`")),
            };
            if args.contains_key(&name) {
                return Err(at(here, format!("`{name}` is given twice")));
            }
            if self.words.next_is("{") {
                let (function, inside) = self.function()?;
                course = course.calling(inside);
                args.insert(name, function_value(&function));
                continue;
            }
            let value = self.argument()?;
            args.insert(name, value);
        }
        self.words.mark(")")?;
        Ok((args, course))
    }

    pub(super) fn argument(&mut self) -> Result<Value, ParseError> {
        if let Some(filled) = self.filled_in_actor() {
            return Ok(filled);
        }
        if !self.words.try_mark("$") {
            return self.value();
        }
        let (name, span) = self.words.word("a variable has a name")?;
        if !self.variables.contains(&name) && !self.kept.contains(&name) {
            let says =
                format!("no `forall {name} in …` is around this, no `value as {name}` above");
            return Err(at(span, says));
        }
        Ok(json!({ "var": name }))
    }

    /// The variable of a loop around, or `it`: the value of the statement before.
    fn filled_in_actor(&mut self) -> Option<Value> {
        let Some(TokenKind::Word(word)) = self.words.peek() else { return None };
        let value = if self.scope.rounds_of(word).is_some() {
            loop_variable(word)
        } else if word == IT && self.scope.has_it {
            it()
        } else {
            return None;
        };
        self.words.skip();
        Some(value)
    }

    pub(super) fn value(&mut self) -> Result<Value, ParseError> {
        let here = self.words.here();
        if self.words.next_is("$") {
            return Err(at(here, "a variable stands as an argument, or behind an arrow"));
        }
        if self.words.next_is("[") {
            return self.list();
        }
        let negative = self.words.try_mark("-");
        let value = match self.words.peek() {
            Some(TokenKind::Number { digits, unit }) => number(digits, unit, negative),
            Some(TokenKind::Text(text)) if !negative => Some(Value::String(text.clone())),
            Some(TokenKind::Word(word)) => constant(word, negative),
            _ => None,
        };
        let value = value.ok_or_else(|| at(here, NO_VALUE))?;
        self.words.skip();
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, ParseError> {
        let open = self.words.here();
        self.words.mark("[")?;
        self.deeper(open, |parser| {
            let mut values = Vec::new();
            parser.words.skip_line_ends();
            while !parser.words.next_is("]") {
                if !values.is_empty() {
                    parser.words.mark(",")?;
                    parser.words.skip_line_ends();
                }
                values.push(parser.argument()?);
                parser.words.skip_line_ends();
            }
            parser.words.mark("]")?;
            Ok(Value::Array(values))
        })
    }

    /// `{ok: 3, owner-died: 7}`
    pub(super) fn map(&mut self) -> Result<Value, ParseError> {
        self.words.mark("{")?;
        let mut map = Map::new();
        while !self.words.next_is("}") {
            if !map.is_empty() {
                self.words.mark(",")?;
            }
            let (key, span) = self.map_key()?;
            self.words.mark(":")?;
            if map.contains_key(&key) {
                return Err(at(span, format!("`{key}` is given twice")));
            }
            let value = self.value()?;
            map.insert(key, value);
        }
        self.words.mark("}")?;
        Ok(Value::Object(map))
    }

    fn map_key(&mut self) -> Result<(String, Span), ParseError> {
        let here = self.words.here();
        let key = match self.words.peek() {
            Some(TokenKind::Word(key) | TokenKind::Text(key)) => key.clone(),
            _ => return Err(at(here, "an entry is `outcome: number` here")),
        };
        self.words.skip();
        Ok((key, here))
    }

    /// A length of time, in nanoseconds.
    pub(super) fn nanos(&mut self) -> Result<u64, ParseError> {
        self.duration(|digits, unit| {
            Some(whole_nanos(digits.parse::<f64>().ok()? * nanos_per(unit)?))
        })
    }

    /// A length of time, in seconds.
    pub(super) fn seconds(&mut self) -> Result<f64, ParseError> {
        self.duration(seconds)
    }

    fn duration<T>(&mut self, read: impl Fn(&str, &str) -> Option<T>) -> Result<T, ParseError> {
        let here = self.words.here();
        let read = match self.words.peek() {
            Some(TokenKind::Number { digits, unit }) => read(digits, unit),
            _ => None,
        };
        let read =
            read.ok_or_else(|| at(here, "a length of time is missing here, such as 50ms"))?;
        self.words.skip();
        Ok(read)
    }
}

const NO_VALUE: &str = "a value is a number, a length of time such as 50ms, true, false, ok, \
                        infinity, nan, a \"text\" or a [list]";

/// JSON knows no infinity, so these two are texts.
fn constant(word: &str, negative: bool) -> Option<Value> {
    match (word, negative) {
        ("true", false) => Some(Value::Bool(true)),
        ("false", false) => Some(Value::Bool(false)),
        ("null" | "ok", false) => Some(Value::Null),
        ("infinity" | "nan", false) => Some(Value::String(word.to_owned())),
        ("infinity", true) => Some(Value::String("-infinity".to_owned())),
        _ => None,
    }
}

/// A number as it is, or a length of time in seconds.
fn number(digits: &str, unit: &str, negative: bool) -> Option<Value> {
    let sign = if negative { "-" } else { "" };
    if unit.is_empty() && !digits.contains('.') {
        let digits = format!("{sign}{digits}");
        let signed = digits.parse::<i64>().map(Value::from);
        return signed.or_else(|_| digits.parse::<u64>().map(Value::from)).ok();
    }
    let size = if unit.is_empty() { digits.parse::<f64>().ok()? } else { seconds(digits, unit)? };
    Number::from_f64(if negative { -size } else { size }).map(Value::Number)
}

/// The quotient of whole numbers is the nearest number to what is written; a product with 0.001
/// is not always.
fn seconds(digits: &str, unit: &str) -> Option<f64> {
    let size = digits.parse::<f64>().ok()?;
    Some(match unit {
        "ns" => size / 1e9,
        "us" => size / 1e6,
        "ms" => size / 1e3,
        "s" => size,
        "min" => size * 60.0,
        "h" => size * 3600.0,
        _ => return None,
    })
    .filter(|seconds| seconds.is_finite())
}

fn nanos_per(unit: &str) -> Option<f64> {
    seconds("1000000000", unit)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is written is not negative, and the cast of too large a number stops at the \
              largest"
)]
fn whole_nanos(nanos: f64) -> u64 {
    nanos.round() as u64
}
