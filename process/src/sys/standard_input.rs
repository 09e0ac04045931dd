//! The standard input of a spawned child: the private socket to its parent.

use std::os::fd::{BorrowedFd, OwnedFd};

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
