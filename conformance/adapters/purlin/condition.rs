//! The condition of purlin as the suite asks for it.

use std::any::Any;
use std::sync::Arc;

use purlin_conformance::serve::{
    Arguments, CallResult, Flow, Function, Functions, Object, Refusal, is_true,
};
use purlin_sync::{Condition, Deadline, Error, Lock, RLock, ReleasedByHolder, Told, Waited, Woken};

use super::lock::{Shared, deadline, done, failed, refusal};

/// The kind of object.
pub(super) const KIND: &str = "condition";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 8] =
    ["acquire", "try", "release", "recover", "wait", "wait_for", "notify", "notify_all"];

/// A condition; each call keeps its hold, so that a later call can end it.
pub(super) struct SharedCondition<R: ReleasedByHolder>(pub(super) Condition<R>);

/// One with a lock of its own, or over a given one.
pub(super) fn made(
    args: &Arguments,
    over: Option<Arc<dyn Object>>,
) -> Result<Arc<dyn Object>, Refusal> {
    let Some(over) = over else {
        return Ok(Arc::new(SharedCondition(Condition::new().map_err(refusal)?)));
    };
    let room = args.get("room").and_then(serde_json::Value::as_u64);
    let room = room.map(|room| u32::try_from(room).unwrap_or(u32::MAX));
    let handle = over.handle();
    if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<RLock>) {
        return over_lock(lock, room);
    }
    if let Some(lock) = handle.and_then(<dyn Any>::downcast_ref::<Lock>) {
        return over_lock(lock, room);
    }
    // There is no such function for anything else.
    Err(Refusal::new("invalid-argument", "it is no lock"))
}

fn over_lock<R: ReleasedByHolder + Send + Sync + 'static>(
    lock: &purlin_sync::Exclusive<R>,
    room: Option<u32>,
) -> Result<Arc<dyn Object>, Refusal> {
    let condition = match room {
        Some(room) => Condition::over_with_room(lock, room),
        None => Condition::over(lock),
    };
    Ok(Arc::new(SharedCondition(condition.map_err(refusal)?)))
}

impl<R: ReleasedByHolder + Send + Sync + 'static> SharedCondition<R> {
    fn wait(&self, deadline: Deadline) -> CallResult {
        match self.0.wait_kept(deadline) {
            Ok(Woken { acquired: Told::OwnerDied, .. }) => {
                CallResult::failed("owner-died", "held, and not vouched for")
            }
            Ok(Woken { is_notified: true, .. }) => CallResult::ok(),
            Ok(_) => CallResult::failed("timed-out", "held again"),
            Err(error) => failed(error),
        }
    }

    fn wait_for(
        &self,
        predicate: &Function,
        deadline: Deadline,
        functions: &mut Functions<'_>,
    ) -> CallResult {
        let waited =
            self.0.wait_for_kept(deadline, || Some(functions.run(predicate)).filter(is_true));
        match waited {
            Ok(Waited::Met((), value)) => CallResult::Value(value),
            Ok(Waited::TimedOut(())) => CallResult::failed("timed-out", "held again"),
            Ok(Waited::OwnerDied(())) => {
                CallResult::failed("owner-died", "held, and not vouched for")
            }
            Err(error) => failed(error),
        }
    }

    fn notify(&self, args: &Arguments) -> CallResult {
        let count = match args.get("n").map(serde_json::Value::as_i64) {
            None => 1,
            Some(Some(count @ 0..)) => u32::try_from(count).unwrap_or(u32::MAX),
            Some(_) => return CallResult::Prevented("a u32 has no sign".to_owned()),
        };
        notified(self.0.notify(count))
    }
}

/// How many were woken is no part of the question.
fn notified(result: Result<u32, Error>) -> CallResult {
    done(result.map(|_| ()))
}

impl<R: ReleasedByHolder + Send + Sync + 'static> Object for SharedCondition<R> {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "wait" => match deadline(args) {
                Ok(deadline) => self.wait(deadline),
                Err(result) => result,
            },
            "notify" => self.notify(args),
            "notify_all" => notified(self.0.notify_all()),
            _ => Shared(self.0.lock().clone()).call(op, args),
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op != "wait_for" {
            return self.call(op, args);
        }
        let mut args = args.clone();
        let predicate = Function::of(&args, "function");
        args.remove("function");
        match (predicate, deadline(&args)) {
            (Some(predicate), Ok(deadline)) => self.wait_for(&predicate, deadline, functions),
            (None, _) => CallResult::Unsupported,
            (_, Err(result)) => result,
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(&self.0)
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        Shared(self.0.lock().clone()).scope(body)
    }
}
