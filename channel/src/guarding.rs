//! What guards a shared value or array: a lock, or nothing.

use core::fmt::Debug;

use purlin_shm::{Carry, Luggage, Segment};
use purlin_sync::{Exclusive, Rules};

use crate::error::Error;

/// What guards a [`Value`](crate::Value) or an [`Array`](crate::Array): a lock of any kind, or
/// [`Unlocked`]. There are no others.
pub trait Guarding: sealed::Sealed + Clone + Debug {}

/// No lock: single accesses are whole, and nothing keeps two of them together.
#[derive(Clone, Copy, Debug)]
pub struct Unlocked(());

impl Unlocked {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl<R: Rules> Guarding for Exclusive<R> {}
impl Guarding for Unlocked {}

/// What stands in the place of a lock's offset: there is none; it lies in another segment.
pub(crate) const NONE: u64 = 0;
pub(crate) const ELSEWHERE: u64 = 1;

pub(crate) mod sealed {
    use super::{Carry, ELSEWHERE, Error, Exclusive, Luggage, NONE, Rules, Segment, Unlocked};

    pub trait Sealed: Sized {
        /// What guards the elements whose head has this word.
        ///
        /// # Errors
        /// * [`Error::Incompatible`] when that is something else.
        fn found(segment: &Segment, word: u64) -> Result<Self, Error>;

        fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error>;

        /// What was packed, if it is what the head's word says.
        ///
        /// # Errors
        /// * As [`Carry::unpack`].
        fn unpack(luggage: &mut Luggage, word: u64) -> Result<Self, purlin_shm::Error>;
    }

    impl<R: Rules> Sealed for Exclusive<R> {
        fn found(segment: &Segment, word: u64) -> Result<Self, Error> {
            match word {
                NONE | ELSEWHERE => Err(Error::Incompatible),
                offset => Ok(Self::open(segment, offset)?),
            }
        }

        fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
            Carry::pack(self, luggage)
        }

        fn unpack(luggage: &mut Luggage, word: u64) -> Result<Self, purlin_shm::Error> {
            let lock: Self = Carry::unpack(luggage)?;
            let is_this = word == ELSEWHERE || word == lock.offset();
            if is_this { Ok(lock) } else { Err(purlin_shm::Error::Incompatible) }
        }
    }

    impl Sealed for Unlocked {
        fn found(_: &Segment, word: u64) -> Result<Self, Error> {
            if word == NONE { Ok(Self::new()) } else { Err(Error::Incompatible) }
        }

        fn pack(&self, _: &mut Luggage) -> Result<(), purlin_shm::Error> {
            Ok(())
        }

        fn unpack(_: &mut Luggage, word: u64) -> Result<Self, purlin_shm::Error> {
            if word == NONE { Ok(Self::new()) } else { Err(purlin_shm::Error::Incompatible) }
        }
    }
}
