//! Pools of purlin as the suite asks for them: of processes, by fork or by spawn, or of threads.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_conformance::serve::{
    Arguments, CallResult, Flow, Function, Functions, How, Item, Object, Refusal,
};
use purlin_pool::{Builder, Bytes, Callbacks, Error, Pool, ThreadPool};
use serde_json::{Value, json};

use super::managed::Managed;
use super::managed::element::Proxy;
use outcome::{Failure, Outcome, Pending, Stepping, Told, filled, kind, limit};
use source::{Source, chunk, prevented, shown, work};
use task::{
    Formless, Kit, Traced, begin, formless, given_formless, large, multiply, put_on, reversed,
    same, task,
};

/// Does something with a pool, whatever its workers are.
macro_rules! with {
    ($working:expr, $pool:ident => $done:expr) => {
        match &*$working {
            $crate::adapter::purlin::pool::Working::Processes($pool) => $done,
            $crate::adapter::purlin::pool::Working::Threads($pool) => $done,
        }
    };
}

#[path = "pool/outcome.rs"]
pub(super) mod outcome;
#[path = "pool/source.rs"]
mod source;
#[path = "pool/task.rs"]
mod task;

/// The kinds of object.
pub(super) const KIND: &str = "pool";
pub(super) const THREADS: &str = "thread-pool";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 23] = [
    "start",
    "size",
    "worker",
    "strangers",
    "apply",
    "submit",
    "map",
    "map_async",
    "starmap",
    "imap",
    "imap_unordered",
    "close",
    "terminate",
    "join",
    "failure",
    "map_unsendable",
    "map_traced",
    "traced",
    "map_reversed",
    "map_puts",
    "send",
    "drop",
    "local",
];

/// Of what a failure says a reply has so much.
const TEXT_MAX_COUNT: usize = 1000;

/// A pool that works.
pub(super) enum Working {
    Processes(Pool),
    Threads(ThreadPool),
}

/// A pool, from its description to its end.
pub(super) struct Described {
    subject: &'static str,
    /// How its workers are started when nobody says how.
    usual: How,
    working: Mutex<Option<Arc<Working>>>,
    /// It was closed or terminated.
    is_over: AtomicBool,
    failure: Failure,
}

/// What comes of a call, or what it is answered in its place.
type Done = Result<Value, CallResult>;

impl Described {
    pub(super) fn new(subject: &'static str, usual: How) -> Self {
        let (is_over, failure) = (AtomicBool::new(false), Failure::default());
        Self { subject, usual, working: Mutex::default(), is_over, failure }
    }

    fn now(&self) -> MutexGuard<'_, Option<Arc<Working>>> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> Result<Arc<Working>, CallResult> {
        self.now().clone().ok_or_else(|| prevented("there is no Pool before it is made, or after"))
    }

    /// Ends what worked before, if there was anything.
    fn let_go(&self) {
        let before = self.now().take();
        drop(before); // behind the lock: it waits for the end of the workers
    }

    fn failed(&self, error: Error) -> CallResult {
        self.failure.answer(error)
    }

    fn done<T>(&self, done: Result<T, Error>, told: impl FnOnce(T) -> Value) -> Done {
        done.map(told).map_err(|error| self.failed(error))
    }

    fn start(&self, args: &Arguments, functions: &Functions<'_>) -> Done {
        self.let_go();
        let mut builder = Builder::new();
        if let Some(workers) = whole(args, "workers")? {
            builder = builder.workers(workers);
        }
        if let Some(tasks) = whole(args, "tasks")? {
            builder = builder.tasks_per_worker(tasks as u64);
        }
        let initializer = match args.get("initializer") {
            None => None,
            Some(value) if Function::of(args, "initializer").is_some() => Some(value.to_string()),
            Some(_) => return Err(prevented("what is no function is no initializer")),
        };
        let package = functions.pack().map_err(CallResult::Failed)?;
        let kit = Kit::new(self.subject, package, initializer);
        let (first, kit) = kit.map_err(CallResult::Failed)?;
        let how = match args.get("by").and_then(Value::as_str) {
            Some("fork") => How::Fork,
            Some("spawn") => How::Spawn,
            _ => self.usual,
        };
        let made = builder.initializer(begin, first, kit).and_then(|builder| match how {
            How::Fork => builder.fork().map(Working::Processes),
            How::Spawn => builder.spawn().map(Working::Processes),
            How::Thread => builder.threads().map(Working::Threads),
        });
        let made = made.map_err(|error| self.failed(error))?;
        *self.now() = Some(Arc::new(made));
        self.is_over.store(false, Relaxed); // Relaxed: as in `end`
        Ok(Value::Null)
    }

    /// The processes of its workers.
    fn workers(&self) -> Result<Vec<i32>, CallResult> {
        match &*self.working()? {
            Working::Processes(pool) => {
                let views = pool.workers().map_err(|error| self.failed(error))?;
                Ok(views.into_iter().map(|view| view.pid).collect())
            }
            Working::Threads(_) => Err(CallResult::Unsupported),
        }
    }

    fn worker(&self, args: &Arguments) -> Done {
        let place = whole(args, "place")?.unwrap_or(0);
        let worker = self.workers()?.get(place).copied();
        worker.map(Value::from).ok_or_else(|| CallResult::failed("out-of-range", "no such worker"))
    }

    /// How many of these are none of its workers' processes.
    fn strangers(&self, args: &Arguments) -> Done {
        let workers = self.workers()?;
        let given = args.get("of").and_then(Value::as_array).cloned().unwrap_or_default();
        let is_own = |pid: &&Value| workers.iter().any(|own| **pid == json!(own));
        Ok(given.iter().filter(|pid| !is_own(pid)).count().into())
    }

    fn apply(&self, args: &Arguments) -> Done {
        let work = work(args)?;
        if let Some(why) = ruled_out(&work, args) {
            return Err(why);
        }
        let given = work.given(args.get("of").unwrap_or(&Value::Null));
        let working = self.working()?;
        if work.is("unsendable") {
            let done = with!(working, pool => pool.apply(formless, given));
            return self.done(done, |formless| formless.told());
        }
        let done = with!(working, pool => pool.apply(task, given));
        self.done(done, |value| value.told())
    }

    fn submit(&self, args: &Arguments, functions: &Functions<'_>) -> Done {
        let work = work(args)?;
        if let Some(why) = ruled_out(&work, args) {
            return Err(why);
        }
        let given = work.given(args.get("of").unwrap_or(&Value::Null));
        let working = self.working()?;
        let result: Result<Arc<dyn Outcome>, Error> = if work.is("unsendable") {
            let calls = callbacks::<Formless>(args, functions);
            with!(working, pool => pool.apply_async_with(formless, given, calls).map(shared))
        } else if work.is("large") {
            let calls = callbacks::<Bytes>(args, functions);
            with!(working, pool => pool.apply_async_with(large, given, calls).map(shared))
        } else {
            let calls = callbacks::<String>(args, functions);
            with!(working, pool => pool.apply_async_with(task, given, calls).map(shared))
        };
        self.keep(args, functions, result)
    }

    /// Has it filled in what the arguments name, or drops it.
    fn keep(
        &self,
        args: &Arguments,
        functions: &Functions<'_>,
        result: Result<Arc<dyn Outcome>, Error>,
    ) -> Done {
        let result = result.map_err(|error| self.failed(error))?;
        filled(args, functions, |pending: &Pending| pending.fill(result))?;
        Ok(Value::Null)
    }

    fn map(&self, args: &Arguments, functions: &Functions<'_>) -> Result<Value, CallResult> {
        let (source, chunk) = (Source::of(args, functions)?, chunk(args)?);
        let working = self.working()?;
        // What the source fails with comes through the call.
        let map = || with!(working, pool => pool.map(task, source, chunk));
        let done = catch_unwind(AssertUnwindSafe(map)).unwrap_or_else(|panic| {
            let message = panic.downcast::<String>();
            let message = *message.unwrap_or_else(|other| resume_unwind(other));
            Err(Error::TaskFailed { message, trace: String::new() })
        });
        self.done(done, |values| values.told())
    }

    fn map_async(&self, args: &Arguments, functions: &Functions<'_>) -> Done {
        let (source, chunk) = (Source::of(args, functions)?, chunk(args)?);
        let working = self.working()?;
        let calls = callbacks::<Vec<String>>(args, functions);
        let result =
            with!(working, pool => pool.map_async_with(task, source, chunk, calls).map(shared));
        self.keep(args, functions, result)
    }

    fn starmap(&self, args: &Arguments, functions: &Functions<'_>) -> Done {
        let given = args.get("of").and_then(Value::as_array).cloned().unwrap_or_default();
        let pair = |value: &Value| Some((value.get(0)?.as_i64()?, value.get(1)?.as_i64()?));
        let pairs = given.iter().map(pair).collect::<Option<Vec<(i64, i64)>>>();
        let pairs = match args.get("squares").and_then(Value::as_i64) {
            Some(count) => (0..count).map(|n| (n, n)).collect(),
            None => pairs.ok_or_else(|| prevented("what is no tuple of two is none of these"))?,
        };
        let (chunk, working) = (chunk(args)?, self.working()?);
        if args.contains_key("to") {
            let result = with!(working, pool => {
                pool.starmap_async(multiply, pairs, chunk).map(shared)
            });
            return self.keep(args, functions, result);
        }
        let done = with!(working, pool => pool.starmap(multiply, pairs, chunk));
        self.done(done, |values| values.told())
    }

    fn imap(&self, args: &Arguments, functions: &Functions<'_>, is_ordered: bool) -> Done {
        let (source, chunk) = (Source::of(args, functions)?, chunk(args)?.unwrap_or(1));
        let working = self.working()?;
        let begin = |steps: &Stepping| steps.begin(working, source, chunk, is_ordered);
        let begun = filled(args, functions, begin)?.unwrap_or(Ok(()));
        self.done(begun, |()| Value::Null)
    }

    fn map_unsendable(&self, args: &Arguments) -> Done {
        let count = whole(args, "count")?.unwrap_or(1);
        let values = (0..count).map(|_| Formless);
        let working = self.working()?;
        let done = with!(working, pool => pool.map(given_formless, values, 1));
        self.done(done, |values| values.told())
    }

    /// How many come back reversed, of so many of so many bytes.
    fn map_reversed(&self, args: &Arguments) -> Done {
        let count = whole(args, "count")?.unwrap_or(1);
        let len = whole(args, "bytes")?.unwrap_or(1);
        let bytes = |seed: usize| Bytes(Item::bytes(len, seed as u64).as_bytes().to_vec());
        let working = self.working()?;
        let done = with!(working, pool => pool.map(reversed, (0..count).map(bytes), 1));
        self.done(done, |values| {
            let is_right = |(seed, found): &(usize, Bytes)| reversed(bytes(*seed)) == *found;
            values.into_iter().enumerate().filter(is_right).count().into()
        })
    }

    /// Each puts its number on a queue at a server, which is a part of what it is given.
    fn map_puts(&self, args: &Arguments, functions: &Functions<'_>) -> Done {
        let on = args.get("on").and_then(Value::as_str).unwrap_or_default();
        let object = functions.object(on).map_err(CallResult::Failed)?;
        let Proxy::Queue(queue) = Managed::of(&*object)?.proxy()? else {
            return Err(prevented("what is put there is put on a queue"));
        };
        let count = whole(args, "over")?.unwrap_or(1) as u64;
        let working = self.working()?;
        let given = (0..count).map(|number| (queue.clone(), number));
        self.done(with!(working, pool => pool.map(put_on, given, 1)), |_| Value::Null)
    }

    fn map_traced(&self, args: &Arguments) -> Done {
        let count = whole(args, "count")?.unwrap_or(1);
        let values = (0..count).map(|_| Traced::new());
        let working = self.working()?;
        let done = with!(working, pool => pool.map(same, values, 1));
        self.done(done, |values| values.len().into())
    }

    fn end(&self, done: Result<(), Error>) -> Done {
        self.is_over.store(done.is_ok(), Relaxed); // Relaxed: it guards nothing
        self.done(done, null)
    }

    /// What only a pool of threads takes: a function that captures, and what it captures.
    fn local(&self) -> Done {
        match &*self.working()? {
            Working::Processes(_) => Err(prevented("what captures is no task of a process")),
            Working::Threads(pool) => {
                let here = Arc::new(7);
                let same = Arc::clone(&here);
                let done = pool.apply(move |()| Arc::clone(&same), ());
                self.done(done, |came| json!([*came, Arc::ptr_eq(&came, &here)]))
            }
        }
    }

    fn ask(&self, op: &str, args: &Arguments, functions: &Functions<'_>) -> Done {
        match op {
            "start" => self.start(args, functions),
            "size" => Ok(with!(self.working()?, pool => pool.worker_count()).into()),
            "worker" => self.worker(args),
            "strangers" => self.strangers(args),
            "apply" => self.apply(args),
            "submit" => self.submit(args, functions),
            "map" => {
                self.map(args, functions).and_then(|values| values_of(values, args, functions))
            }
            "map_async" => self.map_async(args, functions),
            "starmap" => {
                let done = self.starmap(args, functions);
                done.and_then(|values| values_of(values, args, functions))
            }
            "imap" => self.imap(args, functions, true),
            "imap_unordered" => self.imap(args, functions, false),
            "close" => self.end(with!(self.working()?, pool => pool.close())),
            "terminate" => self.end(with!(self.working()?, pool => pool.terminate())),
            "join" => {
                let limit = limit(args)?;
                self.done(with!(self.working()?, pool => pool.join(limit)), null)
            }
            "map_unsendable" => self.map_unsendable(args),
            "map_traced" => self.map_traced(args),
            "traced" => Ok(Traced::count().into()),
            "map_reversed" => self.map_reversed(args),
            "map_puts" => self.map_puts(args, functions),
            "send" => Err(prevented("a Pool has no serial form, and cannot be carried")),
            "drop" => {
                self.let_go();
                Ok(Value::Null)
            }
            "local" => self.local(),
            _ => Err(CallResult::Unsupported),
        }
    }
}

impl Object for Described {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        if op == "failure" { self.failure.says(args) } else { CallResult::Unsupported }
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        if op == "failure" {
            return self.call(op, args);
        }
        self.ask(op, args, functions).map_or_else(|other| other, CallResult::Value)
    }

    /// The scope of a pool is its life.
    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        match self.working() {
            // Relaxed: as in `end`.
            Ok(_) if self.is_over.load(Relaxed) => {
                Flow::Prevented("the scope of a pool is its life, which is over".to_owned())
            }
            Ok(_) => {
                let _life = LetGo(self);
                body()
            }
            Err(other) => other.into(),
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// Ends a pool when it is dropped.
struct LetGo<'a>(&'a Described);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

/// What cannot be asked for: the compiler refuses it.
fn ruled_out(work: &task::Work, args: &Arguments) -> Option<CallResult> {
    if args.contains_key("base") {
        return Some(CallResult::Unsupported); // arguments have no names
    }
    let why = match () {
        () if work.is("square") && args.get("of").is_some_and(Value::is_array) => {
            "a function of one number is not given two"
        }
        () if work.is("unsendable-function") => "what captures is no task of a process",
        () if work.is("unknown") => "workers run the same program, which has the same functions",
        () if args.get("of").and_then(Value::as_str) == Some("queue") => {
            "a handle has no serial form; the initializer carries it"
        }
        () => return None,
    };
    Some(prevented(why))
}

fn values_of(values: Value, args: &Arguments, functions: &Functions<'_>) -> Done {
    let Value::Array(values) = values else { return Ok(values) };
    match shown(values, args, functions) {
        CallResult::Value(value) => Ok(value),
        other => Err(other),
    }
}

/// The functions that are called when it has ended.
fn callbacks<T: Told>(args: &Arguments, functions: &Functions<'_>) -> Callbacks<T> {
    let later = |name: &str| {
        let run = Function::of(args, name).map(|function| functions.later(&function))?;
        Some(move |value| {
            if let Err(refusal) = run(value) {
                resume_unwind(Box::new(refusal.text)); // as a callback fails
            }
        })
    };
    let mut callbacks = Callbacks::new();
    if let Some(run) = later("callback") {
        callbacks = callbacks.value(move |value: &T| run(value.told()));
    }
    if let Some(run) = later("error_callback") {
        callbacks = callbacks.error(move |error| run(kind(error)));
    }
    callbacks
}

fn shared<T: Told>(result: purlin_pool::AsyncResult<T>) -> Arc<dyn Outcome> {
    Arc::new(result)
}

/// A count among the arguments.
fn whole(args: &Arguments, name: &str) -> Result<Option<usize>, CallResult> {
    let Some(value) = args.get(name) else { return Ok(None) };
    let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
    count.map(Some).ok_or_else(|| prevented("a count is a whole number that is not negative"))
}

pub(super) fn refusal(error: &Error) -> Refusal {
    // A trace can be longer than a reply.
    let text: String = error.to_string().chars().take(TEXT_MAX_COUNT).collect();
    Refusal::new(error.kind(), text)
}

const fn null((): ()) -> Value {
    Value::Null
}
