//! The queues of purlin as the suite asks for them. A message is bytes; what a script puts becomes
//! some, and what is got is read back.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_channel::{Error, JoinableQueue, Queue};
use purlin_conformance::serve::{Arguments, CallResult, Item, Mixture, Object, Refusal};
use purlin_sync::Deadline;
use serde_json::{Value, json};

/// The kinds of object: of a room that grows, unless they have a bound; and of fixed room.
pub(super) const KIND: &str = "queue";
pub(super) const BOUNDED: &str = "bounded-queue";
pub(super) const JOINABLE: &str = "joinable-queue";

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

/// What can be asked of one that counts what is done.
pub(super) const JOINABLE_OPERATIONS: [&str; 12] = [
    "put",
    "try_put",
    "get",
    "try_get",
    "qsize",
    "empty",
    "full",
    "close",
    "settle",
    "put_unsendable",
    "task_done",
    "join",
];

/// What all that is inside of one without a bound may take.
const LIMIT_BYTES: usize = 1 << 30;

/// So many items are asked for where the script does not say it.
const ITEMS_COUNT: usize = 64;

/// And items of so many bytes.
const ITEM_BYTES: usize = 256;

/// A queue as one of its types has it.
pub(super) trait Face: Send + Sync + 'static {
    /// The queue.
    fn queue(&self) -> &Queue;

    /// What counts.
    fn joinable(&self) -> Option<&JoinableQueue> {
        None
    }
}

impl Face for Queue {
    fn queue(&self) -> &Queue {
        self
    }
}

impl Face for JoinableQueue {
    fn queue(&self) -> &Queue {
        self
    }

    fn joinable(&self) -> Option<&JoinableQueue> {
        Some(self)
    }
}

/// Makes a queue of this kind: of as many items as `bound` or `items` says, of up to `bytes`, where
/// its room is fixed.
pub(super) fn made(kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
    let room = if kind == BOUNDED { fixed_room(args)? } else { room(args)? };
    if kind == JOINABLE {
        let queue = match room {
            Some((count, size)) => JoinableQueue::bounded(count, size),
            None => JoinableQueue::unbounded(LIMIT_BYTES),
        };
        return Ok(Arc::new(Messages::of(queue.map_err(refusal)?)));
    }
    let queue = match room {
        Some((count, size)) => Queue::bounded(count, size),
        None => Queue::unbounded(LIMIT_BYTES),
    };
    Ok(Arc::new(Messages::of(queue.map_err(refusal)?)))
}

/// So many items of so many bytes.
type Room = Option<(usize, usize)>;

/// None without a bound, and with one of zero.
fn room(args: &Arguments) -> Result<Room, Refusal> {
    let is_bounded = number(args, "bound")?.is_some_and(|bound| bound > 0);
    if is_bounded { fixed_room(args) } else { Ok(None) }
}

fn fixed_room(args: &Arguments) -> Result<Room, Refusal> {
    let items = number(args, "items")?.unwrap_or(ITEMS_COUNT);
    let count = number(args, "bound")?.unwrap_or(items);
    Ok(Some((count, number(args, "bytes")?.unwrap_or(ITEM_BYTES))))
}

fn number(args: &Arguments, name: &str) -> Result<Option<usize>, Refusal> {
    let no_count = || Refusal::prevented("a usize is a whole number that is not negative");
    let number = args.get(name).map(|number| number.as_u64().ok_or_else(no_count)).transpose()?;
    number.map(|number| usize::try_from(number).map_err(|_| no_count())).transpose()
}

/// A queue, and what this process has put last and kept.
pub(super) struct Messages<Q> {
    face: Q,
    kept: Mutex<Item>,
}

impl<Q: Face> Messages<Q> {
    pub(super) fn of(face: Q) -> Self {
        Self { face, kept: Mutex::new(Item::value(&Value::Null)) }
    }

    fn queue(&self) -> &Queue {
        self.face.queue()
    }

    /// Of what counts, the call of this name.
    fn counted(&self, op: &str, args: &Arguments) -> CallResult {
        match (op, self.face.joinable()) {
            ("task_done", Some(queue)) => done(queue.task_done()),
            ("join", Some(queue)) => {
                limit(args).map_or_else(|other| other, |limit| done(queue.join(limit)))
            }
            _ => CallResult::Unsupported,
        }
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
        done(self.queue().try_send(item.as_bytes()))
    }

    fn send(&self, item: &Item, limit: Deadline) -> CallResult {
        done(self.queue().send(item.as_bytes(), limit))
    }

    fn get(&self, args: &Arguments) -> CallResult {
        let end = args.get("end");
        match limit(args).map(|limit| told(self.receive(limit))) {
            Ok(CallResult::Value(value)) if Some(&value) == end => {
                CallResult::failed("stop-iteration", "the end marker")
            }
            Ok(other) | Err(other) => other,
        }
    }

    fn try_get(&self, args: &Arguments) -> CallResult {
        if !args.is_empty() {
            return no_limit();
        }
        told(self.queue().try_recv().map(Item::received))
    }

    fn receive(&self, limit: impl Into<Deadline>) -> Result<Item, Error> {
        self.queue().recv(limit).map(Item::received)
    }

    /// What is sent is in the queue, so here is nothing to wait for.
    fn settle(&self) -> CallResult {
        match self.queue().is_empty() {
            Ok(false) => CallResult::ok(),
            Ok(true) => CallResult::failed("timed-out", "it is empty"),
            Err(error) => failed(error),
        }
    }

    /// Puts from a buffer, and then overwrites that.
    fn put_and_change(&self, args: &Arguments) -> CallResult {
        let Some(mut item) = Item::of(args) else { return CallResult::Unsupported };
        let sent = self.queue().send(item.as_bytes(), None);
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
        done(mixture.put(|item| self.queue().send(item.as_bytes(), None)))
    }

    fn get_mixed(&self, args: &Arguments) -> CallResult {
        let Some(mixture) = Mixture::of(args) else { return CallResult::Unsupported };
        let got = mixture.get(|| self.receive(None));
        got.map_or_else(failed, |count| CallResult::Value(count.into()))
    }

    fn shutdown(&self, args: &Arguments) -> CallResult {
        done(match args.get("immediate") {
            Some(Value::Bool(true)) => self.queue().shutdown_now(),
            _ => self.queue().shutdown(),
        })
    }

    fn kept(&self) -> MutexGuard<'_, Item> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: Face> Object for Messages<Q> {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "put" => self.put(args),
            "try_put" | "put_nowait" => self.try_put(args),
            "get" => self.get(args),
            "try_get" | "get_nowait" => self.try_get(args),
            "qsize" => self.queue().len().map_or_else(failed, |len| CallResult::Value(json!(len))),
            "empty" => is(self.queue().is_empty()),
            "full" => is(self.queue().is_full()),
            "close" => {
                self.queue().close();
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
            _ => self.counted(op, args),
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(&self.face)
    }
}

/// The limit among the arguments; one that is null is none.
pub(super) fn limit(args: &Arguments) -> Result<Deadline, CallResult> {
    let limit = args.iter().filter(|(name, value)| *name == "timeout" && !value.is_null());
    super::lock::deadline(&limit.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn no_limit() -> CallResult {
    CallResult::Prevented("what never waits has no deadline that it could be given".to_owned())
}

pub(super) fn told(got: Result<Item, Error>) -> CallResult {
    got.map_or_else(failed, |item| CallResult::Value(item.told()))
}

pub(super) fn is(found: Result<bool, Error>) -> CallResult {
    found.map_or_else(failed, |is| CallResult::Value(is.into()))
}

pub(super) fn done(result: Result<(), Error>) -> CallResult {
    result.map_or_else(failed, |()| CallResult::ok())
}

pub(super) fn failed(error: Error) -> CallResult {
    CallResult::Failed(refusal(error))
}

pub(super) fn refusal(error: Error) -> Refusal {
    Refusal::new(error.kind(), error)
}
