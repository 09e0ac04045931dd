//! The adapter for crossbeam-channel, whose channels are of one process: actors are threads.

use std::io;
use std::sync::Arc;

use crossbeam_channel::{
    Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError, TrySendError, bounded,
    unbounded,
};
use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Child, Hello, How, Item, Mixture, Object, Refusal, Subject,
    duration_limit,
};
use purlin_peers::{FOR_THREADS, Face, run, start_thread};
use serde_json::Value;

fn main() -> io::Result<()> {
    run(Crossbeam)
}

const OPERATIONS: &[&str] = &[
    "put",
    "try_put",
    "get",
    "try_get",
    "qsize",
    "empty",
    "full",
    "settle",
    "put_mixed",
    "get_mixed",
    "put_and_change",
    "get_and_change",
    "kept",
    "put_unsendable",
    "put_unreadable",
];

const FACE: Face = Face {
    name: "crossbeam-channel-threads",
    version: "0.5.17",
    start: How::Thread,
    objects: &[("queue", OPERATIONS)],
    sides: &[("queue-room", "grows"), ("queue-put", "direct")],
    capabilities: FOR_THREADS,
};

struct Crossbeam;

impl Subject for Crossbeam {
    fn hello(&self) -> Hello {
        FACE.hello()
    }

    fn create(
        &self,
        _name: &str,
        kind: &str,
        args: &Arguments,
    ) -> Result<Arc<dyn Object>, Refusal> {
        match kind {
            "queue" => Ok(Arc::new(Queue::new(args)?)),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        start_thread(how, actor)
    }
}

/// A channel of items, both ends of it.
struct Queue {
    sender: Sender<Item>,
    receiver: Receiver<Item>,
}

impl Queue {
    /// With the bound that the arguments say, or none. Room for as many items as they say, there is
    /// always.
    fn new(args: &Arguments) -> Result<Self, Refusal> {
        let no_count = || Refusal::prevented("a usize is a whole number that is not negative");
        let (sender, receiver) = match args.get("bound") {
            None => unbounded(),
            Some(bound) => {
                let bound = bound.as_u64().and_then(|bound| usize::try_from(bound).ok());
                bounded(bound.ok_or_else(no_count)?)
            }
        };
        Ok(Self { sender, receiver })
    }

    fn put(&self, args: &Arguments) -> Result<(), CallResult> {
        let item = Item::of(args).ok_or(CallResult::Unsupported)?;
        if args.contains_key("kept") {
            return Err(moved());
        }
        match within(args)? {
            None => self.send(item),
            Some(limit) => self.sender.send_timeout(item, limit).map_err(|error| match error {
                SendTimeoutError::Timeout(_) => CallResult::failed("full", error),
                SendTimeoutError::Disconnected(_) => CallResult::failed("broken-pipe", error),
            }),
        }
    }

    fn send(&self, item: Item) -> Result<(), CallResult> {
        self.sender.send(item).map_err(|error| CallResult::failed("broken-pipe", error))
    }

    fn try_put(&self, args: &Arguments) -> Result<(), CallResult> {
        let item = Item::of(args).ok_or(CallResult::Unsupported)?;
        if args.contains_key("timeout") {
            return Err(CallResult::Prevented("try_send takes no limit".to_owned()));
        }
        self.sender.try_send(item).map_err(|error| match error {
            TrySendError::Full(_) => CallResult::failed("full", error),
            TrySendError::Disconnected(_) => CallResult::failed("broken-pipe", error),
        })
    }

    fn get(&self, args: &Arguments) -> Result<Item, CallResult> {
        if args.contains_key("end") {
            return Err(CallResult::Unsupported);
        }
        match duration_limit(args)? {
            None => self.receiver.recv().map_err(|error| CallResult::failed("closed", error)),
            Some(limit) => self.receiver.recv_timeout(limit).map_err(|error| match error {
                RecvTimeoutError::Timeout => CallResult::failed("empty", error),
                RecvTimeoutError::Disconnected => CallResult::failed("closed", error),
            }),
        }
    }

    fn try_get(&self, args: &Arguments) -> Result<Item, CallResult> {
        if !args.is_empty() {
            return Err(CallResult::Prevented("try_recv takes no limit".to_owned()));
        }
        self.receiver.try_recv().map_err(|error| match error {
            TryRecvError::Empty => CallResult::failed("empty", error),
            TryRecvError::Disconnected => CallResult::failed("closed", error),
        })
    }

    fn put_mixed(&self, args: &Arguments) -> Result<(), CallResult> {
        let mixture = Mixture::of(args).ok_or(CallResult::Unsupported)?;
        mixture.put(|item| self.send(item))
    }

    fn get_mixed(&self, args: &Arguments) -> Result<u64, CallResult> {
        let mixture = Mixture::of(args).ok_or(CallResult::Unsupported)?;
        mixture.get(|| self.get(&Arguments::new()))
    }

    fn ask(&self, op: &str, args: &Arguments) -> Result<Value, CallResult> {
        let null = |()| Value::Null;
        match op {
            "put" => self.put(args).map(null),
            "try_put" => self.try_put(args).map(null),
            "get" => self.get(args).map(|item| item.told()),
            "try_get" => self.try_get(args).map(|item| item.told()),
            "qsize" => Ok(self.receiver.len().into()),
            "empty" => Ok(self.receiver.is_empty().into()),
            "full" => Ok(self.sender.is_full().into()),
            "put_mixed" => self.put_mixed(args).map(null),
            "get_mixed" => self.get_mixed(args).map(Value::from),
            // What is sent is there at once.
            "settle" => Ok(Value::Null),
            "put_and_change" | "get_and_change" | "kept" => Err(moved()),
            "put_unsendable" => Err(CallResult::Prevented("what is sent is Send".to_owned())),
            "put_unreadable" => {
                Err(CallResult::Prevented("what is sent is moved as it is".to_owned()))
            }
            _ => Err(CallResult::Unsupported),
        }
    }
}

impl Object for Queue {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        self.ask(op, args).map_or_else(|other| other, CallResult::Value)
    }
}

/// The limit of a put, among what says the item.
fn within(args: &Arguments) -> Result<Option<std::time::Duration>, CallResult> {
    let timeout = args.iter().filter(|(name, _)| *name == "timeout");
    duration_limit(&timeout.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn moved() -> CallResult {
    CallResult::Prevented("what is sent is moved, and its sender has it no more".to_owned())
}
