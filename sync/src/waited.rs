//! How a wait for a predicate ends, and one that does not happen.

use core::fmt;

use crate::deadline::Deadline;
use crate::error::Error;

/// How a wait for a predicate ended. The lock is held again in each case: `G` is its guard, `S` the
/// guard of what is suspect, and both are `()` for a lock that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the lock is held again, and it may be suspect"]
pub enum Waited<G, S, T> {
    /// The predicate gave a value, under the lock.
    Met(G, T),
    /// The deadline came first, and the predicate gave nothing after it either.
    TimedOut(G),
    /// An owner died. The predicate was not asked since: what it looks at may be half written.
    OwnerDied(S),
}

impl<G, S, T> Waited<G, S, T> {
    /// What the predicate gave, for those who cannot repair what a dead owner left. Otherwise the
    /// guard is dropped.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::OwnerDied`] when an owner died.
    pub fn met(self) -> Result<(G, T), Error> {
        match self {
            Self::Met(guard, value) => Ok((guard, value)),
            Self::TimedOut(_) => Err(Error::TimedOut),
            Self::OwnerDied(_) => Err(Error::OwnerDied),
        }
    }
}

/// A wait that did not happen, or that did not get the lock back. It turns into an [`Error`] by
/// `?`, which releases the lock, if it is still held.
#[must_use = "dropping it releases the lock, if it is still held"]
pub struct WaitError<G> {
    /// What went wrong.
    pub error: Error,
    /// The guard that the wait was begun with, when nothing has happened.
    pub guard: Option<G>,
}

impl<G> WaitError<G> {
    /// `error`, with the guard where the lock is as it was before.
    pub(crate) fn new(error: Error, guard: G) -> Self {
        if is_unchanged(error) {
            return Self { error, guard: Some(guard) };
        }
        core::mem::forget(guard); // its hold was given up, and whoever has the lock is another
        Self { error, guard: None }
    }
}

/// Waits by `wait` until `predicate` gives a value, which is asked under the hold.
pub(crate) fn until<G, S, T, E>(
    mut hold: G,
    mut deadline: Deadline,
    mut predicate: impl FnMut() -> Option<T>,
    mut wait: impl FnMut(G, Deadline) -> Result<Result<G, S>, E>,
) -> Result<Waited<G, S, T>, E> {
    loop {
        if let Some(value) = predicate() {
            return Ok(Waited::Met(hold, value));
        }
        deadline = deadline.start();
        if deadline.remaining().is_some_and(|left| left.is_zero()) {
            return Ok(Waited::TimedOut(hold));
        }
        hold = match wait(hold, deadline)? {
            Ok(hold) => hold,
            Err(suspect) => return Ok(Waited::OwnerDied(suspect)),
        };
    }
}

/// Whether a wait that fails so was not begun.
const fn is_unchanged(error: Error) -> bool {
    matches!(error, Error::NotOwner | Error::OutOfResources | Error::InvalidArgument)
}

impl<G> From<WaitError<G>> for Error {
    fn from(failed: WaitError<G>) -> Self {
        failed.error
    }
}

impl<G> fmt::Debug for WaitError<G> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, is_held) = (self.error, self.guard.is_some());
        out.debug_struct("WaitError").field("error", &error).field("is_held", &is_held).finish()
    }
}

impl<G> fmt::Display for WaitError<G> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(out)
    }
}

impl<G> std::error::Error for WaitError<G> {}
