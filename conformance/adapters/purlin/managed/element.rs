//! What a script keeps in a managed object: a value, a byte string, or another object's stand-in.

use purlin_conformance::serve::{Arguments, CallResult, Functions, Item};
use purlin_manager::{
    Array, Barrier, Condition, Dict, Event, List, Lock, Namespace, Object as Thing, Queue, RLock,
    Semaphore, Value as One,
};
use purlin_pool::Bytes;
use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Done, Managed, prevented};

/// A stand-in, of whatever kind.
#[derive(Clone, Serialize, Deserialize)]
pub(in super::super) enum Proxy {
    List(List<Element>),
    Dict(Dict<Element, Element>),
    Namespace(Namespace),
    Whole(One<i32>),
    Real(One<f64>),
    WholeRow(Array<i32>),
    RealRow(Array<f64>),
    Queue(Queue<Element>),
    Lock(Lock),
    RLock(RLock),
    Semaphore(Semaphore),
    Condition(Condition),
    Event(Event),
    Barrier(Barrier),
    Thing(Thing),
}

/// What is in a list, a dictionary, a record or a queue.
#[derive(Clone, Serialize, Deserialize)]
pub(in super::super) enum Element {
    /// Its JSON, since a serial form has to know its type.
    Plain(String),
    Bytes(Bytes),
    Held(Proxy),
    Formless(Formless),
}

/// What has no serial form.
#[derive(Clone)]
pub(in super::super) struct Formless;

impl Serialize for Formless {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("it has no serial form"))
    }
}

impl<'de> Deserialize<'de> for Formless {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("it has no serial form"))
    }
}

impl Element {
    pub(in super::super) fn plain(value: &Value) -> Self {
        Self::Plain(value.to_string())
    }

    /// What the arguments say: a value as `name`, a byte string, or an `object`.
    pub(super) fn of(args: &Arguments, name: &str, functions: &Functions<'_>) -> Done<Self> {
        if let Some(value) = args.get(name) {
            return Ok(Self::plain(value));
        }
        if let Some(object) = args.get("object").and_then(Value::as_str) {
            let object = functions.object(object).map_err(CallResult::Failed)?;
            return Ok(Self::Held(Managed::of(&*object)?.proxy()?));
        }
        let item = Item::of(args).ok_or(CallResult::Unsupported)?;
        Ok(Self::Bytes(Bytes(item.as_bytes().to_vec())))
    }

    /// As a script reads it; a stand-in becomes the object that `to` names.
    pub(super) fn told(self, args: &Arguments, functions: Option<&Functions<'_>>) -> Done<Value> {
        match self {
            Self::Plain(text) => {
                serde_json::from_str(&text).map_err(|error| CallResult::failed("system", error))
            }
            Self::Bytes(bytes) => Ok(Item::received(bytes.0).told()),
            Self::Held(proxy) => match (args.get("to").and_then(Value::as_str), functions) {
                (Some(to), Some(functions)) => {
                    let object = functions.object(to).map_err(CallResult::Failed)?;
                    Managed::of(&*object)?.fill(proxy);
                    Ok(Value::Null)
                }
                _ => Ok("an object".into()),
            },
            Self::Formless(_) => Err(prevented("it has no serial form")),
        }
    }
}
