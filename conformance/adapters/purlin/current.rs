//! What a process of purlin knows of itself, its parent and its children.

use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_conformance::serve::{Arguments, CallResult, Function, Functions, Object, Refusal};
use purlin_process::{
    Error, ExitStatus, Fork, Parent, Process, active_children, at_exit, cpu_count, current, exit,
    fork, usable_cpu_count, wait_at_end,
};
use serde_json::{Value, json};

use super::lock::deadline;
use super::process::{any_of, name, of, refusal};

/// The kind of object.
pub(super) const KIND: &str = "current";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 22] = [
    "id",
    "name",
    "is_named",
    "send_key",
    "daemon",
    "key",
    "is_alive",
    "join",
    "parent_id",
    "parent_name",
    "parent_is_alive",
    "parent_join",
    "children",
    "empty_children",
    "wait_any",
    "processors",
    "usable_processors",
    "exit",
    "at_exit",
    "leave_at_exit",
    "fork",
    "wait",
];

/// Whoever asks; it keeps the children of its raw forks.
#[derive(Default)]
pub(super) struct Me {
    forked: Mutex<Vec<Process>>,
}

impl Me {
    fn parent(ask: impl FnOnce(Parent) -> CallResult) -> CallResult {
        match current().parent() {
            Some(parent) => ask(parent),
            None => CallResult::failed("no-such-name", "there is no parent"),
        }
    }

    fn children() -> Value {
        let mut all: Vec<(String, i32)> =
            active_children().iter().map(|child| (child.name().to_owned(), child.pid())).collect();
        all.sort();
        json!(all)
    }

    #[expect(unsafe_code, reason = "the raw fork is what is judged")]
    fn fork(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let Some(name) = args.get("actor").and_then(Value::as_str) else {
            return self.fork_function(args, functions);
        };
        // SAFETY: The child leaves this call and is an actor: it makes the calls of the script with
        // handles of its own, ends by `exit`, and goes back to none of the frames around.
        let done = functions.fork_actor(name, || match unsafe { fork() } {
            Ok(Fork::Child) => Ok(None),
            Ok(Fork::Parent(process)) => Ok(Some(process)),
            Err(error) => Err(refusal(error)),
        });
        match done {
            Ok(process) => {
                let pid = process.pid();
                self.forked().push(process);
                CallResult::Value(pid.into())
            }
            Err(refusal) => CallResult::Failed(refusal),
        }
    }

    /// The child runs a function, and ends by the exit call.
    #[expect(unsafe_code, reason = "the raw fork is what is judged")]
    fn fork_function(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let Some(function) = Function::of(args, "function") else {
            return CallResult::Unsupported;
        };
        functions.hand_over();
        // SAFETY: The child runs the script's function with handles of its own, ends by `exit`, and
        // goes back to none of the frames around.
        match unsafe { fork() } {
            Ok(Fork::Child) => {
                functions.run(&function);
                exit(0)
            }
            Ok(Fork::Parent(process)) => {
                let pid = process.pid();
                self.forked().push(process);
                CallResult::Value(pid.into())
            }
            Err(error) => CallResult::Failed(refusal(error)),
        }
    }

    /// The wait for a child of a raw fork, which is by its handle; without an id for the last.
    fn wait(&self, args: &Arguments) -> CallResult {
        let Some(child) = self.taken(args.get("pid").and_then(Value::as_i64)) else {
            let why = "only the handle that a fork gave can wait, and it keeps the status";
            return CallResult::Prevented(why.to_owned());
        };
        let may_wait = args.get("block") != Some(&Value::Bool(false));
        match if may_wait { child.join(None) } else { child.try_join() } {
            Ok(ExitStatus::Unknown) => CallResult::Value("unknown".into()),
            Ok(status) => CallResult::Value(status.code().into()),
            Err(error) => {
                self.forked().push(child); // it can still be waited for
                match error {
                    Error::TimedOut if !may_wait => CallResult::ok(),
                    error => CallResult::Failed(refusal(error)),
                }
            }
        }
    }

    /// The child of this id, or the last. It leaves the list, so that others can wait meanwhile.
    fn taken(&self, pid: Option<i64>) -> Option<Process> {
        let mut forked = self.forked();
        let place = match pid {
            Some(pid) => forked.iter().position(|child| i64::from(child.pid()) == pid)?,
            None => forked.len().checked_sub(1)?,
        };
        Some(forked.remove(place))
    }

    fn forked(&self) -> MutexGuard<'_, Vec<Process>> {
        self.forked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Me {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "id" => CallResult::Value(current().pid().into()),
            "name" => CallResult::Value(current().name().into()),
            "is_named" => {
                CallResult::Value((Some(current().name()) == name(args).as_deref()).into())
            }
            "send_key" => CallResult::Prevented("a Key has no serial form".to_owned()),
            "daemon" => CallResult::Value(current().is_daemon().into()),
            "key" => CallResult::Value(hex(current().key().as_bytes()).into()),
            "is_alive" | "exit_status" | "join" => {
                CallResult::Prevented("a process has no handle of itself".to_owned())
            }
            "parent_id" => Self::parent(|parent| CallResult::Value(parent.pid().into())),
            "parent_name" => Self::parent(|parent| CallResult::Value(parent.name().into())),
            "parent_is_alive" => Self::parent(|parent| of(parent.is_alive().map(Value::from))),
            "parent_join" => Self::parent(|parent| match deadline(args) {
                Ok(deadline) => of(parent.join(deadline).map(|()| Value::Null)),
                Err(other) => other,
            }),
            "children" => CallResult::Value(Self::children()),
            "empty_children" => {
                active_children().clear();
                CallResult::ok()
            }
            "processors" => of(cpu_count().map(Value::from)),
            "usable_processors" => of(usable_cpu_count().map(Value::from)),
            "exit" => match args.get("code").and_then(Value::as_i64).map(i32::try_from) {
                Some(Ok(code)) => exit(code),
                Some(Err(_)) => CallResult::Prevented("a status has 32 bits".to_owned()),
                None => CallResult::Unsupported,
            },
            "leave_at_exit" => {
                wait_at_end(false);
                CallResult::ok()
            }
            "wait" => self.wait(args),
            _ => CallResult::Unsupported,
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        match op {
            "wait_any" => any_of(args, functions),
            "fork" => self.fork(args, functions),
            "at_exit" => match Function::of(args, "function") {
                Some(function) => {
                    at_exit(functions.detached(&function));
                    CallResult::ok()
                }
                None => CallResult::Failed(Refusal::new("invalid-argument", "no function")),
            },
            _ => self.call(op, args),
        }
    }

    fn handle(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // to a text it does not fail
        text
    })
}
