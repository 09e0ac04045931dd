//! A condition at a server.

use purlin_sync::Deadline;

use super::{Acquired, Guard, proxy};
use crate::error::Error;
use crate::objects::condition::Ask;
use crate::objects::lock;
use crate::wire::Call;

proxy! {
    /// A condition at a server, with a recursive lock of its own. Every call fails as
    /// [`Client::list`](crate::Client::list) does; only what else may go wrong is said at each.
    ///
    /// ```
    /// # use purlin_manager::{Error, Manager};
    /// use std::time::Duration;
    ///
    /// let manager = Manager::start()?;
    /// let (ready, condition) = (manager.value(false)?, manager.condition()?);
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let _held = condition.acquire(None)?.sound()?;
    ///         ready.set(&true)?;
    ///         condition.notify_one()
    ///     });
    ///     let held = condition.acquire(None)?.sound()?;
    ///     condition.wait_for(&held, || ready.get(), Duration::from_secs(60))
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Weak points
    /// * Fairness: who waits for longest is notified first.
    /// * Signals: no call may be made in a handler.
    /// * Fork: the child inherits the proxy, never the hold.
    /// * Death: what a dead waiter was notified of goes to another; a dead holder's lock goes to
    ///   the next, who is told. Where nobody wants it, one who waits for a notification returns
    ///   without one, and is told.
    /// * Limits: a wait's return needs the lock, and so waits for it beyond the deadline; and for a
    ///   server that does not answer.
    Condition<>, Condition
}

fn wrap(ask: lock::Ask) -> Call {
    Call::Condition(Ask::Lock(ask))
}

impl Condition {
    /// Acquires its lock, waiting until it is free or `deadline` passes.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    pub fn acquire(&self, deadline: impl Into<Deadline>) -> Result<Acquired<'_>, Error> {
        Acquired::ask(&self.base, wrap, Some(deadline.into()))
    }

    /// Acquires its lock if it is free.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when it is held.
    pub fn try_acquire(&self) -> Result<Acquired<'_>, Error> {
        Acquired::ask(&self.base, wrap, None)
    }

    /// Releases its lock, where it was [kept](Acquired::keep).
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold it.
    pub fn release(&self) -> Result<(), Error> {
        self.base.ask(wrap(lock::Ask::Release))?.done()
    }

    /// Gives the lock up, waits for a notification or until `deadline`, and has the lock again, as
    /// deep as before. Whether there was a notification.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the guard is of another condition, or no longer holds.
    /// * [`Error::OwnerDied`] when a holder died meanwhile, or before: the lock is held again all
    ///   the same, and who does not know that its data are sound lets go of it.
    pub fn wait(&self, held: &Guard<'_>, deadline: impl Into<Deadline>) -> Result<bool, Error> {
        if held.base.handle.object != self.base.handle.object {
            return Err(Error::NotOwner);
        }
        let came = self.base.ask_steadfast(Call::Condition(Ask::Wait), deadline.into())?;
        match came.waited()? {
            (_, true) => Err(Error::OwnerDied),
            (was_notified, false) => Ok(was_notified),
        }
    }

    /// Waits until `predicate` holds, which is asked here, under the lock; `deadline` is for all of
    /// it.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first, and it does not hold after it either.
    /// * What the predicate fails with; else as [`wait`](Self::wait).
    pub fn wait_for(
        &self,
        held: &Guard<'_>,
        mut predicate: impl FnMut() -> Result<bool, Error>,
        deadline: impl Into<Deadline>,
    ) -> Result<(), Error> {
        let deadline = deadline.into().start();
        // Ends with the predicate, or at the deadline.
        loop {
            if predicate()? {
                return Ok(());
            }
            if deadline.remaining().is_some_and(|left| left.is_zero()) {
                return Err(Error::TimedOut);
            }
            self.wait(held, deadline)?;
        }
    }

    /// Wakes one who waits; how many there were, 0 or 1.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock.
    pub fn notify_one(&self) -> Result<u64, Error> {
        self.notify(1)
    }

    /// Wakes all who wait; how many there were.
    ///
    /// # Errors
    /// * As [`notify_one`](Self::notify_one).
    pub fn notify_all(&self) -> Result<u64, Error> {
        self.notify(u64::MAX)
    }

    /// Wakes so many who wait, as far as there are; how many there were.
    ///
    /// # Errors
    /// * As [`notify_one`](Self::notify_one).
    pub fn notify(&self, count: u64) -> Result<u64, Error> {
        self.base.ask(Call::Condition(Ask::Notify(count)))?.count()
    }
}
