//! Descriptors that a fork handler closes.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A descriptor that its holder keeps open as long as it is borrowed; none for a negative number.
pub(crate) fn borrow<'a>(fd: RawFd) -> Option<BorrowedFd<'a>> {
    // SAFETY: It is not -1, and the callers keep it open as long as they lend it.
    (fd >= 0).then(|| unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Closes a descriptor that its holder has given up; none for a negative number. May be called in a
/// forked child.
pub(crate) fn close(fd: RawFd) {
    if fd >= 0 {
        // SAFETY: The holder has taken the number out of where it kept it, so that it is closed
        // once and nobody uses it any more.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}
