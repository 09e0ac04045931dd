//! The adapter for the message queues of POSIX, whose room is fixed and whose limits are the
//! system's. Actors are forked, and inherit the descriptors; `/dev/mqueue` need not be mounted.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, CAPABILITIES, Child, Hello, How, Object, Pace, Reach, Refusal, Subject,
};

use super::process;
use super::queue::{OPERATIONS, Queue, SIMPLE_OPERATIONS, Simple};

/// The message queues of POSIX under fork.
pub(crate) struct Queues;

impl Queues {
    pub(crate) const NAME: &str = "posix-mq-fork";

    /// # Errors
    /// * When the system has no message queues, or none to spare.
    pub(crate) fn new() -> io::Result<Self> {
        let usual = Queue::usual();
        usual
            .map(|_| Self)
            .map_err(|refusal| io::Error::other(format!("no queue: {}", refusal.text)))
    }
}

impl Subject for Queues {
    fn hello(&self) -> Hello {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let objects = [("queue", &OPERATIONS[..]), ("simple-queue", &SIMPLE_OPERATIONS)];
        let sides = [("queue-room", "fixed"), ("queue-put", "direct")];
        let offered = CAPABILITIES.iter().filter(|name| !["functions"].contains(*name));
        Hello {
            protocol: PROTOCOL_VERSION,
            name: Self::NAME.to_owned(),
            version: process::kernel_version(),
            starts: vec![How::Fork],
            objects_reach: Reach::Start,
            objects: objects.map(|(kind, all)| (kind.to_owned(), words(all))).into(),
            capabilities: offered.map(|name| (*name).to_owned()).collect(),
            contracts: sides
                .map(|(choice, side)| (choice.to_owned(), vec![side.to_owned()]))
                .into(),
            forms: BTreeMap::new(),
            pace: Pace::Fast,
        }
    }

    fn create(
        &self,
        _name: &str,
        kind: &str,
        args: &Arguments,
    ) -> Result<Arc<dyn Object>, Refusal> {
        match kind {
            "queue" => Ok(Arc::new(Queue::new(args)?)),
            "simple-queue" => Ok(Arc::new(Simple(Queue::new(args)?))),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        match how {
            How::Fork => process::fork(actor),
            _ => Err(Refusal::unsupported("its descriptors are inherited by fork")),
        }
    }
}
