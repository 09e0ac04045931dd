//! A subject written in Rust: a few traits, and [`serve`], which speaks the protocol for it.
//!
//! The thread that calls [`serve`] is the adapter. Each actor is a process or a thread that the
//! subject starts; it reads its calls from a pipe of its own and writes its replies straight to
//! standard output, one `write(2)` a line, so that a kill never tears one.

mod actor;
mod replies;

use std::collections::BTreeMap;
use std::io::{self, BufRead, PipeWriter, Write};
use std::sync::{Arc, Mutex, PoisonError};

pub use crate::protocol::{Answer, Arguments, Form, Hello, How, Pace, Reach};
use crate::protocol::{Ask, Request};
pub use crate::script::Ended;
pub use actor::{Actor, run_in_program};
use replies::say;

/// An implementation that is judged.
pub trait Subject {
    /// Who it is and what it offers.
    fn hello(&self) -> Hello;

    /// Makes a shared object; `name` is its name in the script.
    ///
    /// # Errors
    /// * A [`Refusal`] of the kind `unsupported` when the subject has no such object, of another
    ///   kind when making it failed.
    fn create(
        &mut self,
        name: &str,
        kind: &str,
        args: &Arguments,
    ) -> Result<Arc<dyn Object>, Refusal>;

    /// Starts `actor` in a process or a thread, where it must be run by one of its `run` methods;
    /// that makes the reply.
    ///
    /// # Errors
    /// * A [`Refusal`] of the kind `unsupported` when the subject has no such way of starting, of
    ///   another kind when starting failed.
    fn start(&mut self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal>;
}

/// An object that actors share.
pub trait Object: Send + Sync {
    /// Makes a call, in the thread of the actor that makes it.
    fn call(&self, op: &str, args: &Arguments) -> CallResult;
}

/// What the subject started for an actor.
pub trait Child {
    /// Waits until its process has ended.
    ///
    /// # Errors
    /// * A [`Refusal`] when it cannot be waited for.
    fn reap(&mut self) -> Result<Ended, Refusal>;
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallResult {
    /// It came back with a value; null is success without one.
    Value(serde_json::Value),
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

impl CallResult {
    /// Success without a value.
    pub const fn ok() -> Self {
        Self::Value(serde_json::Value::Null)
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

    /// The subject has no such thing.
    pub fn unsupported(text: impl ToString) -> Self {
        Self::new("unsupported", text)
    }
}

/// Speaks the protocol on standard input and output until `bye` or the end of input.
///
/// # Errors
/// * What reading standard input gave, or a request that cannot be read.
pub fn serve(subject: &mut dyn Subject) -> io::Result<()> {
    let mut adapter = Adapter::default();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let request: Request = serde_json::from_str(&line)?;
        if request.ask == Ask::Bye {
            say(request.id, Answer::ok(&()));
            break;
        }
        adapter.answer(subject, request);
    }
    Ok(())
}

/// The ends through which calls reach the actors. A forked actor closes its copies, or it would
/// keep the others from noticing that the adapter is gone.
pub(crate) type Siblings = Arc<Mutex<BTreeMap<String, PipeWriter>>>;

#[derive(Default)]
struct Adapter {
    objects: BTreeMap<String, Arc<dyn Object>>,
    children: BTreeMap<String, Box<dyn Child>>,
    pipes: Siblings,
}

impl Adapter {
    fn answer(&mut self, subject: &mut dyn Subject, request: Request) {
        let id = request.id;
        let done = match request.ask {
            Ask::Hello { .. } => Ok(Some(Answer::ok(&subject.hello()))),
            Ask::Create { count: Some(_), .. } => {
                Err(Refusal::unsupported("several objects under one name"))
            }
            Ask::Create { object, kind, args, count: None } => {
                self.create(subject, object, &kind, &args)
            }
            Ask::Actor { name, how, parent: None, objects, .. } => {
                self.start(subject, id, name, how, &objects)
            }
            Ask::Actor { .. } => Err(Refusal::unsupported("an actor that starts another")),
            Ask::Reap { actor } => self.reap(&actor),
            Ask::Call { ref actor, .. } => self.pass_on(actor, &request),
            Ask::Run { .. } | Ask::Go { .. } => Err(Refusal::unsupported("programs")),
            Ask::Drop { object } => self.drop_object(&object),
            Ask::Bye => Ok(None),
        };
        match done {
            Ok(Some(answer)) => say(id, answer),
            Ok(None) => {}
            Err(Refusal { kind, text }) => say(id, Answer::Error { kind, text }),
        }
    }

    fn create(
        &mut self,
        subject: &mut dyn Subject,
        name: String,
        kind: &str,
        args: &Arguments,
    ) -> Done {
        let object = subject.create(&name, kind, args)?;
        self.objects.insert(name, object);
        Ok(Some(Answer::ok(&())))
    }

    /// The actor itself answers, once it can take calls.
    fn start(
        &mut self,
        subject: &mut dyn Subject,
        id: u64,
        name: String,
        how: How,
        objects: &[String],
    ) -> Done {
        let (commands, pipe) =
            io::pipe().map_err(|error| Refusal::new("out-of-resources", error))?;
        let mut shared = BTreeMap::new();
        for object in objects {
            let known = self.objects.get(object).ok_or_else(|| unknown("object", object))?;
            shared.insert(object.clone(), Arc::clone(known));
        }
        self.lock_pipes().insert(name.clone(), pipe);
        let actor = Actor::new(name.clone(), id, commands, shared, Arc::clone(&self.pipes));
        match subject.start(how, actor) {
            Ok(child) => self.children.insert(name, child),
            Err(refusal) => {
                self.lock_pipes().remove(&name);
                return Err(refusal);
            }
        };
        Ok(None)
    }

    fn reap(&mut self, name: &str) -> Done {
        let mut child = self.children.remove(name).ok_or_else(|| unknown("actor", name))?;
        self.lock_pipes().remove(name);
        Ok(Some(Answer::ok(&child.reap()?)))
    }

    fn pass_on(&self, actor: &str, request: &Request) -> Done {
        let mut line = serde_json::to_string(request).unwrap_or_default();
        line.push('\n');
        let mut pipes = self.lock_pipes();
        let pipe = pipes.get_mut(actor).ok_or_else(|| unknown("actor", actor))?;
        // A dead actor's call is of no interest; the runner knows that it is dead.
        let _ = pipe.write_all(line.as_bytes());
        Ok(None)
    }

    fn drop_object(&mut self, name: &str) -> Done {
        self.objects.remove(name).ok_or_else(|| unknown("object", name))?;
        Ok(Some(Answer::ok(&())))
    }

    fn lock_pipes(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, PipeWriter>> {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer, or none where somebody else gives it.
type Done = Result<Option<Answer>, Refusal>;

fn unknown(what: &str, name: &str) -> Refusal {
    Refusal::new("no-such-name", format!("there is no {what} {name}"))
}
