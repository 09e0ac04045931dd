//! Descriptors by their numbers: those that a program found open when it began, and standard ones.
#![expect(unsafe_code, reason = "descriptors that nobody in this process owns")]

use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

use rustix::io::{Errno, fcntl_dupfd_cloexec, fcntl_getfd};

use crate::limits::STANDARD_FD_COUNT;

/// The same file under a number that no standard stream has, should those of this process be
/// closed: whoever opens a standard stream anew, as a new child does, would take it away.
///
/// # Errors
/// * [`Errno::MFILE`] without descriptors.
pub(crate) fn beyond_standard(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() >= STANDARD_FD_COUNT {
        return Ok(fd);
    }
    fcntl_dupfd_cloexec(&fd, STANDARD_FD_COUNT)
}

/// Closes a descriptor by the bare system call. In a new child std's way costs more: it leads to a
/// part of the C library that the child has not touched yet.
pub(crate) fn close(fd: OwnedFd) {
    // SAFETY: It was the owner's, who gave it up.
    unsafe { rustix::io::close(fd.into_raw_fd()) };
}

/// Closes all descriptors from `first` on that are open and not closed on exec.
///
/// Only for a program that has just begun: there they were inherited, and nobody owns them.
///
/// # Errors
/// * What reading the list of descriptors gave.
pub(crate) fn close_inherited(first: RawFd) -> std::io::Result<()> {
    let folder = std::fs::read_dir("/proc/self/fd")?;
    let numbers = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let inherited: Vec<RawFd> = numbers.filter(|fd| *fd >= first && stays(*fd)).collect();
    for fd in inherited {
        // SAFETY: It was open before this program had a line of its own, hence nobody here has it.
        unsafe { rustix::io::close(fd) };
    }
    Ok(())
}

/// Whether a program that is executed now would inherit a descriptor from `first` on.
///
/// # Errors
/// * What reading the list of descriptors gave.
pub(crate) fn has_inherited(first: RawFd) -> std::io::Result<bool> {
    let folder = std::fs::read_dir("/proc/self/fd")?;
    let mut numbers = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(numbers.any(|fd: RawFd| fd >= first && stays(fd)))
}

/// Whether a descriptor is open and not closed on exec.
fn stays(fd: RawFd) -> bool {
    // SAFETY: The number is not -1, and is used for one look, which fails on one that is not open.
    let file = unsafe { BorrowedFd::borrow_raw(fd) };
    fcntl_getfd(file).is_ok_and(|flags| flags.is_empty())
}
