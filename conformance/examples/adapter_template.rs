//! A template for the adapter of a subject in Rust: copy it, and put your lock in the place of
//! [`Gate`]. The library speaks the protocol; what is written here is the subject alone.
//!
//! ```sh
//! cargo build --example adapter_template
//! purlin-conformance check-adapter -- target/debug/examples/adapter_template
//! purlin-conformance run -- target/debug/examples/adapter_template
//! ```

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use purlin_conformance::limits::PROTOCOL_VERSION;
use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Child, Hello, How, Object, Pace, Reach, Refusal, Subject, serve,
    start_thread,
};

fn main() -> io::Result<()> {
    serve(Arc::new(Template))?;
    // Threads that wait in a call for ever are no reason to stay.
    std::process::exit(0)
}

// 1. What is judged. Here a lock between threads that anybody may release.

#[derive(Default)]
struct Gate {
    is_held: Mutex<bool>,
    released: Condvar,
}

impl Gate {
    /// Whether it was acquired, by `end` if there is one.
    fn acquire(&self, end: Option<Instant>) -> bool {
        let mut is_held = self.is_held();
        while *is_held {
            let poisoned = PoisonError::into_inner;
            is_held = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => self.released.wait(is_held).unwrap_or_else(poisoned),
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    let waited = self.released.wait_timeout(is_held, left);
                    waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0
                }
            };
        }
        *is_held = true;
        true
    }

    /// Whether it was held.
    fn release(&self) -> bool {
        let was_held = std::mem::take(&mut *self.is_held());
        self.released.notify_one();
        was_held
    }

    fn is_held(&self) -> MutexGuard<'_, bool> {
        self.is_held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// 2. How its calls are asked for: by name, with arguments, and with an answer in the suite's words.

impl Object for Gate {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "acquire" => match limit(args) {
                Ok(end) if self.acquire(end) => CallResult::ok(),
                Ok(_) => CallResult::failed("timed-out", "it stayed held"),
                Err(answer) => answer,
            },
            // What it does not know it refuses, rather than to do half of it.
            _ if !args.is_empty() => CallResult::Unsupported,
            "try" if self.acquire(Some(Instant::now())) => CallResult::ok(),
            "try" => CallResult::failed("timed-out", "it is held"),
            "release" if self.release() => CallResult::ok(),
            "release" => CallResult::failed("not-owner", "nobody holds it"),
            _ => CallResult::Unsupported,
        }
    }
}

/// The moment that the argument `timeout` says, the only one there is; none waits for ever.
fn limit(args: &Arguments) -> Result<Option<Instant>, CallResult> {
    if args.keys().any(|name| name != "timeout") {
        return Err(CallResult::Unsupported);
    }
    let Some(timeout) = args.get("timeout") else { return Ok(None) };
    if timeout == "infinity" {
        return Ok(None);
    }
    // A negative length, and one that is no number, no `Duration` can express.
    let prevented = || CallResult::Prevented("no Duration has this length".to_owned());
    let seconds = timeout.as_f64().filter(|seconds| *seconds >= 0.0).ok_or_else(prevented)?;
    let length = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    // Beyond what the clock can count it is for ever.
    Ok(Instant::now().checked_add(length))
}

// 3. Who it is, how its objects are made, and how actors are started.

struct Template;

impl Subject for Template {
    fn hello(&self) -> Hello {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let sides = [("lock-release", "by-anyone"), ("lock-again", "waits")];
        Hello {
            protocol: PROTOCOL_VERSION,
            name: "template-threads".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            starts: vec![How::Thread],
            objects_reach: Reach::Start,
            objects: [("lock".to_owned(), words(&["acquire", "try", "release"]))].into(),
            // The library's own interpreter offers these to whoever has threads.
            capabilities: words(&["programs", "cells", "logs", "functions", "threads"]),
            contracts: sides
                .map(|(choice, side)| (choice.to_owned(), vec![side.to_owned()]))
                .into(),
            forms: BTreeMap::new(),
            pace: Pace::Fast,
        }
    }

    fn create(
        &self,
        _name: &str,
        kind: &str,
        args: &Arguments,
    ) -> Result<Arc<dyn Object>, Refusal> {
        match kind {
            "lock" if args.is_empty() => Ok(Arc::new(Gate::default())),
            _ => Err(Refusal::unsupported(kind)),
        }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        if how != How::Thread {
            return Err(Refusal::unsupported("its objects are of one process"));
        }
        start_thread(actor)
    }
}
