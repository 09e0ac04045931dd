//! The adapter for parking_lot, whose locks are of one process: actors are threads.
//!
//! A hold is a guard, which stays in the thread that got it; so each thread keeps its guards
//! itself, by the address of what they guard. What is made is never given back, since a guard
//! borrows it.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use parking_lot::{Condvar, FairMutex, FairMutexGuard, Mutex, MutexGuard, ReentrantMutex};
use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Child, Flow, Form, Function, Functions, Hello, How, Object,
    Refusal, Subject, duration_limit, is_true,
};
use purlin_peers::{FOR_THREADS, Face, run, sides, start_thread};
use serde_json::Value;

fn main() -> io::Result<()> {
    run(ParkingLot::default())
}

const LOCK: &[&str] = &["acquire", "try", "release"];
const CONDITION: &[&str] =
    &["acquire", "try", "release", "wait", "wait_for", "notify", "notify_all"];

const FACE: Face = Face {
    name: "parking-lot-threads",
    version: "0.13.0",
    start: How::Thread,
    objects: &[("lock", LOCK), ("fair-lock", LOCK), ("rlock", LOCK), ("condition", CONDITION)],
    sides: &[
        ("lock-release", "by-holder"),
        ("lock-again", "waits"),
        ("condition-wakeup", "exact"),
        ("condition-notify", "by-anyone"),
    ],
    capabilities: FOR_THREADS,
};

#[derive(Default)]
struct ParkingLot {
    /// For conditions that are made over them.
    locks: StdMutex<BTreeMap<String, Plain>>,
}

impl ParkingLot {
    fn lock(&self, name: &str) -> Plain {
        let lock = Plain::new();
        self.locks.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), lock);
        lock
    }

    fn condition(&self, args: &Arguments) -> Result<Condition, Refusal> {
        if args.keys().any(|name| name != "lock") {
            return Err(Refusal::unsupported("such an argument"));
        }
        let Some(of) = args.get("lock").and_then(Value::as_str) else {
            return Ok(Condition::new(Plain::new()));
        };
        let locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = locks.get(of).copied();
        Ok(Condition::new(lock.ok_or_else(|| Refusal::prevented("it takes a MutexGuard"))?))
    }
}

impl Subject for ParkingLot {
    fn hello(&self) -> Hello {
        let form = |again| Form {
            of: "lock".to_owned(),
            contracts: sides(&[("lock-release", "by-holder"), ("lock-again", again)]),
        };
        let forms = [("fair-lock", "waits"), ("rlock", "deepens")];
        Hello {
            forms: forms.map(|(kind, again)| (kind.to_owned(), form(again))).into(),
            ..FACE.hello()
        }
    }

    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        match kind {
            "condition" => Ok(Arc::new(self.condition(args)?)),
            _ if !args.is_empty() => Err(Refusal::unsupported("arguments")),
            "lock" => Ok(Arc::new(self.lock(name))),
            "fair-lock" => Ok(Arc::new(Fair(Box::leak(Box::default())))),
            "rlock" => Ok(Arc::new(Reentrant(Box::leak(Box::default())))),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        start_thread(how, actor)
    }
}

thread_local! {
    /// The guards of this thread, by the address of the lock; of a reentrant one several.
    static HELD: RefCell<BTreeMap<usize, Vec<Box<dyn Any>>>> = RefCell::default();
}

fn keep(address: usize, guard: impl Any) {
    HELD.with_borrow_mut(|held| held.entry(address).or_default().push(Box::new(guard)));
}

fn taken(address: usize) -> Option<Box<dyn Any>> {
    HELD.with_borrow_mut(|held| held.get_mut(&address)?.pop())
}

/// A lock with guards of this type.
trait Guarded {
    type Guard: Any;

    fn address(&self) -> usize;
    fn lock(&self) -> Self::Guard;
    fn try_lock(&self) -> Option<Self::Guard>;
    fn try_lock_for(&self, limit: std::time::Duration) -> Option<Self::Guard>;

    fn kept(&self, guard: Option<Self::Guard>) -> CallResult {
        match guard {
            None => CallResult::failed("timed-out", "None"),
            Some(guard) => {
                keep(self.address(), guard);
                CallResult::ok()
            }
        }
    }

    fn acquire(&self, args: &Arguments) -> CallResult {
        match duration_limit(args) {
            Ok(None) => self.kept(Some(self.lock())),
            Ok(Some(limit)) => self.kept(self.try_lock_for(limit)),
            Err(other) => other,
        }
    }

    fn answer(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "acquire" => self.acquire(args),
            _ if !args.is_empty() => CallResult::Unsupported,
            "try" => self.kept(self.try_lock()),
            "release" => match taken(self.address()) {
                Some(guard) => {
                    drop(guard);
                    CallResult::ok()
                }
                None => {
                    CallResult::Prevented("to unlock is to drop a guard, and there is none".into())
                }
            },
            _ => CallResult::Unsupported,
        }
    }

    fn within(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        let _guard = self.lock();
        body()
    }
}

/// The same for each of the three types of lock.
macro_rules! guarded {
    ($of:ident, $lock:ty, $guard:ty) => {
        impl Guarded for $of {
            type Guard = $guard;

            fn address(&self) -> usize {
                std::ptr::from_ref(self.0).addr()
            }

            fn lock(&self) -> Self::Guard {
                self.0.lock()
            }

            fn try_lock(&self) -> Option<Self::Guard> {
                self.0.try_lock()
            }

            fn try_lock_for(&self, limit: std::time::Duration) -> Option<Self::Guard> {
                self.0.try_lock_for(limit)
            }
        }

        impl Object for $of {
            fn call(&self, op: &str, args: &Arguments) -> CallResult {
                self.answer(op, args)
            }

            fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
                self.within(body)
            }
        }
    };
}

#[derive(Clone, Copy)]
struct Plain(&'static Mutex<()>);
struct Fair(&'static FairMutex<()>);
struct Reentrant(&'static ReentrantMutex<()>);

guarded!(Plain, Mutex<()>, MutexGuard<'static, ()>);
guarded!(Fair, FairMutex<()>, FairMutexGuard<'static, ()>);
guarded!(Reentrant, ReentrantMutex<()>, parking_lot::ReentrantMutexGuard<'static, ()>);

impl Plain {
    fn new() -> Self {
        Self(Box::leak(Box::default()))
    }

    /// The guard of this thread, which keeps it no longer.
    fn guard(self) -> Result<Box<MutexGuard<'static, ()>>, CallResult> {
        let none = || CallResult::Prevented("to wait is to give a guard, and there is none".into());
        taken(self.address()).and_then(|guard| guard.downcast().ok()).ok_or_else(none)
    }
}

/// A `Condvar` and its `Mutex`.
struct Condition {
    lock: Plain,
    condvar: &'static Condvar,
}

impl Condition {
    fn new(lock: Plain) -> Self {
        Self { lock, condvar: Box::leak(Box::default()) }
    }

    /// Waits with the guard of this thread, which has it again when the wait is over.
    fn waited(&self, wait: impl FnOnce(&mut MutexGuard<'static, ()>) -> bool) -> CallResult {
        let guard = match self.lock.guard() {
            Ok(guard) => guard,
            Err(other) => return other,
        };
        let mut lent = Lent { address: self.lock.address(), guard: Some(*guard) };
        let is_over = lent.guard.as_mut().is_some_and(wait);
        drop(lent);
        if is_over { CallResult::failed("timed-out", "held again") } else { CallResult::ok() }
    }

    fn wait(&self, args: &Arguments) -> CallResult {
        match duration_limit(args) {
            Err(other) => other,
            Ok(None) => self.waited(|guard| {
                self.condvar.wait(guard);
                false
            }),
            Ok(Some(limit)) => self.waited(|guard| self.condvar.wait_for(guard, limit).timed_out()),
        }
    }

    fn wait_for(&self, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let mut args = args.clone();
        let Some(predicate) = Function::of(&args, "function") else {
            return CallResult::Unsupported;
        };
        args.remove("function");
        let limit = match duration_limit(&args) {
            Ok(limit) => limit,
            Err(other) => return other,
        };
        let mut value = Value::Null;
        let is_false = |(): &mut ()| {
            value = functions.run(&predicate);
            !is_true(&value)
        };
        let waited = self.waited(|guard| match limit {
            None => {
                self.condvar.wait_while(guard, is_false);
                false
            }
            Some(limit) => self.condvar.wait_while_for(guard, is_false, limit).timed_out(),
        });
        if waited == CallResult::ok() { CallResult::Value(value) } else { waited }
    }
}

/// A guard that a wait has borrowed: this thread has it again afterwards, also when a predicate
/// panics.
struct Lent {
    address: usize,
    guard: Option<MutexGuard<'static, ()>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(guard) = self.guard.take() {
            keep(self.address, guard);
        }
    }
}

impl Object for Condition {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "wait" => self.wait(args),
            // Such as a number of waiters.
            "notify" | "notify_all" if !args.is_empty() => CallResult::Unsupported,
            "notify" => {
                self.condvar.notify_one();
                CallResult::ok()
            }
            "notify_all" => {
                self.condvar.notify_all();
                CallResult::ok()
            }
            _ => self.lock.call(op, args),
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op == "wait_for" { self.wait_for(args, functions) } else { self.call(op, args) }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        self.lock.scope(body)
    }
}
