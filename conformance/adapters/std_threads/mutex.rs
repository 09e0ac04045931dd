//! `Mutex`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use purlin_conformance::serve::{Arguments, CallResult, Flow, Object, Refusal};

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 4] = ["acquire", "try", "release", "recover"];

pub(super) type Guard = MutexGuard<'static, ()>;

thread_local! {
    /// The guards of this thread, by the address of the mutex.
    static HELD: RefCell<BTreeMap<usize, Guard>> = RefCell::default();
}

/// A `Mutex`. That it is poisoned is what the suite calls owner-died: it is held, and nobody has
/// vouched for what it guards.
#[derive(Clone, Copy)]
pub(super) struct Lock(&'static Mutex<()>);

impl Lock {
    pub(super) fn new() -> Self {
        Self(Box::leak(Box::default()))
    }

    fn address(self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }

    fn keep(self, guard: Guard) {
        HELD.with_borrow_mut(|held| held.insert(self.address(), guard));
    }

    /// The guard of this thread, which keeps it no longer.
    pub(super) fn guard(self) -> Option<Guard> {
        HELD.with_borrow_mut(|held| held.remove(&self.address()))
    }

    /// What came of a call that gave a guard; this thread keeps that.
    pub(super) fn taken(self, locked: Result<Guard, PoisonError<Guard>>) -> CallResult {
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

    fn try_acquire(self) -> CallResult {
        match self.0.try_lock() {
            Ok(guard) => self.taken(Ok(guard)),
            Err(TryLockError::Poisoned(poisoned)) => self.taken(Err(poisoned)),
            Err(TryLockError::WouldBlock) => CallResult::failed("timed-out", "it would block"),
        }
    }

    fn release(self) -> CallResult {
        match self.guard() {
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
