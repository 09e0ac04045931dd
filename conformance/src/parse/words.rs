//! A script, word by word: what stands there next, and whether it is what is wanted.

use super::ParseError;
use super::lex::{Token, TokenKind, tokens};
use crate::script::Span;

/// The words on their way through the parser.
pub(super) struct Words {
    tokens: Vec<Token>,
    next: usize,
}

/// A place among the words, to come back to.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

impl Words {
    pub(super) fn new(text: &str) -> Result<Self, ParseError> {
        Ok(Self { tokens: tokens(text)?, next: 0 })
    }

    pub(super) const fn place(&self) -> Place {
        Place(self.next)
    }

    pub(super) const fn back_to(&mut self, place: Place) {
        self.next = place.0;
    }

    /// Nothing is left.
    pub(super) const fn is_over(&self) -> bool {
        self.next >= self.tokens.len()
    }

    /// Nothing is left on this line.
    pub(super) fn is_line_over(&self) -> bool {
        matches!(self.peek(), None | Some(TokenKind::LineEnd))
    }

    /// The next word's place, or the place behind the last of the line.
    pub(super) fn here(&self) -> Span {
        let start = Span { line: 1, start: 0, end: 1 };
        let token = self.tokens.get(self.next).or(self.tokens.last());
        token.map_or(start, |token| token.span)
    }

    /// From a place to the word before this, as far as it stands on one line.
    pub(super) fn since(&self, place: Place) -> Span {
        let mut words = self.tokens[place.0.min(self.next)..self.next]
            .iter()
            .filter(|token| token.kind != TokenKind::LineEnd)
            .map(|token| token.span);
        let Some(first) = words.next() else { return self.here() };
        let last = words.take_while(|span| span.line == first.line).last();
        Span { end: last.map_or(first.end, |span| span.end), ..first }
    }

    pub(super) fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    pub(super) const fn skip(&mut self) {
        self.next += 1;
    }

    pub(super) fn skip_line_ends(&mut self) {
        while matches!(self.peek(), Some(TokenKind::LineEnd)) {
            self.next += 1;
        }
    }

    /// Whatever separates steps and statements inside braces.
    pub(super) fn skip_separators(&mut self) {
        while matches!(self.peek(), Some(TokenKind::LineEnd | TokenKind::Mark(";"))) {
            self.next += 1;
        }
    }

    pub(super) fn next_is(&self, mark: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Mark(found)) if *found == mark)
    }

    pub(super) fn try_mark(&mut self, mark: &str) -> bool {
        let found = self.next_is(mark);
        self.next += usize::from(found);
        found
    }

    pub(super) fn mark(&mut self, mark: &'static str) -> Result<(), ParseError> {
        if self.try_mark(mark) {
            return Ok(());
        }
        Err(at(self.here(), format!("a `{mark}` is missing here")))
    }

    pub(super) fn word(&mut self, wanted: &str) -> Result<(String, Span), ParseError> {
        let here = self.here();
        self.try_word().ok_or_else(|| at(here, wanted))
    }

    pub(super) fn try_word(&mut self) -> Option<(String, Span)> {
        let span = self.here();
        let Some(TokenKind::Word(word)) = self.peek() else { return None };
        let word = word.clone();
        self.next += 1;
        Some((word, span))
    }

    /// A list of names, up to what is no name or to one of the key words.
    pub(super) fn names_until(&mut self, keys: &[&str]) -> Vec<(String, Span)> {
        let mut names = Vec::new();
        while !keys.iter().any(|key| self.next_is_key(key)) {
            let Some(name) = self.try_word() else { break };
            names.push(name);
        }
        names
    }

    pub(super) fn key(&mut self, key: &str) -> Result<(), ParseError> {
        if self.try_key(key) {
            return Ok(());
        }
        Err(at(self.here(), format!("`{key}` is missing here")))
    }

    pub(super) fn next_is_key(&self, key: &str) -> bool {
        matches!(self.peek(), Some(TokenKind::Word(word)) if word == key)
    }

    /// `a:`
    pub(super) fn next_is_actor(&self) -> bool {
        let kind = |place: usize| self.tokens.get(place).map(|token| &token.kind);
        matches!(kind(self.next), Some(TokenKind::Word(_)))
            && kind(self.next + 1) == Some(&TokenKind::Mark(":"))
    }

    pub(super) fn try_key(&mut self, key: &str) -> bool {
        let found = self.next_is_key(key);
        self.next += usize::from(found);
        found
    }

    /// A whole number without a unit, such as `the number of rounds`.
    pub(super) fn count(&mut self, what: &str) -> Result<(u64, Span), ParseError> {
        let here = self.here();
        let count = match self.peek() {
            Some(TokenKind::Number { digits, unit }) if unit.is_empty() => digits.parse().ok(),
            _ => None,
        };
        let count =
            count.ok_or_else(|| at(here, format!("{what} is missing here, such as 100")))?;
        self.next += 1;
        Ok((count, here))
    }

    /// A line is over: its end, or the end of the script.
    pub(super) fn line_end(&mut self) -> Result<(), ParseError> {
        if !self.is_line_over() {
            return Err(at(self.here(), "the line should end here"));
        }
        self.next += usize::from(!self.is_over());
        Ok(())
    }

    /// A step or a statement inside braces is over: a separator, or the brace that closes.
    pub(super) fn part_end(&self) -> Result<(), ParseError> {
        if self.is_line_over() || self.next_is(";") || self.next_is("}") {
            return Ok(());
        }
        Err(at(self.here(), "a `;`, a `}` or the end of the line is missing here"))
    }
}

/// A mistake at this place.
pub(super) fn at(span: Span, message: impl Into<String>) -> ParseError {
    ParseError { message: message.into(), span }
}
