//! An actor as the runner sees it: whose calls are under way, how it is killed, how it is looked
//! at.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, getpgid, pidfd_open, pidfd_send_signal};

use crate::evidence::{self, Look};
use crate::limits::patience;
use crate::protocol::{Answer, Arguments, Started};
use crate::subject::is_readable;

/// A process or a thread that takes calls.
pub(crate) struct Actor {
    pub(crate) pid: i32,
    pub(crate) tid: i32,
    /// Watches and kills its process; none for a thread of the adapter.
    process: Option<OwnedFd>,
    pub(crate) call: Option<Call>,
    pub(crate) is_killed: bool,
}

/// A call that was sent to an actor.
pub(crate) struct Call {
    pub(crate) id: u64,
    /// Its number in the history.
    pub(crate) event: usize,
    pub(crate) entered: Option<Entered>,
    pub(crate) answer: Option<Answer>,
    /// The time limit that it was given, if any.
    limit: Option<Duration>,
}

/// The actor is about to make the call.
#[derive(Clone, Copy)]
pub(crate) struct Entered {
    /// By the actor's clock.
    pub(crate) at: u64,
    /// By the runner's, when it read the line.
    seen: Instant,
}

impl Actor {
    /// Believes what an adapter says about an actor only as far as the system confirms it: the
    /// runner will send signals there.
    pub(crate) fn new(started: Started, adapter: i32) -> Result<Self, String> {
        let Started { pid, tid } = started;
        let is_thread = pid == adapter;
        let named = if pid > 1 { Pid::from_raw(pid) } else { None };
        let named = named.ok_or_else(|| format!("names the process {pid} as an actor"))?;
        if !is_thread
            && getpgid(Some(named)).ok().map(|id| id.as_raw_nonzero().get()) != Some(adapter)
        {
            return Err(format!("names the process {pid} as an actor, which is not in its group"));
        }
        if evidence::look(pid, tid) == Look::Gone {
            return Err(format!("names the thread {tid} of the process {pid}, which is not there"));
        }
        let process = if is_thread {
            None
        } else {
            let fd = pidfd_open(named, PidfdFlags::empty());
            Some(fd.map_err(|error| format!("started the process {pid}: {error}"))?)
        };
        Ok(Self { pid, tid, process, call: None, is_killed: false })
    }

    pub(crate) fn is_process(&self) -> bool {
        self.process.is_some()
    }

    /// Kills its process and waits until the kernel says that it is gone. A thread is left alone.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        let Some(process) = &self.process else { return Ok(()) };
        // An error means that it has ended already; the wait decides.
        let _ = pidfd_send_signal(process, Signal::KILL);
        self.is_killed = true;
        self.call = None;
        if is_readable(process, patience()) {
            return Ok(());
        }
        Err(format!("the process {} was killed and does not end", self.pid))
    }

    /// Whether its process has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.process.as_ref().is_some_and(|process| is_readable(process, Duration::ZERO))
    }

    /// Whether its call is under way and has no answer yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.answer.is_none())
    }

    pub(crate) fn entered(&mut self, at: u64) {
        if let Some(call) = &mut self.call {
            call.entered = Some(Entered { at, seen: Instant::now() });
        }
    }
}

impl Call {
    pub(crate) fn new(id: u64, event: usize, args: &Arguments) -> Self {
        let seconds = args.get("timeout").and_then(serde_json::Value::as_f64);
        let limit = seconds
            .map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX));
        Self { id, event, entered: None, answer: None, limit }
    }

    /// Whether the time limit that it was given may still end it.
    pub(crate) fn may_end_by_limit(&self) -> bool {
        match (self.limit, self.entered) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(limit), Some(entered)) => entered.seen.elapsed() <= limit,
        }
    }
}
