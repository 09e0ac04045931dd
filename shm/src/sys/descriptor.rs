//! Descriptors: the private re-open of a segment's file, and what a descriptor leads to.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, FdFlags, retry_on_intr};

use crate::error::Error;
use crate::limits::{PRIVATE_FD_MIN, STANDARD_FD_COUNT};

/// Device and inode: what two descriptors of one file agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

/// Tells which file a descriptor leads to.
pub(crate) fn file_id(file: impl AsFd) -> Result<FileId, Error> {
    Ok(id_of(&rustix::fs::fstat(file)?))
}

/// The same of a file that was looked at otherwise.
pub(crate) fn id_of(stat: &rustix::fs::Stat) -> FileId {
    FileId { device: stat.st_dev, inode: stat.st_ino }
}

/// One more descriptor of the same description, fit to be kept.
pub(crate) fn duplicate(file: BorrowedFd<'_>) -> Result<OwnedFd, Error> {
    Ok(rustix::io::fcntl_dupfd_cloexec(file, STANDARD_FD_COUNT)?)
}

/// What others are told of a segment's file.
pub(crate) struct Description {
    pub(crate) size_bytes: u64,
    /// The user's number.
    pub(crate) owner: u32,
    /// As in `chmod(1)`.
    pub(crate) mode: u32,
}

/// Tells whose a file is, and how large.
pub(crate) fn describe(file: impl AsFd) -> Result<Description, Error> {
    let stat = rustix::fs::fstat(file)?;
    let size_bytes = stat.st_size.unsigned_abs();
    Ok(Description { size_bytes, owner: stat.st_uid, mode: stat.st_mode & 0o7777 })
}

/// Makes a descriptor of a segment fit to be kept: closed on exec, and none of the three standard
/// ones, which any code replaces without asking whose they are.
pub(crate) fn settle(segment: OwnedFd) -> Result<OwnedFd, Error> {
    if segment.as_raw_fd() < STANDARD_FD_COUNT {
        return Ok(rustix::io::fcntl_dupfd_cloexec(&segment, STANDARD_FD_COUNT)?);
    }
    rustix::io::fcntl_setfd(&segment, FdFlags::CLOEXEC)?;
    Ok(segment)
}

/// Opens the file behind `segment` once more, for a file description that no other process has.
///
/// # Errors
/// * [`Error::System`] (EBADF) when `segment` does not lead to `wanted` any more: foreign code
///   closed it. A byte locked in what the number leads to now would be a sign of life to nobody.
/// * [`Error::Unsupported`] when `/proc` is not mounted: nothing else leads from a descriptor to a
///   description of its own.
pub(crate) fn reopen(segment: BorrowedFd<'_>, wanted: FileId) -> Result<OwnedFd, Error> {
    if file_id(segment)? != wanted {
        return Err(Errno::BADF.into()); // before the open, which might have effects on that file
    }
    // The thread's own entry: the process's is empty once its main thread has ended alone.
    let path = format!("/proc/thread-self/fd/{}", segment.as_raw_fd());
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let low = match retry_on_intr(|| rustix::fs::open(path.as_str(), flags, Mode::empty())) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(Error::Unsupported),
        Err(other) => return Err(other.into()),
    };
    if file_id(&low)? != wanted {
        return Err(Errno::BADF.into()); // it was closed just now
    }
    // A process that may not have so high a number keeps the low one.
    Ok(rustix::io::fcntl_dupfd_cloexec(&low, PRIVATE_FD_MIN).unwrap_or(low))
}

/// Whether the number `fd` leads to `wanted`. Foreign code may have closed it, and the system may
/// have given the number to another file since.
pub(crate) fn leads_to(fd: RawFd, wanted: FileId) -> bool {
    borrow(fd).is_some_and(|file| file_id(file).is_ok_and(|found| found == wanted))
}

/// Closes the number `fd` if it still leads to `wanted`: somebody else's file is not ours to close.
pub(crate) fn close_if(fd: RawFd, wanted: FileId) {
    if leads_to(fd, wanted) {
        super::fork::close(fd);
    }
}

/// A look at a number that may meanwhile be closed, for one system call at a time.
fn borrow(fd: RawFd) -> Option<BorrowedFd<'static>> {
    if fd < 0 {
        return None;
    }
    // SAFETY: The number is not -1. Should it be closed, a call made with it answers EBADF; should
    // it lead to another file, the only call made with it is fstat(2), which changes nothing.
    Some(unsafe { BorrowedFd::borrow_raw(fd) })
}
