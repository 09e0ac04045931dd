//! Purlin with one call that is wrong: who checks the cases about pipes, processes, threads and
//! programs, of which no machine is a model, and about shared numbers, which are too many for a
//! server. The call is wrong where it is made, in the actor, so that what should have been done is
//! not done, or done otherwise.

use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};

use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Child, Flow, Function, Functions, Hello, How, Object, Refusal,
    Subject,
};
use rustix::event::{Timespec, poll};
use serde_json::Value;

use super::client::{GIVEN_UP, LONG_NAP};
use crate::adapter::posix::Posix;
use crate::adapter::purlin::Purlin;

/// One wrong call: the fault's name, the kind of object, the operation, and what is wrong. The
/// operation `create` is the making of the object, `with` its scope, and `x|y` two that are wrong
/// alike.
pub(crate) type Bend = (&'static str, &'static str, &'static str, Wrong);

/// What is wrong with a call.
#[derive(Clone, Copy)]
pub(crate) enum Wrong {
    /// It comes back at once, and nothing has been done.
    Skipped,
    /// What it came back with is changed.
    Answers(fn(Value) -> Value),
    /// It fails with this kind, and nothing has been done.
    Fails(&'static str),
    /// A failure of this kind comes back as success.
    Swallows(&'static str),
    /// Other arguments are meant than were given.
    Given(fn(&mut Arguments)),
    /// Another operation is meant.
    Means(&'static str),
    /// When it has come back, another operation is called too.
    Then(&'static str),
    /// Something else is done before.
    First(fn()),
    /// Another operation is called before.
    Before(&'static str),
    /// A wait without a limit, or with a long one, is given up after a nap, and then comes back as
    /// success.
    GivesUp,
    /// It naps and comes back, and nothing has been done.
    Naps,
    /// What is prevented is success.
    Allows,
    /// What is prevented is refused, with this kind.
    Refuses(&'static str),
    /// It fails with this kind where this holds, and nothing has been done.
    FailsWhere(fn() -> bool, &'static str),
    /// It comes back at once, for what it was to change is so from the beginning.
    IsForeseen(fn(&mut Arguments)),
    /// The function that it is given is run at once, and not kept.
    Runs,
    /// What is made is never let go of.
    Leaks,
}

/// All of them.
pub(crate) const BENDS: &[&[Bend]] = &[
    super::bent_process::BENDS,
    super::bent_end::BENDS,
    super::bent_host::BENDS,
    super::bent_manager::BENDS,
    super::bent_pipe::BENDS,
    super::bent_pool::BENDS,
    super::bent_program::BENDS,
    super::bent_thread::BENDS,
    super::bent_value::BENDS,
    super::bent_array::BENDS,
];

/// What stands in for a kind that purlin does not have: it keeps a value for all of its process.
#[derive(Default)]
struct Hollow(Mutex<Value>);

impl Object for Hollow {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if op == "set" {
            *kept = args.get("value").cloned().unwrap_or_default();
            return CallResult::ok();
        }
        CallResult::Value(kept.clone())
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// What stands in the place of a kind where the start of an actor is wrong.
pub(super) const ACTOR: &str = "actor";

/// So the names begin of what is wrong with a call of POSIX.
const OF_POSIX: &str = "fault-stream-";

/// The bend of this name.
pub(super) fn known(name: &str) -> Option<&'static Bend> {
    BENDS.iter().copied().flatten().find(|(known, ..)| *known == name)
}

/// Purlin by fork, with a bend; or POSIX, where what it has is wrong that purlin has not.
pub(super) struct Bent {
    straight: Box<dyn Subject>,
    bend: &'static Bend,
}

impl Bent {
    pub(super) fn new(bend: &'static Bend) -> Option<Self> {
        let straight: Box<dyn Subject> = if bend.0.starts_with(OF_POSIX) {
            Box::new(Posix::new().ok()?)
        } else {
            Box::new(Purlin::new("purlin-fork")?)
        };
        Some(Self { straight, bend })
    }
}

impl Subject for Bent {
    fn hello(&self) -> Hello {
        let mut hello = Hello { name: self.bend.0.to_owned(), ..self.straight.hello() };
        if self.bend.1 != ACTOR {
            hello.objects.entry(self.bend.1.to_owned()).or_default();
        }
        hello
    }

    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        let (_, of, op, wrong) = *self.bend;
        let mut args = args.clone();
        match wrong {
            Wrong::Given(change) if (kind, op) == (of, "create") => change(&mut args),
            Wrong::IsForeseen(change) if kind == of => change(&mut args),
            Wrong::Fails(error) if (kind, op) == (of, "create") => {
                return Err(Refusal::new(error, "so it is wrong"));
            }
            _ => {}
        }
        if kind != of {
            return self.straight.create(name, kind, &args);
        }
        let straight = match self.straight.create(name, kind, &args) {
            Err(refusal) if refusal.kind == "unsupported" => Arc::new(Hollow::default()),
            made => made?,
        };
        if matches!(wrong, Wrong::Leaks) {
            std::mem::forget(Arc::clone(&straight));
        }
        Ok(Arc::new(BentObject { straight, bend: self.bend }))
    }

    fn altered(&self, kind: &str, straight: Arc<dyn Object>) -> Arc<dyn Object> {
        if kind == self.bend.1 {
            return Arc::new(BentObject { straight, bend: self.bend });
        }
        straight
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        if let (_, ACTOR, _, Wrong::FailsWhere(is_so, kind)) = *self.bend
            && is_so()
        {
            return Err(Refusal::new(kind, "so it is wrong"));
        }
        self.straight.start(how, actor)
    }
}

struct BentObject {
    straight: Arc<dyn Object>,
    bend: &'static Bend,
}

/// Whether a wait with these arguments has no limit, or one that no script waits for.
fn is_long(args: &Arguments) -> bool {
    const LONG_SECONDS: f64 = 60.0;
    let seconds = args.get("timeout").and_then(Value::as_f64);
    seconds.is_none_or(|seconds| seconds >= LONG_SECONDS)
}

/// Polling nothing is a nap: it orders nothing, and is what is wrong.
fn nap() {
    let limit = Timespec::try_from(LONG_NAP).ok();
    let _ = poll(&mut [], limit.as_ref());
}

impl Object for BentObject {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        self.straight.call(op, args)
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let (_, _, bent, wrong) = *self.bend;
        if !bent.split('|').any(|bent| bent == op) {
            return self.straight.call_with(op, args, functions);
        }
        let mut given = args.clone();
        let meant = match wrong {
            Wrong::Skipped | Wrong::IsForeseen(_) => return CallResult::ok(),
            Wrong::Naps => {
                nap();
                return CallResult::ok();
            }
            Wrong::Fails(kind) => return CallResult::failed(kind, "so it is wrong"),
            Wrong::FailsWhere(is_so, kind) if is_so() => {
                return CallResult::failed(kind, "so it is wrong");
            }
            Wrong::Means(other) => other,
            Wrong::Runs => {
                let function = Function::of(args, "function");
                return CallResult::Value(function.map_or(Value::Null, |run| functions.run(&run)));
            }
            Wrong::First(other) => {
                other();
                op
            }
            Wrong::Before(other) => {
                let _ = self.straight.call_with(other, &Arguments::new(), functions);
                op
            }
            _ => op,
        };
        let gives_up = matches!(wrong, Wrong::GivesUp) && is_long(args);
        match wrong {
            Wrong::Given(change) => change(&mut given),
            Wrong::GivesUp if gives_up => {
                given.insert("timeout".to_owned(), LONG_NAP.as_secs_f64().into());
            }
            _ => {}
        }
        let result = self.straight.call_with(meant, &given, functions);
        match (wrong, result) {
            (Wrong::Answers(change), CallResult::Value(value)) => CallResult::Value(change(value)),
            (Wrong::Swallows(kind), CallResult::Failed(refusal)) if refusal.kind == kind => {
                CallResult::ok()
            }
            (Wrong::GivesUp, CallResult::Failed(refusal))
                if gives_up && GIVEN_UP.contains(&&*refusal.kind) =>
            {
                CallResult::ok()
            }
            (Wrong::Allows, CallResult::Prevented(_)) => CallResult::ok(),
            (Wrong::Refuses(kind), CallResult::Prevented(why)) => CallResult::failed(kind, why),
            (Wrong::Then(more), CallResult::Value(value)) => {
                let _ = self.straight.call_with(more, &Arguments::new(), functions);
                CallResult::Value(value)
            }
            (_, result) => result,
        }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        match *self.bend {
            (_, _, "with", Wrong::Skipped) => body(),
            _ => self.straight.scope(body),
        }
    }

    fn hand_over(&self) {
        self.straight.hand_over();
    }

    fn handle(&self) -> Option<&dyn std::any::Any> {
        self.straight.handle()
    }

    fn is_local(&self) -> bool {
        self.straight.is_local()
    }

    fn memory(&self) -> Option<(&'static str, BorrowedFd<'_>)> {
        self.straight.memory()
    }
}
