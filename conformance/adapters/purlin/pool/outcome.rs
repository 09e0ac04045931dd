//! Results that are asked for later, and iterators, as objects of a script.

use std::any::Any;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use purlin_conformance::serve::{Arguments, CallResult, Functions, Object};
use purlin_pool::{AsyncResult, Bytes, Error};
use purlin_sync::Deadline;
use serde_json::{Value, json};

use super::super::lock::deadline;
use super::source::{Source, prevented, shown};
use super::task::{Formless, HERE, is_large, task};
use super::{Working, refusal};

/// The kinds of object.
pub(in super::super) const RESULT: &str = "async-result";
pub(in super::super) const ITERATOR: &str = "iterator";

/// What can be asked of a result.
pub(in super::super) const RESULT_OPERATIONS: [&str; 5] =
    ["get", "wait", "ready", "successful", "failure"];

/// What can be asked of an iterator.
pub(in super::super) const ITERATOR_OPERATIONS: [&str; 3] = ["next", "rest", "failure"];

/// What a task returned, as a script reads it.
pub(super) trait Told: Send + Sync + 'static {
    fn told(&self) -> Value;
}

impl Told for String {
    fn told(&self) -> Value {
        serde_json::from_str(self).unwrap_or_default()
    }
}

impl Told for i64 {
    fn told(&self) -> Value {
        (*self).into()
    }
}

impl<T: Told> Told for Vec<T> {
    fn told(&self) -> Value {
        self.iter().map(Told::told).collect()
    }
}

impl Told for Formless {
    fn told(&self) -> Value {
        Value::Null
    }
}

/// Whether it is whole.
impl Told for Bytes {
    fn told(&self) -> Value {
        is_large(self).into()
    }
}

/// A result, whatever is in it.
pub(super) trait Outcome: Send + Sync {
    fn get(&self, deadline: Deadline) -> Result<Value, Error>;
    fn wait(&self, deadline: Deadline);
    fn is_ready(&self) -> bool;
    fn is_successful(&self) -> Result<bool, Error>;
}

impl<T: Told> Outcome for AsyncResult<T> {
    fn get(&self, deadline: Deadline) -> Result<Value, Error> {
        self.get(deadline).map(Told::told)
    }

    fn wait(&self, deadline: Deadline) {
        self.wait(deadline);
    }

    fn is_ready(&self) -> bool {
        self.is_ready()
    }

    fn is_successful(&self) -> Result<bool, Error> {
        self.is_successful()
    }
}

/// The last failure, of which scripts ask what it says.
#[derive(Default)]
pub(super) struct Failure(Mutex<Option<Error>>);

impl Failure {
    /// What is answered for it.
    pub(super) fn answer(&self, error: Error) -> CallResult {
        let refusal = refusal(&error);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        CallResult::Failed(refusal)
    }

    /// Whether it says this text; with `place`, where the task failed.
    pub(super) fn says(&self, args: &Arguments) -> CallResult {
        let failure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = failure.as_ref().map(ToString::to_string).unwrap_or_default();
        let wanted = args.get("has").and_then(Value::as_str);
        let wanted = if args.contains_key("place") { Some(HERE) } else { wanted };
        CallResult::Value(wanted.is_some_and(|wanted| text.contains(wanted)).into())
    }
}

/// A result that is filled in by the call of a pool.
#[derive(Default)]
pub(in super::super) struct Pending {
    outcome: Mutex<Option<Arc<dyn Outcome>>>,
    failure: Failure,
}

impl Pending {
    pub(super) fn fill(&self, outcome: Arc<dyn Outcome>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    fn ask(&self, op: &str, args: &Arguments) -> CallResult {
        if op == "failure" {
            return self.failure.says(args);
        }
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(outcome) = outcome else {
            return CallResult::failed("pool-not-running", "nothing was submitted");
        };
        let limit = match limit(args) {
            Ok(limit) => limit,
            Err(other) => return other,
        };
        let done = match op {
            "get" => outcome.get(limit),
            "wait" => {
                outcome.wait(limit);
                Ok(Value::Null)
            }
            "ready" => Ok(outcome.is_ready().into()),
            "successful" => outcome.is_successful().map(Value::from),
            _ => return CallResult::Unsupported,
        };
        done.map_or_else(|error| self.failure.answer(error), CallResult::Value)
    }
}

impl Object for Pending {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        self.ask(op, args)
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        match self.ask(op, args) {
            CallResult::Value(Value::Array(values)) => shown(values, args, functions),
            other => other,
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn is_local(&self) -> bool {
        true
    }
}

type Next = Result<Option<Value>, Error>;

/// An iterator of a pool, which borrows that: a thread has both, and is asked.
struct Steps {
    ask: Sender<Deadline>,
    told: Receiver<Next>,
}

/// An iterator that is filled in by the call of a pool.
#[derive(Default)]
pub(in super::super) struct Stepping {
    steps: Mutex<Option<Steps>>,
    failure: Failure,
}

impl Stepping {
    pub(super) fn begin(
        &self,
        working: Arc<Working>,
        source: Source,
        chunk: usize,
        is_ordered: bool,
    ) -> Result<(), Error> {
        let (ask, asked) = channel();
        let (tell, told) = channel();
        let work = move || {
            with!(working, pool => {
                if is_ordered {
                    let made = pool.imap(task, source, chunk);
                    step(made.map(|mut all| move |limit| all.next_within(limit)), &asked, &tell);
                } else {
                    let made = pool.imap_unordered(task, source, chunk);
                    step(made.map(|mut all| move |limit| all.next_within(limit)), &asked, &tell);
                }
            });
        };
        let started = thread::Builder::new().name("iterator".to_owned()).spawn(work);
        started.map_err(|_| Error::OutOfResources)?;
        told.recv().unwrap_or(Err(Error::Damaged))?;
        *self.now() = Some(Steps { ask, told });
        Ok(())
    }

    fn now(&self) -> MutexGuard<'_, Option<Steps>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, deadline: Deadline) -> Next {
        let steps = self.now();
        let Some(steps) = &*steps else { return Err(Error::PoolNotRunning) };
        let _ = steps.ask.send(deadline.start());
        steps.told.recv().unwrap_or(Err(Error::Damaged))
    }

    /// All that is left, up to the first failure.
    fn rest(&self) -> Result<Vec<Value>, Error> {
        std::iter::from_fn(|| self.step(Deadline::never()).transpose()).collect()
    }
}

/// Steps as long as it is asked to, and says first whether there is anything to step.
fn step<R: Told>(
    made: Result<impl FnMut(Deadline) -> Result<Option<R>, Error>, Error>,
    asked: &Receiver<Deadline>,
    tell: &Sender<Next>,
) {
    let (first, steps) = match made {
        Ok(steps) => (Ok(None), Some(steps)),
        Err(error) => (Err(error), None),
    };
    let _ = tell.send(first);
    let Some(mut steps) = steps else { return };
    for deadline in asked {
        let next = steps(deadline).map(|next| next.map(|value| value.told()));
        if tell.send(next).is_err() {
            return;
        }
    }
}

impl Object for Stepping {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match (op, limit(args)) {
            ("failure", _) => self.failure.says(args),
            ("next", Ok(limit)) => match self.step(limit) {
                Ok(Some(value)) => CallResult::Value(value),
                Ok(None) => CallResult::failed("stop-iteration", "there is none left"),
                Err(error) => self.failure.answer(error),
            },
            ("next", Err(other)) => other,
            _ => CallResult::Unsupported,
        }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op != "rest" {
            return self.call(op, args);
        }
        match self.rest() {
            Ok(values) => shown(values, args, functions),
            Err(error) => self.failure.answer(error),
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// The limit among the arguments.
pub(super) fn limit(args: &Arguments) -> Result<Deadline, CallResult> {
    deadline(&args.iter().filter(|(name, _)| *name == "timeout").map(owned).collect())
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// What the argument `to` names, of this type.
pub(super) fn filled<T: 'static, D>(
    args: &Arguments,
    functions: &Functions<'_>,
    fill: impl FnOnce(&T) -> D,
) -> Result<Option<D>, CallResult> {
    let Some(to) = args.get("to").and_then(Value::as_str) else { return Ok(None) };
    let place = args.get("place").and_then(Value::as_u64);
    let object = functions.object_at(to, place).map_err(CallResult::Failed)?;
    match object.handle().and_then(<dyn Any>::downcast_ref::<T>) {
        Some(found) => Ok(Some(fill(found))),
        None => Err(prevented("it has another type")),
    }
}

/// A failure as the value that a callback is given.
pub(super) fn kind(error: &Error) -> Value {
    json!(error.kind())
}
