//! What is described, then started, and then nothing more: the life of an object that a start
//! consumes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_conformance::serve::{Arguments, CallResult};
use serde_json::Value;

/// Where it stands; a `B` until it is started, an `S` after.
pub(super) enum Stage<B, S> {
    /// Nothing of it runs.
    Described(B),
    Started(S),
    /// What was described could not be started, and is gone.
    Spent,
    /// The handle was given back.
    Closed,
}

/// The same, for several threads.
pub(super) struct Staged<B, S>(Mutex<Stage<B, S>>);

impl<B, S> Staged<B, S> {
    pub(super) fn new(described: B) -> Self {
        Self(Mutex::new(Stage::Described(described)))
    }

    pub(super) fn now(&self) -> MutexGuard<'_, Stage<B, S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be started. It is spent until something is kept in its place.
    pub(super) fn take(&self) -> Result<B, CallResult> {
        let mut stage = self.now();
        match std::mem::replace(&mut *stage, Stage::Spent) {
            Stage::Described(described) => Ok(described),
            other => {
                *stage = other;
                Err(CallResult::Prevented("a start consumes what is started".to_owned()))
            }
        }
    }

    pub(super) fn keep(&self, started: S) {
        *self.now() = Stage::Started(started);
    }

    /// Changes what is not started yet.
    pub(super) fn change(&self, change: impl FnOnce(B) -> B) -> CallResult {
        let mut stage = self.now();
        match std::mem::replace(&mut *stage, Stage::Spent) {
            Stage::Described(described) => {
                *stage = Stage::Described(change(described));
                CallResult::ok()
            }
            other => {
                *stage = other;
                CallResult::Prevented("what is started has no such call".to_owned())
            }
        }
    }

    pub(super) fn set_daemon(
        &self,
        args: &Arguments,
        set: impl FnOnce(B, bool) -> B,
    ) -> CallResult {
        match args.get("value").and_then(Value::as_bool) {
            Some(is_daemon) => self.change(|described| set(described, is_daemon)),
            None => CallResult::Prevented("it is a truth value".to_owned()),
        }
    }
}
