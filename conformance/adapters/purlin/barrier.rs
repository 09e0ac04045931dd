//! The barrier of purlin as the suite asks for it.

use std::any::Any;
use std::convert::Infallible;
use std::time::Duration;

use purlin_conformance::serve::{Arguments, CallResult, Function, Functions, Object, Refusal};
use purlin_sync::{Barrier, BarrierOptions, Error};
use serde_json::Value;

use super::lock::{deadline, done, refusal};

/// The kind of object.
pub(super) const KIND: &str = "barrier";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 7] =
    ["wait", "abort", "reset", "parties", "waiting", "is_broken", "enroll"];

/// A barrier, with the action that each of its parties brings along.
pub(super) struct Meeting {
    pub(super) barrier: Barrier,
    action: Option<Function>,
}

impl Meeting {
    pub(super) fn new(args: &Arguments) -> Result<Self, Refusal> {
        if args.keys().any(|name| !["parties", "timeout", "action"].contains(&name.as_str())) {
            return Err(Refusal::unsupported("such an argument"));
        }
        let parties = args.get("parties").and_then(Value::as_i64);
        let parties = parties.ok_or_else(|| Refusal::unsupported("no number of parties"))?;
        let parties =
            u32::try_from(parties).map_err(|_| Refusal::prevented("a u32 is never negative"))?;
        let mut options = BarrierOptions::new(parties);
        if let Some(timeout) = args.get("timeout") {
            let limit = timeout.as_f64().and_then(|secs| Duration::try_from_secs_f64(secs).ok());
            options = options.limit(limit.ok_or_else(|| Refusal::unsupported("such a limit"))?);
        }
        let action = Function::of(args, "action");
        if action.is_some() {
            options = options.with_action();
        }
        Ok(Self { barrier: Barrier::new(options).map_err(refusal)?, action })
    }

    /// What [`of_word`](Self::of_word) makes the rest of in another process.
    pub(super) fn as_word(&self) -> String {
        match &self.action {
            // In JSON a blank that matters is in a string.
            Some(action) => format!("{KIND}={}", action.to_value()).replace(' ', "\\u0020"),
            None => KIND.to_owned(),
        }
    }

    /// One whose handle is the next of those that were carried.
    pub(super) fn of_word(word: &str, barriers: &mut dyn Iterator<Item = Barrier>) -> Option<Self> {
        let rest = word.strip_prefix(KIND)?;
        let action = match rest.strip_prefix('=') {
            Some(action) => {
                let action = serde_json::from_str(action).ok()?;
                Function::of(&Arguments::from_iter([("action".to_owned(), action)]), "action")
            }
            None => None,
        };
        Some(Self { barrier: barriers.next()?, action })
    }

    fn wait(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let deadline = match deadline(args) {
            Ok(deadline) => deadline,
            Err(result) => return result,
        };
        number(match &self.action {
            None => self.barrier.wait(deadline),
            Some(action) => {
                let run = || {
                    functions.run(action);
                    Ok::<(), Infallible>(())
                };
                self.barrier.wait_with(deadline, run).map(|Ok(number)| number)
            }
        })
    }
}

impl Object for Meeting {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            _ if !args.is_empty() => CallResult::Unsupported,
            "abort" => done(self.barrier.abort()),
            "reset" => done(self.barrier.reset()),
            "parties" => CallResult::Value(self.barrier.parties().into()),
            "waiting" => number(self.barrier.waiting()),
            "is_broken" => CallResult::Value(self.barrier.is_broken().into()),
            "enroll" => done(self.barrier.enroll()),
            _ => CallResult::Unsupported,
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op == "wait" { self.wait(args, functions) } else { self.call(op, args) }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

fn number(result: Result<u32, Error>) -> CallResult {
    result.map_or_else(|error| CallResult::Failed(refusal(error)), |n| CallResult::Value(n.into()))
}
