//! The life of an actor: calls come in through a pipe, replies go out.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, PipeReader, Read};
use std::sync::{Arc, PoisonError, mpsc};
use std::thread;

use rustix::process::{Signal, getpid, kill_process};
use rustix::thread::gettid;

use super::replies::{now_nanos, say};
use super::{CallResult, Object, Refusal, Siblings};
use crate::protocol::{Answer, Ask, Request, Started};

/// An actor that is about to be started. Whoever gets it runs it where it shall live.
pub struct Actor {
    name: String,
    id: u64,
    commands: PipeReader,
    life: Life,
    siblings: Siblings,
}

/// What an actor needs once its calls arrive.
struct Life {
    objects: BTreeMap<String, Arc<dyn Object>>,
}

impl Actor {
    pub(super) fn new(
        name: String,
        id: u64,
        commands: PipeReader,
        objects: BTreeMap<String, Arc<dyn Object>>,
        siblings: Siblings,
    ) -> Self {
        Self { name, id, commands, life: Life { objects }, siblings }
    }

    /// Its name in the script.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the objects that it shares.
    pub fn object_names(&self) -> impl Iterator<Item = &str> {
        self.life.objects.keys().map(String::as_str)
    }

    /// Runs it in this process, which was forked for it, until the adapter lets go of it; the
    /// process does not survive that, even when a call waits for ever.
    pub fn run_in_fork(self) {
        self.siblings.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.life.run_in_process(self.id, self.commands);
    }

    /// Runs it in this thread of the adapter, until the adapter lets go of it.
    pub fn run_in_thread(self) {
        self.life.hello(self.id);
        for request in requests(self.commands) {
            self.life.take(request);
        }
    }

    /// Its pipe and the id of the request that the process which is given the pipe must answer by
    /// [`run_in_program`].
    pub fn into_program(self) -> (PipeReader, u64) {
        (self.commands, self.id)
    }
}

/// Runs an actor in a program that was executed for it, with the pipe of [`Actor::into_program`] as
/// its standard input.
pub fn run_in_program(id: u64, objects: BTreeMap<String, Arc<dyn Object>>) {
    Life { objects }.run_in_process(id, io::stdin());
}

impl Life {
    fn run_in_process(&self, id: u64, commands: impl Read + Send + 'static) {
        let (pass, calls) = mpsc::channel();
        let reader = move || {
            for request in requests(commands) {
                if pass.send(request).is_err() {
                    break;
                }
            }
            // The main thread may wait in a call for ever, and this is the one way to end a
            // process that neither a lock nor an exit handler can hold up.
            let _ = kill_process(getpid(), Signal::KILL);
        };
        if let Err(error) = thread::Builder::new().spawn(reader) {
            let kind = "out-of-resources".to_owned();
            return say(id, Answer::Error { kind, text: error.to_string() });
        }
        self.hello(id);
        for request in calls {
            self.take(request);
        }
    }

    fn hello(&self, id: u64) {
        let pid = getpid().as_raw_nonzero().get();
        let tid = gettid().as_raw_nonzero().get();
        say(id, Answer::ok(&Started { pid, tid }));
    }

    fn take(&self, request: Request) {
        let Ask::Call { target, op, args, .. } = request.ask else { return };
        let id = request.id;
        let Some(object) = self.objects.get(&target.object) else {
            let text = format!("this actor has no {}", target.object);
            return say(id, Answer::Error { kind: "no-such-name".to_owned(), text });
        };
        say(id, Answer::Entered { at: now_nanos() });
        let result = object.call(&op, &args);
        let at = now_nanos();
        say(
            id,
            match result {
                CallResult::Value(value) => Answer::Returned { at, value },
                CallResult::Failed(Refusal { kind, text }) => Answer::Failed { at, kind, text },
                CallResult::Unsupported => Answer::Unsupported,
                CallResult::Prevented(why) => Answer::Prevented { why },
            },
        );
    }
}

/// The requests up to the end of the pipe, or up to the first that is none.
fn requests(commands: impl Read) -> impl Iterator<Item = Request> {
    let lines = BufReader::new(commands).lines();
    lines.map_while(|line| serde_json::from_str(&line.ok()?).ok())
}
