//! Children that are killed: forked, watched by pidfd, never left behind.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use core::time::Duration;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitid,
};

use crate::limits::WAIT_LIMIT_NANOS;

/// A forked child. Dropping it kills and reaps it, whatever it was doing.
///
/// # Weak points
/// * Fork: the child has one thread, and what other threads of the parent held at that moment stays
///   held in it. The C library frees its own locks; nobody frees others.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    reports: OwnedFd,
    /// The end of the pipe that the child rests on. When this process ends, however it does, so
    /// does the child.
    _lifeline: OwnedFd,
    is_reaped: bool,
}

/// A child's ends of the pipes to its parent.
#[derive(Debug)]
pub struct Ends {
    lifeline: OwnedFd,
    reports: OwnedFd,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Child {
    /// Forks a child that does `body` and ends with the status that it returns; 101 after a panic.
    ///
    /// # Errors
    /// What pipe(2), fork(2) and pidfd_open(2) answer.
    pub fn fork(body: impl FnOnce(&Ends) -> i32) -> io::Result<Self> {
        let (lifeline, parents_lifeline) = pipe_with(PipeFlags::CLOEXEC)?;
        let (parents_reports, reports) = pipe_with(PipeFlags::CLOEXEC)?;
        // SAFETY: The child runs `body` and never returns from this function. It is a copy of one
        // thread; what that may meet is said at `Child`.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop((parents_lifeline, parents_reports));
                let ends = Ends { lifeline, reports };
                let status = catch_unwind(AssertUnwindSafe(|| body(&ends))).unwrap_or(101);
                leave(status)
            }
            pid => Self::new(pid, parents_reports, parents_lifeline),
        }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// What the child reports next.
    ///
    /// # Errors
    /// * Kind `TimedOut` when it has not within half a minute.
    /// * Kind `UnexpectedEof` when it ended instead.
    pub fn report(&self) -> io::Result<u32> {
        if !is_readable(self.reports.as_fd(), Duration::from_nanos(WAIT_LIMIT_NANOS))? {
            return Err(ErrorKind::TimedOut.into());
        }
        let mut bytes = [0; 4];
        // A pipe gives four bytes that were written at once as they were written.
        match retry_on_intr(|| rustix::io::read(&self.reports, &mut bytes))? {
            4 => Ok(u32::from_ne_bytes(bytes)),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Sends SIGKILL. It takes effect later: the kernel has to tear the child down.
    ///
    /// # Errors
    /// What pidfd_send_signal(2) answers.
    pub fn kill(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.pidfd, Signal::KILL)?)
    }

    /// Whether the child ends within `limit`. All of its threads are gone then.
    ///
    /// # Errors
    /// What poll(2) answers.
    pub fn ends_within(&self, limit: Duration) -> io::Result<bool> {
        is_readable(self.pidfd.as_fd(), limit)
    }

    /// Waits for the child's end, half a minute at most, and reaps it.
    ///
    /// # Errors
    /// Kind `TimedOut` when it did not end. It is killed and reaped by then.
    pub fn wait(mut self) -> io::Result<Ended> {
        if self.ends_within(Duration::from_nanos(WAIT_LIMIT_NANOS))? {
            self.reap()
        } else {
            Err(ErrorKind::TimedOut.into())
        }
    }

    fn new(pid: i32, reports: OwnedFd, lifeline: OwnedFd) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(ErrorKind::InvalidData)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { pid, pidfd, reports, _lifeline: lifeline, is_reaped: false }),
            Err(error) => {
                drop(Orphan(pid)); // without a pidfd: killed by its id, which is ours until reaped
                Err(error.into())
            }
        }
    }

    fn reap(&mut self) -> io::Result<Ended> {
        let status =
            retry_on_intr(|| waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED));
        self.is_reaped = true;
        let status = status?.ok_or(ErrorKind::InvalidData)?;
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Ok(Ended::Code(code)),
            (_, Some(signal)) => Ok(Ended::Signal(signal)),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_reaped {
            // Both fail only where the child is no more, and that is what they are for.
            let _ = self.kill();
            let _ = self.reap();
        }
    }
}

impl Ends {
    /// Tells the parent a number.
    ///
    /// # Errors
    /// What write(2) answers.
    pub fn report(&self, number: u32) -> io::Result<()> {
        retry_on_intr(|| rustix::io::write(&self.reports, &number.to_ne_bytes()))?;
        Ok(())
    }

    /// Does nothing until the parent drops the child or ends.
    pub fn rest(&self) {
        // Nothing is ever written there: reading ends when the parent's end is closed. An error
        // ends the rest as well, and with it the child.
        let _ = retry_on_intr(|| rustix::io::read(&self.lifeline, &mut [0; 1]));
    }
}

/// Somebody else's child that this process reaps, since it adopts orphans. Dropping kills and reaps
/// it; its parent has to be dead by then.
#[derive(Debug)]
pub struct Orphan(Pid);

impl Orphan {
    /// The process that a child has reported to be its own child.
    ///
    /// # Errors
    /// Kind `InvalidInput` for what is no process id.
    pub fn new(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        pid.map(Self).ok_or_else(|| ErrorKind::InvalidInput.into())
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        // Nobody else reaps it, so the id is its own until the second line.
        let _ = kill_process(self.0, Signal::KILL);
        let _ = retry_on_intr(|| waitid(WaitId::Pid(self.0), WaitIdOptions::EXITED));
    }
}

/// Makes this process the parent of what its children leave behind.
///
/// # Errors
/// What prctl(2) answers.
pub fn adopt_orphans() -> io::Result<()> {
    // Any process id will do: the call takes it for a yes.
    Ok(set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Makes a child by the bare system call, as foreign code might: no handler of the C library runs,
/// and every descriptor is inherited. The child rests until the first process ends; its id is
/// returned.
///
/// # Errors
/// What clone(2) answers.
pub fn clone_raw(ends: &Ends) -> io::Result<u32> {
    // SAFETY: As fork(2), in a process of one thread; the child makes one system call, and leaves.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    if pid == 0 {
        ends.rest();
        leave(0)
    }
    u32::try_from(pid).map_err(|_| io::Error::last_os_error())
}

/// Ends the calling thread by `exit`, which [`forbid_system_calls`](super::forbid_system_calls)
/// lets pass; with it the process, if it has no other.
pub fn leave_thread(status: i32) -> ! {
    // SAFETY: It takes an integer. Nothing on this thread's stack is used by others.
    unsafe { libc::syscall(libc::SYS_exit, status) };
    unreachable!("exit(2) does not return")
}

fn leave(status: i32) -> ! {
    // SAFETY: It takes an integer, and runs nothing of this process.
    unsafe { libc::_exit(status) }
}

fn is_readable(fd: BorrowedFd<'_>, limit: Duration) -> io::Result<bool> {
    let limit = Timespec::try_from(limit).map_err(|_| ErrorKind::InvalidInput)?;
    let mut wanted = [PollFd::new(&fd, PollFlags::IN)];
    Ok(retry_on_intr(|| poll(&mut wanted, Some(&limit)))? > 0)
}
