//! The adapter for POSIX: what the C library offers to processes that share memory, as its manual
//! pages have it and without help, and the system's own pipes. Actors are forked, and inherit both.
//!
//! Not offered: guards and the dropping of handles, for C has neither; functions, which no call
//! takes; and actors by spawn, which would have to find the memory by a name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, CAPABILITIES, Child, Form, Hello, How, Object, Pace, Reach, Refusal, Subject,
};

use super::{pipe as ends, several};
use barrier::Barrier;
use condition::Condition;
use errors::out_of_resources;
use memory::{Arena, Shared};
use mutex::{Kind, Lock};
use pipe::Stream;
pub(crate) use queues::Queues;
use semaphore::Semaphore;

#[path = "posix/barrier.rs"]
mod barrier;
#[path = "posix/condition.rs"]
mod condition;
#[path = "posix/errors.rs"]
mod errors;
#[path = "posix/limit.rs"]
mod limit;
#[path = "posix/memory.rs"]
mod memory;
#[path = "posix/mutex.rs"]
mod mutex;
#[path = "posix/pipe.rs"]
mod pipe;
#[path = "posix/process.rs"]
mod process;
#[path = "posix/queue.rs"]
mod queue;
#[path = "posix/queues.rs"]
mod queues;
#[path = "posix/semaphore.rs"]
mod semaphore;

/// POSIX under fork.
pub(crate) struct Posix {
    arena: Arena,
    /// For who asks for one again, by another mapping.
    mutexes: Mutex<BTreeMap<String, Shared<libc::pthread_mutex_t>>>,
    pipes: ends::Made<Stream>,
}

impl Posix {
    pub(crate) const NAME: &str = "posix-fork";

    /// # Errors
    /// * What the system refused.
    pub(crate) fn new() -> std::io::Result<Self> {
        let (mutexes, pipes) = (Mutex::default(), ends::Made::default());
        Ok(Self { arena: Arena::new()?, mutexes, pipes })
    }

    fn mutex(&self, name: &str, kind: Kind) -> Result<Arc<dyn Object>, Refusal> {
        let lock = Lock::new(&self.arena, kind)?;
        self.mutexes().insert(name.to_owned(), lock.place());
        Ok(Arc::new(lock))
    }

    /// The same mutex by another mapping of its memory.
    fn again(&self, of: &str) -> Result<Arc<dyn Object>, Refusal> {
        let none = || Refusal::new("no-such-name", format!("there is no {of} here"));
        let again = self.arena.again(self.mutex_of(of).ok_or_else(none)?);
        Ok(Arc::new(Lock::at(again.map_err(out_of_resources)?)))
    }

    /// A condition variable with a mutex of its own, or with the one that `lock` names.
    fn condition(&self, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        if args.keys().any(|name| name != "lock") {
            return Err(Refusal::unsupported("such an argument"));
        }
        let lock = match args.get("lock").and_then(serde_json::Value::as_str) {
            None => Lock::new(&self.arena, Kind::Recursive)?,
            Some(of) => {
                let none = || Refusal::prevented("it takes the address of a mutex");
                Lock::at(self.mutex_of(of).ok_or_else(none)?)
            }
        };
        Ok(Arc::new(Condition::new(&self.arena, lock)?))
    }

    fn mutex_of(&self, name: &str) -> Option<Shared<libc::pthread_mutex_t>> {
        self.mutexes().get(name).copied()
    }

    fn mutexes(&self) -> MutexGuard<'_, BTreeMap<String, Shared<libc::pthread_mutex_t>>> {
        self.mutexes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subject for Posix {
    fn hello(&self) -> Hello {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let objects = [
            ("lock", &mutex::OPERATIONS[..]),
            ("errorcheck-lock", &mutex::OPERATIONS),
            ("rlock", &mutex::OPERATIONS),
            ("semaphore", &semaphore::OPERATIONS),
            ("condition", &condition::OPERATIONS),
            ("barrier", &barrier::OPERATIONS),
            (ends::KIND, &ends::OPERATIONS),
            (several::KIND, &several::OPERATIONS),
        ];
        let as_lock = |again| Form { of: "lock".to_owned(), contracts: sides(again) };
        Hello {
            protocol: PROTOCOL_VERSION,
            name: Self::NAME.to_owned(),
            version: process::library_version(),
            starts: vec![How::Fork],
            objects_reach: Reach::Start,
            objects: objects.map(|(kind, all)| (kind.to_owned(), words(all))).into(),
            capabilities: CAPABILITIES
                .iter()
                .filter(|name| !["drop", "functions"].contains(*name))
                .map(|name| (*name).to_owned())
                .collect(),
            contracts: contracts(),
            forms: [("errorcheck-lock", "refused"), ("rlock", "deepens")]
                .map(|(kind, again)| (kind.to_owned(), as_lock(again)))
                .into(),
            pace: Pace::Fast,
        }
    }

    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        if let Some(of) = args.get("again").and_then(serde_json::Value::as_str) {
            return self.again(of);
        }
        match kind {
            "lock" => self.mutex(name, Kind::Normal),
            "errorcheck-lock" => self.mutex(name, Kind::ErrorCheck),
            "rlock" => self.mutex(name, Kind::Recursive),
            "semaphore" => Ok(Arc::new(Semaphore::new(&self.arena, args)?)),
            "condition" => self.condition(args),
            "barrier" => Ok(Arc::new(Barrier::new(&self.arena, args)?)),
            ends::KIND => self.pipes.make(name, args),
            several::KIND => Ok(Arc::new(several::Several::<Stream>::default())),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        match how {
            How::Fork => process::fork(actor),
            _ => Err(Refusal::unsupported("what is shared is inherited by fork")),
        }
    }
}

/// A signal needs no mutex, and a wait may come back without one.
fn contracts() -> BTreeMap<String, Vec<String>> {
    let sides_of_condition =
        [("condition-wakeup", "may-be-spurious"), ("condition-notify", "by-anyone")];
    let mut all = sides("waits");
    all.extend(sides_of_condition.map(|(choice, side)| (choice.to_owned(), vec![side.to_owned()])));
    all
}

/// The sides that a mutex takes, by what comes of a second acquire.
fn sides(again: &str) -> BTreeMap<String, Vec<String>> {
    let sides = [("lock-release", "by-holder"), ("lock-again", again)];
    sides.map(|(choice, side)| (choice.to_owned(), vec![side.to_owned()])).into()
}
