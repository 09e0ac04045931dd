//! Who a process is beyond its number: its pid namespace, and the inode of its pidfd.

use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

/// `PID_FS_MAGIC`: the file system that gives every process an inode of its own (Linux 6.9). On
/// older kernels all pidfds share one inode, which says nothing.
const PIDFS_MAGIC: u64 = 0x5049_4446;

/// What a process writes down about itself; 0 where the system does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    pub(crate) pid_namespace: u64,
    pub(crate) pidfs_inode: u64,
}

impl Identity {
    /// The calling process. What cannot be learnt (no descriptors left) is 0, and then confirms
    /// nobody's death.
    pub(crate) fn of_this_process() -> Self {
        let pid = getpid();
        Self {
            pid: pid.as_raw_nonzero().get().unsigned_abs(),
            pid_namespace: this_pid_namespace(),
            pidfs_inode: pidfd_open(pid, PidfdFlags::empty()).map_or(0, pidfs_inode),
        }
    }

    /// Whether the process described here is surely gone. Only ever a confirmation: every doubt
    /// answers false.
    pub(crate) fn is_surely_gone(self) -> bool {
        if self.pid_namespace == 0 || self.pid_namespace != this_pid_namespace() {
            return false;
        }
        let Some(pid) = Pid::from_raw(self.pid.cast_signed()) else { return false };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Err(errno) => errno == Errno::SRCH,
            Ok(pidfd) => has_ended(&pidfd) || self.is_another(pidfs_inode(pidfd)),
        }
    }

    /// The number was given to another process since.
    const fn is_another(self, inode: u64) -> bool {
        self.pidfs_inode != 0 && inode != 0 && inode != self.pidfs_inode
    }
}

/// A pidfd is readable when the last thread of its process has ended, reaped or not.
fn has_ended(pidfd: impl AsFd) -> bool {
    let mut entries = [PollFd::new(&pidfd, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut entries, Some(&at_once)) == Ok(1) && entries[0].revents().contains(PollFlags::IN)
}

fn pidfs_inode(pidfd: impl AsFd) -> u64 {
    let is_pidfs = rustix::fs::fstatfs(&pidfd)
        .is_ok_and(|system| system.f_type.cast_unsigned() == PIDFS_MAGIC);
    if is_pidfs { rustix::fs::fstat(&pidfd).map_or(0, |stat| stat.st_ino) } else { 0 }
}

fn this_pid_namespace() -> u64 {
    rustix::fs::stat("/proc/thread-self/ns/pid").map_or(0, |stat| stat.st_ino)
}
