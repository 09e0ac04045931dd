//! The bits of an exclusive word, and the two atomics that one can be.
//!
//! The algorithm sees 64 bits. A word whose owner is a process has 32 of them, and the others are
//! always zero; what widens and narrows them costs no instruction.

use core::time::Duration;

use super::cell::{
    AtomicU32, AtomicU64, Error, Ordering, wait, wait_lower, wake_one, wake_one_lower,
};

const TOKEN_MASK: u64 = (1 << 30) - 1; // bits 0..30: the token of the owner's process
pub(super) const UNVOUCHED: u64 = 1 << 30; // an owner died, and nobody has vouched since
pub(super) const WAITERS: u64 = 1 << 31; // somebody may sleep here

/// Bits from here on are the number of the owner's thread, where a thread is the owner.
pub(super) const THREAD_SHIFT: u32 = 32;

/// Who holds it, 0 when it is free.
pub(super) const fn owner(word: u64) -> u64 {
    word & !(UNVOUCHED | WAITERS)
}

/// The token of the process that holds it.
pub(super) const fn token(word: u64) -> u32 {
    (word & TOKEN_MASK) as u32
}

pub(super) const fn owes_wake(word: u64) -> bool {
    word & WAITERS != 0
}

pub(super) const fn is_unvouched(word: u64) -> bool {
    word & UNVOUCHED != 0
}

/// What a word is made of. The futex is its lower half, or all of it.
pub trait Bits: Sync {
    /// All zeros.
    fn zero() -> Self;

    /// One access.
    fn load(&self, order: Ordering) -> u64;

    /// One access. The upper half of what is written into 32 bits must be zero.
    ///
    /// # Errors
    /// What stood there instead of `current`.
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64>;

    /// Sleeps while the futex is that of `seen`, until a wake, a signal or `limit` is over.
    ///
    /// # Errors
    /// * [`Error::System`] when the kernel refuses, which it has no reason to.
    ///
    /// [`Error::System`]: crate::Error::System
    fn sleep(&self, seen: u64, limit: Duration) -> Result<(), Error>;

    /// Wakes one sleeper, if there is any.
    fn wake_one(&self);
}

impl Bits for AtomicU32 {
    fn zero() -> Self {
        Self::new(0)
    }

    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        Self::load(self, order).into()
    }

    #[inline]
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        Self::compare_exchange(self, current as u32, new as u32, success, failure)
            .map(u64::from)
            .map_err(u64::from)
    }

    fn sleep(&self, seen: u64, limit: Duration) -> Result<(), Error> {
        wait(self, seen as u32, limit)
    }

    fn wake_one(&self) {
        wake_one(self);
    }
}

impl Bits for AtomicU64 {
    fn zero() -> Self {
        Self::new(0)
    }

    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        Self::load(self, order)
    }

    #[inline]
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        Self::compare_exchange(self, current, new, success, failure)
    }

    fn sleep(&self, seen: u64, limit: Duration) -> Result<(), Error> {
        wait_lower(self, seen as u32, limit)
    }

    fn wake_one(&self) {
        wake_one_lower(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_read_their_own_bits() {
        let word = 77 << 10 | 3;
        let thread = 5 << THREAD_SHIFT;
        assert_eq!(owner(thread | word | WAITERS | UNVOUCHED), thread | word);
        assert_eq!(token(thread | word | WAITERS | UNVOUCHED), 77 << 10 | 3);
        assert!(owes_wake(WAITERS) && !owes_wake(!WAITERS));
        assert!(is_unvouched(UNVOUCHED) && !is_unvouched(!UNVOUCHED));
        assert_eq!(TOKEN_MASK | UNVOUCHED | WAITERS, u64::from(u32::MAX));
        assert_eq!(WAITERS << 1, 1 << THREAD_SHIFT);
    }
}
