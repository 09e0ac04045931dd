//! Threads of purlin as the suite asks for them: a `Builder` until it is started, then a `Thread`.

use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Function, Functions, Object, Refusal,
};
use purlin_process::thread::{self, Builder, Thread};
use serde_json::{Value, json};

use super::ended;
use super::lock::deadline;
use super::process::{of, refusal, work};
use super::stage::{Stage, Staged};

/// The kind of a thread.
pub(super) const KIND: &str = "thread";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 9] =
    ["start", "id", "native_id", "name", "set_name", "daemon", "set_daemon", "is_alive", "join"];

/// The kind of what a thread knows of itself.
pub(super) const CURRENT: &str = "current-thread";

/// What can be asked of that.
pub(super) const CURRENT_OPERATIONS: [&str; 11] = [
    "id",
    "native_id",
    "name",
    "daemon",
    "join",
    "main_id",
    "main_join",
    "is_main",
    "threads",
    "lists",
    "makes_daemons",
];

/// How often one counts that has a state of its own.
const COUNTED: u32 = 5;

/// A thread of the process of the actor that made it.
pub(super) struct Task {
    /// What it runs when it is not started as the life of an actor.
    function: Function,
    stage: Staged<Builder, Thread>,
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
        if let Some(bytes) = args.get("stack") {
            let bytes = bytes.as_u64().and_then(|bytes| usize::try_from(bytes).ok());
            builder = builder.stack_size(bytes.ok_or_else(|| wrong("a size"))?);
        }
        let function = match args.get("counts") {
            Some(log) => Counter::new(args, log).run()?,
            None => work(args)?,
        };
        Ok(Self { function, stage: Staged::new(builder) })
    }

    fn start(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let builder = match self.stage.take() {
            Ok(builder) => builder,
            Err(prevented) => return prevented,
        };
        let start =
            |actor: Actor| builder.start(move || ended(actor.run_in_thread())).map_err(refusal);
        let started = match args.get("actor").and_then(Value::as_str) {
            Some(actor) => functions.start_actor(actor, start),
            None => functions.start_function(&self.function, start),
        };
        match started {
            Ok(thread) => {
                self.stage.keep(thread);
                CallResult::ok()
            }
            Err(refusal) => CallResult::Failed(refusal),
        }
    }

    /// A handle of its own for a call, which may wait while others are made.
    fn thread(&self) -> Result<Thread, CallResult> {
        match &*self.stage.now() {
            Stage::Started(thread) => Ok(thread.clone()),
            Stage::Described(_) | Stage::Spent | Stage::Closed => {
                Err(CallResult::Prevented("what is not started is no Thread".to_owned()))
            }
        }
    }
}

impl Object for Task {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "set_daemon" => return self.stage.set_daemon(args, Builder::daemon),
            _ if !OPERATIONS.contains(&op) => return CallResult::Unsupported,
            _ => {}
        }
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

/// What has a step to run, and a state of its own.
struct Counter {
    name: Value,
    log: Value,
    next: u32,
}

impl Counter {
    fn new(args: &Arguments, log: &Value) -> Self {
        let name = args.get("name").cloned().unwrap_or_default();
        Self { name, log: log.clone(), next: 0 }
    }

    /// What it writes as it counts, as a function.
    fn run(mut self) -> Result<Function, Refusal> {
        let mut program = Vec::new();
        while self.next < COUNTED {
            let text = format!("{} {}", self.name.as_str().unwrap_or_default(), self.next);
            let args = json!({ "text": text });
            program.push(json!({"do": "call", "object": self.log, "op": "write", "args": args}));
            self.next += 1;
        }
        let args = Arguments::from_iter([("function".to_owned(), json!({ "program": program }))]);
        work(&args)
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
            "main_join" => join(&thread::main(), args),
            "threads" => {
                let mut names: Vec<String> = thread::active().iter().map(Thread::name).collect();
                names.sort();
                CallResult::Value(names.into())
            }
            "lists" => {
                let is_listed =
                    |name: &Value| thread::active().iter().any(|thread| *name == thread.name());
                CallResult::Value(args.get("name").is_some_and(is_listed).into())
            }
            "makes_daemons" => makes_daemons(),
            _ => of_any(&thread::current(), op),
        }
    }

    fn handle(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

/// Whether a thread is a daemon that is not told to be one, or not.
fn makes_daemons() -> CallResult {
    let is_daemon = Builder::new().start(|| ()).and_then(|thread| {
        thread.join(None)?;
        Ok(thread.is_daemon().into())
    });
    of(is_daemon)
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
