//! One line of a script, word by word: what stands there next, and whether it is what is wanted.

use serde_json::{Number, Value};

use crate::lex::{Token, TokenKind, tokens};
use crate::parse::ParseError;
use crate::script::Span;

/// One line on its way through the parser.
pub(crate) struct Line {
    tokens: Vec<Token>,
    next: usize,
    number: usize,
    end: usize,
}

impl Line {
    pub(crate) fn new(number: usize, text: &str) -> Result<Self, ParseError> {
        let tokens = tokens(number, text)?;
        let end = tokens.last().map_or(0, |token| token.span.end);
        Ok(Self { tokens, next: 0, number, end })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.next == self.tokens.len()
    }

    /// The next word's place, or the place behind the last.
    pub(crate) fn here(&self) -> Span {
        let behind = Span { line: self.number, start: self.end, end: self.end + 1 };
        self.tokens.get(self.next).map_or(behind, |token| token.span)
    }

    pub(crate) fn whole(&self) -> Span {
        let start = self.tokens.first().map_or(0, |token| token.span.start);
        Span { line: self.number, start, end: self.end }
    }

    pub(crate) fn next_is(&self, mark: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Mark(found)) if *found == mark)
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    pub(crate) fn mark(&mut self, mark: &'static str) -> Result<(), ParseError> {
        if !self.next_is(mark) {
            return Err(at(self.here(), format!("a `{mark}` is missing here")));
        }
        self.next += 1;
        Ok(())
    }

    pub(crate) fn word(&mut self, wanted: &str) -> Result<(String, Span), ParseError> {
        let here = self.here();
        self.try_word().ok_or_else(|| at(here, wanted))
    }

    pub(crate) fn try_word(&mut self) -> Option<(String, Span)> {
        let span = self.here();
        let Some(TokenKind::Word(word)) = self.peek() else { return None };
        let word = word.clone();
        self.next += 1;
        Some((word, span))
    }

    pub(crate) fn key(&mut self, key: &str) -> Result<(), ParseError> {
        if self.try_key(key) {
            return Ok(());
        }
        Err(at(self.here(), format!("`{key}` is missing here")))
    }

    pub(crate) fn try_key(&mut self, key: &str) -> bool {
        let found = matches!(self.peek(), Some(TokenKind::Word(word)) if word == key);
        self.next += usize::from(found);
        found
    }

    pub(crate) fn value(&mut self) -> Result<Value, ParseError> {
        let here = self.here();
        let negative = self.next_is("-");
        self.next += usize::from(negative);
        let value = match self.peek() {
            Some(TokenKind::Number { digits, unit }) => number(digits, unit, negative),
            Some(TokenKind::Text(text)) if !negative => Some(Value::String(text.clone())),
            Some(TokenKind::Word(word)) if !negative => constant(word),
            _ => None,
        };
        self.next += 1;
        value.ok_or_else(|| {
            let says = "a value is a number, a length of time such as 50ms, true, false, null or a \
                        \"text\"";
            at(here, says)
        })
    }

    pub(crate) fn duration(&mut self) -> Result<u64, ParseError> {
        let here = self.here();
        let nanos = match self.peek() {
            Some(TokenKind::Number { digits, unit }) => nanos(digits, unit),
            _ => None,
        };
        self.next += 1;
        nanos.ok_or_else(|| at(here, "a length of time is missing here, such as 50ms"))
    }

    pub(crate) fn end(&self) -> Result<(), ParseError> {
        if self.is_done() {
            return Ok(());
        }
        Err(at(self.here(), "the line should end here"))
    }
}

/// A mistake at this place.
pub(crate) fn at(span: Span, message: impl Into<String>) -> ParseError {
    ParseError { message: message.into(), span }
}

fn constant(word: &str) -> Option<Value> {
    match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ => None,
    }
}

/// A number as it is, or a length of time in seconds.
fn number(digits: &str, unit: &str, negative: bool) -> Option<Value> {
    let sign = if negative { "-" } else { "" };
    if unit.is_empty() && !digits.contains('.') {
        return format!("{sign}{digits}").parse::<i64>().ok().map(Value::from);
    }
    let factor = if unit.is_empty() { 1.0 } else { seconds_per(unit)? };
    let seconds = format!("{sign}{digits}").parse::<f64>().ok()? * factor;
    Number::from_f64(seconds).map(Value::Number)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "digits are not negative, and the cast of too large a number stops at the largest"
)]
fn nanos(digits: &str, unit: &str) -> Option<u64> {
    Some((digits.parse::<f64>().ok()? * seconds_per(unit)? * 1e9).round() as u64)
}

fn seconds_per(unit: &str) -> Option<f64> {
    match unit {
        "ns" => Some(1e-9),
        "us" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "min" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    }
}
