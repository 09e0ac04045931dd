//! Waiting for the end of any of several processes, or for being called.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::error::Error;

/// Where whoever sees to the workers sleeps, and is called.
pub(crate) struct Watch(OwnedFd);

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

impl Watch {
    /// # Errors
    /// * [`Error::OutOfResources`] without descriptors.
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(from_errno)?))
    }

    /// Calls whoever sleeps there, or the next one who is about to. When it is refused it has been
    /// called often enough.
    pub(crate) fn call(&self) {
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

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
            Err(errno) => return Err(from_errno(errno)),
        }
        let ended = watched[..ends.len()].iter().map(|end| !end.revents().is_empty()).collect();
        if !watched[ends.len()].revents().is_empty() {
            // One read takes all calls; it fails when another thread has taken them.
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }
        Ok(ended)
    }
}

fn from_errno(errno: rustix::io::Errno) -> Error {
    purlin_process::Error::from(errno).into()
}
