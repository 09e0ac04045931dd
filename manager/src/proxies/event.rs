//! An event at a server.

use purlin_sync::Deadline;

use super::proxy;
use crate::error::Error;
use crate::objects::event::Ask;
use crate::wire::Call;

proxy! {
    /// A flag at a server, to wait for. Every call fails as
    /// [`Client::list`](crate::Client::list) does.
    ///
    /// # Weak points
    /// * Fairness: all who wait are woken.
    /// * Signals: no call may be made in a handler.
    /// * Fork: the child inherits the proxy.
    /// * Death: nobody minds a dead setter or waiter.
    Event<>, Event
}

impl Event {
    /// Sets it, which wakes all who wait.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn set(&self) -> Result<(), Error> {
        self.base.ask(Call::Event(Ask::Set))?.done()
    }

    /// Takes the flag down.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn clear(&self) -> Result<(), Error> {
        self.base.ask(Call::Event(Ask::Clear))?.done()
    }

    /// Whether it is set, at this moment.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn is_set(&self) -> Result<bool, Error> {
        self.base.ask(Call::Event(Ask::IsSet))?.flag()
    }

    /// Waits until it is set or `deadline` passes; whether it was set.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] only when the server itself does not answer in time.
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<bool, Error> {
        self.base.ask_waiting(Call::Event(Ask::Wait), deadline.into())?.flag()
    }
}
