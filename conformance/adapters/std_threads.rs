//! The adapter for Rust's standard library, whose actors are threads of this process.
//!
//! A hold of a `Mutex` is a guard, which stays in the thread that got it; so each thread keeps its
//! guards itself, by the address of what they guard. What is made is never given back, since a
//! guard borrows it for as long as its thread lives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, Child, Hello, How, Object, Pace, Reach, Refusal, Subject, start_thread,
};

use barrier::Meeting;
use condvar::Condition;
use mutex::Lock;

#[path = "std_threads/barrier.rs"]
mod barrier;
#[path = "std_threads/channel.rs"]
mod channel;
#[path = "std_threads/condvar.rs"]
mod condvar;
#[path = "std_threads/mutex.rs"]
mod mutex;

/// Rust's std.
#[derive(Default)]
pub(crate) struct StdThreads {
    /// For conditions that are made over them.
    locks: Mutex<BTreeMap<String, Lock>>,
}

impl StdThreads {
    pub(crate) const NAME: &str = "std-threads";

    fn lock(&self, name: &str) -> Lock {
        let lock = Lock::new();
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.insert(name.to_owned(), lock);
        lock
    }

    /// With a `Mutex` of its own, or with the one that `lock` names.
    fn condition(&self, args: &Arguments) -> Result<Condition, Refusal> {
        if args.keys().any(|name| name != "lock") {
            return Err(Refusal::unsupported("such an argument"));
        }
        let Some(of) = args.get("lock").and_then(serde_json::Value::as_str) else {
            return Ok(Condition::new(Lock::new()));
        };
        let locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = locks.get(of).copied();
        Ok(Condition::new(lock.ok_or_else(|| Refusal::prevented("it takes a MutexGuard"))?))
    }
}

/// What the interpreter offers to threads.
const CAPABILITIES: [&str; 7] =
    ["programs", "cells", "logs", "functions", "threads", "ends", "catch"];

impl Subject for StdThreads {
    fn hello(&self) -> Hello {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let sides = [
            ("lock-release", "by-holder"),
            ("lock-again", "waits"),
            ("condition-wakeup", "may-be-spurious"),
            ("condition-notify", "by-anyone"),
            ("queue-room", "grows"),
            ("queue-put", "direct"),
        ];
        let objects = [
            ("lock", &mutex::OPERATIONS[..]),
            ("condition", &condvar::OPERATIONS),
            ("barrier", &barrier::OPERATIONS),
            ("queue", &channel::OPERATIONS),
        ];
        Hello {
            protocol: PROTOCOL_VERSION,
            name: Self::NAME.to_owned(),
            version: env!("STD_VERSION").to_owned(),
            starts: vec![How::Thread],
            objects_reach: Reach::Start,
            objects: objects.map(|(kind, all)| (kind.to_owned(), words(all))).into(),
            capabilities: words(&CAPABILITIES),
            contracts: sides
                .map(|(choice, side)| (choice.to_owned(), vec![side.to_owned()]))
                .into(),
            forms: BTreeMap::new(),
            pace: Pace::Fast,
        }
    }

    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        match kind {
            "barrier" => Ok(Arc::new(Meeting::new(args)?)),
            "queue" => Ok(Arc::new(channel::Queue::new(args)?)),
            "condition" => Ok(Arc::new(self.condition(args)?)),
            _ if !args.is_empty() => Err(Refusal::unsupported("arguments")),
            "lock" => Ok(Arc::new(self.lock(name))),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        if how != How::Thread {
            return Err(Refusal::unsupported("its objects are of one process"));
        }
        start_thread(actor)
    }
}
