//! What a client asks, and what a server answers.

use serde::{Deserialize, Serialize};

use super::{Item, ObjectId};
use crate::error::Error;
use crate::objects::{
    array, barrier, condition, dict, event, list, lock, made, namespace, queue, semaphore, value,
};

/// One frame of a client's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Makes an object, which the client then holds: [`Reply::Object`].
    Make(Make),
    /// The client holds one more reference to it: [`Reply::Object`].
    Claim { object: ObjectId },
    /// The client gives one back. Not answered.
    Release { object: ObjectId, lingers: bool },
    /// The caller has given up, and what the call did for it is undone. Not answered, nor is the
    /// call itself if it was waiting.
    Cancel { call: u32 },
    /// A call of an object's, for a thread of the client's, which waits so many nanoseconds at
    /// most.
    Call { object: ObjectId, thread: u32, limit_nanos: Option<u64>, call: Call },
    /// Gives the object a name, by which it is held: [`Reply::Done`].
    Publish { name: String, object: ObjectId },
    /// Takes the name away: [`Reply::Done`].
    Withdraw { name: String },
    /// The client holds what has this name: [`Reply::Object`].
    Find { name: String },
    /// How many objects there are: [`Reply::Count`].
    Count,
}

/// What is to be made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Make {
    Value(Item),
    Array(Vec<Item>),
    List(Vec<Item>),
    Dict(Vec<(Item, Item)>),
    Namespace,
    Lock,
    RLock,
    Semaphore { value: u32, is_bounded: bool },
    Condition,
    Event,
    Barrier { parties: u32 },
    Queue { max: Option<u64> },
    Registered { name: String, input: Item },
}

/// What is called, by the kind of the object.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Call {
    Value(value::Ask),
    Array(array::Ask),
    List(list::Ask),
    Dict(dict::Ask),
    Namespace(namespace::Ask),
    Lock(lock::Ask),
    Semaphore(semaphore::Ask),
    Condition(condition::Ask),
    Event(event::Ask),
    Barrier(barrier::Ask),
    Queue(queue::Ask),
    Registered(made::Ask),
}

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    Value,
    Array,
    List,
    Dict,
    Namespace,
    Lock,
    RLock,
    Semaphore,
    BoundedSemaphore,
    Condition,
    Event,
    Barrier,
    Queue,
    Registered,
}

/// One frame of a server's.
pub(crate) type Answer = Result<Reply, Error>;

/// What comes of a call that succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Done,
    Flag(bool),
    Count(u64),
    Item(Item),
    Maybe(Option<Item>),
    Items(Vec<Item>),
    Pairs(Vec<(Item, Item)>),
    Object { object: ObjectId, kind: Kind },
    Acquired { owner_died: bool },
    Waited { was_notified: bool, owner_died: bool },
}

impl Reply {
    /// The objects that whoever gets this holds then.
    pub(crate) fn refs(&self) -> Vec<ObjectId> {
        let of = |items: &mut dyn Iterator<Item = &Item>| -> Vec<ObjectId> {
            items.flat_map(|item| item.refs.iter().copied()).collect()
        };
        match self {
            Self::Item(item) => of(&mut core::iter::once(item)),
            Self::Maybe(item) => of(&mut item.iter()),
            Self::Items(items) => of(&mut items.iter()),
            Self::Pairs(pairs) => of(&mut pairs.iter().flat_map(|(key, value)| [key, value])),
            Self::Object { object, .. } => vec![*object],
            Self::Done | Self::Flag(_) | Self::Count(_) => Vec::new(),
            Self::Acquired { .. } | Self::Waited { .. } => Vec::new(),
        }
    }
}
