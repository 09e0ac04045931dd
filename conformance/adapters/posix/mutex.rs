//! `pthread_mutex_t`, shared between processes and robust.
#![expect(unsafe_code, reason = "calls of the C library, which take pointers")]

use std::mem::MaybeUninit;

use purlin_conformance::serve::{Arguments, CallResult, Object, Refusal};
use rustix::time::ClockId;

use super::errors::{done, made, out_of_resources};
use super::limit::moment;
use super::memory::{Arena, Shared};

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 4] = ["acquire", "try", "release", "recover"];

/// What comes of a second lock by its holder.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// It waits for itself.
    Normal,
    /// It is refused.
    ErrorCheck,
    /// It holds it once more.
    Recursive,
}

/// A mutex.
pub(super) struct Lock(Shared<libc::pthread_mutex_t>);

impl Lock {
    /// # Errors
    /// * `out-of-resources` when the arena is full, or what the C library answers.
    pub(super) fn new(arena: &Arena, kind: Kind) -> Result<Self, Refusal> {
        let place = arena.place().ok_or_else(|| out_of_resources("the arena is full"))?;
        made(init(place, kind))?;
        Ok(Self(place))
    }

    /// One that was made there.
    pub(super) const fn at(place: Shared<libc::pthread_mutex_t>) -> Self {
        Self(place)
    }

    pub(super) const fn place(&self) -> Shared<libc::pthread_mutex_t> {
        self.0
    }

    fn acquire(&self, args: &Arguments) -> CallResult {
        let mutex = self.0.get();
        // This call's limit is a moment on the wall clock; POSIX knows no other for it before 2024.
        let answer = match moment(args, ClockId::Realtime) {
            // SAFETY: `new` has made it, and it stays; the time is a valid one.
            Ok(Some(until)) => unsafe { libc::pthread_mutex_timedlock(mutex, &raw const until) },
            // SAFETY: As above.
            Ok(None) => unsafe { libc::pthread_mutex_lock(mutex) },
            Err(result) => return result,
        };
        done(answer)
    }
}

impl Object for Lock {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let mutex = self.0.get();
        match op {
            "acquire" => self.acquire(args),
            _ if !args.is_empty() => CallResult::Unsupported,
            // SAFETY: `new` has made it, and it stays.
            "try" => done(unsafe { libc::pthread_mutex_trylock(mutex) }),
            // SAFETY: As above. Whoever does not hold it is told so: a robust one looks.
            "release" => done(unsafe { libc::pthread_mutex_unlock(mutex) }),
            // SAFETY: As above.
            "recover" => done(unsafe { libc::pthread_mutex_consistent(mutex) }),
            _ => CallResult::Unsupported,
        }
    }
}

fn init(place: Shared<libc::pthread_mutex_t>, kind: Kind) -> libc::c_int {
    let kind = match kind {
        Kind::Normal => libc::PTHREAD_MUTEX_NORMAL,
        Kind::ErrorCheck => libc::PTHREAD_MUTEX_ERRORCHECK,
        Kind::Recursive => libc::PTHREAD_MUTEX_RECURSIVE,
    };
    let mut attributes = MaybeUninit::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: The first call initialises the attributes, and the others change them and are known
    // not to fail with these values. The room is a mutex's, and nobody has used it.
    unsafe {
        libc::pthread_mutexattr_init(attributes);
        libc::pthread_mutexattr_settype(attributes, kind);
        libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED);
        libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST);
        let answer = libc::pthread_mutex_init(place.get(), attributes);
        libc::pthread_mutexattr_destroy(attributes);
        answer
    }
}
