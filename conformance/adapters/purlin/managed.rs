//! Objects that a manager's server keeps, as the suite asks for them: by the operations of their
//! kind, as if they were here.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use purlin_channel::Pipe;
use purlin_conformance::serve::{Arguments, CallResult, Flow, Functions, Object, Refusal};
use purlin_manager::{Client, Error};
use serde_json::Value;

use super::numbers::Form;
use super::queue::limit;
use crate::adapter::pipe::line_of;
use element::{Element, Proxy};

#[path = "managed/containers.rs"]
mod containers;
#[path = "managed/element.rs"]
pub(super) mod element;
#[path = "managed/waits.rs"]
mod waits;

/// The kinds that there are at a server alone.
pub(super) const LIST: &str = "list";
pub(super) const DICT: &str = "dict";
pub(super) const NAMESPACE: &str = "namespace";
pub(super) const REGISTERED: &str = "registered";

/// What can be asked of a list.
pub(super) const LIST_OPERATIONS: [&str; 26] = [
    "length",
    "get",
    "set",
    "append",
    "insert",
    "remove",
    "pop",
    "extend",
    "reverse",
    "count",
    "index",
    "read",
    "repeat",
    "joined",
    "walk",
    "next",
    "get_and_change",
    "change_and_set",
    "append_unsendable",
    "read_for_ever",
    "text",
    "equals",
    "call",
    "fill",
    "send_by",
    "recv_from",
];

/// What can be asked of a dictionary.
pub(super) const DICT_OPERATIONS: [&str; 13] = [
    "length",
    "get",
    "set",
    "contains",
    "keys",
    "values",
    "read",
    "pop",
    "clear",
    "walk",
    "next",
    "send_by",
    "recv_from",
];

/// What can be asked of a record.
pub(super) const NAMESPACE_OPERATIONS: [&str; 5] = ["get", "set", "delete", "send_by", "recv_from"];

/// What can be asked of an object of a registered type.
pub(super) const REGISTERED_OPERATIONS: [&str; 5] =
    ["call", "next", "failure", "send_by", "recv_from"];

/// What comes of a call, or what it is answered in its place.
pub(super) type Done<T> = Result<T, CallResult>;

/// An object at a server, by its stand-in; none before one is put here.
#[derive(Default)]
pub(super) struct Managed {
    proxy: Mutex<Option<Proxy>>,
    /// The place that a walk comes to next.
    walk: Mutex<Option<usize>>,
    /// What the last failure of a method said.
    failure: Mutex<String>,
    /// The threads that hold the lock of a condition, since a wait is to be given what shows it.
    holders: Mutex<Vec<ThreadId>>,
}

impl Managed {
    /// What an object is.
    pub(super) fn of(object: &dyn Object) -> Done<&Self> {
        let found = object.handle().and_then(<dyn Any>::downcast_ref::<Self>);
        found.ok_or_else(|| prevented("it is no stand-in"))
    }

    fn with(proxy: Proxy) -> Self {
        Self { proxy: Mutex::new(Some(proxy)), ..Self::default() }
    }

    pub(super) fn proxy(&self) -> Done<Proxy> {
        let none = || CallResult::failed("no-such-name", "no stand-in was put here");
        locked(&self.proxy).clone().ok_or_else(none)
    }

    pub(super) fn fill(&self, proxy: Proxy) {
        let before = locked(&self.proxy).replace(proxy);
        drop(before); // behind the lock: it may ask the server
    }

    /// Its kind, and what it is made of elsewhere: a word.
    pub(super) fn as_word(&self) -> Result<String, Refusal> {
        let Ok(proxy) = self.proxy() else { return Ok(format!("{WORD}unfilled")) };
        let text = serde_json::to_string(&proxy).map_err(|error| Refusal::new("system", error))?;
        Ok(format!("{WORD}{}", text.replace(' ', "\\u0020")))
    }

    /// The object of a word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word.strip_prefix(WORD)? {
            "unfilled" => Some(Self::default()),
            text => serde_json::from_str(text).ok().map(Self::with),
        }
    }

    fn ask(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> Done<Value> {
        match op {
            "send_by" => self.send_by(args, functions),
            "recv_from" => self.recv_from(args, functions),
            _ => match self.proxy()? {
                Proxy::List(list) => {
                    self.ask_list(&list.within(patience(args)?), op, args, functions)
                }
                Proxy::Dict(dict) => {
                    self.ask_dict(&dict.within(patience(args)?), op, args, functions)
                }
                Proxy::Namespace(record) => containers::ask_record(&record, op, args, functions),
                Proxy::Whole(one) => containers::ask_one::<i32>(&one, op, args),
                Proxy::Real(one) => containers::ask_one::<f64>(&one, op, args),
                Proxy::WholeRow(row) => containers::ask_row::<i32>(&row, op, args),
                Proxy::RealRow(row) => containers::ask_row::<f64>(&row, op, args),
                Proxy::Thing(thing) => self.ask_thing(&thing, op, args),
                Proxy::Queue(queue) => waits::ask_queue(&queue, op, args, functions),
                Proxy::Condition(condition) => self.ask_condition(&condition, op, args, functions),
                other => waits::ask(&other, op, args),
            },
        }
    }

    /// Sends the stand-in as a message by the pipe's end of this name.
    fn send_by(&self, args: &Arguments, functions: &Functions<'_>) -> Done<Value> {
        let text = serde_json::to_vec(&self.proxy()?);
        let text = text.map_err(|error| CallResult::failed("not-transferable", error))?;
        let sent = end(args, functions)?.send(&text, limit(args)?);
        sent.map(|()| Value::Null).map_err(super::queue::failed)
    }

    /// Receives one, and is it from there on.
    fn recv_from(&self, args: &Arguments, functions: &Functions<'_>) -> Done<Value> {
        let text = end(args, functions)?.recv(limit(args)?).map_err(super::queue::failed)?;
        let read = serde_json::from_slice(&text);
        self.fill(read.map_err(|error| CallResult::failed("not-transferable", error))?);
        Ok(Value::Null)
    }
}

/// So begins the word of one.
const WORD: &str = "managed:";

/// The end of a pipe that the arguments name.
fn end(args: &Arguments, functions: &Functions<'_>) -> Done<Pipe> {
    let name = args.get("end").and_then(Value::as_str).unwrap_or_default();
    let object = functions.object(name).map_err(CallResult::Failed)?;
    line_of::<Pipe>(&*object)
}

/// How long a call waits for a server that does not answer.
fn patience(args: &Arguments) -> Done<Option<Duration>> {
    Ok(limit(args)?.start().remaining())
}

impl Object for Managed {
    fn call(&self, _op: &str, _args: &Arguments) -> CallResult {
        CallResult::Unsupported // what it is asked for may name other objects
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        self.ask(op, args, functions).map_or_else(|other| other, CallResult::Value)
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        match self.proxy() {
            Ok(proxy) => self.scope_of(&proxy, body),
            Err(other) => other.into(),
        }
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// Makes an object at a server.
pub(super) fn made(
    client: &Client,
    kind: &str,
    args: &Arguments,
) -> Result<Arc<dyn Object>, Refusal> {
    if args.contains_key("offered") {
        let found = client.find(super::manager::OFFERED).map_err(|error| refusal(&error))?;
        return Ok(Arc::new(Managed::with(Proxy::Queue(found))));
    }
    let proxy = proxy_of(client, kind, args)?.map_err(|error| refusal(&error))?;
    Ok(Arc::new(Managed::with(proxy)))
}

fn proxy_of(
    client: &Client,
    kind: &str,
    args: &Arguments,
) -> Result<Result<Proxy, Error>, Refusal> {
    let number = |name: &str, usual: u32| {
        let number = args.get(name).map_or(Some(u64::from(usual)), Value::as_u64);
        let number = number.and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| Refusal::prevented("a u32 is a whole number that is not negative"))
    };
    let of_floats = args.get("type").and_then(Value::as_str) == Some("f64");
    Ok(match kind {
        LIST => client.list(elements(args)).map(Proxy::List),
        DICT => client.dict(pairs(args)).map(Proxy::Dict),
        NAMESPACE => client.namespace().map(Proxy::Namespace),
        REGISTERED => {
            let name = args.get("type").and_then(Value::as_str).unwrap_or_default();
            client.object(name, &()).map(Proxy::Thing)
        }
        "value" if of_floats => client.value(meant::<f64>(args.get("value"))?).map(Proxy::Real),
        "value" => client.value(meant::<i32>(args.get("value"))?).map(Proxy::Whole),
        "array" if of_floats => client.array(all_meant::<f64>(args)?).map(Proxy::RealRow),
        "array" => client.array(all_meant::<i32>(args)?).map(Proxy::WholeRow),
        "lock" => client.lock().map(Proxy::Lock),
        "rlock" => client.rlock().map(Proxy::RLock),
        "semaphore" => client.semaphore(number("value", 1)?).map(Proxy::Semaphore),
        "bounded-semaphore" => client.bounded_semaphore(number("value", 1)?).map(Proxy::Semaphore),
        "condition" => client.condition().map(Proxy::Condition),
        "event" => client.event().map(Proxy::Event),
        "barrier" => client.barrier(number("parties", 1)?).map(Proxy::Barrier),
        "queue" | "joinable-queue" => match number("bound", 0)? {
            0 => client.queue().map(Proxy::Queue),
            bound => client.bounded_queue(bound.into()).map(Proxy::Queue),
        },
        _ => return Err(Refusal::unsupported(format!("no server keeps a {kind}"))),
    })
}

/// The elements that a list is made of: `values`, or those below `over`.
fn elements(args: &Arguments) -> Vec<Element> {
    if let Some(count) = args.get("over").and_then(Value::as_u64) {
        return (0..count).map(|number| Element::plain(&number.into())).collect();
    }
    let values = args.get("values").and_then(Value::as_array);
    values.into_iter().flatten().map(Element::plain).collect()
}

fn pairs(args: &Arguments) -> Vec<(Element, Element)> {
    let pair = |pair: &Value| Some((Element::plain(pair.get(0)?), Element::plain(pair.get(1)?)));
    let pairs = args.get("pairs").and_then(Value::as_array);
    pairs.into_iter().flatten().filter_map(pair).collect()
}

fn meant<F: Form>(value: Option<&Value>) -> Result<F::Plain, Refusal> {
    let Some(value) = value else { return Ok(F::Plain::default()) };
    F::of(value).ok_or_else(|| Refusal::prevented(format!("{value} is of another type")))
}

fn all_meant<F: Form>(args: &Arguments) -> Result<Vec<F::Plain>, Refusal> {
    let values = args.get("values").and_then(Value::as_array);
    values.into_iter().flatten().map(|value| meant::<F>(Some(value))).collect()
}

pub(super) fn prevented(why: &str) -> CallResult {
    CallResult::Prevented(why.to_owned())
}

pub(super) fn refusal(error: &Error) -> Refusal {
    Refusal::new(error.kind(), error)
}

fn failed(error: Error) -> CallResult {
    CallResult::Failed(refusal(&error))
}

fn null(_: ()) -> Value {
    Value::Null
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
