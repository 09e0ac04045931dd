//! The small queue of purlin as the suite asks for it.

use std::any::Any;

use purlin_channel::SimpleQueue;
use purlin_conformance::serve::{Arguments, CallResult, Item, Object, Refusal};

use super::queue::{done, is, refusal, told};

/// The kind of object.
pub(super) const KIND: &str = "simple-queue";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 6] =
    ["put", "get", "empty", "close", "settle", "put_unsendable"];

/// A small queue.
pub(super) struct Simple(pub(super) SimpleQueue);

impl Simple {
    pub(super) fn new() -> Result<Self, Refusal> {
        SimpleQueue::new().map(Self).map_err(refusal)
    }
}

impl Object for Simple {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match (op, Item::of(args)) {
            ("put", Some(item)) => done(self.0.send(item.as_bytes())),
            ("get", None) if args.is_empty() => told(self.0.recv().map(Item::received)),
            ("empty", None) => is(self.0.is_empty()),
            ("close", None) => {
                self.0.close();
                CallResult::ok()
            }
            ("put_unsendable", None) => {
                CallResult::Prevented("a message is bytes, which can always be carried".to_owned())
            }
            _ => CallResult::Unsupported,
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(&self.0)
    }
}
