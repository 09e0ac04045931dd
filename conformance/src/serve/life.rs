//! The life of an actor: calls come in through a pipe, replies go out.

use std::io::{self, BufReader, PipeReader, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::{mem, sync::mpsc, thread};

use rustix::process::{Signal, getpid, kill_process};

use super::estate::Estate;
use super::flow::{Flow, Way};
use super::functions::made_call;
use super::interpreter::Interpreter;
use super::pipes::Pipes;
use super::replies::{now_nanos, say};
use super::requests::{next_of, requests};
use super::shelf::{Shelf, place};
use super::{Child, Refusal, Subject};
use crate::protocol::{Answer, Arguments, Ask, Request, Target};
use crate::sys::endings::end_this_thread;
use crate::sys::fork::close_left_behind;
use crate::sys::signal::leave_to_others;

/// What an actor is once its calls arrive.
pub(super) struct Life {
    pub(super) shelf: Shelf,
    pub(super) heirs: Vec<Estate>,
    pub(super) subject: Arc<dyn Subject>,
    pub(super) source: Source,
    /// The adapter's writing ends, where this is one of its threads; none otherwise.
    pub(super) pipes: Pipes,
    /// The first thread of a process of its own, or one thread among others.
    pub(super) is_process: bool,
    /// Kept, since an implementation may collect a child whose handle is dropped, and how it ended
    /// would be lost.
    pub(super) children: Vec<Box<dyn Child>>,
}

/// Where its requests come from.
pub(super) enum Source {
    /// A thread of their own reads them. The number is the pipe's, which that thread owns.
    Aside(mpsc::Receiver<Request>, RawFd),
    /// The thread that makes the calls.
    Here(Box<BufReader<PipeReader>>),
    /// Taken away.
    Nothing,
}

impl Life {
    /// The life of a process of its own that nobody calls, and that starts no actors.
    pub(super) fn new(shelf: Shelf, subject: Arc<dyn Subject>) -> Self {
        Self {
            shelf,
            heirs: Vec::new(),
            subject,
            source: Source::Nothing,
            pipes: Pipes::default(),
            is_process: true,
            children: Vec::new(),
        }
    }

    /// Takes requests until there are no more, or the actor ends by itself.
    pub(super) fn live(&mut self) {
        while let Some(request) = self.source.next() {
            let way = match request.ask {
                Ask::Call { target, op, args, .. } => self.call(request.id, &target, &op, &args),
                Ask::Run { program, .. } => Interpreter::run(self, request.id, &program),
                Ask::Go { .. } => refuse(request.id, "nobody waits here"),
                _ => refuse(request.id, "an actor takes calls and programs only"),
            };
            match way {
                None => {}
                Some(Way::End) => return,
                Some(Way::EndThread) if self.is_process => end_this_thread(),
                Some(Way::EndThread) => return,
                Some(Way::Child(newborn)) => newborn.live(self),
            }
        }
    }

    fn call(&mut self, id: u64, target: &Target, op: &str, args: &Arguments) -> Option<Way> {
        let index = place(target.index.as_ref(), &[]);
        let found = index.and_then(|index| self.shelf.find(&target.object, index));
        let object = match found {
            Ok(object) => object,
            Err(Refusal { kind, text }) => {
                say(id, Answer::Error { kind, text });
                return None;
            }
        };
        say(id, Answer::Entered { at: now_nanos() });
        let flow = made_call(self, id, &*object, op, args);
        outcome(id, now_nanos(), flow)
    }
}

/// Says what came of a call or a program, unless the actor leaves it for good.
pub(super) fn outcome(id: u64, at: u64, flow: Flow) -> Option<Way> {
    let answer = match flow {
        Flow::Done(value) => Answer::Returned { at, value },
        Flow::Failed(Refusal { kind, text }) => Answer::Failed { at, kind, text },
        Flow::Unsupported => Answer::Unsupported,
        Flow::Prevented(why) => Answer::Prevented { why },
        Flow::Leaving(leaving) => return Some(leaving.0),
    };
    say(id, answer);
    None
}

fn refuse(id: u64, why: &str) -> Option<Way> {
    say(id, Answer::Error { kind: "invalid-argument".to_owned(), text: why.to_owned() });
    None
}

impl Source {
    /// Reads in a thread of its own, which ends the process when the pipe ends.
    ///
    /// # Errors
    /// * When there can be no further thread.
    pub(super) fn read_aside(commands: impl Read + AsRawFd + Send + 'static) -> io::Result<Self> {
        let (pass, calls) = mpsc::channel();
        let number = commands.as_raw_fd();
        let reader = move || {
            leave_to_others();
            for request in requests(commands) {
                // Whoever took them may have ended; the process goes on until the pipe ends.
                let _ = pass.send(request);
            }
            // The thread that calls may wait for ever, and this is the one way to end a process
            // that neither a lock nor an exit handler can hold up.
            let _ = kill_process(getpid(), Signal::KILL);
        };
        thread::Builder::new().name("reader".to_owned()).spawn(reader)?;
        Ok(Self::Aside(calls, number))
    }

    /// Reads in the thread that calls.
    pub(super) fn read(commands: PipeReader) -> io::Result<Self> {
        Ok(Self::Here(Box::new(BufReader::new(commands))))
    }

    /// The next request, waited for; none when the adapter has let go.
    pub(super) fn next(&mut self) -> Option<Request> {
        match self {
            Self::Aside(calls, _) => calls.recv().ok(),
            Self::Here(lines) => next_of(lines),
            Self::Nothing => None,
        }
    }

    pub(super) fn descriptor(&self) -> Option<RawFd> {
        match self {
            Self::Aside(_, number) => Some(*number),
            Self::Here(lines) => Some(lines.get_ref().as_raw_fd()),
            Self::Nothing => None,
        }
    }

    /// In a forked copy: closes the pipe, whose owner may be a thread that stayed behind with a
    /// lock of the channel taken.
    pub(super) fn leave_behind(&mut self) {
        match mem::replace(self, Self::Nothing) {
            Self::Aside(calls, number) => {
                mem::forget(calls);
                close_left_behind(number);
            }
            here => drop(here),
        }
    }
}
