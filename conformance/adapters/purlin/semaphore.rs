//! The semaphores of purlin as the suite asks for them.

use std::any::Any;
use std::sync::Arc;

use purlin_conformance::serve::{Arguments, CallResult, Flow, Object, Refusal};
use purlin_sync::{Counting, Error, Permit, Told, Units};

use super::lock::{Remapped, deadline, done, mapped_again, refusal};

/// What can be asked of each kind of semaphore.
pub(super) const OPERATIONS: [&str; 4] = ["acquire", "try", "release", "value"];

/// A semaphore; each call keeps its unit, so that a later call can give it back.
pub(super) struct Counted<K: Units>(pub(super) Counting<K>);

impl<K: Units> Counted<K> {
    /// Makes one with so many units as the argument `value` says, or one.
    pub(super) fn new(args: &Arguments) -> Result<Self, Refusal> {
        let value = args.get("value").map_or(Some(1), serde_json::Value::as_i64);
        let why = "a u32 has no sign, and no more than 32 bits";
        let value = value.and_then(|value| u32::try_from(value).ok());
        let value = value.ok_or_else(|| Refusal::prevented(why))?;
        Ok(Self(Counting::new(value).map_err(refusal)?))
    }

    fn release(&self, args: &Arguments) -> CallResult {
        let Some(count) = args.get("n") else { return done(self.0.release()) };
        match count.as_i64().map(u32::try_from) {
            Some(Ok(count)) => done(self.0.release_many(count)),
            Some(Err(_)) => CallResult::Prevented("a u32 has no sign".to_owned()),
            None => CallResult::Unsupported,
        }
    }
}

impl<K: Units> Remapped for Counted<K>
where
    Counting<K>: Send + Sync,
{
    fn again(&self) -> Result<Arc<dyn Object>, Refusal> {
        let segment = mapped_again(&self.0.segment())?;
        Ok(Arc::new(Self(Counting::open(&segment, self.0.offset()).map_err(refusal)?)))
    }
}

impl<K: Units> Object for Counted<K>
where
    Counting<K>: Send + Sync,
{
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "acquire" => match deadline(args) {
                Ok(deadline) => taken(self.0.acquire(deadline)),
                Err(result) => result,
            },
            // A try has no limit that it could be given besides.
            "try" if !args.is_empty() => CallResult::Unsupported,
            "try" => taken(self.0.try_acquire()),
            "release" => self.release(args),
            "value" => CallResult::Value(self.0.value().into()),
            _ => CallResult::Unsupported,
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(&self.0)
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        match self.0.acquire(None) {
            Ok(permit) if permit.told() == Told::OwnerDied => {
                Flow::Failed(Refusal::new("owner-died", "the unit was a dead process's"))
            }
            Ok(_permit) => body(),
            Err(error) => Flow::Failed(refusal(error)),
        }
    }
}

fn taken<K: Units>(permit: Result<Permit<'_, K>, Error>) -> CallResult {
    let told = permit.map(|permit| {
        let told = permit.told();
        permit.keep();
        told
    });
    match told {
        Ok(Told::Held) => CallResult::ok(),
        Ok(Told::OwnerDied) => CallResult::failed("owner-died", "held, from a dead process"),
        Err(error) => CallResult::Failed(refusal(error)),
    }
}
