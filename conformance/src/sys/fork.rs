//! `fork(2)` as a script asks for it: the platform's bare call, with nobody's help. And what the
//! child needs to do with descriptors whose owners were threads that it does not have.
#![expect(unsafe_code, reason = "fork and close are unsafe to call")]

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Which of the two processes returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forked {
    Child,
    Parent,
}

/// Forks by libc's call, whose handlers run; nobody collects the child.
///
/// # Errors
/// * What the system refused.
pub(crate) fn fork() -> io::Result<Forked> {
    // SAFETY: The child has this one thread. It leaves the program that forked it, takes none of
    // this crate's locks but what the forking thread held itself, and ends by `_exit`, `exit` or a
    // signal. The allocator is made usable by libc. What a subject's guards do in the child when
    // they are left is the very thing that is judged.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        _ => Ok(Forked::Parent),
    }
}

/// Closes a descriptor whose owner was left behind, by a fork, in a thread or a frame that this
/// process never goes back to. The standard streams stay: they are replaced, not closed.
pub(crate) fn close_left_behind(fd: RawFd) {
    if fd > libc::STDERR_FILENO {
        // SAFETY: The caller says that no owner of the number is ever dropped in this process.
        unsafe { libc::close(fd) };
    }
}

/// Takes over a descriptor that was passed to this program by its number.
///
/// # Errors
/// * When there is none of this number.
pub(crate) fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: fcntl(F_GETFD) reads nothing and changes nothing.
    if fd < 0 || unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
        return Err(io::Error::other(format!("descriptor {fd} was not passed on")));
    }
    // SAFETY: It is open, and whoever started this program opened it for this owner alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A copy of a descriptor that another thread owns and keeps.
///
/// # Errors
/// * What the system refused.
pub(crate) fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: A new number for what the old one stands for; nothing is taken from its owner.
    match unsafe { libc::fcntl(fd, libc::F_DUPFD, 3) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: The number is new, and ours.
        copy => Ok(unsafe { OwnedFd::from_raw_fd(copy) }),
    }
}

/// Closes a descriptor of this process by its number, whoever it belongs to, as a program that
/// tidies up for itself does.
pub(crate) fn close_number(fd: RawFd) {
    // SAFETY: A script asks for it, of a standard stream: those are used by number only, and fail.
    unsafe { libc::close(fd) };
}

/// Looks at a descriptor by its number, which may be that of none.
pub(crate) fn with_number<T>(fd: RawFd, look: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
    // SAFETY: Only the kernel is asked about it, which knows what is open; -1 alone is no number.
    look(unsafe { BorrowedFd::borrow_raw(fd.max(0)) })
}
