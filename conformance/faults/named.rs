//! Locks that are found by name: the actor's side.

use std::sync::{Arc, Mutex, PoisonError};

use purlin_conformance::serve::{Arguments, CallResult, Object};
use serde_json::Value;

use super::client::{self, Context};
use super::handle::Handle;
use super::kind::{Kind, Made};
use super::lock;

/// Each actor has a place of its own for a handle.
pub(super) const KIND: Kind = Kind {
    name: "named-lock",
    form: None,
    operations: &[
        "create",
        "open",
        "open_or_create",
        "unlink",
        "acquire",
        "try",
        "release",
        "recover",
    ],
    waits: &[],
    is_polled: false,
    guard: None,
    machine: None,
    object: |_, context| Arc::new(Named { context, handle: Mutex::new(None) }),
};

/// The place for a handle, once a name was made or found.
struct Named {
    context: Arc<Context>,
    handle: Mutex<Option<Arc<Handle>>>,
}

impl Named {
    /// Asks for a name; a second word of the answer is the lock that it leads to.
    fn ask(&self, word: &str, args: &Arguments) -> CallResult {
        let name = args.get("name").and_then(Value::as_str).unwrap_or("");
        let kind = match (args.get("kind").and_then(Value::as_str), args.get("layout")) {
            (Some(kind), _) => kind,
            (None, Some(_)) => "of-another-layout",
            (None, None) => "lock",
        };
        match client::ask_line(&self.context, &format!("{word} {name} {kind}")) {
            Ok(said) => match said.split_once(' ') {
                Some(("ok", lock)) => {
                    self.keep(lock);
                    CallResult::ok()
                }
                _ if said == "ok" => CallResult::ok(),
                _ => CallResult::failed(&said, ""),
            },
            Err(error) => CallResult::failed("system", error),
        }
    }

    fn keep(&self, lock: &str) {
        let (name, args) = (lock.to_owned(), Arguments::new());
        let made = Made { name, kind: &lock::KIND, args, is_twin: false };
        let handle = Handle::new(made, Arc::clone(&self.context));
        let mut place = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let before = place.replace(Arc::new(handle));
        drop(place);
        drop(before);
    }
}

impl Object for Named {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "create" => return self.ask("name-make", args),
            "open" => return self.ask("name-find", args),
            "open_or_create" => return self.ask("name-either", args),
            "unlink" => return self.ask("name-forget", args),
            _ => {}
        }
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match handle {
            Some(handle) => handle.call(op, args),
            None => CallResult::failed("no-such-name", "nothing is open here"),
        }
    }
}
