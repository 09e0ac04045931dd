//! What every subject has whose actors are threads, or whose limits are std's.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::actor::Actor;
use super::flow::{CallResult, Refusal};
use super::{Arguments, Child};
use crate::script::Ended;

/// An actor that is a thread of its starter's process, and ends with that.
pub struct InThread;

impl Child for InThread {
    fn reap(&mut self) -> Result<Ended, Refusal> {
        Err(Refusal::unsupported("a thread is nobody's child"))
    }
}

/// Runs an actor in a thread of std's.
///
/// # Errors
/// * `out-of-resources` when the system refused one.
pub fn start_thread(actor: Actor) -> Result<Box<dyn Child>, Refusal> {
    let builder = thread::Builder::new().name(actor.name().to_owned());
    let started = builder.spawn(move || actor.run_in_thread());
    started.map_err(|error| Refusal::new("out-of-resources", error))?;
    Ok(Box::new(InThread))
}

/// The limit of a call that takes a [`Duration`] and nothing else; none where there is none, or one
/// that is null.
///
/// # Errors
/// * What to answer instead of the call: a `Duration` is never negative and always a number, has no
///   infinity, and an argument of another name is not known.
pub fn duration_limit(args: &Arguments) -> Result<Option<Duration>, CallResult> {
    if args.keys().any(|name| name != "timeout") {
        return Err(CallResult::Unsupported);
    }
    let timeout = match args.get("timeout") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(word)) if word == "nan" => {
            return Err(CallResult::Prevented("a Duration is always a number".to_owned()));
        }
        Some(timeout) => timeout,
    };
    let seconds = timeout.as_f64().ok_or(CallResult::Unsupported)?;
    if seconds < 0.0 {
        return Err(CallResult::Prevented("a Duration is never negative".to_owned()));
    }
    Duration::try_from_secs_f64(seconds).map(Some).map_err(|_| CallResult::Unsupported)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(timeout: Value) -> Result<Option<Duration>, CallResult> {
        duration_limit(&[("timeout".to_owned(), timeout)].into_iter().collect())
    }

    #[test]
    fn a_limit_is_what_a_duration_can_be() {
        assert_eq!(duration_limit(&Arguments::default()), Ok(None));
        assert_eq!(of(Value::Null), Ok(None));
        assert_eq!(of(json!(0.25)), Ok(Some(Duration::from_millis(250))));
        assert!(matches!(of(json!(-1)), Err(CallResult::Prevented(_))));
        assert!(matches!(of(json!("nan")), Err(CallResult::Prevented(_))));
        assert_eq!(of(json!("inf")), Err(CallResult::Unsupported));
        let other = [("count".to_owned(), json!(1))].into_iter().collect();
        assert_eq!(duration_limit(&other), Err(CallResult::Unsupported));
    }
}
