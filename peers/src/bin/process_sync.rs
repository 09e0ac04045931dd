//! The adapter for process-sync, whose mutex and condition variable are shared with whoever is
//! forked.
//!
//! Its calls take `&mut self`, so that within a process one thread at a time has a handle: threads
//! are not offered.

use std::collections::BTreeMap;
use std::io;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use process_sync::{SharedCondvar, SharedMutex};
use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Child, Hello, How, Object, Refusal, Subject,
};
use purlin_peers::{Face, run};
use serde_json::Value;

/// What the C library answers, and how to fork, are the same for all who use it.
#[expect(dead_code, reason = "what makes an object is the crate's")]
#[path = "../../../conformance/adapters/posix/errors.rs"]
mod errors;
#[expect(dead_code, reason = "the version is the crate's")]
#[path = "../../../conformance/adapters/posix/process.rs"]
mod process;

fn main() -> io::Result<()> {
    run(ProcessSync::default())
}

const FACE: Face = Face {
    name: "process-sync-fork",
    version: "0.2.2",
    start: How::Fork,
    objects: &[
        ("lock", &["acquire", "release"]),
        ("condition", &["acquire", "release", "wait", "notify", "notify_all"]),
    ],
    sides: &[
        ("lock-release", "by-holder"),
        ("lock-again", "waits"),
        ("condition-wakeup", "may-be-spurious"),
        ("condition-notify", "by-anyone"),
    ],
    capabilities: &["programs", "cells", "logs", "host", "fork", "ends", "catch", "start"],
};

/// A thing of the crate's, which is not `Send`: it has a pointer into memory that all threads have.
/// It is never dropped: to do that while somebody waits is undefined, as the crate says, and who
/// has died amid a wait waits for ever.
struct Moved<T>(ManuallyDrop<T>);

// SAFETY: The pointer is into an anonymous shared mapping, which every thread of the process has,
// and what stands there is a pthread object, made to be used by any.
unsafe impl<T> Send for Moved<T> {}

impl<T> Moved<T> {
    const fn of(thing: T) -> Self {
        Self(ManuallyDrop::new(thing))
    }
}

#[derive(Default)]
struct ProcessSync {
    locks: Mutex<BTreeMap<String, Lock>>,
}

impl ProcessSync {
    fn lock(&self, name: &str) -> Result<Lock, Refusal> {
        let lock = Lock(Arc::new(Mutex::new(Moved::of(SharedMutex::new().map_err(refused)?))));
        unpoisoned(&self.locks).insert(name.to_owned(), lock.clone());
        Ok(lock)
    }

    fn condition(&self, name: &str, args: &Arguments) -> Result<Condition, Refusal> {
        if args.keys().any(|name| name != "lock") {
            return Err(Refusal::unsupported("such an argument"));
        }
        let lock = match args.get("lock").and_then(Value::as_str) {
            None => self.lock(name)?,
            Some(of) => {
                let lock = unpoisoned(&self.locks).get(of).cloned();
                lock.ok_or_else(|| Refusal::prevented("it takes a SharedMutex"))?
            }
        };
        Ok(Condition {
            lock,
            condvar: Mutex::new(Moved::of(SharedCondvar::new().map_err(refused)?)),
        })
    }
}

impl Subject for ProcessSync {
    fn hello(&self) -> Hello {
        FACE.hello()
    }

    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        match kind {
            "condition" => Ok(Arc::new(self.condition(name, args)?)),
            "lock" if args.is_empty() => Ok(Arc::new(self.lock(name)?)),
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

#[derive(Clone)]
struct Lock(Arc<Mutex<Moved<SharedMutex>>>);

impl Object for Lock {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            // Such as a limit.
            _ if !args.is_empty() => CallResult::Unsupported,
            "acquire" => told(unpoisoned(&self.0).0.lock()),
            "release" => told(unpoisoned(&self.0).0.unlock()),
            _ => CallResult::Unsupported,
        }
    }
}

struct Condition {
    lock: Lock,
    condvar: Mutex<Moved<SharedCondvar>>,
}

impl Object for Condition {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            _ if !args.is_empty() => CallResult::Unsupported,
            "wait" => told(unpoisoned(&self.condvar).0.wait(&mut unpoisoned(&self.lock.0).0)),
            "notify" => told(unpoisoned(&self.condvar).0.notify_one()),
            "notify_all" => told(unpoisoned(&self.condvar).0.notify_all()),
            _ => self.lock.call(op, args),
        }
    }
}

fn told(done: io::Result<()>) -> CallResult {
    match done {
        Ok(()) => CallResult::ok(),
        Err(error) => errors::done(error.raw_os_error().unwrap_or(libc::EIO)),
    }
}

fn refused(error: io::Error) -> Refusal {
    Refusal::new("out-of-resources", error)
}

fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
