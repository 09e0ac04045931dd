//! Threads of purlin as the suite asks for them: a `Builder` until it is started, then a `Thread`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Function, Functions, Object, Refusal,
};
use purlin_process::thread::{self, Builder, Thread};
use serde_json::Value;

use super::ended;
use super::lock::deadline;
use super::process::{of, refusal, work};

/// The kind of a thread.
pub(super) const KIND: &str = "thread";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 8] =
    ["start", "id", "native_id", "name", "set_name", "daemon", "is_alive", "join"];

/// The kind of what a thread knows of itself.
pub(super) const CURRENT: &str = "current-thread";

/// What can be asked of that.
pub(super) const CURRENT_OPERATIONS: [&str; 8] =
    ["id", "native_id", "name", "daemon", "join", "main_id", "is_main", "threads"];

/// A thread of the process of the actor that made it.
pub(super) struct Task {
    /// What it runs when it is not started as the life of an actor.
    function: Function,
    stage: Mutex<Stage>,
}

enum Stage {
    /// Nothing of it runs.
    Described(Builder),
    Started(Thread),
    /// What was described could not be started, and is gone.
    Spent,
}

impl Task {
    pub(super) fn new(args: &Arguments) -> Result<Self, Refusal> {
        let mut builder = Builder::new();
        let wrong = |what: &str| Refusal::prevented(format!("{what} has another type"));
        if let Some(name) = args.get("name") {
            builder = builder.name(name.as_str().ok_or_else(|| wrong("a name"))?);
        }
        if let Some(daemon) = args.get("daemon") {
            builder = builder.daemon(daemon.as_bool().ok_or_else(|| wrong("a daemon mark"))?);
        }
        Ok(Self { function: work(args)?, stage: Mutex::new(Stage::Described(builder)) })
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
        let start =
            |actor: Actor| builder.start(move || ended(actor.run_in_thread())).map_err(refusal);
        let started = match args.get("actor").and_then(Value::as_str) {
            Some(actor) => functions.start_actor(actor, start),
            None => functions.start_function(&self.function, start),
        };
        match started {
            Ok(thread) => {
                *self.stage() = Stage::Started(thread);
                CallResult::ok()
            }
            Err(refusal) => CallResult::Failed(refusal),
        }
    }

    /// A handle of its own for a call, which may wait while others are made.
    fn thread(&self) -> Result<Thread, CallResult> {
        match &*self.stage() {
            Stage::Started(thread) => Ok(thread.clone()),
            Stage::Described(_) | Stage::Spent => {
                Err(CallResult::Prevented("what is not started is no Thread".to_owned()))
            }
        }
    }
}

impl Object for Task {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let thread = match self.thread() {
            Ok(thread) => thread,
            Err(other) => return other,
        };
        match op {
            "set_name" => match args.get("name").and_then(Value::as_str) {
                Some(name) => {
                    thread.set_name(name);
                    CallResult::ok()
                }
                None => CallResult::Prevented("a name is a text".to_owned()),
            },
            "is_alive" => CallResult::Value(thread.is_alive().into()),
            "join" => join(&thread, args),
            _ => of_any(&thread, op),
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op == "start" { self.start(args, functions) } else { self.call(op, args) }
    }

    /// Another program has no such thread.
    fn is_local(&self) -> bool {
        true
    }
}

/// Whoever asks.
pub(super) struct Me;

impl Object for Me {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "join" => join(&thread::current(), args),
            "main_id" => CallResult::Value(thread::main().id().get().into()),
            "is_main" => CallResult::Value((thread::current() == thread::main()).into()),
            "threads" => {
                let mut names: Vec<String> = thread::active().iter().map(Thread::name).collect();
                names.sort();
                CallResult::Value(names.into())
            }
            _ => of_any(&thread::current(), op),
        }
    }

    fn handle(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

fn join(thread: &Thread, args: &Arguments) -> CallResult {
    match deadline(args) {
        Ok(deadline) => of(thread.join(deadline).map(|_| Value::Null)),
        Err(other) => other,
    }
}

fn of_any(thread: &Thread, op: &str) -> CallResult {
    match op {
        "id" => CallResult::Value(thread.id().get().into()),
        "native_id" => CallResult::Value(thread.native_id().into()),
        "name" => CallResult::Value(thread.name().into()),
        "daemon" => CallResult::Value(thread.is_daemon().into()),
        _ => CallResult::Unsupported,
    }
}
