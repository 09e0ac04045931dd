//! An actor as the runner sees it: what it is, how it is killed, stopped and looked at.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::call::Call;
use crate::evidence::{self, Look};
use crate::limits::longest_patience;
use crate::protocol::Started;
use crate::subject::is_readable;
use crate::sys::group::group_of;

/// A process or a thread that takes calls.
pub(crate) struct Actor {
    pub(crate) pid: i32,
    pub(crate) tid: i32,
    /// Watches its process, which for a thread is somebody else's too.
    process: OwnedFd,
    pub(crate) kind: Kind,
    /// Which of all that had its name, or another, it is.
    pub(crate) life: u64,
    /// The adapter is its parent and must collect it.
    pub(crate) is_owed_reaping: bool,
    pub(crate) state: State,
    /// It was interrupted, which ends whoever does nothing about it.
    pub(crate) is_interrupted: bool,
    pub(crate) call: Option<Call>,
}

/// What an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A process of its own.
    Process,
    /// A thread in the process of the adapter or of another actor.
    Thread,
}

/// What the runner did to an actor, or knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It takes calls.
    Living,
    /// It was stopped.
    Frozen,
    /// It was killed; whether it is gone already was not looked at.
    Killed,
    /// It is gone.
    Gone,
}

impl Actor {
    /// Believes what is said about an actor only as far as the system confirms it: the runner will
    /// send signals there. `host` is the process whose threads can be actors without being a
    /// process of their own.
    pub(crate) fn new(
        started: Started,
        adapter: i32,
        host: i32,
        life: u64,
    ) -> Result<Self, String> {
        let Started { pid, tid } = started;
        let kind = if pid == host { Kind::Thread } else { Kind::Process };
        let named = if pid > 1 { Pid::from_raw(pid) } else { None };
        let named = named.ok_or_else(|| format!("names the process {pid} as an actor"))?;
        if pid != adapter && group_of(pid).ok() != Some(adapter) {
            return Err(format!("names the process {pid} as an actor, which is not in its group"));
        }
        if pid == adapter && host != adapter {
            return Err(format!("names its own process {pid} as that of an actor"));
        }
        let process = pidfd_open(named, PidfdFlags::empty())
            .map_err(|error| format!("started the process {pid}: {error}"))?;
        if evidence::look(pid, tid) == Look::Gone {
            return Err(format!("names the thread {tid} of the process {pid}, which is not there"));
        }
        Ok(Self {
            pid,
            tid,
            process,
            kind,
            life,
            is_owed_reaping: false,
            state: State::Living,
            is_interrupted: false,
            call: None,
        })
    }

    pub(crate) fn is_process(&self) -> bool {
        self.kind == Kind::Process
    }

    /// It was neither killed nor seen to be gone.
    pub(crate) fn is_living(&self) -> bool {
        matches!(self.state, State::Living | State::Frozen)
    }

    /// It was seen to be gone, with the whole of its process.
    pub(crate) fn has_ended_before(&self) -> bool {
        self.state == State::Gone && self.ends_within(Duration::ZERO)
    }

    /// Sends a signal to its process; false when that has ended.
    ///
    /// # Errors
    /// * What the system said.
    pub(crate) fn signal(&self, signal: Signal) -> Result<bool, String> {
        match pidfd_send_signal(&self.process, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => {
                Err(format!("the process {} cannot be sent {signal:?}: {error}", self.pid))
            }
        }
    }

    /// Waits until the kernel says that its process is gone, after it was killed.
    ///
    /// # Errors
    /// * It does not end.
    pub(crate) fn wait_until_gone(&self) -> Result<(), String> {
        if is_readable(&self.process, longest_patience()) {
            return Ok(());
        }
        Err(format!("the process {} was killed and does not end", self.pid))
    }

    /// Whether its process ends within this time.
    pub(crate) fn ends_within(&self, time: Duration) -> bool {
        is_readable(&self.process, time)
    }

    /// Whether what makes its calls has ended: its process, or its thread in a process that may go
    /// on. What executes another program may change its thread's number, and is not looked at.
    pub(crate) fn has_ended(&self) -> bool {
        self.ends_within(Duration::ZERO) || self.has_ended_thread()
    }

    pub(crate) fn has_ended_thread(&self) -> bool {
        let executes = self.call.as_ref().is_some_and(|call| call.traits.executes);
        !executes && evidence::look(self.pid, self.tid) == Look::Gone
    }

    /// Whether all its threads stand still, as the kernel says.
    pub(crate) fn stands_still(&self) -> bool {
        let looks = evidence::threads(self.pid).into_iter();
        let mut looks = looks.map(|tid| evidence::look(self.pid, tid));
        looks.all(|look| matches!(look, Look::Stopped { .. } | Look::Gone))
    }

    /// Whether any of its threads stands still.
    pub(crate) fn is_held(&self) -> bool {
        let looks = evidence::threads(self.pid).into_iter();
        let mut looks = looks.map(|tid| evidence::look(self.pid, tid));
        looks.any(|look| matches!(look, Look::Stopped { .. }))
    }

    /// Whether its call is under way and has no answer yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.answer.is_none())
    }

    /// Whether its call has an answer that nobody took yet.
    pub(crate) fn has_answer(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.answer.is_some())
    }
}
