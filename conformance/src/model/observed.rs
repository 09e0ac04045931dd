//! What the runner wrote down, as histories of the locks that it was about.

use std::collections::BTreeMap;

use super::Actor;
use super::ground::Ground;
use super::history::{End, Event, HistoryOf};
use super::lock::{Limit, LockCall, LockModel, Op, Told};
use super::plan::SHORT_NANOS;
use crate::limits::CLOCK_SLACK_NANOS;
use crate::protocol::Arguments;
use crate::run::{self, CallEnd, CallEvent};
use crate::script::{Outcome, Statement};

/// A run's histories, one a lock, and who stands behind their lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The histories, by the name of the lock. All have the same lines.
    pub histories: BTreeMap<String, HistoryOf<LockModel>>,
    /// The actor of each line. One in the place of a dead one has the same name and another line.
    pub names: Vec<String>,
}

impl Observed {
    /// Reads what happened to these locks.
    ///
    /// # Errors
    /// * What no history can hold: an outcome that no lock has, or a time limit that was cut short.
    pub fn read(events: &[run::Event], locks: &[String], ground: &Ground) -> Result<Self, String> {
        let histories = locks.iter().map(|lock| (lock.clone(), HistoryOf::<LockModel>::new(0)));
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
        let (lock, op) = match &call.what {
            run::What::Call { target, op, args } => {
                let read = read_op(op, args).ok_or_else(|| format!("no lock has a call {op}"))?;
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
            let actor = &call.actor;
            return Err(format!("{actor}: {lock}.acquire gave up before its time limit was over"));
        }
        let line = self.line(&call.actor);
        let by = self.actor(line);
        let event = Event { call: LockCall { by, op }, entered, end };
        if let Some(history) = self.observed.histories.get_mut(lock) {
            history.lines[line].push(event);
        }
        Ok(())
    }

    fn death(&mut self, name: &str, from: u64, to: u64) {
        let line = self.line(name);
        let call = LockCall { by: self.actor(line), op: Op::Gone };
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

fn read_op(op: &str, args: &Arguments) -> Option<Op> {
    let seconds = args.get("timeout").map(serde_json::Value::as_f64);
    let is = |limit: Limit| seconds == Some(limit.seconds());
    Some(match op {
        "acquire" if seconds.is_none() => Op::Acquire(Limit::None),
        "acquire" => {
            let known = [Limit::Zero, Limit::Short, Limit::Long];
            Op::Acquire(known.into_iter().find(|limit| is(*limit))?)
        }
        "try" => Op::Try,
        "release" => Op::Release,
        "recover" => Op::Recover,
        _ => return None,
    })
}

fn read_end(call: &CallEvent) -> Result<End<Told>, String> {
    let (at, outcome) = match &call.end {
        CallEnd::CutOff => return Ok(End::CutOff),
        CallEnd::Open => return Ok(End::Blocked),
        CallEnd::Returned { at, outcome } => (*at, outcome),
    };
    let told = match outcome {
        Outcome::Value(serde_json::Value::Null) => Some(Told::Ok),
        Outcome::Value(_) => None,
        Outcome::Error(kind) => Told::from_word(kind),
    };
    let told = told.ok_or_else(|| format!("{} was told {outcome}", call.actor))?;
    Ok(End::Returned { at, told })
}

fn is_cut_short(op: Op, entered: u64, end: End<Told>) -> bool {
    match (op, end) {
        (Op::Acquire(Limit::Short), End::Returned { at, told: Told::TimedOut }) => {
            at.saturating_sub(entered) + CLOCK_SLACK_NANOS < SHORT_NANOS
        }
        _ => false,
    }
}
