//! `pthread_barrier_t`, shared between processes.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use std::mem::MaybeUninit;

use purlin_conformance::serve::{Arguments, CallResult, Object, Refusal};
use serde_json::Value;

use super::errors::{done, made, out_of_resources};
use super::memory::{Arena, Shared};

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 1] = ["wait"];

/// A barrier.
pub(super) struct Barrier(Shared<libc::pthread_barrier_t>);

impl Barrier {
    /// # Errors
    /// * `out-of-resources` when the arena is full, or what the C library answers.
    pub(super) fn new(arena: &Arena, args: &Arguments) -> Result<Self, Refusal> {
        if args.keys().any(|name| name != "parties") {
            return Err(Refusal::unsupported("a limit, or an action"));
        }
        let parties = args.get("parties").and_then(Value::as_i64);
        let parties = parties.ok_or_else(|| Refusal::unsupported("no number of parties"))?;
        let parties = libc::c_uint::try_from(parties)
            .map_err(|_| Refusal::prevented("an unsigned int is never negative"))?;
        let place = arena.place().ok_or_else(|| out_of_resources("the arena is full"))?;
        made(init(place, parties))?;
        Ok(Self(place))
    }
}

impl Object for Barrier {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        if op != "wait" || !args.is_empty() {
            return CallResult::Unsupported;
        }
        // SAFETY: `new` has made it, and it stays.
        match unsafe { libc::pthread_barrier_wait(self.0.get()) } {
            // One of a round is told apart by this, and the others by nothing.
            libc::PTHREAD_BARRIER_SERIAL_THREAD => CallResult::ok(),
            answer => done(answer),
        }
    }
}

fn init(place: Shared<libc::pthread_barrier_t>, parties: libc::c_uint) -> libc::c_int {
    let mut attributes = MaybeUninit::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: The first call initialises the attributes, and the second changes them and is known
    // not to fail with this value. The room is a barrier's, and nobody has used it.
    unsafe {
        libc::pthread_barrierattr_init(attributes);
        libc::pthread_barrierattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED);
        let answer = libc::pthread_barrier_init(place.get(), attributes, parties);
        libc::pthread_barrierattr_destroy(attributes);
        answer
    }
}
