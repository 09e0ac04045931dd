//! A case's script as the interpreter runs it: what is shared, who acts, and a step a line.

use serde_json::{Map, Value};

/// The arguments of a call by name; a length of time is a number of seconds.
pub type Arguments = Map<String, Value>;

/// A parsed script. The parser has checked that its names fit together.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What the actors share.
    pub objects: Vec<ObjectLine>,
    /// Who acts.
    pub actors: Vec<ActorLine>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// `object lock: lock`
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectLine {
    /// Its name in the script.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// How it is made.
    pub args: Arguments,
    /// Where this stands.
    pub span: Span,
}

/// A name of `actors a b` or `processes a b`.
#[derive(Debug, Clone, PartialEq)]
pub struct ActorLine {
    /// Its name in the script.
    pub name: String,
    /// It must be a process even where a subject's actors are threads: it is killed, or its being
    /// another process is the point.
    pub own_process: bool,
    /// Where this stands.
    pub span: Span,
}

/// One line that does something.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Where this stands.
    pub span: Span,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `a: lock.acquire(timeout=50ms) -> timed-out after 50ms`
    Call {
        /// Who calls.
        actor: String,
        /// On what.
        object: String,
        /// Which operation.
        op: String,
        /// With what.
        args: Arguments,
        /// What must come of it.
        expected: Expected,
    },
    /// `b: -> ok`, the outcome of a call that was blocked.
    Await {
        /// Whose call.
        actor: String,
        /// What must come of it.
        expected: Expected,
    },
    /// `one of b c d: -> ok`: one of the calls returns so, the others are still blocked.
    OneOf {
        /// Whose calls.
        actors: Vec<String>,
        /// What must come of exactly one of them.
        expected: Expected,
    },
    /// `kill a` or `kill a when blocked`
    Kill {
        /// Who is killed.
        actor: String,
        /// First its call must be shown to wait.
        when_blocked: bool,
    },
}

/// What stands behind the arrow.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// The call waits.
    Blocked,
    /// The call comes back.
    Outcome {
        /// With one of these.
        any_of: Vec<Outcome>,
        /// No earlier than this after its start.
        not_before_nanos: Option<u64>,
    },
}

/// How a call comes back.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With a value; `ok` is null.
    Value(Value),
    /// With an error kind.
    Error(String),
}

/// A place in a script: a line, counted from 1, and the bytes of it from `start` up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The line.
    pub line: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Outcome { any_of, not_before_nanos } = self else {
            return f.write_str("blocked");
        };
        for (place, outcome) in any_of.iter().enumerate() {
            let between = if place == 0 { "" } else { " | " };
            write!(f, "{between}{outcome}")?;
        }
        match not_before_nanos {
            Some(nanos) => write!(f, " after {}", Millis(*nanos)),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(Value::Null) => f.write_str("ok"),
            Self::Value(value) => write!(f, "{value}"),
            Self::Error(kind) => f.write_str(kind),
        }
    }
}

/// Nanoseconds, shown as milliseconds.
pub(crate) struct Millis(pub(crate) u64);

impl std::fmt::Display for Millis {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits only")]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0 as f64 / 1e6;
        if millis.fract() == 0.0 { write!(f, "{millis}ms") } else { write!(f, "{millis:.3}ms") }
    }
}
