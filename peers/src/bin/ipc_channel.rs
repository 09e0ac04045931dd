//! The adapter for ipc-channel, whose channels stand here for one-way pipes: a two-way pipe is two
//! of them. Ends are inherited by whoever is forked.
//!
//! An end can be received from by one thread at a time; threads are not offered.

use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipc_channel::ipc::{IpcReceiver, IpcSender, channel};
use ipc_channel::{IpcError, TryRecvError};
use purlin_conformance::serve::{
    Actor, Arguments, CallResult, Child, Hello, How, Object, Refusal, Subject,
};
use purlin_peers::{Face, run};

use pipe::{Done, KIND, Limit, Line, Made, Refused};

#[expect(dead_code, reason = "only what forks is used")]
#[path = "../../../conformance/adapters/posix/errors.rs"]
mod errors;
/// What a script sends as bytes, and what the C library answers and forks, are the same for all.
#[expect(dead_code, reason = "what the crate has no call for is not asked for")]
#[path = "../../../conformance/adapters/pipe.rs"]
mod pipe;
#[expect(dead_code, reason = "only what forks is used")]
#[path = "../../../conformance/adapters/posix/process.rs"]
mod process;

fn main() -> io::Result<()> {
    run(IpcChannel::default())
}

const FACE: Face = Face {
    name: "ipc-channel-fork",
    version: "0.23.1",
    start: How::Fork,
    objects: &[(
        KIND,
        &[
            "send",
            "send_bytes",
            "recv",
            "recv_bytes",
            "close",
            "is_closed",
            "reads",
            "writes",
            "echo",
            "send_mixed",
            "recv_mixed",
            "send_unsendable",
            "send_unreadable",
        ],
    )],
    sides: &[("pipe-message", "whole")],
    capabilities: &["programs", "cells", "logs", "host", "fork", "start", "make", "ends", "catch"],
};

#[derive(Default)]
struct IpcChannel {
    pipes: Made<End>,
}

impl Subject for IpcChannel {
    fn hello(&self) -> Hello {
        FACE.hello()
    }

    fn create(&self, name: &str, kind: &str, args: &Arguments) -> Result<Arc<dyn Object>, Refusal> {
        if kind == KIND { self.pipes.make(name, args) } else { Err(Refusal::unsupported(kind)) }
    }

    fn start(&self, how: How, actor: Actor) -> Result<Box<dyn Child>, Refusal> {
        match how {
            How::Fork => process::fork(actor),
            _ => Err(Refusal::unsupported("its ends are inherited by fork")),
        }
    }
}

type Sends = Option<IpcSender<Vec<u8>>>;
type Receives = Option<IpcReceiver<Vec<u8>>>;

/// An end, of which none is left once it is closed.
#[derive(Clone)]
struct End(Arc<Inner>);

struct Inner {
    sends: Mutex<Sends>,
    receives: Mutex<Receives>,
    can_send: bool,
    can_receive: bool,
}

impl End {
    fn of(sends: Sends, receives: Receives) -> Self {
        let (can_send, can_receive) = (sends.is_some(), receives.is_some());
        let (sends, receives) = (Mutex::new(sends), Mutex::new(receives));
        Self(Arc::new(Inner { sends, receives, can_send, can_receive }))
    }
}

impl Line for End {
    fn pair(is_one_way: bool) -> Result<(Self, Self), Refusal> {
        let made = || channel().map_err(|error| Refusal::new("out-of-resources", error));
        let (sends, receives) = made()?;
        if is_one_way {
            return Ok((Self::of(None, Some(receives)), Self::of(Some(sends), None)));
        }
        let (back, received) = made()?;
        Ok((Self::of(Some(back), Some(receives)), Self::of(Some(sends), Some(received))))
    }

    fn of_number(_number: i64) -> Result<Self, Refusal> {
        Err(Refusal::unsupported("an end is no number"))
    }

    fn send(&self, message: &[u8], limit: Limit) -> Done<()> {
        if limit.is_some() {
            return Err(CallResult::Unsupported);
        }
        let sends = unpoisoned(&self.0.sends);
        let sends = sends.as_ref().ok_or_else(|| gone(self.0.can_send, "sends"))?;
        sends.send(message.to_vec()).map_err(failed)
    }

    fn recv(&self, limit: Limit) -> Done<Vec<u8>> {
        let receives = unpoisoned(&self.0.receives);
        let receives = receives.as_ref().ok_or_else(|| gone(self.0.can_receive, "receives"))?;
        match limit {
            None => receives.recv().map_err(failed),
            Some(limit) => receives.try_recv_timeout(limit).map_err(|error| match error {
                TryRecvError::Empty => CallResult::failed("timed-out", "empty"),
                TryRecvError::IpcError(error) => failed(error),
            }),
        }
    }

    fn recv_limited(&self, _most: usize, _limit: Limit) -> Done<Vec<u8>> {
        Err(CallResult::Unsupported)
    }

    fn recv_into(&self, _buffer: &mut [u8], _limit: Limit) -> Result<usize, Refused> {
        Err(CallResult::Unsupported.into())
    }

    fn poll(&self, _limit: Limit) -> Done<bool> {
        Err(CallResult::Unsupported)
    }

    fn close(&self) {
        drop(unpoisoned(&self.0.sends).take());
        drop(unpoisoned(&self.0.receives).take());
    }

    fn is_closed(&self) -> bool {
        unpoisoned(&self.0.sends).is_none() && unpoisoned(&self.0.receives).is_none()
    }

    fn reads(&self) -> bool {
        self.0.can_receive
    }

    fn writes(&self) -> bool {
        self.0.can_send
    }

    fn descriptor(&self) -> Done<RawFd> {
        Err(CallResult::Unsupported)
    }

    fn wait(_objects: &[Arc<dyn Object>], _limit: Limit) -> Done<Vec<usize>> {
        Err(CallResult::Unsupported)
    }
}

/// An end that was dropped cannot be used any more: the language sees to it. One that has no such
/// side has no such call either.
fn gone(was_there: bool, what: &str) -> CallResult {
    let why = if was_there { "it was dropped".to_owned() } else { format!("nothing here {what}") };
    CallResult::Prevented(why)
}

fn failed(error: IpcError) -> CallResult {
    let kind = match &error {
        IpcError::Disconnected => "end-of-file",
        IpcError::Io(error) => match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => "broken-pipe",
            io::ErrorKind::Interrupted => "interrupted",
            _ => "system",
        },
        IpcError::SerializationError(_) => "not-transferable",
    };
    CallResult::failed(kind, error)
}

fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
