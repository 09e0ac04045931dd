//! Processes of purlin as the suite asks for them: a `Builder` until it is started, then a
//! `Process`.

use std::path::PathBuf;
use std::sync::Arc;

use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Function, Functions, How, Object, Refusal,
};
use purlin_process::{Builder, ExitCode, ExitStatus, Key, Process, Run, wait_any};
use purlin_sync::Deadline;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::gift::{Gift, text_of};
use super::lock::deadline;
use super::stage::{Stage, Staged};
use super::{ended, spawn};

/// The kind of object.
pub(super) const KIND: &str = "process";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 20] = [
    "start",
    "run",
    "overwrite_arguments",
    "id",
    "name",
    "set_name",
    "is_named",
    "daemon",
    "set_daemon",
    "set_key",
    "exit_status",
    "is_alive",
    "join",
    "terminate",
    "kill",
    "signal",
    "close",
    "has_ended",
    "wait_for_end",
    "description",
];

/// A child of the actor that made it.
pub(super) struct Child {
    subject: &'static str,
    how: How,
    /// What it runs when it is not started as the life of an actor.
    function: Function,
    /// How it was made.
    args: Arguments,
    stage: Staged<Builder, Process>,
}

/// An actor as a value with a step.
struct Step(Actor, Gift);

impl Run for Step {
    type Outcome = Result<(), String>;

    fn run(self) -> Self::Outcome {
        let Self(actor, _gift) = self;
        ended(actor.run_in_fork())
    }
}

impl Child {
    pub(super) fn new(
        subject: &'static str,
        usual: How,
        args: &Arguments,
    ) -> Result<Self, Refusal> {
        let wrong = |what: &str| Refusal::prevented(format!("{what} has another type"));
        if args.contains_key("group") {
            return Err(Refusal::prevented("there is no such argument"));
        }
        if args.contains_key("half_made") {
            return Err(Refusal::prevented("there is no base that could be left out"));
        }
        if args.contains_key("returns") {
            return Err(Refusal::prevented("a function returns nothing, or an ExitCode by name"));
        }
        let mut builder = Builder::new();
        if args.contains_key("name") {
            builder = builder.name(name(args).ok_or_else(|| wrong("a name"))?);
        }
        if let Some(daemon) = args.get("daemon") {
            builder = builder.daemon(daemon.as_bool().ok_or_else(|| wrong("a daemon mark"))?);
        }
        if let Some(key) = args.get("key") {
            let key = key.as_str().ok_or_else(|| wrong("a key"))?;
            builder = builder.key(Key::new(key).map_err(refusal)?);
        }
        if let Some(path) = args.get("program").and_then(Value::as_str) {
            builder = builder.program(program(path)?);
        }
        let how = match args.get("how").and_then(Value::as_str) {
            None => usual,
            Some("fork") => How::Fork,
            Some("spawn") => How::Spawn,
            Some(_) => {
                return Err(Refusal::prevented("there is a method for each way of starting"));
            }
        };
        let stage = Staged::new(builder);
        Ok(Self { subject, how, function: work(args)?, args: args.clone(), stage })
    }

    fn start(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let gift = match Gift::of(&self.args, functions) {
            Ok(gift) => gift,
            Err(refusal) => return CallResult::Failed(refusal),
        };
        let builder = match self.stage.take() {
            Ok(builder) => builder,
            Err(prevented) => return prevented,
        };
        if let Some(len) = self.args.get("bulk").and_then(Value::as_u64) {
            return self.keep(start_to_weigh(builder, self.how, len));
        }
        let start = |actor: Actor| match self.how {
            How::Spawn => spawn(self.subject, builder, actor, gift),
            _ if self.args.contains_key("step") => {
                builder.fork_run(Step(actor, gift)).map_err(refusal)
            }
            _ => {
                let work = move || {
                    let _gift = gift;
                    ended(actor.run_in_fork())
                };
                builder.fork(work).map_err(refusal)
            }
        };
        let started = match args.get("actor").and_then(Value::as_str) {
            Some(actor) => functions.start_actor(actor, start),
            None => functions.start_function(&self.function, start),
        };
        self.keep(started)
    }

    fn keep(&self, started: Result<Process, Refusal>) -> CallResult {
        match started {
            Ok(process) => {
                self.stage.keep(process);
                CallResult::ok()
            }
            Err(refusal) => CallResult::Failed(refusal),
        }
    }

    /// A handle of its own for a call, which may wait while others are made.
    pub(super) fn process(&self) -> Result<Process, CallResult> {
        let why = match &*self.stage.now() {
            Stage::Started(process) => return Ok(process.clone()),
            Stage::Described(_) | Stage::Spent => "what is not started is no Process",
            Stage::Closed => "closing consumes the handle",
        };
        Err(CallResult::Prevented(why.to_owned()))
    }

    fn name(&self) -> CallResult {
        match &*self.stage.now() {
            Stage::Described(builder) => CallResult::Value(builder.shown_name().into()),
            Stage::Started(process) => CallResult::Value(process.name().into()),
            Stage::Spent | Stage::Closed => CallResult::Prevented("there is none left".to_owned()),
        }
    }

    fn set_name(&self, args: &Arguments) -> CallResult {
        let Some(new) = args.get("name").and_then(Value::as_str) else {
            return CallResult::Prevented("it is a text".to_owned());
        };
        self.stage.change(|builder| builder.name(new))
    }

    fn daemon(&self) -> CallResult {
        match &*self.stage.now() {
            Stage::Described(builder) => CallResult::Value(builder.is_daemon().into()),
            Stage::Started(process) => CallResult::Value(process.is_daemon().into()),
            Stage::Spent | Stage::Closed => CallResult::Prevented("there is none left".to_owned()),
        }
    }

    fn set_key(&self, args: &Arguments) -> CallResult {
        let Some(key) = args.get("key").and_then(Value::as_str) else {
            return CallResult::Prevented("a Key is made of bytes".to_owned());
        };
        let key = match Key::new(key) {
            Ok(key) => key,
            Err(error) => return CallResult::Failed(refusal(error)),
        };
        self.stage.change(|builder| builder.key(key))
    }

    fn description(&self) -> CallResult {
        match &*self.stage.now() {
            Stage::Described(builder) => CallResult::Value(builder.to_string().into()),
            Stage::Started(process) => CallResult::Value(process.to_string().into()),
            Stage::Spent | Stage::Closed => CallResult::Prevented("there is none left".to_owned()),
        }
    }

    fn close(&self) -> CallResult {
        let mut stage = self.stage.now();
        match std::mem::replace(&mut *stage, Stage::Closed) {
            Stage::Started(process) => match process.close() {
                Ok(()) => CallResult::ok(),
                Err(running) => {
                    let error = running.error();
                    *stage = Stage::Started(running.into_process());
                    CallResult::Failed(refusal(error))
                }
            },
            Stage::Closed => CallResult::Prevented("closing consumes the handle".to_owned()),
            other => {
                *stage = other;
                CallResult::Prevented("what is not started has nothing to close".to_owned())
            }
        }
    }

    fn ask(&self, op: &str, args: &Arguments) -> CallResult {
        let process = match self.process() {
            Ok(process) => process,
            Err(other) => return other,
        };
        match op {
            "id" => CallResult::Value(process.pid().into()),
            "exit_status" => of(process.status().map(|status| status.map_or(Value::Null, shown))),
            "is_alive" => of(process.is_alive().map(Value::from)),
            "join" => match deadline(args) {
                Ok(deadline) => of(process.join(deadline).map(|_| Value::Null)),
                Err(other) => other,
            },
            "terminate" => of(process.terminate().map(|()| Value::Null)),
            "kill" => of(process.kill().map(|()| Value::Null)),
            "signal" => match args.get("number").and_then(Value::as_i64).map(i32::try_from) {
                Some(Ok(number)) => of(process.signal(number).map(|()| Value::Null)),
                _ => CallResult::Prevented("it is a number of 32 bits".to_owned()),
            },
            "has_ended" => match is_ready(&process, Deadline::passed()) {
                Ok(is_ready) => CallResult::Value(is_ready.into()),
                Err(refusal) => CallResult::Failed(refusal),
            },
            "wait_for_end" => match deadline(args).map(|limit| is_ready(&process, limit)) {
                Ok(Ok(true)) => CallResult::ok(),
                Ok(Ok(false)) => CallResult::failed("timed-out", "it goes on"),
                Ok(Err(refusal)) => CallResult::Failed(refusal),
                Err(other) => other,
            },
            _ => CallResult::Unsupported,
        }
    }
}

impl Object for Child {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "name" => self.name(),
            "set_name" => self.set_name(args),
            "is_named" => match (self.name(), name(args)) {
                (CallResult::Value(own), Some(given)) => CallResult::Value((own == given).into()),
                (other, _) => other,
            },
            "overwrite_arguments" => {
                CallResult::Prevented("what the child is given is moved into it".to_owned())
            }
            "daemon" => self.daemon(),
            "set_daemon" => self.stage.set_daemon(args, Builder::daemon),
            "set_key" => self.set_key(args),
            "description" => self.description(),
            "close" => self.close(),
            _ => self.ask(op, args),
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        match op {
            "start" => self.start(args, functions),
            // Whoever describes a process keeps nothing but its own copy of the function.
            "run" => {
                functions.run(&self.function);
                CallResult::ok()
            }
            _ => self.call(op, args),
        }
    }

    fn handle(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }

    /// Another program has no such child.
    fn is_local(&self) -> bool {
        true
    }
}

/// The program that a spawned child is executed from: this one by its full path, or another.
fn program(path: &str) -> Result<PathBuf, Refusal> {
    match path {
        "own" => std::env::current_exe().map_err(|error| Refusal::new("system", error)),
        other => Ok(other.into()),
    }
}

/// Starts what is given so many bytes, and has as its status what they weigh.
fn start_to_weigh(builder: Builder, how: How, len: u64) -> Result<Process, Refusal> {
    let text = text_of(usize::try_from(len).unwrap_or(0));
    let started = match how {
        How::Spawn => builder.spawn(weight, text, ()),
        _ => builder.fork(move || weight(text, ())),
    };
    started.map_err(refusal)
}

/// A number that another length, and most other bytes, would not give; never 0. By words of eight
/// bytes, for many bytes take long one by one; what is behind the last whole word is not weighed.
fn weight(text: String, (): ()) -> ExitCode {
    let (words, _) = text.as_bytes().as_chunks::<8>();
    let words = words.iter().zip([3, 5].into_iter().cycle());
    let sum: u128 = words.map(|(word, times)| times * u128::from(u64::from_le_bytes(*word))).sum();
    ExitCode(i32::try_from((sum + text.len() as u128) % 250 + 1).unwrap_or(0))
}

/// Waits for the first of several, and says which have ended.
pub(super) fn any_of(args: &Arguments, functions: &Functions<'_>) -> CallResult {
    let names = args.get("of").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    let mut processes = Vec::new();
    for name in &names {
        let object = match functions.object(name) {
            Ok(object) => object,
            Err(refusal) => return CallResult::Failed(refusal),
        };
        let child = object.handle().and_then(<dyn std::any::Any>::downcast_ref::<Child>);
        match child.map(Child::process) {
            Some(Ok(process)) => processes.push(process),
            Some(Err(other)) => return other,
            None => return CallResult::Prevented(format!("{name} is no process")),
        }
    }
    let mut limit = args.clone();
    limit.remove("of");
    let found = match deadline(&limit) {
        Ok(deadline) => wait_any(&processes.iter().collect::<Vec<_>>(), deadline),
        Err(other) => return other,
    };
    of(found.map(|places| places.into_iter().map(|place| names[place]).collect::<Vec<_>>().into()))
}

/// Whether the descriptor tells of the end, waited for until `limit`. It alone is looked at:
/// nothing is collected.
fn is_ready(process: &Process, mut limit: Deadline) -> Result<bool, Refusal> {
    let sentinel = process.sentinel().map_err(refusal)?;
    loop {
        limit = limit.start();
        let left = limit.remaining().map(Timespec::try_from).and_then(Result::ok);
        match poll(&mut [PollFd::new(&sentinel, PollFlags::IN)], left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {} // ends: at the child's end, or at the limit
            Ok(count) => return Ok(count > 0),
            Err(error) => return Err(Refusal::new("system", error)),
        }
    }
}

/// The text that the argument `name` means: with `times`, so often one after the other.
pub(super) fn name(args: &Arguments) -> Option<String> {
    let times = args.get("times").and_then(Value::as_u64).map(usize::try_from);
    Some(args.get("name")?.as_str()?.repeat(times.and_then(Result::ok).unwrap_or(1)))
}

/// What is run: the script's function, then what writes down its arguments; or nothing.
pub(super) fn work(args: &Arguments) -> Result<Function, Refusal> {
    let given = Function::of(args, "function").map(|function| function.to_value());
    let mut program =
        given.and_then(|given| given["program"].as_array().cloned()).unwrap_or_default();
    if let Some(log) = args.get("echo") {
        if args.contains_key("named") {
            return Err(Refusal::unsupported("arguments have no names"));
        }
        let given = args.get("args").cloned().unwrap_or_else(|| json!([]));
        let text = json!([given, {}]).to_string();
        program.push(json!({"do": "call", "object": log, "op": "write", "args": {"text": text}}));
    }
    let args = Arguments::from_iter([("function".to_owned(), json!({ "program": program }))]);
    Function::of(&args, "function").ok_or_else(|| Refusal::new("invalid-argument", "no function"))
}

pub(super) fn shown(status: ExitStatus) -> Value {
    status.code().map_or_else(|| "unknown".into(), Value::from)
}

pub(super) fn of(done: Result<Value, purlin_process::Error>) -> CallResult {
    done.map_or_else(|error| CallResult::Failed(refusal(error)), CallResult::Value)
}

pub(super) fn refusal(error: purlin_process::Error) -> Refusal {
    Refusal::new(error.kind(), error)
}

/// As an object that several may hold.
pub(super) fn made(
    subject: &'static str,
    usual: How,
    args: &Arguments,
) -> Result<Arc<dyn Object>, Refusal> {
    Ok(Arc::new(Child::new(subject, usual, args)?))
}
