//! The event of purlin as the suite asks for it.

use std::any::Any;

use purlin_conformance::serve::{Arguments, CallResult, Object};
use purlin_sync::{Deadline, Event};

use super::lock::{deadline, refusal};

/// The kind of object.
pub(super) const KIND: &str = "event";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 4] = ["set", "clear", "wait", "is_set"];

/// An event; a wait that answers that it was not set has timed out.
pub(super) struct Flag(pub(super) Event);

impl Flag {
    fn wait(&self, deadline: Deadline) -> CallResult {
        match self.0.wait(deadline) {
            Ok(true) => CallResult::ok(),
            Ok(false) => CallResult::failed("timed-out", "it was not set"),
            Err(error) => CallResult::Failed(refusal(error)),
        }
    }
}

impl Object for Flag {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "set" => {
                self.0.set();
                CallResult::ok()
            }
            "clear" => {
                self.0.clear();
                CallResult::ok()
            }
            "wait" => deadline(args).map_or_else(|result| result, |deadline| self.wait(deadline)),
            "is_set" => CallResult::Value(self.0.is_set().into()),
            _ => CallResult::Unsupported,
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(&self.0)
    }
}
