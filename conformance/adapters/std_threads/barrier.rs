//! `Barrier`.

use std::sync::Barrier;

use purlin_conformance::serve::{Arguments, CallResult, Object, Refusal};
use serde_json::Value;

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 1] = ["wait"];

/// A `Barrier`.
pub(super) struct Meeting(Barrier);

impl Meeting {
    /// # Errors
    /// * `unsupported` for a limit or an action, `prevented` for what is no number of parties.
    pub(super) fn new(args: &Arguments) -> Result<Self, Refusal> {
        if args.keys().any(|name| name != "parties") {
            return Err(Refusal::unsupported("a limit, or an action"));
        }
        let parties = args.get("parties").and_then(Value::as_i64);
        let parties = parties.ok_or_else(|| Refusal::unsupported("no number of parties"))?;
        let parties = usize::try_from(parties)
            .map_err(|_| Refusal::prevented("a usize is never negative"))?;
        Ok(Self(Barrier::new(parties)))
    }
}

impl Object for Meeting {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        if op != "wait" || !args.is_empty() {
            return CallResult::Unsupported;
        }
        // One of a round is told that it is the leader, and nobody gets a number.
        self.0.wait();
        CallResult::ok()
    }
}
