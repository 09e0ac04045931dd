//! The queues of purlin as the suite asks for them. A message is bytes; what a script puts becomes
//! some, and what is got is read back.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_channel::{Error, Queue};
use purlin_conformance::serve::{Arguments, CallResult, Item, Mixture, Object, Refusal};
use purlin_sync::Deadline;
use serde_json::{Value, json};

/// The kind of object.
pub(super) const KIND: &str = "queue";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 20] = [
    "put",
    "try_put",
    "put_nowait",
    "get",
    "try_get",
    "get_nowait",
    "qsize",
    "empty",
    "full",
    "close",
    "shutdown",
    "settle",
    "put_mixed",
    "get_mixed",
    "put_and_change",
    "get_and_change",
    "kept",
    "put_unsendable",
    "put_unreadable",
    "send_handle",
];

/// So many items are asked for where the script does not say it.
const ITEMS_COUNT: usize = 64;

/// And items of so many bytes.
const ITEM_BYTES: usize = 256;

/// A queue, and what this process has put last and kept.
pub(super) struct Messages {
    queue: Queue,
    kept: Mutex<Item>,
}

impl Messages {
    /// Makes one for as many items as `bound` or `items` says, of up to `bytes`.
    pub(super) fn new(args: &Arguments) -> Result<Self, Refusal> {
        let number = |name: &str, usual: usize| match args.get(name).map(Value::as_u64) {
            None => Ok(usual),
            Some(Some(number)) => usize::try_from(number).map_err(|_| no_count()),
            Some(None) => Err(no_count()),
        };
        let count = number("bound", number("items", ITEMS_COUNT)?)?;
        let queue = Queue::bounded(count, number("bytes", ITEM_BYTES)?);
        queue.map(Self::of).map_err(refusal)
    }

    pub(super) fn of(queue: Queue) -> Self {
        Self { queue, kept: Mutex::new(Item::value(&Value::Null)) }
    }

    fn put(&self, args: &Arguments) -> CallResult {
        let Some(item) = Item::of(args) else { return CallResult::Unsupported };
        if args.contains_key("kept") {
            *self.kept() = item.clone();
        }
        limit(args).map_or_else(|other| other, |limit| self.send(&item, limit))
    }

    fn try_put(&self, args: &Arguments) -> CallResult {
        let Some(item) = Item::of(args) else { return CallResult::Unsupported };
        if args.contains_key("timeout") {
            return no_limit();
        }
        done(self.queue.try_send(item.as_bytes()))
    }

    fn send(&self, item: &Item, limit: Deadline) -> CallResult {
        done(self.queue.send(item.as_bytes(), limit))
    }

    fn get(&self, args: &Arguments) -> CallResult {
        match limit(args) {
            Ok(limit) => told(self.receive(limit)),
            Err(other) => other,
        }
    }

    fn try_get(&self, args: &Arguments) -> CallResult {
        if !args.is_empty() {
            return no_limit();
        }
        told(self.queue.try_recv().map(Item::received))
    }

    fn receive(&self, limit: impl Into<Deadline>) -> Result<Item, Error> {
        self.queue.recv(limit).map(Item::received)
    }

    /// What is sent is in the queue, so here is nothing to wait for.
    fn settle(&self) -> CallResult {
        match self.queue.is_empty() {
            Ok(false) => CallResult::ok(),
            Ok(true) => CallResult::failed("timed-out", "it is empty"),
            Err(error) => failed(error),
        }
    }

    /// Puts from a buffer, and then overwrites that.
    fn put_and_change(&self, args: &Arguments) -> CallResult {
        let Some(mut item) = Item::of(args) else { return CallResult::Unsupported };
        let sent = self.queue.send(item.as_bytes(), None);
        item.as_mut_bytes().fill(0);
        done(sent)
    }

    /// Changes the bytes that it got, behind the first.
    fn get_and_change(&self) -> CallResult {
        let got = self.receive(None).map(|mut item| {
            let value = item.told();
            item.as_mut_bytes().fill(0);
            value
        });
        got.map_or_else(failed, CallResult::Value)
    }

    fn put_mixed(&self, args: &Arguments) -> CallResult {
        let Some(mixture) = Mixture::of(args) else { return CallResult::Unsupported };
        done(mixture.put(|item| self.queue.send(item.as_bytes(), None)))
    }

    fn get_mixed(&self, args: &Arguments) -> CallResult {
        let Some(mixture) = Mixture::of(args) else { return CallResult::Unsupported };
        let got = mixture.get(|| self.receive(None));
        got.map_or_else(failed, |count| CallResult::Value(count.into()))
    }

    fn shutdown(&self, args: &Arguments) -> CallResult {
        done(match args.get("immediate") {
            Some(Value::Bool(true)) => self.queue.shutdown_now(),
            _ => self.queue.shutdown(),
        })
    }

    fn kept(&self) -> MutexGuard<'_, Item> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Messages {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "put" => self.put(args),
            "try_put" | "put_nowait" => self.try_put(args),
            "get" => self.get(args),
            "try_get" | "get_nowait" => self.try_get(args),
            "qsize" => self.queue.len().map_or_else(failed, |len| CallResult::Value(json!(len))),
            "empty" => is(self.queue.is_empty()),
            "full" => is(self.queue.is_full()),
            "close" => {
                self.queue.close();
                CallResult::ok()
            }
            "shutdown" => self.shutdown(args),
            "settle" => self.settle(),
            "put_mixed" => self.put_mixed(args),
            "get_mixed" => self.get_mixed(args),
            "put_and_change" => self.put_and_change(args),
            "get_and_change" => self.get_and_change(),
            "kept" => CallResult::Value(self.kept().told()),
            "put_unsendable" | "put_unreadable" => {
                CallResult::Prevented("a message is bytes, which can always be carried".to_owned())
            }
            "send_handle" => {
                CallResult::Prevented("a message is bytes, and a handle has no such form".into())
            }
            _ => CallResult::Unsupported,
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(&self.queue)
    }
}

/// The limit among the arguments; one that is null is none.
fn limit(args: &Arguments) -> Result<Deadline, CallResult> {
    let limit = args.iter().filter(|(name, value)| *name == "timeout" && !value.is_null());
    super::lock::deadline(&limit.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn no_limit() -> CallResult {
    CallResult::Prevented("what never waits has no deadline that it could be given".to_owned())
}

fn no_count() -> Refusal {
    Refusal::prevented("a usize is a whole number that is not negative")
}

fn told(got: Result<Item, Error>) -> CallResult {
    got.map_or_else(failed, |item| CallResult::Value(item.told()))
}

fn is(found: Result<bool, Error>) -> CallResult {
    found.map_or_else(failed, |is| CallResult::Value(is.into()))
}

fn done(result: Result<(), Error>) -> CallResult {
    result.map_or_else(failed, |()| CallResult::ok())
}

fn failed(error: Error) -> CallResult {
    CallResult::Failed(refusal(error))
}

fn refusal(error: Error) -> Refusal {
    Refusal::new(error.kind(), error)
}
