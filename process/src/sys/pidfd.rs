//! Process descriptors: look, wait and signal without asking for a number.
#![expect(unsafe_code, reason = "a signal by number has no safe constructor")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal, waitid,
};

use super::descriptor::beyond_standard;
use super::ready;
use crate::limits::SIGNAL_MAX;
use crate::{Error, ExitStatus};

pub(crate) use libc::{SIGKILL, SIGTERM};

/// `pidfd_open(2)`. The descriptor is closed on exec, and in no standard stream's place.
pub(crate) fn open(pid: Pid) -> Result<OwnedFd, Errno> {
    beyond_standard(pidfd_open(pid, PidfdFlags::empty())?)
}

/// The number and a descriptor of the calling process, for a child of it to watch.
pub(crate) fn open_own() -> Result<(i32, OwnedFd), Errno> {
    let pid = getpid();
    Ok((pid.as_raw_pid(), open(pid)?))
}

/// Whether the descriptor leads to a child of this process that nobody has collected yet.
pub(crate) fn is_own_child(pidfd: &OwnedFd) -> Result<bool, Errno> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match waitid(WaitId::PidFd(pidfd.as_fd()), options) {
        Ok(_) => Ok(true),
        Err(Errno::CHILD) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Collects the child if it has ended: its status, or `None` while it runs.
pub(crate) fn collect(pidfd: BorrowedFd<'_>) -> Result<Option<ExitStatus>, Error> {
    match waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
        Ok(None) => Ok(None),
        Ok(Some(end)) => Ok(Some(match (end.exit_status(), end.terminating_signal()) {
            (Some(status), _) => ExitStatus::Code(status),
            (None, Some(number)) => ExitStatus::Signal(number),
            (None, None) => ExitStatus::Unknown,
        })),
        Err(Errno::CHILD) => Ok(Some(ExitStatus::Unknown)),
        Err(errno) => Err(errno.into()),
    }
}

/// Waits until one of the processes has ended, `limit` is over or a signal came: look again after
/// each. Returns whether a descriptor says that its process has ended.
pub(crate) fn wait_ended(pidfds: &[BorrowedFd<'_>], limit: Duration) -> Result<bool, Error> {
    match ready::wait(pidfds, None, limit) {
        Err(Errno::INTR) => Ok(false),
        answer => Ok(answer?),
    }
}

/// Sleeps for `limit` or until a signal comes.
pub(crate) fn pause(limit: Duration) {
    // An interruption or a failure shortens the pause, nothing else.
    let _ = ready::wait(&[], None, limit);
}

/// Sends a signal. One that has ended takes it without effect.
pub(crate) fn signal(pidfd: BorrowedFd<'_>, number: i32) -> Result<(), Error> {
    check_signal(number)?;
    // SAFETY: the number is not zero. The rest of what is asked concerns handlers, and the caller
    // installs none here: the kernel checks the number, and the signal goes to another process.
    let signal = unsafe { Signal::from_raw_unchecked(number) };
    match pidfd_send_signal(pidfd, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(Errno::INVAL) => Err(Error::InvalidArgument),
        Err(errno) => Err(errno.into()),
    }
}

/// Refuses what no signal has as its number.
pub(crate) fn check_signal(number: i32) -> Result<(), Error> {
    if (1..=SIGNAL_MAX).contains(&number) { Ok(()) } else { Err(Error::InvalidArgument) }
}
