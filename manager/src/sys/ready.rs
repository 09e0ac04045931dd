//! Which of many descriptors are ready: `epoll(7)`.

use core::time::Duration;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::error::Error;
use crate::limits::READY_COUNT;

/// The descriptors that a server looks at.
pub(crate) struct Ready {
    epoll: OwnedFd,
    /// Kept from look to look.
    events: Vec<Event>,
}

/// What a descriptor is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    Reading,
    Writing,
    /// Only its end.
    Nothing,
}

impl For {
    fn flags(self) -> EventFlags {
        match self {
            Self::Reading => EventFlags::IN | EventFlags::RDHUP,
            Self::Writing => EventFlags::OUT,
            Self::Nothing => EventFlags::empty(),
        }
    }
}

impl Ready {
    /// # Errors
    /// * [`Error::OutOfResources`] without descriptors.
    pub(crate) fn new() -> Result<Self, Error> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(READY_COUNT) })
    }

    /// Looks at one more, until it is closed.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] without memory for it.
    pub(crate) fn add(&self, fd: impl AsFd, token: u64, what: For) -> Result<(), Error> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(token), what.flags())?)
    }

    /// Looks at it for something else from now on.
    pub(crate) fn change(&self, fd: impl AsFd, token: u64, what: For) {
        // It is there, and to change it takes no memory.
        let _ = epoll::modify(&self.epoll, fd, EventData::new_u64(token), what.flags());
    }

    /// Those that are ready now, without waiting.
    ///
    /// # Errors
    /// * What the system says.
    pub(crate) fn look(&mut self) -> Result<Vec<(u64, bool)>, Error> {
        self.wait(Some(Duration::ZERO))
    }

    /// Waits until one is ready, or for so long, or until a signal. Those that are at their end
    /// come first, each with whether it is.
    ///
    /// # Errors
    /// * What the system says of the wait.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> Result<Vec<(u64, bool)>, Error> {
        // What does not fit is as good as never.
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        self.events.clear();
        match epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(&mut self.events),
            limit.as_ref(),
        ) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(other) => return Err(other.into()),
        }
        let end = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        let events = self.events.iter();
        let mut ready: Vec<(u64, bool)> =
            events.map(|event| (event.data.u64(), { event.flags }.intersects(end))).collect();
        ready.sort_by_key(|(_, is_at_end)| !is_at_end);
        Ok(ready)
    }
}
