//! How often the holder of an exclusive word holds it: what stands beside the word, if anything.
//!
//! Only a proven holder reads or writes it, and whoever comes to hold begins it anew. So a kill
//! between a step on the word and one on the depth leaves nothing to repair: the depth of a dead
//! holder is read by nobody.

use super::cell::{AtomicU32, Error, Ordering::Relaxed, RLOCK_DEPTH_MAX_COUNT};

/// What counts the levels of a hold. The caller of each is the holder.
pub trait Depth: Sync {
    /// All zeros.
    fn zero() -> Self;

    /// The hold has just begun, with so many levels.
    fn begin(&self, depth: u32);

    /// How many levels there are, from 1 on.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when it is a number that no holder leaves.
    fn get(&self) -> Result<u32, Error>;

    /// One level more.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] when there are as many as can be.
    /// * [`Error::Damaged`] as [`get`](Self::get).
    fn deepen(&self) -> Result<(), Error>;

    /// One level less, unless it is the last, which ends with the hold; whether one is left.
    ///
    /// # Errors
    /// * [`Error::Damaged`] as [`get`](Self::get).
    fn rise(&self) -> Result<bool, Error>;
}

/// Always one level: nothing stands beside the word.
#[derive(Debug)]
#[repr(C)]
pub struct One;

impl Depth for One {
    fn zero() -> Self {
        Self
    }

    #[inline]
    fn begin(&self, _depth: u32) {}

    #[inline]
    fn get(&self) -> Result<u32, Error> {
        Ok(1)
    }

    #[inline]
    fn deepen(&self) -> Result<(), Error> {
        Err(Error::OutOfRange)
    }

    #[inline]
    fn rise(&self) -> Result<bool, Error> {
        Ok(false)
    }
}

/// A number beside the word.
//
// while the word is free, or names a dead owner   any: nobody reads it
// just taken, and not begun yet                   any: the next step of its holder writes it
// held                                            1 to RLOCK_DEPTH_MAX_COUNT; else damaged
#[repr(C)]
pub struct Levels {
    depth: AtomicU32,
    /// Zero: the word beside has 8 bytes, and is aligned to them.
    _reserved: AtomicU32,
}

impl Depth for Levels {
    fn zero() -> Self {
        Self { depth: AtomicU32::new(0), _reserved: AtomicU32::new(0) }
    }

    #[inline]
    fn begin(&self, depth: u32) {
        // Relaxed, as below: only the holder's thread comes here, and one holder is ordered after
        // the other by the word, or by the kernel where the other died.
        self.depth.store(depth, Relaxed);
    }

    #[inline]
    fn get(&self) -> Result<u32, Error> {
        let depth = self.depth.load(Relaxed); // as in `begin`: ordered by the word
        let is_left_by_a_holder = depth.wrapping_sub(1) < RLOCK_DEPTH_MAX_COUNT;
        if is_left_by_a_holder { Ok(depth) } else { Err(Error::Damaged) }
    }

    #[inline]
    fn deepen(&self) -> Result<(), Error> {
        let depth = self.get()?;
        if depth == RLOCK_DEPTH_MAX_COUNT {
            return Err(Error::OutOfRange);
        }
        self.depth.store(depth + 1, Relaxed); // as in `begin`: ordered by the word
        Ok(())
    }

    #[inline]
    fn rise(&self) -> Result<bool, Error> {
        let depth = self.get()?;
        if depth > 1 {
            self.depth.store(depth - 1, Relaxed); // as in `begin`: ordered by the word
        }
        Ok(depth > 1)
    }
}
