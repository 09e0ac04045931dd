//! Roles are processes: how they start, how they end, and that none of them outlives its parent.
#![expect(unsafe_code, reason = "fork, prctl and _exit")]

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open,
    pidfd_send_signal, waitid,
};

use crate::limits::{GLANCE, PANIC_STATUS};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// A child, killed and reaped when the value is dropped. It dies with its parent too, however that
/// ends: `PR_SET_PDEATHSIG`.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    /// Readable once the child has ended.
    pidfd: OwnedFd,
    end: Option<End>,
}

impl Child {
    /// Forks a child that runs `role` and ends with the status that it returns; with 101 when it
    /// panics. Nothing of the parent's is dropped in it.
    ///
    /// # Errors
    /// The system's, when it has no processes or descriptors left.
    pub fn start(role: impl FnOnce() -> i32) -> io::Result<Self> {
        // The roles' parents have one thread, so that their children find every lock free.
        match Self::split(true)? {
            Some(child) => Ok(child),
            None => {
                let_others_look();
                leave(catch_unwind(AssertUnwindSafe(role)).unwrap_or(PANIC_STATUS))
            }
        }
    }

    /// Forks, and returns in both: `None` in the child, which must end by [`leave`]. The child is
    /// like one of [`start`](Self::start), unless `is_bound` is false: then it outlives its parent,
    /// and has to look for itself when to end.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub(crate) fn split(is_bound: bool) -> io::Result<Option<Self>> {
        let parent = rustix::process::getpid();
        // SAFETY: Our callers have one thread, so that the child finds every lock free.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                if is_bound {
                    die_with(parent);
                }
                Ok(None)
            }
            pid => Self::adopt(pid).map(Some),
        }
    }

    /// [`split`](Self::split) without being bound, by the bare system call: no fork handler runs.
    pub(crate) fn split_raw() -> io::Result<Option<Self>> {
        // SAFETY: As a plain fork of a process with one thread. libc's own state in the child is
        // that of its parent: it may make system calls and use what was allocated.
        match unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(None),
            pid => Self::adopt(pid as i32).map(Some),
        }
    }

    fn adopt(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?;
        // Not reaped yet, so that the number is still the child's. A child without a descriptor is
        // ended before the error is told.
        pidfd_open(pid, PidfdFlags::empty())
            .map(|pidfd| Self { pid, pidfd, end: None })
            .map_err(|errno| abandon(pid, errno.into()))
    }

    /// One that a child of this process has started, and that this process is about to trace: a
    /// tracer learns of an end before the parent does.
    pub(super) fn of_another(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { pid, pidfd: pidfd_open(pid, PidfdFlags::empty())?, end: None })
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    /// Whether it has ended, reaped or not.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.end.is_some() || is_readable(&[self], Duration::ZERO)
    }

    /// Writes down the end that a `waitpid(2)` has just reaped.
    pub(super) fn set_reaped(&mut self, status: i32) -> End {
        let end = if libc::WIFEXITED(status) {
            End::Code(libc::WEXITSTATUS(status))
        } else {
            End::Signal(libc::WTERMSIG(status))
        };
        *self.end.insert(end)
    }

    /// SIGKILL, and waits until it is reaped.
    pub fn kill(&mut self) -> End {
        if self.end.is_none() {
            // One that has ended takes it without effect.
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        }
        self.reap()
    }

    /// Waits for its end without a limit: for those who know that it comes.
    pub fn reap(&mut self) -> End {
        if let Some(end) = self.end {
            return end;
        }
        loop {
            match waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED) {
                Ok(Some(status)) => {
                    let end = match (status.exit_status(), status.terminating_signal()) {
                        (Some(code), _) => End::Code(code),
                        (None, signal) => End::Signal(signal.unwrap_or(0)),
                    };
                    return *self.end.insert(end);
                }
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                // Nobody else reaps here; should it be so, its end is unknown.
                Err(_) => return *self.end.insert(End::Signal(0)),
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until one of the children has ended, or `limit` is over. Says whether one has.
pub(crate) fn is_readable(children: &[&Child], limit: Duration) -> bool {
    let mut entries: Vec<_> =
        children.iter().map(|child| PollFd::new(&child.pidfd, PollFlags::IN)).collect();
    // A signal that interrupts counts as "none": the caller looks again.
    poll(&mut entries, Some(&timespec(limit))).is_ok_and(|count| count > 0)
}

/// Sends a signal to a child that has not been reaped. False when there is none.
pub(crate) fn send(pid: i32, signal: i32) -> bool {
    // SAFETY: No memory is involved; the number is a child's until it is reaped.
    pid > 0 && unsafe { libc::kill(pid, signal) } == 0
}

/// Waits for a while that orders nothing: between two looks at evidence.
pub(crate) fn pause(limit: Duration) {
    let _ = poll(&mut [], Some(&timespec(limit)));
}

/// Lets others have the processor.
pub(crate) fn step_aside() {
    std::thread::yield_now();
}

/// Idles until the parent has ended, or `is_over`.
pub(crate) fn idle_until(is_over: impl Fn() -> bool) {
    let parent = rustix::process::getppid();
    while !is_over() && rustix::process::getppid() == parent {
        pause(GLANCE);
    }
}

/// Idles in a child that outlives its parent, until `is_over` or the stage is gone. Whose child it
/// is by then depends on who died when, so that both are named: its parent, and the stage.
pub(crate) fn idle_as_orphan(parents: [u32; 2], is_over: impl Fn() -> bool) {
    let is_watched = |parent: Pid| parents.contains(&parent.as_raw_pid().unsigned_abs());
    while !is_over() && rustix::process::getppid().is_some_and(is_watched) {
        pause(GLANCE);
    }
}

/// Makes this process the head of a group of its own, and the parent of whom its roles leave.
pub(crate) fn lead_group() -> io::Result<()> {
    rustix::process::setpgid(None, None)?;
    adopt_orphans()
}

/// Makes this process the parent of whom its children leave behind.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: Sets an attribute of this process; the number is a flag.
    match unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Kills the group that `leader` leads. The leader must not be reaped yet.
pub(crate) fn kill_group(leader: &Child) {
    let _ = kill_process_group(leader.pid, Signal::KILL);
}

/// Reaps whoever has ended, and says whether a child is left that has not.
pub(crate) fn reap_orphans() -> bool {
    loop {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match waitid(WaitId::All, look) {
            Ok(None) => return true,
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// Ends this process at once: no handlers, no destructors.
pub(crate) fn leave(status: i32) -> ! {
    // SAFETY: `_exit` asks for nothing.
    unsafe { libc::_exit(status) }
}

/// Lets siblings see in which system call this process is, where the system would else show that
/// to its ancestors only. Where it knows nothing of the kind, it shows it to all of our user's.
fn let_others_look() {
    // SAFETY: Sets an attribute of this process; asks for nothing.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY, 0, 0, 0) };
}

/// The calling process dies as soon as `parent` does.
fn die_with(parent: Pid) {
    // SAFETY: Sets an attribute of this process; the number is a signal.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if rustix::process::getppid() != Some(parent) {
        leave(PANIC_STATUS); // it died before
    }
}

fn abandon(pid: Pid, error: io::Error) -> io::Error {
    let _ = rustix::process::kill_process(pid, Signal::KILL);
    while matches!(waitid(WaitId::Pid(pid), WaitIdOptions::EXITED), Err(rustix::io::Errno::INTR)) {}
    error
}

fn timespec(limit: Duration) -> Timespec {
    // Callers pass seconds at most.
    Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 })
}
