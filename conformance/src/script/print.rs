//! A script as its text, which is read back as the same script.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

use super::{
    Action, ActorLine, Arguments, FUNCTION, Filling, IT, Moment, ObjectLine, Origin, Outcome,
    Program, Script, Statement, Step, Target, Together, filling, function_of,
};
use crate::parse::is_word;

impl Display for Script {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for object in &self.objects {
            writeln!(f, "{object}")?;
        }
        for actor in &self.actors {
            writeln!(f, "{actor}")?;
        }
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        Ok(())
    }
}

impl Display for ObjectLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "object {}", self.name)?;
        if let Some(count) = self.count {
            write!(f, "[{count}]")?;
        }
        write!(f, ": {}", self.kind)?;
        if !self.args.is_empty() {
            write!(f, "{}", InBrackets(&self.args))?;
        }
        match &self.maker {
            Some(maker) if self.is_late => write!(f, " made later by {maker}"),
            Some(maker) => write!(f, " made by {maker}"),
            None => Ok(()),
        }
    }
}

impl Display for ActorLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.origin {
            Origin::Adapter if self.own_process => write!(f, "processes {name}"),
            Origin::Adapter => write!(f, "actors {name}"),
            Origin::Main => write!(f, "main {name}"),
            Origin::ThreadOf(parent) => write!(f, "threads {name} of {parent}"),
            Origin::ChildOf(parent) => write!(f, "children {name} of {parent}"),
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.indented(f, 0)
    }
}

impl Step {
    /// The step, `depth` blocks deep; without the end of its last line.
    fn indented(&self, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = "    ".repeat(depth);
        let body = match &self.action {
            Action::Repeat { count, body } => {
                write!(f, "{indent}repeat {count} {{")?;
                body
            }
            Action::Parallel { body } => {
                write!(f, "{indent}parallel {{")?;
                body
            }
            Action::Forall { variable, values, body } => {
                write!(f, "{indent}forall {variable} in ")?;
                list(f, values.iter().map(Constant), ", ")?;
                f.write_str(" {")?;
                body
            }
            action => return write!(f, "{indent}{}", Line(action)),
        };
        for step in body {
            writeln!(f)?;
            step.indented(f, depth + 1)?;
        }
        write!(f, "\n{indent}}}")
    }
}

/// A step that is no block.
struct Line<'a>(&'a Action);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Action::Call { actor, target, op, args, expected } => {
                write!(f, "{actor}: {target}.{op}{} -> {expected}", InBrackets(args))
            }
            Action::Run { actor, program, expected } => {
                write!(f, "{actor}: {} -> {expected}", Whole(program))
            }
            Action::Await { actor, expected } => write!(f, "{actor}: -> {expected}"),
            Action::OneOf { actors, expected, winner, loser } => {
                write!(f, "one of {}: -> {expected}", actors.join(" "))?;
                for (key, name) in [("as", winner), ("other", loser)] {
                    if let Some(name) = name {
                        write!(f, " {key} {name}")?;
                    }
                }
                Ok(())
            }
            Action::EachOf { actors, any_of } => {
                write!(f, "each of {}: -> {}", actors.join(" "), Together(any_of))
            }
            Action::Kill { actor, moment } => write!(f, "kill {actor}{moment}"),
            Action::Fresh { actor } => write!(f, "fresh {actor}"),
            Action::Freeze { actor, moment } => write!(f, "freeze {actor}{moment}"),
            Action::Thaw { actor } => write!(f, "thaw {actor}"),
            Action::Signal { actor, every_nanos } => {
                write!(f, "signal {actor} every {}", Length(*every_nanos))
            }
            Action::Interrupt { actor } => write!(f, "interrupt {actor}"),
            Action::Go { actor } => write!(f, "go {actor}"),
            Action::Repeat { .. } | Action::Parallel { .. } | Action::Forall { .. } => Ok(()),
        }
    }
}

/// With the blank in front, since the usual moment has no words.
impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "",
            Self::WhenBlocked => " when blocked",
            Self::AfterEntered => " after entered",
            Self::AtRandom => " at random",
            Self::WithoutWaiting => " without waiting",
        })
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        match &self.index {
            None => Ok(()),
            Some(Value::String(variable)) => write!(f, "[{variable}]"),
            Some(index) => write!(f, "[{index}]"),
        }
    }
}

/// A program behind its actor's name. One statement needs no braces, but for a plain call, which
/// would be no program without them.
struct Whole<'a>(&'a Program);

impl Display for Whole<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [Statement::Call { or, .. }] if or.is_empty() => Body(self.0).fmt(f),
            [statement] => statement.fmt(f),
            _ => Body(self.0).fmt(f),
        }
    }
}

/// Statements in braces, on one line.
struct Body<'a>(&'a Program);

impl Display for Body<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("{ }");
        }
        f.write_str("{ ")?;
        list(f, self.0.iter(), "; ")?;
        f.write_str(" }")
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { target, op, args, or } => {
                write!(f, "{target}.{op}{}", InBrackets(args))?;
                or.iter().try_for_each(|or| write!(f, " or {} {}", or.kind, Body(&or.body)))
            }
            Self::Loop { count, variable, body } => {
                f.write_str("loop ")?;
                if let Some(count) = count {
                    rounds(f, *count, variable.as_deref())?;
                }
                Body(body).fmt(f)
            }
            Self::Tally { count, variable, body } => {
                f.write_str("tally ")?;
                rounds(f, *count, variable.as_deref())?;
                Body(body).fmt(f)
            }
            Self::With { target, body } => write!(f, "with {target} {}", Body(body)),
            Self::Pause { seconds } => write!(f, "pause {seconds}s"),
            Self::Check { object, value } => write!(f, "check {object} == {value}"),
            Self::Equals { object, value } => write!(f, "{object} == {value}"),
            Self::Fork { name } => write!(f, "fork {name}"),
            Self::Start { name, how: None } => write!(f, "start {name}"),
            Self::Start { name, how: Some(how) } => write!(f, "start {name} by {}", how.slug()),
            Self::Thread { name } => write!(f, "thread {name}"),
            Self::Make { object, .. } => write!(f, "make {object}"),
            Self::Drop { object } => write!(f, "drop {object}"),
            Self::Exit { code } => write!(f, "exit {code}"),
            Self::Fail => f.write_str("fail"),
            Self::Wait => f.write_str("wait"),
            Self::End => f.write_str("end"),
            Self::EndThread => f.write_str("end thread"),
            Self::Abort => f.write_str("abort"),
            Self::Crash => f.write_str("crash"),
            Self::Exec => f.write_str("exec"),
            Self::Catch => f.write_str("catch"),
        }
    }
}

fn rounds(f: &mut Formatter<'_>, count: u64, variable: Option<&str>) -> fmt::Result {
    write!(f, "{count} ")?;
    variable.map_or(Ok(()), |name| write!(f, "as {name} "))
}

/// `(timeout=0.05, name="x")`, `({ n.get() })`
struct InBrackets<'a>(&'a Arguments);

impl Display for InBrackets<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (place, (name, value)) in self.0.iter().enumerate() {
            let between = if place == 0 { "" } else { ", " };
            match function_of(value) {
                Some(program) if name == FUNCTION => write!(f, "{between}{}", Body(&program))?,
                Some(program) => write!(f, "{between}{name}={}", Body(&program))?,
                None => write!(f, "{between}{name}={}", Constant(value))?,
            }
        }
        f.write_str(")")
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => Constant(value).fmt(f),
            Self::Kept(name) => write!(f, "value as {name}"),
            Self::OtherThan(value) => write!(f, "not {}", Constant(value)),
            Self::Error(kind) => f.write_str(kind),
            Self::Prevented => f.write_str("prevented"),
        }
    }
}

/// A value as a script has it.
struct Constant<'a>(&'a Value);

impl Display for Constant<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("ok"),
            Value::Number(number) if number.is_f64() => decimal(f, number.as_f64().unwrap_or(0.0)),
            Value::String(text) if ["infinity", "-infinity", "nan"].contains(&text.as_str()) => {
                f.write_str(text)
            }
            Value::Array(values) => {
                f.write_str("[")?;
                list(f, values.iter().map(Constant), ", ")?;
                f.write_str("]")
            }
            Value::Object(map) => match map.get("var") {
                Some(Value::String(variable)) if map.len() == 1 => write!(f, "${variable}"),
                _ => match filling(self.0) {
                    Some(Filling::Loop(variable)) => f.write_str(variable),
                    Some(Filling::It) => f.write_str(IT),
                    None => entries(f, map),
                },
            },
            plain => write!(f, "{plain}"),
        }
    }
}

fn entries(f: &mut Formatter<'_>, map: &Arguments) -> fmt::Result {
    f.write_str("{")?;
    for (place, (key, value)) in map.iter().enumerate() {
        let between = if place == 0 { "" } else { ", " };
        let key = if is_word(key) { key.clone() } else { Value::from(key.as_str()).to_string() };
        write!(f, "{between}{key}: {}", Constant(value))?;
    }
    f.write_str("}")
}

/// Never with an exponent, and always with a point.
fn decimal(f: &mut Formatter<'_>, number: f64) -> fmt::Result {
    let text = number.to_string();
    let point = if text.contains('.') { "" } else { ".0" };
    write!(f, "{text}{point}")
}

fn list<T: Display>(
    f: &mut Formatter<'_>,
    parts: impl Iterator<Item = T>,
    between: &str,
) -> fmt::Result {
    for (place, part) in parts.enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        part.fmt(f)?;
    }
    Ok(())
}

/// Nanoseconds, exactly, in the largest unit that gives a whole number.
pub(super) struct Length(pub(super) u64);

impl Display for Length {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000, "ms"), (1000, "us"), (1, "ns")];
        let (size, unit) =
            units.into_iter().find(|(size, _)| self.0.is_multiple_of(*size)).unwrap_or((1, "ns"));
        write!(f, "{}{unit}", self.0 / size)
    }
}
