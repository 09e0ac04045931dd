//! The adapter for Rust's standard library, whose actors are threads of this process.
//!
//! A hold of a `Mutex` is a guard, which stays in the thread that got it; so each thread keeps its
//! guards itself, by the address of what they guard. What is made is never given back, since a
//! guard borrows it for as long as its thread lives.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Child, Ended, Flow, Hello, How, Object, Pace, Reach, Refusal,
    Subject,
};

/// Rust's std.
pub(crate) struct StdThreads;

impl StdThreads {
    pub(crate) const NAME: &str = "std-threads";
}

/// What the interpreter offers to threads.
const CAPABILITIES: [&str; 6] = ["programs", "cells", "logs", "threads", "ends", "catch"];

impl Subject for StdThreads {
    fn hello(&self) -> Hello {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let sides = [("lock-release", "by-holder"), ("lock-again", "waits")];
        Hello {
            protocol: PROTOCOL_VERSION,
            name: Self::NAME.to_owned(),
            version: env!("STD_VERSION").to_owned(),
            starts: vec![How::Thread],
            objects_reach: Reach::Start,
            objects: [("lock".to_owned(), words(&OPERATIONS))].into(),
            capabilities: words(&CAPABILITIES),
            contracts: sides
                .map(|(choice, side)| (choice.to_owned(), vec![side.to_owned()]))
                .into(),
            forms: BTreeMap::new(),
            pace: Pace::Fast,
        }
    }

    fn create(&self, _: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        match kind {
            _ if !args.is_empty() => Err(Refusal::unsupported("arguments")),
            "lock" => Ok(Arc::new(Lock(Box::leak(Box::default())))),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        if how != How::Thread {
            return Err(Refusal::unsupported("its objects are of one process"));
        }
        let builder = std::thread::Builder::new().name(actor.name().to_owned());
        let thread = builder.spawn(move || actor.run_in_thread());
        thread.map_err(|error| Refusal::new("out-of-resources", error))?;
        Ok(Box::new(Thread))
    }
}

/// A thread ends with the adapter.
struct Thread;

impl Child for Thread {
    fn reap(&mut self) -> Result<Ended, Refusal> {
        Err(Refusal::unsupported("a thread is nobody's child"))
    }
}

/// What can be asked of a `Mutex`.
const OPERATIONS: [&str; 4] = ["acquire", "try", "release", "recover"];

type Guard = MutexGuard<'static, ()>;

thread_local! {
    /// The guards of this thread, by the address of the mutex.
    static HELD: RefCell<BTreeMap<usize, Guard>> = RefCell::default();
}

/// A `Mutex`. That it is poisoned is what the suite calls owner-died: it is held, and nobody has
/// vouched for what it guards.
struct Lock(&'static Mutex<()>);

impl Lock {
    fn address(&self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }

    fn keep(&self, guard: Guard) {
        HELD.with_borrow_mut(|held| held.insert(self.address(), guard));
    }

    fn taken(&self, locked: Result<Guard, PoisonError<Guard>>) -> CallResult {
        match locked {
            Ok(guard) => {
                self.keep(guard);
                CallResult::ok()
            }
            Err(poisoned) => {
                self.keep(poisoned.into_inner());
                CallResult::failed("owner-died", "poisoned")
            }
        }
    }

    fn try_acquire(&self) -> CallResult {
        match self.0.try_lock() {
            Ok(guard) => self.taken(Ok(guard)),
            Err(TryLockError::Poisoned(poisoned)) => self.taken(Err(poisoned)),
            Err(TryLockError::WouldBlock) => CallResult::failed("timed-out", "it would block"),
        }
    }

    fn release(&self) -> CallResult {
        match HELD.with_borrow_mut(|held| held.remove(&self.address())) {
            Some(guard) => {
                drop(guard);
                CallResult::ok()
            }
            None => CallResult::Prevented("to unlock is to drop a guard, and there is none".into()),
        }
    }
}

impl Object for Lock {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            // Such as a limit.
            _ if !args.is_empty() => CallResult::Unsupported,
            "acquire" => self.taken(self.0.lock()),
            "try" => self.try_acquire(),
            "release" => self.release(),
            "recover" => {
                self.0.clear_poison();
                CallResult::ok()
            }
            _ => CallResult::Unsupported,
        }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        match self.0.lock() {
            Ok(_guard) => body(),
            Err(_) => Flow::Failed(Refusal::new("owner-died", "poisoned")),
        }
    }
}
