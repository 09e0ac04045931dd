//! An object as an actor has it: each call is a request to the server.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use purlin_conformance::serve::{Arguments, CallResult, Flow, Object, Refusal};
use serde_json::Value;

use super::client::{self, Call, Context, Limit};
use super::fault::Fault;
use super::kind::Made;

/// A handle of an object on the server.
pub(super) struct Handle {
    made: Made,
    context: Arc<Context>,
}

/// This process was started by an actor, or executed anew: with an object of its own where that is
/// what is wrong.
pub(super) static HAS_COPIES: AtomicBool = AtomicBool::new(false);

impl Handle {
    pub(super) const fn new(made: Made, context: Arc<Context>) -> Self {
        Self { made, context }
    }

    /// What is wrong, as far as it concerns all kinds.
    pub(super) fn fault(&self) -> Fault {
        self.context.fault
    }

    /// The object as the server is to know it.
    fn made(&self) -> Cow<'_, Made> {
        // Relaxed: it is set before there are other threads.
        let is_copy = HAS_COPIES.load(Relaxed);
        let is_another = self.made.is_twin && self.context.fault == Fault::TwinIsAnother;
        let word = match (is_copy, is_another) {
            (true, _) => "copy",
            (_, true) => "twin",
            _ => return Cow::Borrowed(&self.made),
        };
        let name = format!("{word}-of-{}", self.made.name);
        Cow::Owned(Made { name, ..self.made.clone() })
    }

    /// Asks for what does not wait.
    pub(super) fn ask(&self, op: &str, args: &Arguments) -> CallResult {
        answer(client::ask(&self.context, &self.made(), Call { op, args }))
    }

    /// Asks for what may wait, up to the limit among the arguments.
    pub(super) fn wait_for(&self, op: &str, args: &Arguments) -> CallResult {
        match limit(args, self.context.fault) {
            Ok(limit) => self.wait_until(op, args, limit),
            Err(refusal) => CallResult::Failed(refusal),
        }
    }

    /// Asks for what may wait, up to a limit.
    pub(super) fn wait_until(&self, op: &str, args: &Arguments, limit: Limit) -> CallResult {
        let mut args = args.clone();
        args.remove("timeout");
        let call = Call { op, args: &args };
        answer(client::wait_for(&self.context, &self.made(), call, limit))
    }
}

impl Object for Handle {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let fault = self.context.fault;
        if !self.made.kind.operations.contains(&op) {
            return CallResult::Unsupported;
        }
        match op {
            "try" if fault == Fault::TryHonoursLimit && !args.is_empty() => {
                self.wait_for("acquire", args)
            }
            "release" if self.made.is_twin && fault == Fault::TwinCannotRelease => {
                CallResult::failed("not-owner", "taken by another mapping")
            }
            _ if self.made.kind.waits.contains(&op) => self.wait_for(op, args),
            _ => self.ask(op, args),
        }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        let Some((enter, leave)) = self.made.kind.guard else { return Flow::Unsupported };
        let entry = if self.context.fault == Fault::GuardNeverWaits {
            self.ask("try", &Arguments::new());
            CallResult::ok()
        } else {
            self.wait_for(enter, &Arguments::new())
        };
        match entry {
            CallResult::Value(_) => {
                let _guard = Guard::new(self, leave);
                body()
            }
            CallResult::Failed(refusal) => {
                if refusal.kind == "owner-died" {
                    self.ask(leave, &Arguments::new());
                }
                Flow::Failed(refusal)
            }
            other => other.into(),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        client::tell_if_known(&self.made(), "drop");
    }
}

/// Holds for a scope. In a forked child it is no more than a copy.
struct Guard<'a> {
    handle: &'a Handle,
    leave: &'static str,
    pid: u32,
}

impl<'a> Guard<'a> {
    fn new(handle: &'a Handle, leave: &'static str) -> Self {
        let guard = Self { handle, leave, pid: std::process::id() };
        if handle.context.fault == Fault::GuardLetsGo {
            guard.leave();
        }
        guard
    }

    fn leave(&self) {
        self.handle.ask(self.leave, &Arguments::new());
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let is_copy = self.pid != std::process::id();
        match self.handle.context.fault {
            Fault::GuardKeeps => {}
            Fault::GuardKeepsOnFailure if std::thread::panicking() => {}
            Fault::GuardCopyReleases if is_copy => {
                client::tell_as_parent(&self.handle.made(), self.leave);
            }
            _ if is_copy => {}
            _ => self.leave(),
        }
    }
}

/// How long to wait: a number of seconds, or one of two words.
pub(super) fn limit(args: &Arguments, fault: Fault) -> Result<Limit, Refusal> {
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
        Ok("unsupported") => CallResult::Unsupported,
        Ok(said) => match said.strip_prefix("ok ").map(serde_json::from_str) {
            Some(Ok(value)) => CallResult::Value(value),
            Some(Err(error)) => CallResult::failed("system", error),
            None => CallResult::failed(said, ""),
        },
        Err(error) => CallResult::failed("system", error),
    }
}
