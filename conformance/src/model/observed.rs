//! What the runner wrote down, as histories of the objects that it was about.

use std::collections::BTreeMap;

use super::Actor;
use super::call::{Call, Limit, Op, SHORT_NANOS, Told};
use super::ground::Ground;
use super::history::{End, Event, HistoryOf};
use super::kind::Kind;
use crate::limits::CLOCK_SLACK_NANOS;
use crate::run::{self, CallEnd, CallEvent};
use crate::script::Statement;

/// A run's histories, one an object, and who stands behind their lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The histories, by the name of the object. All have the same lines.
    pub histories: BTreeMap<String, HistoryOf<Kind>>,
    /// The actor of each line. One in the place of a dead one has the same name and another line.
    pub names: Vec<String>,
}

impl Observed {
    /// Reads what happened to these objects.
    ///
    /// # Errors
    /// * What no history can hold: an outcome that no object has, or a time limit that was cut
    ///   short.
    pub fn read(
        events: &[run::Event],
        objects: &[String],
        ground: &Ground,
    ) -> Result<Self, String> {
        let new = |object: &String| (object.clone(), HistoryOf::<Kind>::new(0));
        let histories = objects.iter().map(new);
        let observed = Self { histories: histories.collect(), names: Vec::new() };
        let mut reader = Reader { observed, open: BTreeMap::new(), ground };
        for event in events {
            match event {
                run::Event::Call(call) => reader.call(call)?,
                run::Event::Death { actor, sent_at, gone_at } => {
                    reader.death(actor, *sent_at, gone_at.unwrap_or(u64::MAX));
                }
            }
        }
        Ok(reader.observed)
    }

    /// The line of a caller.
    #[must_use]
    pub fn line_of(actor: Actor, ground: &Ground) -> usize {
        let number = if ground.has_threads() { actor.thread } else { actor.process };
        usize::try_from(number).unwrap_or(usize::MAX)
    }
}

struct Reader<'a> {
    observed: Observed,
    /// The line of everybody who lives.
    open: BTreeMap<String, usize>,
    ground: &'a Ground,
}

impl Reader<'_> {
    fn call(&mut self, call: &CallEvent) -> Result<(), String> {
        let (object, op) = match &call.what {
            run::What::Call { target, op, args } => {
                let read = Op::read(op, args).ok_or_else(|| format!("there is no call {op}"))?;
                (&target.object, read)
            }
            run::What::Run(program) => match program.as_slice() {
                [Statement::Drop { object }] => (object, Op::Gone),
                _ => return Err("a program says nothing of its calls".to_owned()),
            },
        };
        let entered = call.entered_at.unwrap_or(call.sent_at);
        let end = read_end(call)?;
        if is_cut_short(op, entered, end) {
            let (actor, (word, _)) = (&call.actor, op.words());
            return Err(format!("{actor}: {object}.{word} gave up before its time limit was over"));
        }
        let line = self.line(&call.actor);
        let by = self.actor(line);
        let event = Event { call: Call { by, op }, entered, end };
        if let Some(history) = self.observed.histories.get_mut(object) {
            history.lines[line].push(event);
        }
        Ok(())
    }

    fn death(&mut self, name: &str, from: u64, to: u64) {
        let line = self.line(name);
        let call = Call { by: self.actor(line), op: Op::Gone };
        for history in self.observed.histories.values_mut() {
            let end = End::Returned { at: to, told: Told::Ok };
            history.lines[line].push(Event { call, entered: from, end });
        }
        self.open.remove(name);
    }

    fn line(&mut self, name: &str) -> usize {
        if let Some(line) = self.open.get(name) {
            return *line;
        }
        let line = self.observed.names.len();
        self.observed.names.push(name.to_owned());
        self.open.insert(name.to_owned(), line);
        for history in self.observed.histories.values_mut() {
            history.lines.push(Vec::new());
        }
        line
    }

    fn actor(&self, line: usize) -> Actor {
        let number = u32::try_from(line).unwrap_or(u32::MAX);
        if self.ground.has_threads() {
            return Actor { process: 0, thread: number };
        }
        Actor::process(number)
    }
}

fn read_end(call: &CallEvent) -> Result<End<Told>, String> {
    let (at, outcome) = match &call.end {
        CallEnd::CutOff => return Ok(End::CutOff),
        CallEnd::Open => return Ok(End::Blocked),
        CallEnd::Returned { at, outcome } => (*at, outcome),
    };
    let told = Told::read(outcome).ok_or_else(|| format!("{} was told {outcome}", call.actor))?;
    Ok(End::Returned { at, told })
}

fn is_cut_short(op: Op, entered: u64, end: End<Told>) -> bool {
    match (op.limit(), end) {
        (
            Some(Limit::Short),
            End::Returned { at, told: Told::TimedOut | Told::Empty | Told::Full },
        ) => at.saturating_sub(entered) + CLOCK_SLACK_NANOS < SHORT_NANOS,
        _ => false,
    }
}
