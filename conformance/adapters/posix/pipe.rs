//! Messages through `pipe(2)`, one way, and `socketpair(2)`, both ways: a stream of bytes, in which
//! each message has its length before it, eight bytes with the highest first.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use purlin_conformance::serve::{CallResult, Object, Refusal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread};

use crate::adapter::pipe::{Done, Limit, Line, Refused, line_of};

/// So many bytes say how long a message is.
const LENGTH_BYTES: usize = 8;

/// A longer one is none: the stream is out of step.
const MESSAGE_MAX_BYTES: i64 = 1 << 31;

/// The distance between two looks at a length of which only a part is there.
const NAP: Duration = Duration::from_millis(1);

/// An end.
#[derive(Clone)]
pub(super) struct Stream(Arc<Inner>);

struct Inner {
    /// None once it is closed.
    file: Mutex<Option<Arc<File>>>,
    can_send: bool,
    /// Until a message that was refused has left the stream out of step.
    can_recv: AtomicBool,
}

impl Stream {
    fn of(end: OwnedFd, can_recv: bool, can_send: bool) -> Self {
        let (file, can_recv) = (Mutex::new(Some(Arc::new(end.into()))), AtomicBool::new(can_recv));
        Self(Arc::new(Inner { file, can_send, can_recv }))
    }

    /// The file stays open as long as a call is amid it.
    fn file(&self) -> Done<Arc<File>> {
        let file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner).clone();
        file.ok_or_else(|| CallResult::failed("closed", "it was closed here"))
    }

    fn to_receive(&self) -> Done<Arc<File>> {
        let file = self.file()?;
        if self.reads() { Ok(file) } else { Err(CallResult::failed("wrong-direction", "it sends")) }
    }

    /// The length of the next message.
    fn length(mut file: &File) -> Done<usize> {
        let mut bytes = [0; LENGTH_BYTES];
        let mut read_count = 0;
        while read_count < LENGTH_BYTES {
            match file.read(&mut bytes[read_count..]) {
                Ok(0) if read_count == 0 => return Err(CallResult::failed("end-of-file", "")),
                Ok(0) => return Err(CallResult::failed("truncated", "amid a length")),
                Ok(more_count) => read_count += more_count,
                // It comes once, to who had sent what the other end has not received.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(system(error)),
            }
        }
        match i64::from_be_bytes(bytes) {
            length @ 0..=MESSAGE_MAX_BYTES => usize::try_from(length).map_err(system),
            length => Err(CallResult::failed("damaged", format!("{length} bytes"))),
        }
    }

    fn body(mut file: &File, length: usize) -> Done<Vec<u8>> {
        let mut message = vec![0; length];
        match file.read_exact(&mut message) {
            Ok(()) => Ok(message),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err(CallResult::failed("truncated", "amid a message"))
            }
            Err(error) => Err(system(error)),
        }
    }
}

impl Line for Stream {
    const IS_C: bool = true;

    fn pair(is_one_way: bool) -> Result<(Self, Self), Refusal> {
        let refused = |error: io::Error| Refusal::new("out-of-resources", error);
        if is_one_way {
            let (reads, writes) = io::pipe().map_err(refused)?;
            return Ok((Self::of(reads.into(), true, false), Self::of(writes.into(), false, true)));
        }
        let (one, other) = UnixStream::pair().map_err(refused)?;
        Ok((Self::of(one.into(), true, true), Self::of(other.into(), true, true)))
    }

    fn of_number(_number: i64) -> Result<Self, Refusal> {
        Err(Refusal::unsupported("an end is a number"))
    }

    fn send(&self, message: &[u8], limit: Limit) -> Done<()> {
        let file = self.file()?;
        if !self.0.can_send {
            return Err(CallResult::failed("wrong-direction", "it receives"));
        }
        without(limit)?;
        let mut bytes = message.len().to_be_bytes().to_vec();
        bytes.extend_from_slice(message);
        (&*file).write_all(&bytes).map_err(system)
    }

    fn recv(&self, limit: Limit) -> Done<Vec<u8>> {
        let file = self.to_receive()?;
        without(limit)?;
        Self::body(&file, Self::length(&file)?)
    }

    fn recv_limited(&self, most: usize, limit: Limit) -> Done<Vec<u8>> {
        without(limit)?;
        self.recv_ending(most)
    }

    fn recv_into(&self, buffer: &mut [u8], limit: Limit) -> Result<usize, Refused> {
        let message = self.recv(limit)?;
        match buffer.get_mut(..message.len()) {
            Some(part) => {
                part.copy_from_slice(&message);
                Ok(message.len())
            }
            None => {
                let why = CallResult::failed("message-too-large", "the buffer is smaller");
                Err(Refused { why, message: Some(message) })
            }
        }
    }

    /// A message can be received when its length is there, or when none will come.
    fn poll(&self, limit: Limit) -> Done<bool> {
        let file = self.to_receive()?;
        let end = limit.map(|limit| Instant::now() + limit);
        loop {
            let mut polled = [PollFd::new(&*file, PollFlags::IN)];
            poll_until(&mut polled, end)?;
            let seen = polled[0].revents();
            let there = usize::try_from(ioctl_fionread(&*file).map_err(system)?).map_err(system)?;
            if there >= LENGTH_BYTES || seen.contains(PollFlags::HUP) {
                return Ok(true);
            }
            let is_over = end.is_some_and(|end| Instant::now() >= end);
            if seen.is_empty() || is_over {
                return Ok(false);
            }
            // The part of a length is readable, so that only time can be waited for.
            poll_until(&mut [], Some(Instant::now() + NAP))?;
        }
    }

    fn close(&self) {
        let file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(file);
    }

    fn is_closed(&self) -> bool {
        self.file().is_err()
    }

    fn reads(&self) -> bool {
        self.0.can_recv.load(Relaxed) // Relaxed: it is changed once, and orders nothing
    }

    fn writes(&self) -> bool {
        self.0.can_send
    }

    fn descriptor(&self) -> Done<RawFd> {
        Ok(self.file()?.as_raw_fd())
    }

    /// By `poll(2)`.
    fn wait(objects: &[Arc<dyn Object>], limit: Limit) -> Done<Vec<usize>> {
        let mut files = Vec::new();
        for object in objects {
            files.push(line_of::<Self>(&**object)?.file()?);
        }
        let mut polled: Vec<PollFd<'_>> =
            files.iter().map(|file| PollFd::new(file, PollFlags::IN)).collect();
        poll_until(&mut polled, limit.map(|limit| Instant::now() + limit))?;
        let ready = polled.iter().enumerate().filter(|(_, one)| !one.revents().is_empty());
        Ok(ready.map(|(place, _)| place).collect())
    }

    fn recv_ending(&self, most: usize) -> Done<Vec<u8>> {
        let file = self.to_receive()?;
        let length = Self::length(&file)?;
        if length <= most {
            return Self::body(&file, length);
        }
        self.0.can_recv.store(false, Relaxed); // Relaxed: as in `reads`
        if !self.0.can_send {
            self.close();
        }
        Err(CallResult::failed("message-too-large", format!("{length} bytes")))
    }

    fn write_length(&self, length: i64, many: usize) -> Done<()> {
        let bytes = length.to_be_bytes();
        (&*self.file()?).write_all(&bytes[..many.min(LENGTH_BYTES)]).map_err(system)
    }
}

/// There is no call for a read, or a write, with a limit.
fn without(limit: Limit) -> Done<()> {
    if limit.is_none() { Ok(()) } else { Err(CallResult::Unsupported) }
}

/// Until one of them is ready, or the moment has come; a signal cuts nothing.
fn poll_until(polled: &mut [PollFd<'_>], end: Option<Instant>) -> Done<()> {
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let left = left.map(Timespec::try_from).and_then(Result::ok);
        match poll(polled, left.as_ref()) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(system(error)),
        }
    }
}

fn system(error: impl Into<Box<dyn std::error::Error>>) -> CallResult {
    let error = error.into();
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let broken = [Some(ErrorKind::BrokenPipe), Some(ErrorKind::ConnectionReset)];
    CallResult::failed(if broken.contains(&kind) { "broken-pipe" } else { "system" }, error)
}
