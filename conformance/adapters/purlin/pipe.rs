//! The ends of pipes of purlin.

use std::any::Any;
use std::os::fd::RawFd;
use std::sync::Arc;

use purlin_channel::{Awaited, Pipe, RecvIntoError, wait};
use purlin_conformance::serve::{CallResult, Object, Refusal};
use purlin_process::Process;

use super::carried::Carried;
use super::process::Child;
use super::queue::{failed, refusal};
use crate::adapter::pipe::{Done, End, Limit, Line, Refused, line_of};

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

    fn wait(objects: &[Arc<dyn Object>], limit: Limit) -> Done<Vec<usize>> {
        let things: Vec<Thing> =
            objects.iter().map(|object| Thing::of(&**object)).collect::<Result<_, _>>()?;
        let awaited: Vec<Awaited<'_>> =
            things.iter().map(Thing::awaited).collect::<Result<_, _>>()?;
        wait(&awaited, limit).map_err(failed)
    }

    fn send_end(&self, end: &Self) -> Done<()> {
        self.send_with(b"", end, None).map_err(failed)
    }

    fn recv_end(&self) -> Done<Self> {
        self.recv_with::<Self>(None).map(|(_, end)| end).map_err(failed)
    }

    /// Its kind goes along as the message.
    fn send_lock(&self, lock: &dyn Object) -> Done<()> {
        let mut carried = Carried::default();
        let word = carried.add(SENT, lock).map_err(CallResult::Failed)?;
        self.send_with(word.as_bytes(), &carried, None).map_err(failed)
    }

    fn recv_lock(&self) -> Done<Arc<dyn Object>> {
        let (word, carried) = self.recv_with::<Carried>(None).map_err(failed)?;
        let word = String::from_utf8_lossy(&word).into_owned();
        let lock = carried.objects(&[word], &mut |_, _| {}).remove(SENT);
        lock.ok_or_else(|| CallResult::failed("damaged", "no lock came"))
    }
}

/// The name of what is sent.
const SENT: &str = "sent";

/// Something that is waited for.
enum Thing {
    End(Pipe),
    Process(Process),
}

impl Thing {
    fn of(object: &dyn Object) -> Done<Self> {
        match object.handle().and_then(<dyn Any>::downcast_ref::<Child>) {
            Some(child) => child.process().map(Self::Process),
            None => line_of(object).map(Self::End),
        }
    }

    fn awaited(&self) -> Done<Awaited<'_>> {
        match self {
            Self::End(pipe) => Ok(pipe.into()),
            Self::Process(process) => {
                let sentinel = process.sentinel().map_err(super::process::refusal);
                sentinel.map(Awaited::from).map_err(CallResult::Failed)
            }
        }
    }
}

/// The end inside, for a process that is given it.
pub(super) fn given(object: &dyn Object) -> Option<Pipe> {
    line_of(object).ok()
}

/// An end that this process was given.
pub(super) fn taken(pipe: Pipe) -> Arc<dyn Object> {
    Arc::new(End::of(pipe))
}
