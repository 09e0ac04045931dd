//! Waiting for the end of any of several processes, or for being called.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::Error;

/// What calls whoever sleeps in [`Watch::wait`].
pub(crate) struct Call(UnixStream);

/// Where it is heard.
pub(crate) struct Watch(UnixStream);

/// A pair of both.
///
/// # Errors
/// * [`Error::OutOfResources`] without descriptors.
pub(crate) fn watch() -> Result<(Call, Watch), Error> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    Ok((Call(ours), Watch(theirs)))
}

/// Lets so much time pass. It orders nothing: it is between two looks.
pub(crate) fn pause(limit: Duration) {
    let _ = poll(&mut [], Some(&timespec(limit)));
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

impl Call {
    /// Calls. When the socket is full it has been called often enough.
    pub(crate) fn call(&self) {
        let _ = (&self.0).write(&[0]);
    }
}

impl Watch {
    /// Sleeps until one of these processes has ended, or it is called, or for so long. Which have
    /// ended.
    ///
    /// # Errors
    /// * [`Error::System`] when foreign code closed a descriptor of ours.
    pub(crate) fn wait(
        &self,
        ends: &[BorrowedFd<'_>],
        limit: Duration,
    ) -> Result<Vec<bool>, Error> {
        let mut watched: Vec<PollFd<'_>> =
            ends.iter().map(|end| PollFd::from_borrowed_fd(*end, PollFlags::IN)).collect();
        watched.push(PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN));
        match poll(&mut watched, Some(&timespec(limit))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(purlin_process::Error::from(errno).into()),
        }
        let ended = watched[..ends.len()].iter().map(|end| !end.revents().is_empty()).collect();
        let mut calls = [0; 64];
        while matches!((&self.0).read(&mut calls), Ok(len) if len > 0) {}
        Ok(ended)
    }
}
