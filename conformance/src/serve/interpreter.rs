//! Programs: statements, one after the other, in the thread that makes the actor's calls.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::Errno;
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};
use serde_json::Value;

use super::flow::{Flow, Way, catch_task, fail_task};
use super::functions::made_call;
use super::life::{Life, outcome};
use super::passage::REPLACED;
use super::replies::{now_nanos, say};
use super::shelf::{create, place};
use super::{Object, Refusal, newborn};
use crate::protocol::{Answer, Arguments, Ask, Target};
use crate::script::{Filling, Or, Statement, filled};
use crate::sys::fork::duplicate;
use crate::sys::{endings, signal};

/// One run of a program.
pub(super) struct Interpreter<'a> {
    life: &'a mut Life,
    id: u64,
    /// Of the loops around, the innermost last.
    variables: Vec<(String, u64)>,
    /// What the statement before came back with.
    last: Value,
    /// What the function was called with, up to its first statement.
    given: Value,
}

impl<'a> Interpreter<'a> {
    /// Runs it and says what came of it, unless the actor leaves it for good.
    pub(super) fn run(life: &'a mut Life, id: u64, program: &[Statement]) -> Option<Way> {
        say(id, Answer::Entered { at: now_nanos() });
        let mut run = Self::new(life, id, Value::Null);
        let flow = catch_task(|| run.block(program));
        outcome(id, now_nanos(), flow)
    }

    /// Runs a function inside a call that gives it a value. The loops around the call are none of
    /// its own.
    pub(super) fn function(
        life: &'a mut Life,
        id: u64,
        program: &[Statement],
        given: Value,
    ) -> Flow {
        Self::new(life, id, given).block(program)
    }

    fn new(life: &'a mut Life, id: u64, given: Value) -> Self {
        Self { life, id, variables: Vec::new(), last: Value::Null, given }
    }

    fn block(&mut self, program: &[Statement]) -> Flow {
        self.last = std::mem::take(&mut self.given);
        for statement in program {
            match self.statement(statement) {
                Flow::Done(value) => self.last = value,
                other => return other,
            }
        }
        Flow::Done(std::mem::take(&mut self.last))
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        match statement {
            Statement::Call { target, op, args, or } => self.call(target, op, args, or),
            Statement::Loop { count, variable, body } => self.repeat(*count, variable, body),
            Statement::Tally { count, variable, body } => self.tally(*count, variable, body),
            Statement::With { target, body } => match self.find(target) {
                Ok(object) => object.scope(&mut || self.block(body)),
                Err(refusal) => Flow::Failed(refusal),
            },
            Statement::Fail => fail_task("`fail`".to_owned()),
            Statement::Pause { seconds } => pause(*seconds),
            Statement::Wait => self.wait(),
            Statement::Check { object, value } => self.check(object, *value),
            Statement::Equals { object, value } => match self.value_of(object) {
                Flow::Done(found) => Flow::Done((found == *value).into()),
                other => other,
            },
            Statement::Fork { name } => newborn::by_fork(self.life, self.id, name),
            Statement::Start { name, how } => newborn::by_start(self.life, self.id, name, *how),
            Statement::Thread { name } => newborn::by_thread(self.life, self.id, name),
            Statement::Make { object, kind, args, count } => self.make(object, kind, args, *count),
            Statement::Drop { object } => {
                self.life.shelf.remove(object).map_or_else(Flow::Failed, |()| Flow::ok())
            }
            Statement::Exit { code } => endings::exit_now(*code),
            Statement::End => Flow::leaving(Way::End),
            Statement::EndThread => Flow::leaving(Way::EndThread),
            Statement::Abort => endings::abort(),
            Statement::Crash => endings::crash(),
            Statement::Exec => self.exec(),
            Statement::Catch => system(signal::catch_user_signal()),
        }
    }

    fn call(&mut self, target: &Target, op: &str, args: &Arguments, or: &[Or]) -> Flow {
        let args = filled(args, &|filling| self.meant(filling));
        let flow = match self.find(target) {
            Ok(object) => made_call(self.life, self.id, &*object, op, &args),
            Err(refusal) => Flow::Failed(refusal),
        };
        let Flow::Failed(refusal) = flow else { return flow };
        match or.iter().find(|or| or.kind == refusal.kind) {
            Some(or) => self.block(&or.body),
            None => Flow::Failed(refusal),
        }
    }

    /// Runs `round` so many times, or for ever, with the loop's variable counting from 0.
    fn rounds(
        &mut self,
        count: Option<u64>,
        variable: &Option<String>,
        mut round: impl FnMut(&mut Self) -> Option<Flow>,
    ) -> Option<Flow> {
        let mut left = None;
        let depth = self.variables.len();
        if let Some(name) = variable {
            self.variables.push((name.clone(), 0));
        }
        for number in 0..count.unwrap_or(u64::MAX) {
            // What unwound out of an inner loop has left its variables here.
            self.variables.truncate(depth + usize::from(variable.is_some()));
            if let (Some(_), Some((_, value))) = (variable, self.variables.last_mut()) {
                *value = number;
            }
            left = round(self);
            if left.is_some() {
                break;
            }
        }
        self.variables.truncate(depth);
        left
    }

    fn repeat(
        &mut self,
        count: Option<u64>,
        variable: &Option<String>,
        body: &[Statement],
    ) -> Flow {
        let mut last = Value::Null;
        let left = self.rounds(count, variable, |run| match run.block(body) {
            Flow::Done(value) => {
                last = value;
                None
            }
            other => Some(other),
        });
        left.unwrap_or(Flow::Done(last))
    }

    fn tally(&mut self, count: u64, variable: &Option<String>, body: &[Statement]) -> Flow {
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        let left = self.rounds(Some(count), variable, |run| {
            let outcome = match catch_task(|| run.block(body)) {
                Flow::Done(_) => "ok".to_owned(),
                Flow::Failed(refusal) => refusal.kind,
                other => return Some(other),
            };
            *outcomes.entry(outcome).or_default() += 1;
            None
        });
        left.unwrap_or_else(|| Flow::Done(outcomes.into_iter().collect()))
    }

    fn wait(&mut self) -> Flow {
        say(self.id, Answer::Waiting { at: now_nanos() });
        loop {
            match self.life.source.next() {
                Some(request) if matches!(request.ask, Ask::Go { .. }) => {
                    say(request.id, Answer::ok(&()));
                    return Flow::ok();
                }
                Some(request) => {
                    let (kind, text) = ("invalid-argument".to_owned(), "it waits".to_owned());
                    say(request.id, Answer::Error { kind, text });
                }
                // The adapter has let go of this thread.
                None => return Flow::leaving(Way::End),
            }
        }
    }

    fn value_of(&self, cell: &str) -> Flow {
        match self.life.shelf.find(cell, None) {
            Ok(cell) => cell.call("get", &Arguments::new()).into(),
            Err(refusal) => Flow::Failed(refusal),
        }
    }

    fn check(&self, object: &str, value: i64) -> Flow {
        match self.value_of(object) {
            Flow::Done(found) if found == value => Flow::ok(),
            Flow::Done(found) => fail_task(format!("{object} is {found}, not {value}")),
            other => other,
        }
    }

    fn make(&self, object: &str, kind: &str, args: &Arguments, count: Option<u64>) -> Flow {
        match create(&*self.life.subject, object, kind, args, count) {
            Ok(handles) => {
                self.life.shelf.put(object, handles);
                Flow::ok()
            }
            Err(refusal) => refusal.into(),
        }
    }

    /// Comes back only when it failed: the new program says `returned`.
    fn exec(&self) -> Flow {
        let Some(commands) = self.life.source.descriptor() else {
            return Flow::Failed(Refusal::new("system", "there is no pipe to take along"));
        };
        let take_along = || -> io::Result<io::Error> {
            rustix::stdio::dup2_stdin(duplicate(commands)?)?; // this copy stays open across exec
            let mut words = std::env::args_os();
            let name = words.next().unwrap_or_default();
            let mut command = Command::new("/proc/self/exe");
            command.arg0(name).args(words).env(REPLACED, self.id.to_string());
            Ok(command.exec())
        };
        let error = take_along().unwrap_or_else(|error| error);
        Flow::Failed(Refusal::new("system", error))
    }

    fn meant(&self, filling: Filling<'_>) -> Value {
        match filling {
            Filling::It => self.last.clone(),
            Filling::Loop(name) => {
                let innermost = self.variables.iter().rev().find(|(known, _)| known == name);
                innermost.map_or(Value::Null, |(_, number)| (*number).into())
            }
        }
    }

    fn find(&self, target: &Target) -> Result<std::sync::Arc<dyn Object>, Refusal> {
        let index = place(target.index.as_ref(), &self.variables)?;
        self.life.shelf.find(&target.object, index)
    }
}

fn pause(seconds: f64) -> Flow {
    let Ok(length) = std::time::Duration::try_from_secs_f64(seconds) else {
        return Flow::Failed(Refusal::new("invalid-argument", "no length of time"));
    };
    let Ok(length) = Timespec::try_from(length) else { return Flow::Unsupported };
    let end = clock_gettime(ClockId::Monotonic) + length;
    // A signal cuts it short, and changes nothing about when it is over.
    while clock_nanosleep_absolute(ClockId::Monotonic, &end) == Err(Errno::INTR) {}
    Flow::ok()
}

fn system(result: io::Result<()>) -> Flow {
    result.map_or_else(|error| Flow::Failed(Refusal::new("system", error)), |()| Flow::ok())
}
