//! From the text of a script to its steps. A mistake is shown under the line that it is in.
//!
//! The language has its own page, `docs/cases.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::line::{Line, at};
use crate::script::{
    Action, ActorLine, Arguments, Expected, Moment, ObjectLine, Origin, Outcome, Script, Span,
    Step, Target,
};

/// Parses a script; `error_kinds` is the closed list of what a call can fail with.
///
/// # Errors
/// * [`ParseError`] has the place and what is wrong there.
pub fn parse(text: &str, error_kinds: &BTreeSet<String>) -> Result<Script, ParseError> {
    let mut parser = Parser::new(error_kinds);
    for (place, line) in text.lines().enumerate() {
        let mut line = Line::new(place + 1, line)?;
        if !line.is_done() {
            parser.line(&mut line)?;
            line.end()?;
        }
    }
    parser.finish()
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
        let before =
            line.get(..self.span.start).map_or(self.span.start, |text| text.chars().count());
        let len = self.span.end.saturating_sub(self.span.start).max(1);
        let _ = write!(shown, "{}{} {}", " ".repeat(before), "^".repeat(len), self.message);
        shown
    }
}

/// What the script so far says about an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Idle,
    /// Its call was shown to wait.
    Blocked,
    /// Behind a `one of`: nobody knows whether its call is over.
    Open,
    Killed,
}

struct Parser<'a> {
    error_kinds: &'a BTreeSet<String>,
    script: Script,
    standing: BTreeMap<String, Standing>,
}

impl<'a> Parser<'a> {
    fn new(error_kinds: &'a BTreeSet<String>) -> Self {
        let script = Script { objects: Vec::new(), actors: Vec::new(), steps: Vec::new() };
        Self { error_kinds, script, standing: BTreeMap::new() }
    }

    fn line(&mut self, line: &mut Line) -> Result<(), ParseError> {
        let (first, span) = line.word("a line starts with a name or a key word")?;
        if line.next_is(":") {
            return self.actor_line(line, first, span);
        }
        match first.as_str() {
            "object" => self.object(line),
            "actors" => self.actors(line, false),
            "processes" => self.actors(line, true),
            "one" => self.one_of(line),
            "kill" => self.kill(line),
            _ => {
                Err(at(span, format!("`{first}` is neither an actor before a `:` nor a key word")))
            }
        }
    }

    fn object(&mut self, line: &mut Line) -> Result<(), ParseError> {
        self.declares(line)?;
        let (name, span) = line.word("an object needs a name")?;
        if self.script.objects.iter().any(|object| object.name == name) {
            return Err(at(span, format!("there is an object `{name}` already")));
        }
        line.mark(":")?;
        let (kind, _) = line.word("an object needs a kind")?;
        let args = if line.next_is("(") { self.arguments(line)? } else { Arguments::new() };
        let (count, maker) = (None, None);
        self.script.objects.push(ObjectLine { name, kind, args, count, maker, span: line.whole() });
        Ok(())
    }

    fn actors(&mut self, line: &mut Line, own_process: bool) -> Result<(), ParseError> {
        self.declares(line)?;
        while let Some((name, span)) = line.try_word() {
            if self.standing.insert(name.clone(), Standing::Idle).is_some() {
                return Err(at(span, format!("there is an actor `{name}` already")));
            }
            let origin = Origin::Adapter;
            self.script.actors.push(ActorLine { name, own_process, origin, span });
        }
        Ok(())
    }

    fn declares(&self, line: &Line) -> Result<(), ParseError> {
        if self.script.steps.is_empty() {
            return Ok(());
        }
        Err(at(line.whole(), "objects and actors are declared before the first step"))
    }

    fn actor_line(
        &mut self,
        line: &mut Line,
        actor: String,
        place: Span,
    ) -> Result<(), ParseError> {
        let standing = self.standing_of(&actor, place)?;
        line.mark(":")?;
        let action = if line.next_is("->") {
            self.must_wait(&actor, place, standing)?;
            Action::Await { expected: self.expected(line)?, actor: actor.clone() }
        } else {
            if standing != Standing::Idle {
                return Err(at(place, busy(&actor, standing)));
            }
            self.call(line, actor.clone())?
        };
        let waits = matches!(
            &action,
            Action::Call { expected: Expected::Blocked { .. }, .. }
                | Action::Await { expected: Expected::Blocked { .. }, .. }
        );
        self.standing.insert(actor, if waits { Standing::Blocked } else { Standing::Idle });
        self.step(line, action);
        Ok(())
    }

    fn call(&mut self, line: &mut Line, actor: String) -> Result<Action, ParseError> {
        let (object, span) = line.word("an actor calls `object.operation()` or waits with `->`")?;
        if !self.script.objects.iter().any(|known| known.name == object) {
            return Err(at(span, format!("there is no object `{object}`")));
        }
        line.mark(".")?;
        let (op, _) = line.word("an operation has a name")?;
        let args = self.arguments(line)?;
        let expected = self.expected(line)?;
        let target = Target { object, index: None };
        Ok(Action::Call { actor, target, op, args, expected })
    }

    fn one_of(&mut self, line: &mut Line) -> Result<(), ParseError> {
        line.key("of")?;
        let mut actors = Vec::new();
        while let Some((actor, span)) = line.try_word() {
            let standing = self.standing_of(&actor, span)?;
            self.must_wait(&actor, span, standing)?;
            self.standing.insert(actor.clone(), Standing::Open);
            actors.push(actor);
        }
        if actors.len() < 2 {
            return Err(at(line.whole(), "`one of` needs at least two actors"));
        }
        line.mark(":")?;
        let arrow = line.here();
        let expected = self.expected(line)?;
        if matches!(expected, Expected::Blocked { .. }) {
            return Err(at(arrow, "`one of` waits for an outcome; the others are blocked anyway"));
        }
        let (winner, loser) = (None, None);
        self.step(line, Action::OneOf { actors, expected, winner, loser });
        Ok(())
    }

    fn kill(&mut self, line: &mut Line) -> Result<(), ParseError> {
        let (actor, span) = line.word("somebody must be killed")?;
        let standing = self.standing_of(&actor, span)?;
        let when_blocked = line.try_key("when");
        if when_blocked {
            line.key("blocked")?;
            self.must_wait(&actor, span, standing)?;
        }
        self.standing.insert(actor.clone(), Standing::Killed);
        for known in self.script.actors.iter_mut().filter(|known| known.name == actor) {
            known.own_process = true;
        }
        let moment = if when_blocked { Moment::WhenBlocked } else { Moment::Now };
        self.step(line, Action::Kill { actor, moment });
        Ok(())
    }

    fn step(&mut self, line: &Line, action: Action) {
        self.script.steps.push(Step { action, span: line.whole() });
    }

    fn standing_of(&self, actor: &str, span: Span) -> Result<Standing, ParseError> {
        match self.standing.get(actor) {
            Some(Standing::Killed) => Err(at(span, busy(actor, Standing::Killed))),
            Some(standing) => Ok(*standing),
            None => Err(at(span, format!("there is no actor `{actor}`"))),
        }
    }

    fn must_wait(&self, actor: &str, span: Span, standing: Standing) -> Result<(), ParseError> {
        match standing {
            Standing::Blocked => Ok(()),
            Standing::Idle => Err(at(span, format!("`{actor}` has no call that is blocked"))),
            other => Err(at(span, busy(actor, other))),
        }
    }

    fn arguments(&self, line: &mut Line) -> Result<Arguments, ParseError> {
        let mut args = Arguments::new();
        line.mark("(")?;
        while !line.next_is(")") {
            if !args.is_empty() {
                line.mark(",")?;
            }
            let (name, span) = line.word("an argument is `name=value`")?;
            line.mark("=")?;
            if args.insert(name.clone(), line.value()?).is_some() {
                return Err(at(span, format!("`{name}` is given twice")));
            }
        }
        line.mark(")")?;
        Ok(args)
    }

    fn expected(&self, line: &mut Line) -> Result<Expected, ParseError> {
        line.mark("->")?;
        if line.try_key("blocked") {
            return Ok(Expected::BLOCKED);
        }
        let mut any_of = vec![self.outcome(line)?];
        while line.next_is("|") {
            line.mark("|")?;
            any_of.push(self.outcome(line)?);
        }
        let not_before_nanos = if line.try_key("after") { Some(line.duration()?) } else { None };
        Ok(Expected::Outcome { any_of, not_before_nanos })
    }

    fn outcome(&self, line: &mut Line) -> Result<Outcome, ParseError> {
        let span = line.here();
        let Some((word, _)) = line.try_word() else { return Ok(Outcome::Value(line.value()?)) };
        match word.as_str() {
            "ok" | "null" => Ok(Outcome::Value(Value::Null)),
            "true" => Ok(Outcome::Value(Value::Bool(true))),
            "false" => Ok(Outcome::Value(Value::Bool(false))),
            "blocked" => Err(at(span, "`blocked` stands alone; it is no alternative")),
            kind if self.error_kinds.contains(kind) => Ok(Outcome::Error(word)),
            _ => Err(at(span, format!("`{word}` is neither a value nor a kind in errors.toml"))),
        }
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

fn busy(actor: &str, standing: Standing) -> String {
    match standing {
        Standing::Killed => format!("`{actor}` was killed"),
        Standing::Open => format!("nobody knows whether the call of `{actor}` is over"),
        Standing::Idle | Standing::Blocked => {
            format!("the call of `{actor}` is still blocked; wait for it with `{actor}: -> …`")
        }
    }
}
