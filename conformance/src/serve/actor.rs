//! An actor that is about to be started: what the subject gets, to run it where it shall live.

use std::io::{PipeReader, PipeWriter, Write};
use std::os::fd::RawFd;
use std::sync::Arc;

use rustix::process::getpid;
use rustix::thread::gettid;

use super::Subject;
use super::estate::Estate;
use super::life::{Life, Source};
use super::pipes::Pipes;
use super::replies::say;
use super::shelf::{Handled, Shelf};
use crate::protocol::{Answer, Started};
use crate::sys::fork::close_left_behind;

/// An actor that is about to be started. Whoever gets it runs it where it shall live.
pub struct Actor {
    pub(super) name: String,
    pub(super) greeting: Greeting,
    pub(super) commands: PipeReader,
    pub(super) heirs: Vec<Estate>,
    pub(super) objects: Handled,
    pub(super) subject: Arc<dyn Subject>,
    pub(super) starter: Starter,
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
    /// Its name in the script.
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
    pub fn run_in_fork(self) {
        self.starter.let_go();
        self.become_life(true, Pipes::default()).live();
    }

    /// Runs it in this thread, until the adapter lets go of it or it ends by itself.
    pub fn run_in_thread(self) {
        let pipes = self.starter.pipes.clone();
        self.become_life(false, pipes).live();
    }

    /// The last steps before its first call: a reader, and the greeting.
    fn become_life(self, is_process: bool, pipes: Pipes) -> Life {
        let Self { name, greeting, commands, heirs, objects, subject, .. } = self;
        let source = if is_process { Source::read_aside(commands) } else { Source::read(commands) };
        let life = Life {
            shelf: Shelf::new(objects),
            heirs,
            subject,
            source: source.unwrap_or_else(|error| greeting.refuse(&error)),
            pipes,
            is_process,
            children: Vec::new(),
        };
        greeting.say(name);
        life
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
