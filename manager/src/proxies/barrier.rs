//! A barrier at a server.

use purlin_sync::Deadline;

use super::proxy;
use crate::error::Error;
use crate::objects::barrier::Ask;
use crate::wire::Call;

proxy! {
    /// A barrier at a server: its parties pass when all have come. Every call fails as
    /// [`Client::list`](crate::Client::list) does; only what else may go wrong is said at each.
    ///
    /// # Weak points
    /// * Fairness: all pass together.
    /// * Signals: no call may be made in a handler.
    /// * Fork: the child inherits the proxy, and is no party by that.
    /// * Death: a party that dies while it waits breaks it, and the others are told. One that dies
    ///   elsewhere is not missed before the others' deadlines.
    Barrier<>, Barrier
}

impl Barrier {
    /// Waits until all parties have come. Returns the place in the order of arrival, from 0.
    ///
    /// # Errors
    /// * [`Error::BarrierBroken`] when it is broken, or breaks before all have come: a deadline
    ///   passed, this one or another's, a party died, or it was aborted or reset.
    /// * [`Error::TimedOut`] only when the server itself does not answer in time.
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<u32, Error> {
        self.count(self.base.ask_waiting(Call::Barrier(Ask::Wait), deadline.into())?.count())
    }

    /// Breaks it: who waits is told, and who comes, until it is reset.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn abort(&self) -> Result<(), Error> {
        self.base.ask(Call::Barrier(Ask::Abort))?.done()
    }

    /// Makes it new; who waits is told that it broke.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn reset(&self) -> Result<(), Error> {
        self.base.ask(Call::Barrier(Ask::Reset))?.done()
    }

    /// How many pass together.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn parties(&self) -> Result<u32, Error> {
        self.count(self.base.ask(Call::Barrier(Ask::Parties))?.count())
    }

    /// How many wait, at this moment.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn waiting(&self) -> Result<u32, Error> {
        self.count(self.base.ask(Call::Barrier(Ask::Arrived))?.count())
    }

    /// Whether it is broken.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn is_broken(&self) -> Result<bool, Error> {
        self.base.ask(Call::Barrier(Ask::IsBroken))?.flag()
    }

    fn count(&self, count: Result<u64, Error>) -> Result<u32, Error> {
        u32::try_from(count?).map_err(|_| Error::Damaged)
    }
}
