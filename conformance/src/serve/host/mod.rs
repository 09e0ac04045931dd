//! What the system itself knows and can do, for scripts about processes: an object of the kind
//! `host`. It is the library's own; nothing of the subject is asked.
//!
//! Everybody's is about the process that calls it, so there is nothing to share.

mod service;
mod signals;
mod stranger;
mod streams;
mod system;

use std::sync::Arc;

use serde_json::Value;

use super::{Arguments, CallResult, Functions, Object, Refusal};

/// The kind.
pub(super) const HOST: &str = "host";

/// All that it can be asked.
pub(super) const OPERATIONS: &[&str] = &[
    "pid",
    "parent",
    "thread",
    "state",
    "send",
    "threads",
    "descriptors",
    "children",
    "environment",
    "set_environment",
    "directory",
    "set_directory",
    "global",
    "set_global",
    "limit",
    "give_up_privileges",
    "use_processors",
    "ignore",
    "reset",
    "exit_on",
    "block",
    "ignores",
    "handles",
    "blocks",
    "print",
    "output_to",
    "errors_to",
    "close",
    "read",
    "is_open",
    "mappings",
    "mappings_grew",
    "shared_memory",
    "shared_memory_grew",
    "leave_open",
    "number_of",
    "wait_for_end",
    "pipe",
    "pipe_is_at_end",
    "collect",
    "set_input",
    "note_children",
    "kill_new_child",
    "listen",
    "visit",
    "accept",
    "answer",
    "knock",
    "hang_up",
    "resident",
    "resident_grew",
    "descriptors_of",
    "descriptors_come_to",
];

/// Those of them that may name a log.
const OF_LOGS: [&str; 5] = ["output_to", "errors_to", "exit_on", "leave_open", "number_of"];

/// The one there is.
pub(super) struct Host;

/// What an operation gives; no value is null.
type Done = Result<Value, Refusal>;

impl Object for Host {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let done = system::call(op, args).or_else(|| signals::call(op, args));
        let done = done.or_else(|| streams::call(op, args));
        let done = done.or_else(|| stranger::call(op, args));
        match done.or_else(|| service::call(op, args)) {
            Some(Ok(value)) => CallResult::Value(value),
            Some(Err(refusal)) => CallResult::Failed(refusal),
            None => CallResult::Unsupported,
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if !OF_LOGS.contains(&op) {
            return self.call(op, args);
        }
        let log = match text(args, "log").map(|log| functions.object(&log)) {
            Ok(Err(refusal)) => return CallResult::Failed(refusal),
            Ok(Ok(log)) => Some(log),
            Err(_) => None,
        };
        let done = match (op, log.as_deref()) {
            ("exit_on", log) => signals::exit_on(args, log),
            ("output_to", Some(log)) => streams::redirect(1, log),
            ("leave_open" | "number_of", Some(log)) => streams::about(op, log, args),
            (_, Some(log)) => streams::redirect(2, log),
            (_, None) => Err(Refusal::new("invalid-argument", "no text log")),
        };
        done.map_or_else(CallResult::Failed, CallResult::Value)
    }

    fn memory(&self) -> Option<(&'static str, std::os::fd::BorrowedFd<'_>)> {
        // Nothing of it has to reach another program; any descriptor says so, and
        // an actor always has this one.
        Some((HOST, rustix::stdio::stdout()))
    }
}

/// Makes one.
pub(super) fn host() -> Arc<dyn Object> {
    Arc::new(Host)
}

/// A whole number among the arguments.
fn number<T: TryFrom<i64>>(args: &Arguments, name: &str) -> Result<T, Refusal> {
    let found = args.get(name).and_then(Value::as_i64).and_then(|found| T::try_from(found).ok());
    found.ok_or_else(|| Refusal::new("invalid-argument", format!("no fitting {name}")))
}

/// A text among the arguments.
fn text(args: &Arguments, name: &str) -> Result<String, Refusal> {
    let found = args.get(name).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Refusal::new("invalid-argument", format!("no text {name}")))
}

fn refused(error: impl Into<std::io::Error>) -> Refusal {
    Refusal::new("system", error.into())
}
