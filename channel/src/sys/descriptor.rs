//! Descriptors by their numbers: which file one leads to, and the end of one that still does.
#![expect(unsafe_code, reason = "numbers that a fork handler closes")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use crate::error::Error;
use crate::limits::STANDARD_FD_COUNT;

/// Device and inode: what two descriptors of one file agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

/// Tells which file a descriptor leads to.
///
/// # Errors
/// * [`Error::System`] for a number that is not open.
pub(crate) fn file_id(file: impl AsFd) -> Result<FileId, Error> {
    let stat = rustix::fs::fstat(file)?;
    Ok(FileId { device: stat.st_dev, inode: stat.st_ino })
}

/// The same file under a number that no standard stream has, should those of this process be
/// closed: any code replaces those without asking.
///
/// # Errors
/// * [`Error::OutOfResources`] without descriptors.
pub(crate) fn beyond_standard(fd: OwnedFd) -> Result<OwnedFd, Error> {
    if fd.as_raw_fd() >= STANDARD_FD_COUNT {
        return Ok(fd);
    }
    duplicate(fd.as_fd())
}

/// One more descriptor of the same description, fit to be kept.
///
/// # Errors
/// * [`Error::OutOfResources`] without descriptors.
pub(crate) fn duplicate(file: BorrowedFd<'_>) -> Result<OwnedFd, Error> {
    Ok(rustix::io::fcntl_dupfd_cloexec(file, STANDARD_FD_COUNT)?)
}

/// A number that its owner does not close as long as this is used; none for -1.
pub(crate) fn borrow<'a>(fd: RawFd) -> Option<BorrowedFd<'a>> {
    if fd < 0 {
        return None;
    }
    // SAFETY: The number is not -1. The callers keep it from being closed by this crate; should
    // foreign code close it, calls made with it answer EBADF, or reach another socket, as they
    // would through any descriptor that foreign code closes.
    Some(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Closes a number if it still leads to `wanted`: somebody else's file is not ours to close.
/// Async-signal-safe: two system calls.
pub(crate) fn close_if(fd: RawFd, wanted: FileId) {
    if borrow(fd).is_some_and(|file| file_id(file) == Ok(wanted)) {
        // SAFETY: It leads to the socket that the caller owned, who gave it up.
        unsafe { rustix::io::close(fd) };
    }
}
