//! The ends of pipes of purlin, and the wait for several things.

use std::any::Any;
use std::os::fd::RawFd;
use std::sync::Arc;

use purlin_channel::{Awaited, Error, Pipe, RecvIntoError, wait};
use purlin_conformance::serve::{Arguments, CallResult, Functions, Object, Refusal};
use purlin_process::Process;
use serde_json::{Value, json};

use super::process::Child;
use super::queue::{failed, refusal};
use crate::adapter::pipe::{Done, End, Limit, Line, Refused, limit, line_of};

impl Line for Pipe {
    fn pair(is_one_way: bool) -> Result<(Self, Self), Refusal> {
        if is_one_way { Self::simplex() } else { Self::duplex() }.map_err(refusal)
    }

    fn of_number(_number: i64) -> Result<Self, Refusal> {
        Err(Refusal::prevented("an OwnedFd is a descriptor that is open"))
    }

    fn send(&self, message: &[u8], limit: Limit) -> Done<()> {
        self.send(message, limit).map_err(failed)
    }

    fn recv(&self, limit: Limit) -> Done<Vec<u8>> {
        self.recv(limit).map_err(failed)
    }

    fn recv_limited(&self, most: usize, limit: Limit) -> Done<Vec<u8>> {
        self.recv_limited(most, limit).map_err(failed)
    }

    fn recv_into(&self, buffer: &mut [u8], limit: Limit) -> Result<usize, Refused> {
        self.recv_into(buffer, limit).map_err(|refused| {
            let why = failed(refused.error());
            let RecvIntoError::TooLarge(message) = refused else { return why.into() };
            Refused { why, message: Some(message) }
        })
    }

    fn poll(&self, limit: Limit) -> Done<bool> {
        self.poll(limit).map_err(failed)
    }

    fn close(&self) {
        self.close();
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn reads(&self) -> bool {
        self.can_recv()
    }

    fn writes(&self) -> bool {
        self.can_send()
    }

    fn descriptor(&self) -> Done<RawFd> {
        self.descriptor().map_err(failed)
    }

    fn hand_over(&self) {
        // One that is closed is nobody's.
        let _ = self.hand_over();
    }

    fn send_end(&self, end: &Self) -> Done<()> {
        self.send_with(b"", end, None).map_err(failed)
    }

    fn recv_end(&self) -> Done<Self> {
        self.recv_with::<Self>(None).map(|(_, end)| end).map_err(failed)
    }
}

/// The kind of what waits for several ends, and for the ends of processes.
pub(super) const SEVERAL: &str = "several";

/// What can be asked of that.
pub(super) const SEVERAL_OPERATIONS: [&str; 2] = ["wait", "drain"];

/// Whoever asks has the things; this has none.
pub(super) struct Several;

/// Something that is waited for.
enum Thing {
    End(Pipe),
    Process(Process),
}

impl Several {
    /// The names of those that are ready.
    fn wait(args: &Arguments, functions: &Functions<'_>) -> Done<Value> {
        let names = names(args);
        let things = things(&names, functions)?;
        let awaited: Vec<Awaited<'_>> =
            things.iter().map(Thing::awaited).collect::<Result<_, _>>()?;
        let ready = wait(&awaited, limit(args)?).map_err(failed)?;
        Ok(ready.into_iter().map(|place| names[place].clone()).collect::<Vec<_>>().into())
    }

    /// Waits for those that are left and receives from each that is ready, until all are at their
    /// end: how many messages came.
    fn drain(args: &Arguments, functions: &Functions<'_>) -> Done<Value> {
        let mut left = Vec::new();
        for name in names(args) {
            left.push(end(&name, functions)?);
        }
        let mut message_count = 0;
        while !left.is_empty() {
            let awaited: Vec<Awaited<'_>> = left.iter().map(Awaited::from).collect();
            let ready = wait(&awaited, None).map_err(failed)?;
            for place in ready.into_iter().rev() {
                match left[place].try_recv() {
                    Ok(_) => message_count += 1,
                    Err(Error::EndOfFile) => drop(left.remove(place)),
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        Ok(json!(message_count))
    }
}

impl Object for Several {
    fn call(&self, _op: &str, _args: &Arguments) -> CallResult {
        CallResult::Unsupported
    }

    fn call_with(&self, op: &str, args: &Arguments, functions: &mut Functions<'_>) -> CallResult {
        let answer = match op {
            "wait" => Self::wait(args, functions),
            "drain" => Self::drain(args, functions),
            _ => Err(CallResult::Unsupported),
        };
        answer.map_or_else(|other| other, CallResult::Value)
    }

    fn handle(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl Thing {
    fn awaited(&self) -> Done<Awaited<'_>> {
        match self {
            Self::End(pipe) => Ok(pipe.into()),
            Self::Process(process) => {
                let sentinel = process.sentinel();
                let sentinel = sentinel.map_err(super::process::refusal);
                sentinel.map(Awaited::from).map_err(CallResult::Failed)
            }
        }
    }
}

fn names(args: &Arguments) -> Vec<String> {
    let names = args.get("of").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn things(names: &[String], functions: &Functions<'_>) -> Done<Vec<Thing>> {
    let thing = |name: &String| {
        let object = functions.object(name).map_err(CallResult::Failed)?;
        match object.handle().and_then(<dyn Any>::downcast_ref::<Child>) {
            Some(child) => child.process().map(Thing::Process),
            None => line_of(&*object).map(Thing::End),
        }
    };
    names.iter().map(thing).collect()
}

fn end(name: &str, functions: &Functions<'_>) -> Done<Pipe> {
    line_of(&*functions.object(name).map_err(CallResult::Failed)?)
}

/// The end inside, for a process that is given it.
pub(super) fn given(object: &dyn Object) -> Option<Pipe> {
    line_of(object).ok()
}

/// An end that this process was given.
pub(super) fn taken(pipe: Pipe) -> Arc<dyn Object> {
    Arc::new(End::of(pipe))
}
