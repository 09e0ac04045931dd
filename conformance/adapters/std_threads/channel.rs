//! `mpsc::channel` and `mpsc::sync_channel`, whose one `Receiver` stands behind a `Mutex`: so the
//! library has it shared among several.

use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, TrySendError, channel,
    sync_channel,
};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use purlin_conformance::serve::{
    Arguments, CallResult, Item, Mixture, Object, Refusal, duration_limit,
};

/// What can be asked of it. What is inside it does not tell, and nobody closes it for others.
pub(super) const OPERATIONS: [&str; 12] = [
    "put",
    "try_put",
    "get",
    "try_get",
    "settle",
    "put_mixed",
    "get_mixed",
    "put_and_change",
    "get_and_change",
    "kept",
    "put_unsendable",
    "put_unreadable",
];

/// A channel of items.
pub(super) struct Queue {
    sender: Ending,
    receiver: Mutex<Receiver<Item>>,
}

/// The end that sends.
enum Ending {
    Unbounded(Sender<Item>),
    Bounded(SyncSender<Item>),
}

impl Queue {
    /// With the bound that the arguments say, or none. Room for as many items as they say, there is
    /// always.
    pub(super) fn new(args: &Arguments) -> Result<Self, Refusal> {
        let Some(bound) = args.get("bound") else {
            let (sender, receiver) = channel();
            return Ok(Self::of(Ending::Unbounded(sender), receiver));
        };
        let bound = bound.as_u64().and_then(|bound| usize::try_from(bound).ok());
        let no_count = || Refusal::prevented("a usize is a whole number that is not negative");
        let (sender, receiver) = sync_channel(bound.ok_or_else(no_count)?);
        Ok(Self::of(Ending::Bounded(sender), receiver))
    }

    const fn of(sender: Ending, receiver: Receiver<Item>) -> Self {
        Self { sender, receiver: Mutex::new(receiver) }
    }

    fn put(&self, args: &Arguments) -> CallResult {
        let Some(item) = Item::of(args) else { return CallResult::Unsupported };
        if args.contains_key("kept") {
            return moved();
        }
        if args.get("timeout").is_some_and(|timeout| !timeout.is_null()) {
            return CallResult::Unsupported;
        }
        self.send(item).map_or_else(|other| other, |()| CallResult::ok())
    }

    fn send(&self, item: Item) -> Result<(), CallResult> {
        let sent = match &self.sender {
            Ending::Unbounded(sender) => sender.send(item),
            Ending::Bounded(sender) => sender.send(item),
        };
        sent.map_err(|error| CallResult::failed("broken-pipe", error))
    }

    fn try_put(&self, args: &Arguments) -> CallResult {
        let Some(item) = Item::of(args) else { return CallResult::Unsupported };
        if args.contains_key("timeout") {
            return CallResult::Prevented("try_send takes no limit".to_owned());
        }
        let sent = match &self.sender {
            Ending::Unbounded(sender) => sender.send(item).map_err(|error| error.to_string()),
            Ending::Bounded(sender) => match sender.try_send(item) {
                Err(TrySendError::Full(_)) => return CallResult::failed("full", "no room"),
                sent => sent.map_err(|error| error.to_string()),
            },
        };
        sent.map_or_else(|error| CallResult::failed("broken-pipe", error), |()| CallResult::ok())
    }

    /// Whoever receives has the lock until an item comes.
    fn receiver(&self) -> MutexGuard<'_, Receiver<Item>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, args: &Arguments) -> Result<Item, CallResult> {
        match duration_limit(args)? {
            None => self.receiver().recv().map_err(|error| CallResult::failed("closed", error)),
            Some(limit) => self.receiver().recv_timeout(limit).map_err(|error| match error {
                RecvTimeoutError::Timeout => CallResult::failed("empty", error),
                RecvTimeoutError::Disconnected => CallResult::failed("closed", error),
            }),
        }
    }

    fn try_get(&self, args: &Arguments) -> Result<Item, CallResult> {
        if !args.is_empty() {
            return Err(CallResult::Prevented("try_recv takes no limit".to_owned()));
        }
        let receiver = match self.receiver.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(CallResult::failed("empty", "somebody else receives"));
            }
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Ok(receiver) => receiver,
        };
        receiver.try_recv().map_err(|error| match error {
            TryRecvError::Empty => CallResult::failed("empty", error),
            TryRecvError::Disconnected => CallResult::failed("closed", error),
        })
    }

    fn put_mixed(&self, args: &Arguments) -> CallResult {
        let Some(mixture) = Mixture::of(args) else { return CallResult::Unsupported };
        let put = mixture.put(|item| self.send(item));
        put.map_or_else(|other| other, |()| CallResult::ok())
    }

    fn get_mixed(&self, args: &Arguments) -> CallResult {
        let Some(mixture) = Mixture::of(args) else { return CallResult::Unsupported };
        let got = mixture.get(|| self.get(&Arguments::new()));
        got.map_or_else(|other| other, |count| CallResult::Value(count.into()))
    }
}

impl Object for Queue {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let got = match op {
            "put" => return self.put(args),
            "try_put" => return self.try_put(args),
            "put_mixed" => return self.put_mixed(args),
            "get_mixed" => return self.get_mixed(args),
            // What is sent is there at once.
            "settle" => return CallResult::ok(),
            "put_and_change" | "get_and_change" | "kept" => return moved(),
            "put_unsendable" => {
                return CallResult::Prevented("what is sent is Send".to_owned());
            }
            "put_unreadable" => {
                return CallResult::Prevented("what is sent is moved as it is".to_owned());
            }
            "get" => self.get(args),
            "try_get" => self.try_get(args),
            _ => return CallResult::Unsupported,
        };
        got.map_or_else(|other| other, |item| CallResult::Value(item.told()))
    }
}

fn moved() -> CallResult {
    CallResult::Prevented("what is sent is moved, and its sender has it no more".to_owned())
}
