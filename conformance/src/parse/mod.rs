//! From the text of a script to its steps. A mistake is shown under the line that it is in.
//!
//! The language has its own page, `docs/cases.md`. A script is read once from the front. What it
//! says of each actor is kept along the way (`cast`), so a line that makes no sense where it stands
//! is a mistake too; the body of a block is read once for each round until the rounds repeat.

mod blocks;
mod cast;
mod each_of;
mod expected;
mod flow;
mod header;
mod lex;
mod names;
mod one_of;
mod programs;
mod steps;
mod values;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cast::Cast;
use flow::Course;
use programs::Scope;
use words::{Words, at};

use crate::limits::NESTING_MAX_COUNT;
use crate::script::{Script, Span};

pub(crate) use lex::is_word;

/// Parses a script; `error_kinds` is the closed list of what a call can fail with.
///
/// # Errors
/// * [`ParseError`] has the place and what is wrong there.
pub fn parse(text: &str, error_kinds: &BTreeSet<String>) -> Result<Script, ParseError> {
    let mut parser = Parser::new(Words::new(text)?, error_kinds);
    loop {
        parser.words.skip_line_ends();
        if parser.words.is_over() {
            return parser.finish();
        }
        parser.line()?;
        parser.words.line_end()?;
    }
}

/// What is wrong in a script, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl ParseError {
    /// The line with a mark under the mistake, and below it what is wrong.
    pub fn render(&self, script: &str) -> String {
        let line = script.lines().nth(self.span.line - 1).unwrap_or("");
        let mut shown = format!("    {line}\n    ");
        let chars = |text: &str| text.chars().count();
        let before = line.get(..self.span.start).map_or(self.span.start, chars);
        let len = line.get(self.span.start..self.span.end).map_or(1, chars).max(1);
        let _ = write!(shown, "{}{} {}", " ".repeat(before), "^".repeat(len), self.message);
        shown
    }
}

struct Parser<'a> {
    words: Words,
    error_kinds: &'a BTreeSet<String>,
    script: Script,
    cast: Cast,
    /// What can come of the functions that objects were made with, by object.
    functions: BTreeMap<String, Course>,
    /// The makers of objects, and whether they make them late: looked up when all actors are
    /// known.
    makers: Vec<(String, Span, bool)>,
    /// Of the `forall` around.
    variables: Vec<String>,
    /// The names of values that calls above came back with.
    kept: BTreeSet<String>,
    /// What is around a statement.
    scope: Scope,
    depth: usize,
    /// How often the step that is read comes, by the `repeat` and `forall` around.
    rounds: u64,
}

impl<'a> Parser<'a> {
    fn new(words: Words, error_kinds: &'a BTreeSet<String>) -> Self {
        Self {
            words,
            error_kinds,
            script: Script { objects: Vec::new(), actors: Vec::new(), steps: Vec::new() },
            cast: Cast::default(),
            functions: BTreeMap::new(),
            makers: Vec::new(),
            variables: Vec::new(),
            kept: BTreeSet::new(),
            scope: Scope::default(),
            depth: 0,
            rounds: 1,
        }
    }

    fn line(&mut self) -> Result<(), ParseError> {
        if self.header()? {
            return Ok(());
        }
        self.check_makers()?;
        let step = self.step()?;
        self.script.steps.push(step);
        Ok(())
    }

    /// What is inside brackets; a text that opens ever more of them ends here, not on the stack.
    fn deeper<T>(
        &mut self,
        open: Span,
        inside: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        if self.depth == NESTING_MAX_COUNT {
            return Err(at(open, "this is nested too deep"));
        }
        self.depth += 1;
        let found = inside(self);
        self.depth -= 1;
        found
    }

    fn finish(self) -> Result<Script, ParseError> {
        let start = Span { line: 1, start: 0, end: 0 };
        if self.script.actors.is_empty() {
            return Err(at(start, "the script has no actors"));
        }
        if self.script.steps.is_empty() {
            return Err(at(start, "the script does nothing"));
        }
        Ok(self.script)
    }
}
