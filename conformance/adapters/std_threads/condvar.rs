//! `Condvar`, with the `Mutex` whose guard every wait takes and gives back.

use std::sync::{Condvar, PoisonError};

use purlin_conformance::serve::{
    Arguments, CallResult, Flow, Function, Functions, Object, duration_limit, is_true,
};
use serde_json::Value;

use super::mutex::{Guard, Lock};

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 8] =
    ["acquire", "try", "release", "recover", "wait", "wait_for", "notify", "notify_all"];

/// A `Condvar` and its `Mutex`.
pub(super) struct Condition {
    lock: Lock,
    condvar: &'static Condvar,
}

impl Condition {
    pub(super) fn new(lock: Lock) -> Self {
        Self { lock, condvar: Box::leak(Box::default()) }
    }

    fn wait(&self, args: &Arguments) -> CallResult {
        let limit = match duration_limit(args) {
            Ok(limit) => limit,
            Err(result) => return result,
        };
        let Some(guard) = self.lock.guard() else { return unheld() };
        match limit {
            None => self.lock.taken(self.condvar.wait(guard)),
            Some(limit) => {
                let waited = self.condvar.wait_timeout(guard, limit);
                self.came_back(waited, |waited| waited.timed_out())
            }
        }
    }

    fn wait_for(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let mut args = args.clone();
        let Some(predicate) = Function::of(&args, "function") else {
            return CallResult::Unsupported;
        };
        args.remove("function");
        let limit = match duration_limit(&args) {
            Ok(limit) => limit,
            Err(result) => return result,
        };
        let Some(guard) = self.lock.guard() else { return unheld() };
        let mut value = Value::Null;
        let is_false = |(): &mut ()| {
            value = functions.run(&predicate);
            !is_true(&value)
        };
        let held = match limit {
            None => self.lock.taken(self.condvar.wait_while(guard, is_false)),
            Some(limit) => {
                let waited = self.condvar.wait_timeout_while(guard, limit, is_false);
                self.came_back(waited, |waited| waited.timed_out())
            }
        };
        if held == CallResult::ok() { CallResult::Value(value) } else { held }
    }

    /// Keeps the guard that a wait with a limit gave back.
    fn came_back<T>(
        &self,
        waited: Result<(Guard, T), PoisonError<(Guard, T)>>,
        is_over: impl Fn(&T) -> bool,
    ) -> CallResult {
        match waited {
            Ok((guard, waited)) => {
                let held = self.lock.taken(Ok(guard));
                if is_over(&waited) { CallResult::failed("timed-out", "held again") } else { held }
            }
            Err(poisoned) => {
                let (guard, _) = poisoned.into_inner();
                self.lock.taken(Err(PoisonError::new(guard)))
            }
        }
    }
}

impl Object for Condition {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "wait" => self.wait(args),
            // Such as a number of waiters.
            "notify" | "notify_all" if !args.is_empty() => CallResult::Unsupported,
            "notify" => {
                self.condvar.notify_one();
                CallResult::ok()
            }
            "notify_all" => {
                self.condvar.notify_all();
                CallResult::ok()
            }
            _ => self.lock.call(op, args),
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op == "wait_for" { self.wait_for(args, functions) } else { self.call(op, args) }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        self.lock.scope(body)
    }
}

fn unheld() -> CallResult {
    CallResult::Prevented("to wait is to give a guard, and there is none".to_owned())
}
