//! `pthread_cond_t`, shared between processes, with the mutex that every wait is to name.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use std::mem::MaybeUninit;

use purlin_conformance::serve::{Arguments, CallResult, Object, Refusal};
use rustix::time::ClockId;

use super::errors::{done, made, out_of_resources};
use super::limit::moment;
use super::memory::{Arena, Shared};
use super::mutex::Lock;

/// What can be asked of it. To wait for a predicate is a loop of the caller's own.
pub(super) const OPERATIONS: [&str; 7] =
    ["acquire", "try", "release", "recover", "wait", "notify", "notify_all"];

/// A condition variable and its mutex.
pub(super) struct Condition {
    lock: Lock,
    condition: Shared<libc::pthread_cond_t>,
}

impl Condition {
    /// # Errors
    /// * `out-of-resources` when the arena is full, or what the C library answers.
    pub(super) fn new(arena: &Arena, lock: Lock) -> Result<Self, Refusal> {
        let place = arena.place().ok_or_else(|| out_of_resources("the arena is full"))?;
        made(init(place))?;
        Ok(Self { lock, condition: place })
    }

    fn wait(&self, args: &Arguments) -> CallResult {
        let (condition, mutex) = (self.condition.get(), self.lock.place().get());
        let answer = match moment(args, ClockId::Monotonic) {
            // SAFETY: Both were made, and they stay; the time is a valid one. The mutex is robust,
            // so the call looks whether the caller holds it.
            Ok(Some(until)) => unsafe {
                libc::pthread_cond_timedwait(condition, mutex, &raw const until)
            },
            // SAFETY: As above.
            Ok(None) => unsafe { libc::pthread_cond_wait(condition, mutex) },
            Err(result) => return result,
        };
        done(answer)
    }
}

impl Object for Condition {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let condition = self.condition.get();
        match op {
            "wait" => self.wait(args),
            // Such as a number of waiters: a signal is for one.
            "notify" | "notify_all" if !args.is_empty() => CallResult::Unsupported,
            // SAFETY: `new` has made it, and it stays.
            "notify" => done(unsafe { libc::pthread_cond_signal(condition) }),
            // SAFETY: As above.
            "notify_all" => done(unsafe { libc::pthread_cond_broadcast(condition) }),
            _ => self.lock.call(op, args),
        }
    }
}

fn init(place: Shared<libc::pthread_cond_t>) -> libc::c_int {
    let mut attributes = MaybeUninit::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: The first call initialises the attributes, and the others change them and are known
    // not to fail with these values. The room is a condition variable's, and nobody has used it.
    unsafe {
        libc::pthread_condattr_init(attributes);
        libc::pthread_condattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED);
        libc::pthread_condattr_setclock(attributes, libc::CLOCK_MONOTONIC);
        let answer = libc::pthread_cond_init(place.get(), attributes);
        libc::pthread_condattr_destroy(attributes);
        answer
    }
}
