//! The standard input of a spawned child: the private socket to its parent.
#![expect(unsafe_code, reason = "a number of a process that may be zero")]

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::FileType;
use rustix::io::fcntl_dupfd_cloexec;

use super::{descriptor, stdio};
use crate::Error;
use crate::limits::STANDARD_FD_COUNT;

/// What tells this socket from all others: device and inode.
pub(crate) fn mark_of(socket: BorrowedFd<'_>) -> Result<String, Error> {
    let stat = rustix::fs::fstat(socket)?;
    Ok(format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// The same of this process's standard input, if that is a socket.
pub(crate) fn mark() -> Option<String> {
    let input = rustix::stdio::stdin();
    let stat = rustix::fs::fstat(input).ok()?;
    let is_socket = FileType::from_raw_mode(stat.st_mode) == FileType::Socket;
    is_socket.then(|| mark_of(input).ok())?
}

/// Who this process's parent was, to be asked again. Its number, which the system gives to nobody
/// else as long as that one lives; zero is a parent in an outer pid namespace.
pub(crate) struct Parent(libc::pid_t);

impl Parent {
    pub(crate) fn current() -> Self {
        // SAFETY: It asks for nothing.
        Self(unsafe { libc::getppid() })
    }

    /// Whether it has ended: then another is the parent.
    pub(crate) fn has_ended(&self) -> bool {
        Self::current().0 != self.0
    }

    /// Whether it is the process that made this socket, and not a program that stands between.
    pub(crate) fn has_made(&self, socket: BorrowedFd<'_>) -> bool {
        let mut maker = libc::ucred { pid: -1, uid: 0, gid: 0 };
        let mut size = size_of::<libc::ucred>() as libc::socklen_t;
        let (level, option) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
        // SAFETY: The descriptor is open, and the pointers are valid for what they say to hold.
        let asked = unsafe {
            let maker = (&raw mut maker).cast();
            libc::getsockopt(socket.as_raw_fd(), level, option, maker, &raw mut size)
        };
        asked == 0 && maker.pid == self.0
    }
}

/// Takes the socket away from the standard input, which becomes the null device, and closes what
/// else this process inherited.
pub(crate) fn take() -> Result<OwnedFd, Error> {
    let socket = fcntl_dupfd_cloexec(rustix::stdio::stdin(), STANDARD_FD_COUNT)?;
    stdio::detach_stdin();
    // The program itself has opened nothing that stays open on exec, this early: what does came
    // from the parent, and from code there that did not mean us.
    descriptor::close_inherited(STANDARD_FD_COUNT).map_err(|_| Error::Unsupported)?;
    Ok(socket)
}
