//! What an acquire gives: a guard, or a suspect that has to be looked at first.

use core::fmt;
use core::marker::PhantomData;

use purlin_sync::Deadline;

use super::Base;
use crate::error::Error;
use crate::objects::lock::Ask;
use crate::wire::Call;

/// The answer of an acquire that got the lock. An owner's death is an answer, not an error: the
/// caller holds the lock either way.
///
/// ```
/// use purlin_manager::{Acquired, Error, Manager};
///
/// let manager = Manager::start()?;
/// let lock = manager.lock()?;
/// match lock.acquire(None)? {
///     Acquired::Held(_guard) => {}
///     Acquired::OwnerDied(suspect) => {
///         // repair the data, then:
///         let _guard = suspect.recover()?;
///     }
/// }
/// let _guard = lock.acquire(None)?.sound()?; // for those who cannot repair
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once"]
pub enum Acquired<'a> {
    /// The lock is held, and the last holder left it in order.
    Held(Guard<'a>),
    /// The lock is held, but a holder died with it, and nobody has vouched for the data since.
    OwnerDied(Suspect<'a>),
}

impl<'a> Acquired<'a> {
    /// The guard, for those who cannot repair what a dead holder left.
    ///
    /// # Errors
    /// * [`Error::OwnerDied`] when the data is not vouched for. The lock is released again, and the
    ///   next holder is told.
    pub fn sound(self) -> Result<Guard<'a>, Error> {
        match self {
            Self::Held(guard) => Ok(guard),
            Self::OwnerDied(_) => Err(Error::OwnerDied),
        }
    }

    /// Keeps the lock held beyond this value, until it is released by a call. Whether a holder had
    /// died.
    pub fn keep(self) -> bool {
        match self {
            Self::Held(guard) => {
                guard.keep();
                false
            }
            Self::OwnerDied(suspect) => {
                suspect.guard.keep();
                true
            }
        }
    }

    /// Acquires what has this base, by the calls that `wrap` makes.
    pub(super) fn ask(
        base: &'a Base,
        wrap: fn(Ask) -> Call,
        deadline: Option<Deadline>,
    ) -> Result<Self, Error> {
        let call = wrap(Ask::Acquire);
        let came = match deadline {
            Some(deadline) => base.ask_waiting(call, deadline),
            None => base.ask_trying(call),
        };
        let owner_died = came?.acquired()?;
        let guard = Guard { base, wrap, claim: base.claim()?, bond: PhantomData };
        Ok(if owner_died { Self::OwnerDied(Suspect { guard }) } else { Self::Held(guard) })
    }
}

/// A held lock. Dropping it releases, on unwinding too, and waits for the server to say so. It
/// belongs to its thread.
///
/// # Weak points
/// * Fork: the copy in a forked child does nothing when it is dropped.
/// * Leaks: a guard that is forgotten leaves the lock held, as [`keep`](Self::keep) does, until its
///   process ends.
#[must_use = "dropping it releases the lock at once"]
pub struct Guard<'a> {
    pub(super) base: &'a Base,
    wrap: fn(Ask) -> Call,
    /// Of the process that acquired it.
    claim: u64,
    bond: PhantomData<*const ()>,
}

impl Guard<'_> {
    /// Keeps the lock held beyond this guard, until it is released by a call.
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.base.is_claimed_by(self.claim) {
            // Fails when the server has ended, and the lock with it; or when it was released behind
            // this guard's back.
            let _ = self.base.ask((self.wrap)(Ask::Release));
        }
    }
}

impl fmt::Debug for Guard<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.base.handle.object;
        out.debug_struct("Guard").field("object", &object).finish_non_exhaustive()
    }
}

/// A held lock whose holder died: what it guards may be half written. Dropping it releases the
/// lock, and the next holder is told as this one was.
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once, still suspect"]
pub struct Suspect<'a> {
    guard: Guard<'a>,
}

impl<'a> Suspect<'a> {
    /// Declares the data sound: this holder has repaired it, or knows that it needs no repair. From
    /// here on holders are not told of the death any more.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the lock was released behind its back.
    /// * [`Error::ServerGone`].
    pub fn recover(self) -> Result<Guard<'a>, Error> {
        self.guard.base.ask((self.guard.wrap)(Ask::Recover))?.done()?;
        Ok(self.guard)
    }
}
