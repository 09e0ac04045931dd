//! A process of a type of its own: with a run step, and with a pipe that it was made with. It
//! answers each text in capitals.

use std::sync::{Mutex, PoisonError};

use purlin_channel::{Error, Pipe};
use purlin_conformance::serve::{Arguments, CallResult, How, Object, Refusal};
use purlin_process::{Builder, Process, Run};
use serde_json::Value;

use super::process::{of, refusal, shown};
use super::queue::failed;

/// The kind of object.
pub(super) const KIND: &str = "shouter";

/// What can be asked of it.
pub(super) const OPERATIONS: [&str; 5] = ["start", "submit", "stop", "join", "exit_status"];

/// What ends it.
const LAST: &str = "none";

/// What goes to the child: its end of the pipe.
struct Shouting(Pipe);

impl Run for Shouting {
    type Outcome = Result<(), Error>;

    fn run(self) -> Self::Outcome {
        // Ends: with the last word, or with whoever says it.
        loop {
            let text = self.0.recv(None)?;
            if text == LAST.as_bytes() {
                return Ok(());
            }
            self.0.send(&text.to_ascii_uppercase(), None)?;
        }
    }
}

/// By spawn the step is a function, and its end of the pipe is carried.
fn shout((): (), (pipe,): (Pipe,)) -> Result<(), Error> {
    Shouting(pipe).run()
}

/// One, and this side's end of its pipe.
pub(super) struct Shouter {
    how: How,
    pipe: Pipe,
    stage: Mutex<Stage>,
}

enum Stage {
    Made(Shouting),
    Started(Process),
    /// Its start has failed.
    Spent,
}

impl Shouter {
    pub(super) fn new(how: How) -> Result<Self, Refusal> {
        let (pipe, theirs) = Pipe::duplex().map_err(|error| Refusal::new(error.kind(), error))?;
        Ok(Self { how, pipe, stage: Mutex::new(Stage::Made(Shouting(theirs))) })
    }

    fn start(&self) -> CallResult {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let shouting = match std::mem::replace(&mut *stage, Stage::Spent) {
            Stage::Made(shouting) => shouting,
            other => {
                *stage = other;
                return CallResult::Prevented("starting consumes it".to_owned());
            }
        };
        let started = match self.how {
            How::Spawn => Builder::new().spawn(shout, (), (shouting.0,)),
            _ => match shouting.0.hand_over() {
                Ok(()) => Builder::new().fork_run(shouting),
                Err(error) => return failed(error),
            },
        };
        match started {
            Ok(process) => {
                *stage = Stage::Started(process);
                CallResult::ok()
            }
            Err(error) => CallResult::Failed(refusal(error)),
        }
    }

    fn submit(&self, args: &Arguments) -> CallResult {
        let Some(text) = args.get("text").and_then(Value::as_str) else {
            return CallResult::Unsupported;
        };
        let answer = self.pipe.send(text.as_bytes(), None).and_then(|()| self.pipe.recv(None));
        answer.map_or_else(failed, |answer| {
            CallResult::Value(String::from_utf8_lossy(&answer).into_owned().into())
        })
    }

    fn ask(&self, op: &str) -> CallResult {
        let process = match &*self.stage.lock().unwrap_or_else(PoisonError::into_inner) {
            Stage::Started(process) => process.clone(),
            _ => return CallResult::Prevented("what is not started is no Process".to_owned()),
        };
        match op {
            "join" => of(process.join(None).map(|_| Value::Null)),
            _ => of(process.status().map(|status| status.map_or(Value::Null, shown))),
        }
    }
}

impl Object for Shouter {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        match op {
            "start" => self.start(),
            "submit" => self.submit(args),
            "stop" => {
                self.pipe.send(LAST.as_bytes(), None).map_or_else(failed, |()| CallResult::ok())
            }
            "join" | "exit_status" => self.ask(op),
            _ => CallResult::Unsupported,
        }
    }

    /// Another program has no such child.
    fn is_local(&self) -> bool {
        true
    }
}
