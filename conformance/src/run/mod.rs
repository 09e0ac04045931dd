//! The interpreter: runs one script against one subject and says what came of it.

mod history;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::limits::{CLOCK_SLACK_NANOS, patience};
use crate::protocol::{Answer, Ask, Hello, How};
use crate::script::{Action, Expected, Millis, Moment, Outcome as Wanted, Script, Span, Step};
use crate::session::Session;
use crate::subject::{AdapterCommand, Fault, quote};
use crate::verdict::{Outcome, Stop, Verdict};

pub use history::{CallEnd, CallEvent, Event, What};
pub(crate) use history::{History, now_nanos};

/// How a case is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The kind of object that stands where the case names its group: the form in question.
    #[expect(dead_code, reason = "the cases still name the only form")]
    pub(crate) form: &'a str,
    /// What random times are drawn from.
    #[expect(dead_code, reason = "nothing random is run yet")]
    pub(crate) seed: u64,
}

/// Runs a case in an adapter of its own.
pub(crate) fn run_case(
    command: &AdapterCommand,
    case: &Case,
    _asked: &Asked<'_>,
    error_kinds: &BTreeSet<String>,
) -> Outcome {
    run_script(command, &case.script, 0, error_kinds).0
}

/// Runs a script in an adapter of its own, and says also what happened, call by call. The kinds of
/// its objects are those that the subject names; `seed` is what random times are drawn from;
/// `error_kinds` is the closed list of the catalogue.
///
/// The verdict is about the script's own expectations alone.
pub fn run_script(
    command: &AdapterCommand,
    script: &Script,
    _seed: u64,
    error_kinds: &BTreeSet<String>,
) -> (Outcome, Vec<Event>) {
    let started = Instant::now();
    let (ended, events) = Run::whole(command, script, error_kinds);
    let took = started.elapsed();
    let outcome = match ended {
        Ok(()) => Outcome { verdict: Verdict::Kept, stop: None, took, is_scaled: false },
        Err(End { verdict, span, expected, came }) => {
            let stop = Stop { span, expected, came, within: Vec::new() };
            Outcome { verdict, stop: Some(stop), took, is_scaled: false }
        }
    };
    (outcome, events)
}

/// Why a case ended before its end.
pub(crate) struct End {
    pub(crate) verdict: Verdict,
    pub(crate) span: Option<Span>,
    pub(crate) expected: String,
    pub(crate) came: String,
}

/// A case under way.
pub(crate) struct Run<'a> {
    pub(crate) session: Session,
    error_kinds: &'a BTreeSet<String>,
}

/// What a call came back with.
enum Came {
    Value(serde_json::Value),
    Error(String, String),
}

impl<'a> Run<'a> {
    fn whole(
        command: &AdapterCommand,
        script: &Script,
        error_kinds: &'a BTreeSet<String>,
    ) -> (Result<(), End>, Vec<Event>) {
        match Session::open(command) {
            Ok((session, hello)) => {
                let mut run = Self { session, error_kinds };
                let ended = run.all(script, &hello);
                (ended, std::mem::take(&mut run.session.history).into_events())
            }
            Err(fault) => (Err(fault.into()), Vec::new()),
        }
    }

    fn all(&mut self, script: &Script, hello: &Hello) -> Result<(), End> {
        let objects: Vec<String> = script.objects.iter().map(|o| o.name.clone()).collect();
        self.create(script, hello)?;
        self.start_actors(script, hello, &objects)?;
        for step in &script.steps {
            self.step(step).map_err(|end| End { span: Some(step.span), ..end })?;
        }
        Ok(self.session.close(&objects)?)
    }

    fn create(&mut self, script: &Script, hello: &Hello) -> Result<(), End> {
        for object in &script.objects {
            let in_line = |end: End| End { span: Some(object.span), ..end };
            if !hello.objects.contains_key(&object.kind) {
                return Err(in_line(End::unsupported(format!(
                    "no object of the kind {}",
                    object.kind
                ))));
            }
            let ask = Ask::Create {
                object: object.name.clone(),
                kind: object.kind.clone(),
                args: object.args.clone(),
                count: object.count,
            };
            match self.session.ask(ask).map_err(|fault| in_line(fault.into()))? {
                Answer::Ok { .. } => {}
                Answer::Error { kind, text } if kind == "unsupported" => {
                    return Err(in_line(End::unsupported(text)));
                }
                Answer::Error { kind, text } if self.error_kinds.contains(&kind) => {
                    let came = with_text(&kind, &text);
                    return Err(in_line(End::broken("the object".to_owned(), came)));
                }
                Answer::Error { kind, .. } => {
                    let said = quote(&kind);
                    let came = format!("the adapter says an error of the kind {said}, {NO_KIND}");
                    return Err(in_line(End::died(came)));
                }
                other => return Err(in_line(End::died(format!("the adapter says {other:?}")))),
            }
        }
        Ok(())
    }

    /// Processes come first: a fork takes along only the thread that forks.
    fn start_actors(
        &mut self,
        script: &Script,
        hello: &Hello,
        objects: &[String],
    ) -> Result<(), End> {
        let usual = hello.starts[0];
        let process = hello.starts.iter().copied().find(|how| *how != How::Thread);
        let mut plan = Vec::new();
        for actor in &script.actors {
            let how = if actor.own_process { process } else { Some(usual) };
            let how = how.ok_or_else(|| End {
                span: Some(actor.span),
                ..End::unsupported("no actor that is a process of its own".to_owned())
            })?;
            plan.push((actor, how));
        }
        plan.sort_by_key(|(_, how)| *how == How::Thread);
        for (actor, how) in plan {
            self.session
                .start_actor(&actor.name, how, objects.to_vec())
                .map_err(|fault| End { span: Some(actor.span), ..fault.into() })?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), End> {
        match &step.action {
            Action::Call { actor, target, op, args, expected } => {
                self.session.start_call(actor, target, op, args)?;
                self.wait_until_entered(actor, expected)?;
                self.expect(actor, expected)
            }
            Action::Await { actor, expected } => self.expect(actor, expected),
            Action::OneOf { actors, expected, .. } => self.one_of(actors, expected),
            Action::Kill { actor, moment } => {
                if *moment == Moment::WhenBlocked {
                    self.expect(actor, &Expected::BLOCKED)?;
                }
                self.kill(actor)
            }
            other => Err(End::unsupported(format!("no step such as {other:?}"))),
        }
    }

    fn expect(&mut self, actor: &str, expected: &Expected) -> Result<(), End> {
        match expected {
            Expected::Blocked { .. } => {
                if self.is_blocked(actor)? {
                    return Ok(());
                }
                let came = self.answer(actor, expected)?;
                Err(End::broken(expected.to_string(), came.shown(None)))
            }
            Expected::Outcome { any_of, not_before_nanos } => {
                self.wait_for_answer(actor, &expected.to_string())?;
                let took = self.took_nanos(actor);
                let came = self.answer(actor, expected)?;
                let is_late_enough = not_before_nanos
                    .is_none_or(|limit| took.is_some_and(|took| took + CLOCK_SLACK_NANOS >= limit));
                if any_of.iter().any(|wanted| came.is(wanted)) && is_late_enough {
                    return Ok(());
                }
                let took = took.filter(|_| not_before_nanos.is_some());
                Err(End::broken(expected.to_string(), came.shown(took)))
            }
            other => Err(End::unsupported(format!("nothing expected such as {other}"))),
        }
    }

    fn one_of(&mut self, actors: &[String], expected: &Expected) -> Result<(), End> {
        let wanted = format!("{expected} for exactly one of {}", actors.join(" "));
        let first = self.wait_for_first_answer(actors, &wanted)?;
        self.expect(&first, expected)?;
        for other in actors.iter().filter(|actor| **actor != first) {
            if !self.is_blocked(other)? {
                let came = self.answer(other, expected)?;
                let came = format!("{first} was the one, and {other}: {}", came.shown(None));
                return Err(End::broken(wanted, came));
            }
        }
        Ok(())
    }

    fn kill(&mut self, actor: &str) -> Result<(), End> {
        self.session.kill(actor).map_err(|what| End {
            verdict: Verdict::Error,
            span: None,
            expected: String::new(),
            came: what,
        })
    }

    /// Takes the answer of a call that has one.
    fn answer(&mut self, actor: &str, expected: &Expected) -> Result<Came, End> {
        let call = self.session.actors.get_mut(actor).and_then(|actor| actor.call.take());
        match call.and_then(|call| call.answer) {
            Some(Answer::Returned { value, .. }) => Ok(Came::Value(value)),
            Some(Answer::Failed { kind, text, .. }) if self.error_kinds.contains(&kind) => {
                Ok(Came::Error(kind, text))
            }
            Some(Answer::Unsupported) => Err(End::unsupported("no such call".to_owned())),
            Some(Answer::Prevented { why }) => {
                let expected = expected.to_string();
                Err(End { verdict: Verdict::Prevented, span: None, expected, came: why })
            }
            other => Err(End::died(format!("the adapter says of a call what none is: {other:?}"))),
        }
    }

    /// How long a call took by its actor's own clock.
    fn took_nanos(&self, actor: &str) -> Option<u64> {
        let call = self.session.actors.get(actor)?.call.as_ref()?;
        let at = match &call.answer {
            Some(Answer::Returned { at, .. } | Answer::Failed { at, .. }) => *at,
            _ => return None,
        };
        Some(at.saturating_sub(call.entered?.at))
    }

    fn wait_until_entered(&mut self, actor: &str, expected: &Expected) -> Result<(), End> {
        let deadline = Instant::now() + patience();
        loop {
            let call = self.session.actors.get(actor).and_then(|actor| actor.call.as_ref());
            if call.is_none_or(|call| call.entered.is_some() || call.answer.is_some()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(End::died(format!("{actor} never entered the call ({expected})")));
            }
            self.session.pump(Duration::from_millis(100))?;
            self.must_live(actor)?;
        }
    }
}

impl End {
    pub(crate) fn broken(expected: String, came: String) -> Self {
        Self { verdict: Verdict::Broken, span: None, expected, came }
    }

    pub(crate) fn hung(expected: String, came: String) -> Self {
        Self { verdict: Verdict::Hung, span: None, expected, came }
    }

    pub(crate) fn died(came: String) -> Self {
        Self { verdict: Verdict::Died, span: None, expected: String::new(), came }
    }

    fn unsupported(came: String) -> Self {
        Self { verdict: Verdict::Unsupported, span: None, expected: String::new(), came }
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::died(format!("the adapter {}", fault.0))
    }
}

impl Came {
    fn is(&self, wanted: &Wanted) -> bool {
        match (self, wanted) {
            (Self::Value(value), Wanted::Value(wanted)) => value == wanted,
            (Self::Error(kind, _), Wanted::Error(wanted)) => kind == wanted,
            _ => false,
        }
    }

    fn shown(&self, took_nanos: Option<u64>) -> String {
        let what = match self {
            Self::Value(value) => Wanted::Value(value.clone()).to_string(),
            Self::Error(kind, text) => with_text(kind, text),
        };
        took_nanos.map_or(what.clone(), |took| format!("{what} after {}", Millis(took)))
    }
}

const NO_KIND: &str = "which there is none of";

/// Many a text says the kind once more, alone or first.
fn with_text(kind: &str, text: &str) -> String {
    let rest = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix(": "));
    let text = if text == kind { "" } else { rest.unwrap_or(text) };
    if text.is_empty() { kind.to_owned() } else { format!("{kind} {}", quote(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_not_said_twice() {
        assert_eq!(with_text("system", ""), "system");
        assert_eq!(with_text("system", "system"), "system");
        assert_eq!(with_text("system", "system: no such file"), "system `no such file`");
        assert_eq!(with_text("system", "no such file"), "system `no such file`");
        assert_eq!(with_text("system", "systematic"), "system `systematic`");
    }
}
