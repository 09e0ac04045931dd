//! What a semaphore's acquire gives: a unit, as long as it is not dropped.

use core::fmt;

use crate::counting::{Counting, Units};
use crate::words::exclusive::Told;

/// A unit of a semaphore. Dropping it gives the unit back, on unwinding too. It may go to another
/// thread.
///
/// ```
/// # fn main() -> Result<(), purlin_sync::Error> {
/// use purlin_sync::Semaphore;
///
/// let seats = Semaphore::new(2)?;
/// let permit = seats.acquire(None)?;
/// assert_eq!(seats.value(), 1);
/// drop(permit);
/// assert_eq!(seats.value(), 2);
/// seats.acquire(None)?.keep(); // until somebody calls `release`
/// assert_eq!(seats.value(), 1);
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fork: the copy in a forked child does nothing when it is dropped.
/// * Leaks: a permit that is forgotten leaves its unit taken, as [`keep`](Self::keep) does.
/// * Misuse: units are alike. A permit whose unit was given back behind its back, by
///   [`release`](Counting::release), gives another one when it drops, if the bound has room for it.
#[must_use = "dropping it gives the unit back at once"]
pub struct Permit<'a, K: Units> {
    semaphore: &'a Counting<K>,
    /// Who acquired it. A forked child has another token, or none yet.
    token: u32,
    told: Told,
}

impl<'a, K: Units> Permit<'a, K> {
    #[inline]
    pub(crate) const fn new(semaphore: &'a Counting<K>, token: u32, told: Told) -> Self {
        Self { semaphore, token, told }
    }

    /// Whether the unit is a dead owner's, which is told once for each unit and each death. Always
    /// [`Told::Held`] where units have no owners.
    #[inline]
    #[must_use]
    pub const fn told(&self) -> Told {
        self.told
    }

    /// Keeps the unit taken beyond this permit, until [`release`](Counting::release).
    #[inline]
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl<K: Units> Drop for Permit<'_, K> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release_held(self.token);
    }
}

impl<K: Units> fmt::Debug for Permit<'_, K> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Permit")
            .field("semaphore", self.semaphore)
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}
