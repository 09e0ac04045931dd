//! Where plans and bursts are played: what the subject's object is, and what the subject can do.

use super::call::Op;
use super::kind::Kind;
use crate::contract::AskedForm;
use crate::protocol::{Hello, How};

/// What a subject says of one form of a group's object, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// What it is. One that comes in sizes is drawn in several.
    pub model: Kind,
    /// The kind of object that is made.
    pub kind: String,
    /// Its operations.
    pub operations: Vec<String>,
    /// How actors are started.
    pub how: How,
    /// Actors die, and holders among them.
    pub has_deaths: bool,
    /// An actor can drop a handle.
    pub can_drop: bool,
    /// An actor can end by itself.
    pub can_end: bool,
}

impl Ground {
    /// What a subject says of this form of a group's object.
    ///
    /// # Errors
    /// * Why it cannot be asked.
    pub fn new(hello: &Hello, group: &str, form: &AskedForm<'_>) -> Result<Self, String> {
        let kind = form.kind;
        let Some(operations) = hello.objects.get(kind) else {
            return Err(format!("{} offers no {kind}", hello.name));
        };
        let how = hello.starts.first().ok_or("there is no way to start an actor")?;
        let model = Kind::of(group, form).ok_or_else(|| format!("a {group} has no model"))?;
        let has = |what: &str| hello.capabilities.iter().any(|capability| capability == what);
        Ok(Self {
            model,
            kind: kind.to_owned(),
            operations: operations.clone(),
            how: *how,
            // A thread cannot be killed alone.
            has_deaths: *how != How::Thread,
            can_drop: *how != How::Thread && has("programs") && has("drop"),
            can_end: *how != How::Thread && has("programs") && has("ends"),
        })
    }

    /// Whether the subject offers this call at all.
    #[must_use]
    pub fn offers(&self, op: Op) -> bool {
        let (word, _) = op.words();
        self.operations.iter().any(|offered| offered == word)
    }

    /// The same without deaths, for a subject that promises nothing after one.
    #[must_use]
    pub fn without_deaths(self) -> Self {
        Self { has_deaths: false, can_drop: false, can_end: false, ..self }
    }

    /// The same without a call of this name, for a subject that is known to let it spoil the rest.
    #[must_use]
    pub fn without_call(mut self, op: &str) -> Self {
        self.operations.retain(|offered| offered != op);
        self
    }

    /// Its actors are threads of one process.
    #[must_use]
    pub fn has_threads(&self) -> bool {
        self.how == How::Thread
    }
}
