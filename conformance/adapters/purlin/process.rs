//! Processes of purlin as the suite asks for them: a `Builder` until it is started, then a
//! `Process`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Function, Functions, How, Object, Refusal,
};
use purlin_process::{Builder, ExitStatus, Key, Process, wait_any};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::lock::deadline;
use super::{ended, spawn};

/// The kind of object.
pub(super) const KIND: &str = "process";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 15] = [
    "start",
    "id",
    "name",
    "daemon",
    "set_daemon",
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
    stage: Mutex<Stage>,
}

enum Stage {
    /// Nothing of it runs.
    Described(Builder),
    Started(Process),
    /// What was described could not be started, and is gone.
    Spent,
    /// The handle was given back.
    Closed,
}

impl Child {
    pub(super) fn new(
        subject: &'static str,
        usual: How,
        args: &Arguments,
    ) -> Result<Self, Refusal> {
        let mut builder = Builder::new();
        let wrong = |what: &str| Refusal::prevented(format!("{what} has another type"));
        if let Some(name) = args.get("name") {
            builder = builder.name(name.as_str().ok_or_else(|| wrong("a name"))?);
        }
        if let Some(daemon) = args.get("daemon") {
            builder = builder.daemon(daemon.as_bool().ok_or_else(|| wrong("a daemon mark"))?);
        }
        if let Some(key) = args.get("key") {
            let key = key.as_str().ok_or_else(|| wrong("a key"))?;
            builder = builder.key(Key::new(key).map_err(refusal)?);
        }
        let how = match args.get("how").and_then(Value::as_str) {
            None => usual,
            Some("fork") => How::Fork,
            Some("spawn") => How::Spawn,
            Some(_) => {
                return Err(Refusal::prevented("there is a method for each way of starting"));
            }
        };
        let stage = Mutex::new(Stage::Described(builder));
        Ok(Self { subject, how, function: work(args)?, stage })
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let builder = match std::mem::replace(&mut *self.stage(), Stage::Spent) {
            Stage::Described(builder) => builder,
            other => {
                *self.stage() = other;
                return CallResult::Prevented("a start consumes what is started".to_owned());
            }
        };
        let start = |actor: Actor| match self.how {
            How::Spawn => spawn(self.subject, builder, actor),
            _ => builder.fork(move || ended(actor.run_in_fork())).map_err(refusal),
        };
        let started = match args.get("actor").and_then(Value::as_str) {
            Some(actor) => functions.start_actor(actor, start),
            None => functions.start_function(&self.function, start),
        };
        match started {
            Ok(process) => {
                *self.stage() = Stage::Started(process);
                CallResult::ok()
            }
            Err(refusal) => CallResult::Failed(refusal),
        }
    }

    /// A handle of its own for a call, which may wait while others are made.
    fn process(&self) -> Result<Process, CallResult> {
        let why = match &*self.stage() {
            Stage::Started(process) => return Ok(process.clone()),
            Stage::Described(_) | Stage::Spent => "what is not started is no Process",
            Stage::Closed => "closing consumes the handle",
        };
        Err(CallResult::Prevented(why.to_owned()))
    }

    fn name(&self) -> CallResult {
        match &*self.stage() {
            Stage::Described(builder) => CallResult::Value(builder.shown_name().into()),
            Stage::Started(process) => CallResult::Value(process.name().into()),
            Stage::Spent | Stage::Closed => CallResult::Prevented("there is none left".to_owned()),
        }
    }

    fn daemon(&self) -> CallResult {
        match &*self.stage() {
            Stage::Described(builder) => CallResult::Value(builder.is_daemon().into()),
            Stage::Started(process) => CallResult::Value(process.is_daemon().into()),
            Stage::Spent | Stage::Closed => CallResult::Prevented("there is none left".to_owned()),
        }
    }

    fn set_daemon(&self, args: &Arguments) -> CallResult {
        let Some(is_daemon) = args.get("value").and_then(Value::as_bool) else {
            return CallResult::Prevented("it is a truth value".to_owned());
        };
        let mut stage = self.stage();
        match std::mem::replace(&mut *stage, Stage::Spent) {
            Stage::Described(builder) => {
                *stage = Stage::Described(builder.daemon(is_daemon));
                CallResult::ok()
            }
            other => {
                *stage = other;
                CallResult::Prevented("a started process has no such call".to_owned())
            }
        }
    }

    fn description(&self) -> CallResult {
        match &*self.stage() {
            Stage::Described(builder) => CallResult::Value(builder.to_string().into()),
            Stage::Started(process) => CallResult::Value(process.to_string().into()),
            Stage::Spent | Stage::Closed => CallResult::Prevented("there is none left".to_owned()),
        }
    }

    fn close(&self) -> CallResult {
        let mut stage = self.stage();
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
            "has_ended" => sentinel(&process, Some(Timespec::default())),
            "wait_for_end" => sentinel(&process, None),
            _ => CallResult::Unsupported,
        }
    }
}

impl Object for Child {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "name" => self.name(),
            "daemon" => self.daemon(),
            "set_daemon" => self.set_daemon(args),
            "description" => self.description(),
            "close" => self.close(),
            _ => self.ask(op, args),
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op == "start" { self.start(args, functions) } else { self.call(op, args) }
    }

    fn handle(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }

    /// Another program has no such child.
    fn is_local(&self) -> bool {
        true
    }
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

/// The descriptor alone is looked at: nothing is collected.
fn sentinel(process: &Process, limit: Option<Timespec>) -> CallResult {
    let sentinel = match process.sentinel() {
        Ok(sentinel) => sentinel,
        Err(error) => return CallResult::Failed(refusal(error)),
    };
    loop {
        match poll(&mut [PollFd::new(&sentinel, PollFlags::IN)], limit.as_ref()) {
            Ok(count) if limit.is_some() => return CallResult::Value((count > 0).into()),
            Ok(0) | Err(rustix::io::Errno::INTR) => {} // ends: at the child's end
            Ok(_) => return CallResult::ok(),
            Err(error) => return CallResult::failed("system", error),
        }
    }
}

/// What is run: the script's function, one that writes down its arguments, or nothing.
pub(super) fn work(args: &Arguments) -> Result<Function, Refusal> {
    if let Some(function) = Function::of(args, "function") {
        return Ok(function);
    }
    let mut program = Vec::new();
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

fn shown(status: ExitStatus) -> Value {
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
