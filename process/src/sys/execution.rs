//! What a program goes through between the fork and its execution, beside what std does there.
#![expect(unsafe_code, reason = "a closure between fork and exec, and descriptors by number")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::{Access, Mode, OFlags, RawDir, access, open};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{
    Pid, Signal, getpid, getppid, set_parent_process_death_signal, setsid, umask,
};

use super::fork::{exit_now, last_errno};
use super::signal as signals;
use crate::limits::{FOLDER_BYTES, STANDARD_FD_COUNT, STATUS_MAX};

/// What is to be so in the program, and what std has no setting for.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Descriptors that it keeps, under their numbers.
    pub(crate) passed: Vec<RawFd>,
    pub(crate) has_own_session: bool,
    pub(crate) umask: Option<u32>,
    pub(crate) ends_with_caller: bool,
    pub(crate) has_errors_in_output: bool,
}

/// Has `command` go through `wants` before it executes its program, and closes what it would
/// inherit beyond the standard streams.
pub(crate) fn prepare(command: &mut Command, wants: Wants) {
    let caller = getpid();
    // SAFETY: What runs in the fork makes system calls only: it takes no lock, allocates nothing,
    // and touches no memory but its own stack and the list that was made before. It owns no
    // descriptor, and closes none: it marks them, and the execution closes them.
    unsafe { command.pre_exec(move || Ok(go_through(&wants, caller)?)) };
}

fn go_through(wants: &Wants, caller: Pid) -> Result<(), Errno> {
    if let Some(mask) = wants.umask {
        umask(Mode::from_raw_mode(mask));
    }
    if wants.has_own_session {
        setsid()?;
    }
    if wants.ends_with_caller {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It died before this was set. No parent at all is one in an outer pid namespace.
        if getppid().is_some_and(|now| now != caller) {
            exit_now(STATUS_MAX);
        }
    }
    if wants.has_errors_in_output {
        rustix::stdio::dup2_stderr(rustix::stdio::stdout())?;
    }
    match mark_all_by_range(STANDARD_FD_COUNT) {
        Err(Errno::NOSYS | Errno::INVAL) => mark_all_by_list(STANDARD_FD_COUNT)?,
        done => done?,
    }
    wants.passed.iter().try_for_each(|fd| set_flags(*fd, FdFlags::empty()))?;
    signals::unblock_all(); // last: until the execution the handlers are the caller's
    Ok(())
}

/// Has all descriptors from `first` on closed by the next execution: `close_range(2)`, Linux 5.11.
fn mark_all_by_range(first: RawFd) -> Result<(), Errno> {
    let (last, flags) = (libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: It takes three numbers, and closes nothing now.
    match unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

/// The same from the list of what is open.
fn mark_all_by_list(first: RawFd) -> Result<(), Errno> {
    let folder = open("/proc/self/fd", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut space = [MaybeUninit::uninit(); FOLDER_BYTES];
    let mut entries = RawDir::new(folder, &mut space);
    while let Some(entry) = entries.next() {
        let number = entry?.file_name().to_str().ok().and_then(|name| name.parse().ok());
        if let Some(fd) = number.filter(|fd| *fd >= first) {
            set_flags(fd, FdFlags::CLOEXEC)?;
        }
    }
    Ok(())
}

fn set_flags(fd: RawFd, flags: FdFlags) -> Result<(), Errno> {
    if fd < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: The number is not -1, and is used for one call, which fails on one that is not open.
    fcntl_setfd(unsafe { BorrowedFd::borrow_raw(fd) }, flags)
}

/// Whether the calling process may execute what is at `path`, or enter it, if it is a folder.
pub(crate) fn may_execute(path: &std::path::Path) -> io::Result<()> {
    Ok(access(path, Access::EXEC_OK)?)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::{ExitStatus, Process};

    #[test]
    fn the_range_and_the_list_mark_the_same() {
        for mark in [mark_all_by_range, mark_all_by_list] {
            let child = Process::fork("marks", || -> Result<(), String> {
                let kept = std::fs::File::open("/dev/null").map_err(|error| error.to_string())?;
                let (low, high) = (kept.as_raw_fd(), 700);
                // SAFETY: Nobody has the number, and nobody here closes it.
                if low < STANDARD_FD_COUNT || unsafe { libc::dup2(low, high) } != high {
                    return Err("no descriptor to be marked".to_owned());
                }
                set_flags(low, FdFlags::empty()).map_err(|errno| errno.to_string())?;
                mark(STANDARD_FD_COUNT).map_err(|errno| errno.to_string())?;
                for (fd, flags) in [(low, 1), (high, 1), (1, 0)] {
                    // SAFETY: It asks for the flags of a number.
                    let seen = unsafe { libc::fcntl(fd, libc::F_GETFD) };
                    if seen != flags {
                        return Err(format!("the flags of {fd} are {seen}"));
                    }
                }
                Ok(())
            });
            let status = child.unwrap().join(std::time::Duration::from_secs(60));
            assert_eq!(status, Ok(ExitStatus::Code(0)), "see the message above");
        }
    }
}
