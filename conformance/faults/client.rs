//! The actor's side: how it waits for the server's answer.

use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use purlin_conformance::serve::{Arguments, CallResult, Flow, Object, Refusal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::lock::Event;

/// How an actor waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manner {
    /// It sleeps until it is told.
    #[default]
    Sleep,
    /// It never sleeps.
    Spin,
    /// It tries again and again, with naps.
    Poll,
    /// It sleeps, and gives up at half time: a fault.
    Hurry,
}

impl Manner {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Spin => "spin",
            Self::Poll => "poll",
            Self::Hurry => "hurry",
        }
    }

    pub(super) fn from_word(word: &str) -> Self {
        let all = [Self::Spin, Self::Poll, Self::Hurry];
        all.into_iter().find(|manner| manner.word() == word).unwrap_or_default()
    }
}

/// A connection to the server; its end is the actor's death.
pub(super) struct Connection {
    stream: Mutex<UnixStream>,
    manner: Manner,
}

/// A lock on the server.
pub(super) struct Lock {
    name: String,
    connection: Arc<Connection>,
}

impl Lock {
    pub(super) fn new(name: &str, connection: Arc<Connection>) -> Self {
        Self { name: name.to_owned(), connection }
    }

    fn ask(&self, stream: &mut UnixStream, event: Event) -> io::Result<()> {
        stream.write_all(format!("{} {}\n", event.word(), self.name).as_bytes())
    }

    fn once(&self, stream: &mut UnixStream, event: Event) -> io::Result<String> {
        self.ask(stream, event)?;
        read_word(stream)
    }

    fn acquire(&self, stream: &mut UnixStream, limit: Option<Duration>) -> io::Result<String> {
        if limit.is_some_and(|limit| limit.is_zero()) {
            return self.once(stream, Event::TryByLimit);
        }
        let manner = self.connection.manner;
        if manner == Manner::Poll {
            return self.acquire_by_tries(stream, limit);
        }
        self.ask(stream, Event::Acquire)?;
        let limit = if manner == Manner::Hurry { limit.map(|limit| limit / 2) } else { limit };
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let is_there = match manner {
            Manner::Spin => spin(stream, deadline),
            _ => sleep(stream, deadline)?,
        };
        if !is_there {
            self.ask(stream, Event::Cancel)?;
        }
        read_word(stream)
    }

    fn acquire_by_tries(
        &self,
        stream: &mut UnixStream,
        limit: Option<Duration>,
    ) -> io::Result<String> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            let word = self.once(stream, Event::Try)?;
            let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if word != "timed-out" || is_over {
                return Ok(word);
            }
            // Polling nothing is a nap: that is its nature, and orders nothing.
            let _ = poll(&mut [], Some(&NAP));
        }
    }
}

/// The pause of one that asks again and again.
const NAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

impl Object for Lock {
    fn call(&self, op: &str, args: &Arguments) -> CallResult {
        let mut stream = self.connection.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let said = match op {
            "acquire" => {
                let seconds = args.get("timeout").and_then(serde_json::Value::as_f64);
                let limit = seconds.map(|seconds| {
                    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
                });
                self.acquire(&mut stream, limit)
            }
            "try" => self.once(&mut stream, Event::Try),
            "release" => self.once(&mut stream, Event::Release),
            "recover" => self.once(&mut stream, Event::Recover),
            _ => return CallResult::Unsupported,
        };
        match said.as_deref() {
            Ok("ok") => CallResult::ok(),
            Ok(kind) => CallResult::failed(kind, ""),
            Err(error) => CallResult::failed("system", error),
        }
    }

    fn scope(&self, body: &mut dyn FnMut() -> Flow) -> Flow {
        let none = Arguments::new();
        match self.call("acquire", &none) {
            CallResult::Failed(Refusal { kind, text }) if kind == "owner-died" => {
                self.call("release", &none);
                Flow::Failed(Refusal { kind, text })
            }
            CallResult::Value(_) => {
                let _guard = Guard(self);
                body()
            }
            other => other.into(),
        }
    }
}

/// Releases when it goes, on unwinding too.
struct Guard<'a>(&'a Lock);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // A refused release is nothing that a scope could tell anybody.
        let _ = self.0.call("release", &Arguments::new());
    }
}

impl Connection {
    pub(super) fn open(address: &str, manner: Manner) -> io::Result<Self> {
        let stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(address)?)?;
        Ok(Self { stream: Mutex::new(stream), manner })
    }
}

/// Sleeps until there is an answer; false when the deadline came first.
fn sleep(stream: &UnixStream, deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let limit = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(stream, PollFlags::IN)], limit.as_ref()) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Looks for an answer all the time; false when the deadline came first.
fn spin(stream: &UnixStream, deadline: Option<Instant>) -> bool {
    const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        if poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&NOW)).is_ok_and(|n| n > 0) {
            return true;
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return false;
        }
    }
}

/// One answer; there is never a second one on its way.
fn read_word(stream: &mut UnixStream) -> io::Result<String> {
    let mut word = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte)?;
        if byte[0] == b'\n' {
            return Ok(String::from_utf8_lossy(&word).into_owned());
        }
        word.push(byte[0]);
    }
}
