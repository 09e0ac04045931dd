//! A subject written in Rust: a few traits, and [`serve`], which speaks the protocol for it.
//!
//! The thread that calls [`serve`] is the adapter. Each actor is a process or a thread that the
//! subject starts; it reads its calls from a pipe of its own and writes its replies straight to
//! standard output, one `write(2)` a line, so that a kill never tears one.
//!
//! ```text
//!   adapter (`serve`)            actor a                       actor b, forked by a
//!   makes the pipes of a and b   reader: pipe a, ends it all   reader: pipe b
//!   holds the writing ends       caller: calls, programs       caller
//! ```
//!
//! Programs (`run`) are interpreted here, for every subject. What is the subject's own comes
//! through the traits: its calls, its guard ([`Object::scope`]), its way of starting
//! ([`Subject::start`]). Cells and logs are the library's.

mod actor;
mod adapter;
mod bulk;
mod errands;
mod estate;
mod flow;
mod functions;
mod host;
mod interpreter;
mod life;
mod newborn;
mod package;
mod passage;
mod pipes;
mod replies;
mod requests;
mod rows;
mod shared;
mod shelf;
mod threads;

use std::io;
use std::sync::Arc;

pub use crate::protocol::{Answer, Arguments, Form, Hello, How, Pace, Reach};
pub use crate::script::Ended;
pub use actor::Actor;
pub use bulk::{Item, Mixture, SEEDS_COUNT};
pub use errands::Errands;
pub use flow::{CallResult, Flow, Leaving, Refusal};
pub use functions::{Function, Functions, is_true};
pub use package::{Package, run_package};
pub use passage::{idle_if_replaced, run_in_program};
pub use threads::{InThread, duration_limit, start_thread};

/// All that is offered beyond the core, by name: what [`Hello::capabilities`] of a subject can
/// hold. The interpreter offers the first ten to every subject whose objects bear them; `start`
/// is [`Subject::start`] called in an actor, `make` is [`Subject::create`], and `drop` drops an
/// [`Object`]. A subject whose calls can be interrupted adds `interrupts` ([`catch_interrupts`]).
pub const CAPABILITIES: &[&str] = &[
    "programs",
    "cells",
    "logs",
    "host",
    "functions",
    "threads",
    "fork",
    "ends",
    "exec",
    "catch",
    "start",
    "make",
    "drop",
];

/// An implementation that is judged. It is asked in the adapter, and for the statements `make` and
/// `start` also in its actors.
pub trait Subject: Send + Sync {
    /// Who it is and what it offers. Cells and logs need no mention among the objects.
    fn hello(&self) -> Hello;

    /// Makes a shared object; `name` is its name in the script. One of several has the name
    /// `many[3]`.
    ///
    /// # Errors
    /// * A [`Refusal`] of the kind `unsupported` when the subject has no such object, of another
    ///   kind when making it failed.
    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal>;

    /// What takes the place of an object of the library's own, such as a log: itself. For the
    /// subjects that check the suite alone.
    #[doc(hidden)]
    fn altered(&self, kind: &str, object: Arc<dyn Object>) -> Arc<dyn Object> {
        let _ = kind;
        object
    }

    /// Starts `actor` in a process or a thread, where it must be run by one of its `run` methods;
    /// that makes the reply.
    ///
    /// # Errors
    /// * A [`Refusal`] of the kind `unsupported` when the subject has no such way of starting, of
    ///   another kind when starting failed.
    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal>;
}

/// An object that actors share.
pub trait Object: Send + Sync {
    /// Makes a call, in the thread of the actor that makes it.
    fn call(&self, op: &str, args: &Arguments) -> CallResult;

    /// Makes a call that may run functions, be they among its arguments or among those that the
    /// object was made with. What [`Functions::run`] unwinds with must get through to here.
    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let _ = functions;
        self.call(op, args)
    }

    /// Runs `body` inside the subject's own guard: enters, runs it once, leaves, and answers what
    /// it answered. When entering fails, `body` is not run, and the answer is that failure; an
    /// entry that is told `owner-died` fails so. `body` may unwind, and may return twice: in a
    /// process and in its forked copy, each of which leaves the guard.
    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        let _ = body;
        Flow::Unsupported
    }

    /// The handle inside, for a subject that hands its objects over to an actor's process itself:
    /// see [`Actor::pack`].
    fn handle(&self) -> Option<&dyn std::any::Any> {
        None
    }

    /// Called before this thread forks, be it by the bare call: the new process is to have it. For
    /// handles that a fork closes unless they are told.
    fn hand_over(&self) {}

    /// Whether it means nothing in a program of its own: an actor that is one does not have it.
    fn is_local(&self) -> bool {
        false
    }

    /// What a program that is executed for an actor needs to reach a cell or a log; for the
    /// library's own objects alone.
    #[doc(hidden)]
    fn memory(&self) -> Option<(&'static str, std::os::fd::BorrowedFd<'_>)> {
        None
    }
}

/// What the subject started for an actor.
pub trait Child: Send {
    /// Waits until its process has ended.
    ///
    /// # Errors
    /// * A [`Refusal`] when it cannot be waited for.
    fn reap(&mut self) -> Result<Ended, Refusal>;
}

/// Lets an interrupt by the user (SIGINT) cut the calls of this process instead of ending it: what
/// an actor of a subject with the capability `interrupts` calls first. Its calls ask
/// [`was_interrupted`] when they were cut.
///
/// # Errors
/// * What the system refused.
pub fn catch_interrupts() -> io::Result<()> {
    crate::sys::signal::catch_interrupt()
}

/// Whether there was an interrupt since this was last asked.
pub fn was_interrupted() -> bool {
    crate::sys::signal::was_interrupted()
}

/// Speaks the protocol on standard input and output until `bye` or the end of input.
///
/// # Errors
/// * What reading standard input gave, or a request that cannot be read.
pub fn serve(subject: Arc<dyn Subject>) -> io::Result<()> {
    idle_if_replaced();
    adapter::serve(subject)
}
