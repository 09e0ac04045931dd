//! What comes of a call, and of a part of a program.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde_json::Value;

use super::newborn::Newborn;

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallResult {
    /// It came back with a value; null is success without one.
    Value(Value),
    /// It failed.
    Failed(Refusal),
    /// The subject does not offer it.
    Unsupported,
    /// The subject's interface makes it impossible; the text says how.
    Prevented(String),
}

/// An error kind of the catalogue, and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A kind of `errors.toml`.
    pub kind: String,
    /// For people.
    pub text: String,
}

/// No error kind: it never leaves this program as one.
const PREVENTED: &str = "prevented";

/// How a part of a program was left: what an [`Object::scope`](super::Object::scope) passes on.
#[derive(Debug)]
#[must_use = "the program goes on, or ends, as this says"]
pub enum Flow {
    /// Its last statement has come back with this.
    Done(Value),
    /// A statement failed.
    Failed(Refusal),
    /// The subject does not offer what a statement asks for.
    Unsupported,
    /// The subject's interface makes it impossible; the text says how.
    Prevented(String),
    /// Whoever runs it leaves the program for good.
    Leaving(Leaving),
}

/// Why the program is left for good. Nothing can be done with it but to pass it on.
pub struct Leaving(pub(super) Way);

pub(super) enum Way {
    /// The actor's main function returns.
    End,
    /// The thread that takes the calls ends.
    EndThread,
    /// This is a forked child, and becomes an actor of its own.
    Child(Box<Newborn>),
}

impl CallResult {
    /// Success without a value.
    pub const fn ok() -> Self {
        Self::Value(Value::Null)
    }

    /// A failure of this kind.
    pub fn failed(kind: &str, text: impl ToString) -> Self {
        Self::Failed(Refusal::new(kind, text))
    }
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: &str, text: impl ToString) -> Self {
        Self { kind: kind.to_owned(), text: text.to_string() }
    }

    /// The subject's interface makes it impossible to ask for this; the text says how. It is for
    /// what a script asks an actor to make.
    pub fn prevented(text: impl ToString) -> Self {
        Self::new(PREVENTED, text)
    }

    /// As the answer to a request of the suite's own, where what is prevented has no word.
    pub(super) fn of_request(self) -> Self {
        if self.kind == PREVENTED { Self::unsupported(self.text) } else { self }
    }

    /// The subject has no such thing.
    pub fn unsupported(text: impl ToString) -> Self {
        Self::new("unsupported", text)
    }
}

impl Flow {
    /// Done, without a value.
    pub const fn ok() -> Self {
        Self::Done(Value::Null)
    }

    pub(super) fn leaving(way: Way) -> Self {
        Self::Leaving(Leaving(way))
    }
}

impl From<CallResult> for Flow {
    fn from(result: CallResult) -> Self {
        match result {
            CallResult::Value(value) => Self::Done(value),
            CallResult::Failed(refusal) => Self::Failed(refusal),
            CallResult::Unsupported => Self::Unsupported,
            CallResult::Prevented(why) => Self::Prevented(why),
        }
    }
}

impl From<Refusal> for Flow {
    /// What the subject has no such thing of is unsupported, and no failure; neither is what its
    /// interface makes impossible.
    fn from(refusal: Refusal) -> Self {
        match refusal.kind.as_str() {
            "unsupported" => Self::Unsupported,
            PREVENTED => Self::Prevented(refusal.text),
            _ => Self::Failed(refusal),
        }
    }
}

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Way::End => "end",
            Way::EndThread => "end thread",
            Way::Child(_) => "forked",
        })
    }
}

/// What was left in the user's own way, on its way out of all guards.
struct Left(Flow);

/// Fails as a user's function does in Rust: by unwinding, without a message on standard error.
pub(super) fn fail_task(text: String) -> ! {
    unwind_with(Flow::Failed(Refusal::new("task-failed", text)))
}

/// Leaves all that stands around, up to the next [`catch_task`].
pub(super) fn unwind_with(flow: Flow) -> ! {
    resume_unwind(Box::new(Left(flow)))
}

/// Runs a part of a program up to where the user's own errors arrive. Any other panic is a fault of
/// the subject, and goes on.
pub(super) fn catch_task(run: impl FnOnce() -> Flow) -> Flow {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(flow) => flow,
        Err(payload) => match payload.downcast::<Left>() {
            Ok(left) => left.0,
            Err(payload) => resume_unwind(payload),
        },
    }
}
