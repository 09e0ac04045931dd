//! The caller's ends of a program's pipes, none of which may hold the others up.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, read, write};

use super::ready;
use crate::Error;
use crate::limits::READ_BYTES;

/// What became of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many bytes went through; none, if it was not ready.
    Moved(usize),
    /// Nothing goes through any more.
    End,
}

/// Lets no call on this end wait. The setting is of this end alone, not of the program's.
pub(crate) fn never_wait(end: &OwnedFd) -> Result<(), Error> {
    Ok(fcntl_setfl(end, fcntl_getfl(end)? | OFlags::NONBLOCK)?)
}

/// Waits until one of these is ready, `limit` is over or a signal came: try all after each.
pub(crate) fn wait(
    writer: Option<BorrowedFd<'_>>,
    readers: [Option<BorrowedFd<'_>>; 2],
    limit: Duration,
) -> Result<(), Error> {
    let readers: Vec<_> = readers.into_iter().flatten().collect();
    match ready::wait(&readers, writer, limit) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Writes what there is room for.
pub(crate) fn write_some(writer: &OwnedFd, bytes: &[u8]) -> Result<Step, Error> {
    match write(writer.as_fd(), bytes) {
        Ok(count) => Ok(Step::Moved(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Step::Moved(0)),
        Err(Errno::PIPE) => Ok(Step::End),
        Err(errno) => Err(errno.into()),
    }
}

/// Reads what is there, to the end of `bytes`.
pub(crate) fn read_some(reader: &OwnedFd, bytes: &mut Vec<u8>) -> Result<Step, Error> {
    bytes.try_reserve(READ_BYTES).map_err(|_| Error::OutOfResources)?;
    match read(reader.as_fd(), spare_capacity(bytes)) {
        Ok(0) => Ok(Step::End),
        Ok(count) => Ok(Step::Moved(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Step::Moved(0)),
        Err(errno) => Err(errno.into()),
    }
}
