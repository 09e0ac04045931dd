//! A semaphore at a server.

use core::fmt;

use purlin_sync::Deadline;

use super::{Base, proxy};
use crate::error::Error;
use crate::objects::semaphore::Ask;
use crate::wire::Call;

proxy! {
    /// Units at a server that nobody owns: whoever has taken one gives it back, or another does. A
    /// bounded one never has more than it began with. Every call fails as
    /// [`Client::list`](crate::Client::list) does; only what else may go wrong is said at each.
    ///
    /// # Weak points
    /// * Fairness: who comes first waits least.
    /// * Signals: no call may be made in a handler.
    /// * Fork: the child inherits the proxy, and no unit.
    /// * Death: what a dead process took stays taken, as with every semaphore whose units have no
    ///   owner; nobody sleeps while a unit is there.
    Semaphore<>, Semaphore | BoundedSemaphore
}

impl Semaphore {
    /// Takes a unit, waiting until there is one or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    pub fn acquire(&self, deadline: impl Into<Deadline>) -> Result<Permit<'_>, Error> {
        let came = self.base.ask_waiting(Call::Semaphore(Ask::Acquire), deadline.into())?;
        came.acquired()?;
        self.permit()
    }

    /// Takes a unit if there is one.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when there is none.
    pub fn try_acquire(&self) -> Result<Permit<'_>, Error> {
        self.base.ask_trying(Call::Semaphore(Ask::Acquire))?.acquired()?;
        self.permit()
    }

    /// Gives a unit back.
    ///
    /// # Errors
    /// * [`Error::OverReleased`] when that would pass the bound.
    pub fn release(&self) -> Result<(), Error> {
        self.release_many(1)
    }

    /// Gives so many back, in one step.
    ///
    /// # Errors
    /// * [`Error::OverReleased`] when that would pass the bound; none is given back then.
    /// * [`Error::InvalidArgument`] for none.
    pub fn release_many(&self, count: u32) -> Result<(), Error> {
        self.base.ask(Call::Semaphore(Ask::Release(count)))?.done()
    }

    /// How many there are, at this moment.
    ///
    /// # Errors
    /// * As all its calls.
    pub fn value(&self) -> Result<u32, Error> {
        let value = self.base.ask(Call::Semaphore(Ask::Value))?.count()?;
        u32::try_from(value).map_err(|_| Error::Damaged)
    }

    fn permit(&self) -> Result<Permit<'_>, Error> {
        Ok(Permit { base: &self.base, claim: self.base.claim()? })
    }
}

/// A unit that was taken. Dropping it gives it back, and waits for the server to say so; the copy
/// in a forked child does nothing.
#[must_use = "dropping it gives the unit back at once"]
pub struct Permit<'a> {
    base: &'a Base,
    /// Of the process that took it.
    claim: u64,
}

impl Permit<'_> {
    /// Keeps the unit taken, until somebody gives one back.
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.base.is_claimed_by(self.claim) {
            // Fails when the server has ended, or another gave the unit back.
            let _ = self.base.ask(Call::Semaphore(Ask::Release(1)));
        }
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.base.handle.object;
        out.debug_struct("Permit").field("object", &object).finish_non_exhaustive()
    }
}
