//! A lock as an actor has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use purlin_conformance::serve::{Arguments, CallResult, Flow, Object, Refusal};
use serde_json::Value;

use super::client::{self, Context, Limit};
use super::fault::Fault;
use super::lock::Event;

/// A handle of a lock on the server.
pub(super) struct Handle {
    name: String,
    /// It is another mapping of that lock's memory.
    is_twin: bool,
    context: Arc<Context>,
}

/// This process was started by an actor, or executed anew: with a lock of its own where that is
/// what is wrong.
pub(super) static HAS_COPIES: AtomicBool = AtomicBool::new(false);

impl Handle {
    pub(super) fn new(name: &str, is_twin: bool, context: Arc<Context>) -> Self {
        Self { name: name.to_owned(), is_twin, context }
    }

    fn name(&self) -> String {
        // Relaxed: it is set before there are other threads.
        let is_copy = HAS_COPIES.load(Relaxed);
        let is_another = self.is_twin && self.context.fault == Fault::TwinIsAnother;
        match (is_copy, is_another) {
            (true, _) => format!("copy-of-{}", self.name),
            (_, true) => format!("twin-of-{}", self.name),
            _ => self.name.clone(),
        }
    }

    fn ask(&self, event: Event) -> CallResult {
        answer(client::ask(&self.context, event, &self.name()))
    }

    fn acquire(&self, args: &Arguments) -> CallResult {
        match limit(args, self.context.fault) {
            Ok(limit) => answer(client::acquire(&self.context, &self.name(), limit)),
            Err(refusal) => CallResult::Failed(refusal),
        }
    }
}

impl Object for Handle {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let fault = self.context.fault;
        match op {
            "acquire" => self.acquire(args),
            "try" if fault == Fault::TryHonoursLimit && !args.is_empty() => self.acquire(args),
            "try" => self.ask(Event::Try),
            "release" if self.is_twin && fault == Fault::TwinCannotRelease => {
                CallResult::failed("not-owner", "taken by another mapping")
            }
            "release" => self.ask(Event::Release),
            "recover" => self.ask(Event::Recover),
            "force_release" => self.ask(Event::ForceRelease),
            "damage" => self.ask(Event::Damage),
            "state" => match self.ask(Event::State) {
                CallResult::Failed(Refusal { kind, .. }) => CallResult::Value(Value::from(kind)),
                other => other,
            },
            _ => CallResult::Unsupported,
        }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        let entry = if self.context.fault == Fault::GuardNeverWaits {
            self.ask(Event::Try);
            CallResult::ok()
        } else {
            self.acquire(&Arguments::new())
        };
        match entry {
            CallResult::Value(_) => {
                let _guard = Guard::new(self);
                body()
            }
            CallResult::Failed(refusal) => {
                if refusal.kind == "owner-died" {
                    self.ask(Event::Release);
                }
                Flow::Failed(refusal)
            }
            other => other.into(),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        client::tell_if_known(Event::DropHandle, &self.name());
    }
}

/// Holds for a scope. In a forked child it is no more than a copy.
struct Guard<'a> {
    handle: &'a Handle,
    pid: u32,
}

impl<'a> Guard<'a> {
    fn new(handle: &'a Handle) -> Self {
        if handle.context.fault == Fault::GuardLetsGo {
            handle.ask(Event::Release);
        }
        Self { handle, pid: std::process::id() }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let is_copy = self.pid != std::process::id();
        match self.handle.context.fault {
            Fault::GuardKeeps => {}
            Fault::GuardKeepsOnFailure if std::thread::panicking() => {}
            Fault::GuardCopyReleases if is_copy => {
                client::tell_as_parent(Event::Release, &self.handle.name());
            }
            _ if is_copy => {}
            _ => {
                self.handle.ask(Event::Release);
            }
        }
    }
}

/// How long to wait: a number of seconds, or one of two words.
fn limit(args: &Arguments, fault: Fault) -> Result<Limit, Refusal> {
    let invalid = |why: &str| Err(Refusal::new("invalid-argument", why));
    let zero = Ok(Limit::After(Duration::ZERO));
    let seconds = match args.get("timeout") {
        None => return Ok(Limit::Never),
        Some(Value::String(word)) if word == "infinity" => {
            return if fault == Fault::InfinityIsZero { zero } else { Ok(Limit::Never) };
        }
        Some(Value::String(word)) if word == "nan" => {
            return if fault == Fault::NanIsZero { zero } else { invalid("not a number") };
        }
        Some(value) => value.as_f64(),
    };
    match seconds {
        None => invalid("no length of time"),
        Some(0.0) if fault == Fault::ZeroIsForever => Ok(Limit::Never),
        Some(..0.0) if fault == Fault::NegativeIsForever => Ok(Limit::Never),
        Some(..=0.0) => zero,
        Some(HUGE_SECONDS..) if fault == Fault::HugeWraps => zero,
        Some(HUGER_SECONDS..) if fault == Fault::HugeRefused => invalid("too long"),
        Some(seconds) => {
            let limit = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            Ok(Limit::After(limit))
        }
    }
}

/// 2^31 s
const HUGE_SECONDS: f64 = 2_147_483_648.0;
/// 2^60 s
const HUGER_SECONDS: f64 = 1_152_921_504_606_846_976.0;

fn answer(said: std::io::Result<String>) -> CallResult {
    match said.as_deref() {
        Ok("ok") => CallResult::ok(),
        Ok(kind) => CallResult::failed(kind, ""),
        Err(error) => CallResult::failed("system", error),
    }
}
