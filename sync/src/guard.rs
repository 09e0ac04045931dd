//! What an acquire gives: a guard, or a suspect that has to be looked at first.

use core::fmt;
use core::marker::PhantomData;

use crate::error::Error;
use crate::exclusive::{Exclusive, Rules};
use crate::words::exclusive::Told;
use crate::words::lock::ByHolder;

/// The answer of an acquire that got the lock. An owner's death is an answer, not an error: the
/// caller holds the lock either way.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use purlin_sync::{Acquired, Lock};
///
/// let lock = Lock::new()?;
/// match lock.acquire(None)? {
///     Acquired::Held(_guard) => {}
///     Acquired::OwnerDied(suspect) => {
///         // repair the data, then:
///         let _guard = suspect.recover();
///     }
/// }
/// let _guard = lock.acquire(None)?.sound()?; // for those who cannot repair
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once"]
pub enum Acquired<'a, R: Rules = ByHolder> {
    /// The lock is held, and the last holder left it in order.
    Held(Guard<'a, R>),
    /// The lock is held, but an owner died with it, and nobody has vouched for the data since.
    OwnerDied(Suspect<'a, R>),
}

impl<'a, R: Rules> Acquired<'a, R> {
    /// The guard, for those who cannot repair what a dead owner left.
    ///
    /// # Errors
    /// * [`Error::OwnerDied`] when the data is not vouched for. The lock is released again, and the
    ///   next holder is told.
    #[inline]
    pub fn sound(self) -> Result<Guard<'a, R>, Error> {
        match self {
            Self::Held(guard) => Ok(guard),
            Self::OwnerDied(_) => Err(Error::OwnerDied),
        }
    }

    /// Keeps the lock held beyond this value, until [`release`](Exclusive::release), and says what
    /// was told.
    #[inline]
    pub fn keep(self) -> Told {
        match self {
            Self::Held(guard) => {
                guard.keep();
                Told::Held
            }
            Self::OwnerDied(suspect) => {
                suspect.keep();
                Told::OwnerDied
            }
        }
    }

    #[inline]
    pub(crate) fn new(lock: &'a Exclusive<R>, token: u32, told: Told) -> Self {
        let guard = Guard { lock, token, bond: PhantomData };
        match told {
            Told::Held => Self::Held(guard),
            Told::OwnerDied => Self::OwnerDied(Suspect { guard }),
        }
    }
}

/// A held lock. Dropping it releases, on unwinding too. It belongs to its thread, unless it is that
/// of a [`HandoverLock`](crate::HandoverLock):
///
/// ```compile_fail
/// # let lock = purlin_sync::Lock::new().unwrap();
/// let guard = lock.acquire(None).unwrap().sound().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(|| drop(guard)); // does not compile
/// });
/// ```
///
/// # Weak points
/// * Fork: the copy in a forked child does nothing when it is dropped.
/// * Threads: where the holder is a process, a guard whose lock was released behind its back, by
///   [`release`](Exclusive::release), and was acquired again by any thread of this process, ends
///   that hold when it drops. Where it is a thread, the same goes for the thread.
/// * Leaks: a guard that is forgotten leaves the lock held, as [`keep`](Self::keep) does.
#[must_use = "dropping it releases the lock at once"]
pub struct Guard<'a, R: Rules = ByHolder> {
    lock: &'a Exclusive<R>,
    /// Who acquired it. A forked child has another token, or none yet.
    token: u32,
    bond: PhantomData<R::Bond>,
}

impl<'a, R: Rules> Guard<'a, R> {
    /// The lock, and the token of the process that acquired it.
    pub(crate) const fn hold(&self) -> (&'a Exclusive<R>, u32) {
        (self.lock, self.token)
    }

    /// Keeps the lock held beyond this guard, until [`release`](Exclusive::release).
    #[inline]
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl<R: Rules> Drop for Guard<'_, R> {
    #[inline]
    fn drop(&mut self) {
        self.lock.release_held(self.token);
    }
}

impl<R: Rules> fmt::Debug for Guard<'_, R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Guard").field("lock", self.lock).finish_non_exhaustive()
    }
}

/// A held lock whose owner died: what it guards may be half written. Dropping it releases the lock,
/// and the next holder is told as this one was.
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once, still suspect"]
pub struct Suspect<'a, R: Rules = ByHolder> {
    guard: Guard<'a, R>,
}

impl<'a, R: Rules> Suspect<'a, R> {
    /// Declares the data sound: this holder has repaired it, or knows that it needs no repair. From
    /// here on holders are not told of the death any more.
    pub fn recover(self) -> Guard<'a, R> {
        // It fails in a forked child's copy, and where somebody else has handed the lock over: the
        // guard does nothing there either.
        let _ = self.guard.lock.recover();
        self.guard
    }

    /// Keeps the lock held beyond this value, still suspect, until [`release`](Exclusive::release).
    #[inline]
    pub fn keep(self) {
        self.guard.keep();
    }
}
