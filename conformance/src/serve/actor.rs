//! An actor that is about to be started: what the subject gets, to run it where it shall live.

use std::io::{PipeReader, PipeWriter, Write};
use std::os::fd::RawFd;
use std::sync::Arc;

use rustix::process::getpid;
use rustix::thread::gettid;
use serde_json::Value;

use super::estate::Estate;
use super::flow::{Flow, catch_task};
use super::interpreter::Interpreter;
use super::life::{Life, Source};
use super::pipes::Pipes;
use super::replies::say;
use super::shelf::{Handled, Shelf};
use super::{Refusal, Subject};
use crate::protocol::{Answer, Started};
use crate::script::Program;
use crate::sys::fork::close_left_behind;

/// An actor that is about to be started. Whoever gets it runs it where it shall live.
pub struct Actor {
    pub(super) name: String,
    pub(super) work: Work,
    pub(super) heirs: Vec<Estate>,
    pub(super) objects: Handled,
    pub(super) subject: Arc<dyn Subject>,
    pub(super) starter: Starter,
}

/// What fills the life of an actor.
pub(super) enum Work {
    /// It says that it is there, and takes calls.
    Calls(Greeting, PipeReader),
    /// It runs one function, says nothing, and nobody calls it.
    Function(Program),
}

/// What the new actor says as its first word, and to whom.
pub(super) struct Greeting {
    /// The request that it answers: `actor`, or the `run` whose statement starts it.
    pub(super) id: u64,
    /// Its starter, which waits for it inside a program. None waits for the adapter's own.
    pub(super) hatch: Option<PipeWriter>,
}

/// What a copy of the starter's process has to let go of.
pub(super) struct Starter {
    pub(super) pipes: Pipes,
    pub(super) shelf: Shelf,
    /// Reading ends whose owners stay behind in the starter's threads and frames.
    pub(super) descriptors: Vec<RawFd>,
}

impl Actor {
    /// Its name in the script; that of one that runs a function is empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the objects that it shares.
    pub fn object_names(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().map(String::as_str)
    }

    /// Runs it in this process, which was forked for it, until the adapter lets go of it or it
    /// ends by itself. When the adapter lets go, the process ends here, even when a call waits for
    /// ever.
    ///
    /// # Errors
    /// * What the function failed with, for an actor that is started to run one.
    pub fn run_in_fork(self) -> Result<(), Refusal> {
        self.starter.let_go();
        self.live(true, Pipes::default())
    }

    /// Runs it in this thread, until the adapter lets go of it or it ends by itself.
    ///
    /// # Errors
    /// * As [`run_in_fork`](Self::run_in_fork).
    pub fn run_in_thread(self) -> Result<(), Refusal> {
        let pipes = self.starter.pipes.clone();
        self.live(false, pipes)
    }

    fn live(self, is_process: bool, pipes: Pipes) -> Result<(), Refusal> {
        let Self { name, work, heirs, objects, subject, .. } = self;
        let shelf = Shelf::new(objects);
        let life = Life { heirs, pipes, is_process, ..Life::new(shelf, subject) };
        work.fill(life, name, is_process)
    }
}

impl Work {
    pub(super) fn fill(self, life: Life, name: String, is_process: bool) -> Result<(), Refusal> {
        match self {
            Self::Calls(greeting, commands) => {
                let source =
                    if is_process { Source::read_aside(commands) } else { Source::read(commands) };
                let source = source.unwrap_or_else(|error| greeting.refuse(&error));
                greeting.say(name);
                Life { source, ..life }.live();
                Ok(())
            }
            Self::Function(program) => {
                let mut life = life;
                run_alone(&mut life, &program, Value::Null).map(drop)
            }
        }
    }
}

/// Runs a function that belongs to no call, on what it is given. There is nobody to say `waiting`
/// to, or to say that it cannot be: that is a failure here.
pub(super) fn run_alone(
    life: &mut Life,
    program: &Program,
    given: Value,
) -> Result<Value, Refusal> {
    match catch_task(|| Interpreter::function(life, 0, program, given)) {
        Flow::Done(value) => Ok(value),
        Flow::Leaving(_) => Ok(Value::Null),
        Flow::Failed(refusal) => Err(refusal),
        Flow::Unsupported => Err(Refusal::unsupported("in a function")),
        Flow::Prevented(why) => Err(Refusal::prevented(why)),
    }
}

impl Greeting {
    pub(super) fn say(self, name: String) {
        let pid = getpid().as_raw_nonzero().get();
        let tid = gettid().as_raw_nonzero().get();
        let Some(mut hatch) = self.hatch else {
            return say(self.id, Answer::ok(&Started { pid, tid }));
        };
        say(self.id, Answer::Started { name, pid, tid });
        // A starter that is dead by now does not wait.
        let _ = hatch.write_all(b"s");
    }

    /// There is no thread for its reader, and without one it must not live.
    fn refuse<T>(&self, error: &std::io::Error) -> T {
        let kind = "out-of-resources".to_owned();
        say(self.id, Answer::Error { kind, text: error.to_string() });
        crate::sys::endings::exit_now(1)
    }
}

impl Starter {
    /// In a forked copy of the starter's process.
    fn let_go(&self) {
        self.pipes.close_in_child();
        self.shelf.clear();
        self.descriptors.iter().copied().for_each(close_left_behind);
    }
}
