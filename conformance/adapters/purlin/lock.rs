//! The locks of purlin as the suite asks for them.

use std::any::Any;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use purlin_conformance::serve::{Arguments, CallResult, Flow, Object, Refusal};
use purlin_shm::Segment;
use purlin_sync::{Acquired, Deadline, Error, Exclusive, RLock, Rules, Told};

/// What another mapping of the same memory can be made of.
pub(super) trait Remapped: Send + Sync {
    fn again(&self) -> Result<Arc<dyn Object>, Refusal>;
}

impl<R: Rules + Send + Sync + 'static> Remapped for Shared<R> {
    fn again(&self) -> Result<Arc<dyn Object>, Refusal> {
        let segment = mapped_again(&self.0.segment())?;
        let lock = Exclusive::<R>::open(&segment, self.0.offset()).map_err(refusal)?;
        Ok(Arc::new(Shared(lock)))
    }
}

/// Another mapping of the same memory.
pub(super) fn mapped_again(segment: &Segment) -> Result<Segment, Refusal> {
    let memory = segment.descriptor().try_clone_to_owned();
    let memory = memory.map_err(|error| Refusal::new("out-of-resources", error))?;
    Segment::from_descriptor(memory).map_err(|error| Refusal::new(error.kind(), error))
}

/// A lock; each call keeps its hold, so that a later call can end it.
pub(super) struct Shared<R: Rules>(pub(super) Exclusive<R>);

impl<R: Rules + Send + Sync + 'static> Object for Shared<R> {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "acquire" => match deadline(args) {
                Ok(deadline) => taken(self.0.acquire(deadline)),
                Err(result) => result,
            },
            // A try has no limit that it could be given besides.
            "try" if !args.is_empty() => CallResult::Unsupported,
            "try" => taken(self.0.try_acquire()),
            "release" => done(self.0.release()),
            "recover" => done(self.0.recover()),
            "damage" => damage(&self.0),
            _ => self.recursive(op),
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(&self.0)
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        match self.0.acquire(None).and_then(Acquired::sound) {
            Ok(_guard) => body(),
            Err(error) => Flow::Failed(refusal(error)),
        }
    }
}

impl<R: Rules + 'static> Shared<R> {
    /// What only an `RLock` has.
    fn recursive(&self, op: &str) -> CallResult {
        let lock = (&self.0 as &dyn Any).downcast_ref::<RLock>();
        match (op, lock) {
            ("depth", Some(lock)) => {
                lock.depth().map_or_else(failed, |depth| CallResult::Value(depth.into()))
            }
            ("states_a_greatest_depth", Some(_)) => CallResult::ok(),
            _ => CallResult::Unsupported,
        }
    }
}

pub(super) fn failed(error: Error) -> CallResult {
    CallResult::Failed(refusal(error))
}

pub(super) fn taken<R: Rules>(acquired: Result<Acquired<'_, R>, Error>) -> CallResult {
    match acquired.map(Acquired::keep) {
        Ok(Told::Held) => CallResult::ok(),
        Ok(Told::OwnerDied) => CallResult::failed("owner-died", "held, and not vouched for"),
        Err(error) => CallResult::Failed(refusal(error)),
    }
}

pub(super) fn done(result: Result<(), Error>) -> CallResult {
    result.map_or_else(|error| CallResult::Failed(refusal(error)), |()| CallResult::ok())
}

/// Overwrites the word with a holder that never was, as anybody who has the segment can.
fn damage<R: Rules>(lock: &Exclusive<R>) -> CallResult {
    let word = lock.offset() + WORD_OFFSET_BYTES;
    let written = lock.segment().descriptor().try_clone_to_owned();
    let written = written.and_then(|file| File::from(file).write_all_at(&IMPOSSIBLE, word));
    written.map_or_else(|error| CallResult::failed("system", error), |()| CallResult::ok())
}

/// Where an object begins behind its offset, as `docs/layout.md` has it.
const WORD_OFFSET_BYTES: u64 = 16;

/// Held by generation 0 of slot 1023; that generation is never given out.
const IMPOSSIBLE: [u8; 4] = 1023_u32.to_le_bytes();

/// A negative limit is a moment that has passed. A `Duration` has no infinity, and what it cannot
/// express is unsupported. What is no number cannot even be meant.
pub(super) fn deadline(args: &Arguments) -> Result<Deadline, CallResult> {
    // There is no other argument.
    if args.keys().any(|name| name != "timeout") {
        return Err(CallResult::Unsupported);
    }
    let Some(timeout) = args.get("timeout") else { return Ok(Deadline::never()) };
    if timeout == "nan" {
        return Err(CallResult::Prevented("a Duration is always a number".to_owned()));
    }
    if timeout.as_f64().is_some_and(|seconds| seconds < 0.0) {
        return Ok(Deadline::passed());
    }
    let limit = timeout.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    limit.map(Deadline::from).ok_or(CallResult::Unsupported)
}

pub(super) fn refusal(error: Error) -> Refusal {
    Refusal::new(error.kind(), error)
}
