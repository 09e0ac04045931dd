//! `sem_t`, shared between processes.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use purlin_conformance::serve::{Arguments, CallResult, Object, Refusal};
use rustix::time::ClockId;
use serde_json::Value;

use super::errors::{done, last, made, out_of_resources};
use super::limit::moment;
use super::memory::{Arena, Shared};

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 4] = ["acquire", "try", "release", "value"];

/// A semaphore.
pub(super) struct Semaphore(Shared<libc::sem_t>);

impl Semaphore {
    /// With so many units as the argument `value` says, or one.
    ///
    /// # Errors
    /// * `out-of-resources` when the arena is full, or what the C library answers.
    pub(super) fn new(arena: &Arena, args: &Arguments) -> Result<Self, Refusal> {
        if args.keys().any(|name| name != "value") {
            return Err(Refusal::unsupported("such an argument"));
        }
        let value = args.get("value").map_or(Some(1), Value::as_i64);
        let value = value.and_then(|value| libc::c_uint::try_from(value).ok());
        let value = value.ok_or_else(|| {
            Refusal::prevented("an unsigned int has no sign, and no more than 32 bits")
        })?;
        let place: Shared<libc::sem_t> =
            arena.place().ok_or_else(|| out_of_resources("the arena is full"))?;
        // SAFETY: The room is a semaphore's, and nobody has used it.
        made(last(unsafe { libc::sem_init(place.get(), 1, value) }))?;
        Ok(Self(place))
    }

    fn acquire(&self, args: &Arguments) -> CallResult {
        let semaphore = self.0.get();
        // As with a mutex: the limit of this call is a moment on the wall clock.
        let answer = match moment(args, ClockId::Realtime) {
            // SAFETY: `new` has made it, and it stays; the time is a valid one.
            Ok(Some(until)) => unsafe { libc::sem_timedwait(semaphore, &raw const until) },
            // SAFETY: As above.
            Ok(None) => unsafe { libc::sem_wait(semaphore) },
            Err(result) => return result,
        };
        done(last(answer))
    }

    fn value(&self) -> CallResult {
        let mut value = 0;
        // SAFETY: `new` has made it, and it stays; the number is this call's own.
        let answer = unsafe { libc::sem_getvalue(self.0.get(), &raw mut value) };
        if answer == 0 { CallResult::Value(value.into()) } else { done(last(answer)) }
    }
}

impl Object for Semaphore {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let semaphore = self.0.get();
        match op {
            "acquire" => self.acquire(args),
            // Such as a number of units: each post is of one.
            _ if !args.is_empty() => CallResult::Unsupported,
            // SAFETY: `new` has made it, and it stays.
            "try" => done(last(unsafe { libc::sem_trywait(semaphore) })),
            // SAFETY: As above.
            "release" => done(last(unsafe { libc::sem_post(semaphore) })),
            "value" => self.value(),
            _ => CallResult::Unsupported,
        }
    }
}
