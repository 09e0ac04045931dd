//! The protocol between the runner and a subject's adapter, as types. Its own page, for whoever
//! writes an adapter in another language, is `docs/protocol.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::script::Program;
pub use crate::script::{Arguments, Target};

/// One line from the runner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What the reply repeats; never used twice for one adapter.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// What the runner can ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "lowercase")]
pub enum Ask {
    /// Who are you? Always the first.
    Hello {
        /// The runner's version of the protocol.
        protocol: u32,
    },
    /// Make a shared object.
    Create {
        /// Its name from now on.
        object: String,
        /// What it is.
        kind: String,
        /// How it is made.
        args: Arguments,
        /// How many of it are made under this name; one without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
    },
    /// Start a process or a thread that takes calls and has these objects.
    Actor {
        /// Its name from now on.
        name: String,
        /// How it is started.
        how: How,
        /// Who starts it; null is the adapter itself, and the only one in the core.
        parent: Option<String>,
        /// What it shares.
        objects: Vec<String>,
        /// The actors that it will start itself. The adapter makes their pipes now, so that this
        /// actor, and what it starts, inherit the reading ends.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        heirs: Vec<Heir>,
    },
    /// Wait for an actor's process, as its parent.
    Reap {
        /// Whose process.
        actor: String,
    },
    /// Start a call in an actor.
    Call {
        /// Who calls.
        actor: String,
        /// On what.
        #[serde(flatten)]
        target: Target,
        /// Which operation.
        op: String,
        /// With what.
        args: Arguments,
    },
    /// Run a program in an actor (capability `programs`).
    Run {
        /// Whose.
        actor: String,
        /// What.
        program: Program,
    },
    /// Let an actor's program go on behind its `wait`.
    Go {
        /// Whose.
        actor: String,
    },
    /// Let go of an object.
    Drop {
        /// Which.
        object: String,
    },
    /// The end.
    Bye,
}

/// An actor that another actor will start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heir {
    /// Its name.
    pub name: String,
    /// The actors that it will start in turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heirs: Vec<Heir>,
}

/// How an actor is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// A process, by fork.
    Fork,
    /// A process of a program that is executed anew.
    Spawn,
    /// A thread of the adapter.
    Thread,
}

/// One line from the adapter or from one of its actors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The request that it answers.
    pub id: u64,
    /// What it says.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What can be answered. Times are the actor's monotonic clock in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
pub enum Answer {
    /// Done; the request says which fields come with it.
    Ok {
        /// Those fields.
        #[serde(flatten)]
        fields: Map<String, Value>,
    },
    /// Not done.
    Error {
        /// A kind of `errors.toml`.
        kind: String,
        /// For people.
        #[serde(default)]
        text: String,
    },
    /// The actor is about to make the call.
    Entered {
        /// When.
        at: u64,
    },
    /// A statement of a program started an actor, which says this itself, once it takes calls.
    Started {
        /// Its name.
        name: String,
        /// The process that takes the calls.
        pid: i32,
        /// The thread of it that makes them.
        tid: i32,
    },
    /// The program has come to its statement `wait`.
    Waiting {
        /// When.
        at: u64,
    },
    /// The call came back.
    Returned {
        /// When.
        at: u64,
        /// With what; null is success without a value.
        value: Value,
    },
    /// The call failed.
    Failed {
        /// When.
        at: u64,
        /// A kind of `errors.toml`.
        kind: String,
        /// For people.
        #[serde(default)]
        text: String,
    },
    /// The subject does not offer this call.
    Unsupported,
    /// The subject's interface makes this call impossible, which is as good as refusing it.
    Prevented {
        /// How.
        why: String,
    },
}

/// The fields of the reply to `hello`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The adapter's version of the protocol.
    pub protocol: u32,
    /// The subject, such as `cpython-3.13-fork`.
    pub name: String,
    /// Its version, for the report.
    pub version: String,
    /// How actors can be started; the first is the usual way.
    pub starts: Vec<How>,
    /// Whether objects reach an actor only at its start or at any time.
    pub objects_reach: Reach,
    /// The operations offered, by kind of object.
    pub objects: BTreeMap<String, Vec<String>>,
    /// What is offered beyond the core.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The sides that the subject takes, by choice.
    #[serde(default)]
    pub contracts: BTreeMap<String, Vec<String>>,
    /// Further kinds of object that are asked for all that a group of the catalogue promises, as
    /// `handover-lock` is for what is promised of a lock.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forms: BTreeMap<String, Form>,
    /// How fast it starts actors.
    #[serde(default)]
    pub pace: Pace,
}

/// A kind of object that is a form of what a group is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The group.
    pub of: String,
    /// The sides that it takes, where they are others than the subject's own.
    #[serde(default)]
    pub contracts: BTreeMap<String, Vec<String>>,
}

/// How fast a subject starts actors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// Some hundred a second.
    #[default]
    Fast,
    /// Some ten a second: rounds that start actors are a tenth as many, and the report says so.
    Slow,
}

/// When an object can be given to an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Only when it is started.
    Start,
    /// Also later.
    AnyTime,
}

/// The fields of the reply to `actor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The process that takes the calls.
    pub pid: i32,
    /// The thread of it that makes them.
    pub tid: i32,
}

impl Answer {
    /// The answer to a request that is done, with `fields` as its fields.
    pub fn ok(fields: &impl Serialize) -> Self {
        match serde_json::to_value(fields) {
            Ok(Value::Object(fields)) => Self::Ok { fields },
            _ => Self::Ok { fields: Map::new() },
        }
    }
}

impl How {
    /// The word in lines and reports.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Spawn => "spawn",
            Self::Thread => "thread",
        }
    }
}
