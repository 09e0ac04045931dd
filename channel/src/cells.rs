//! Elements in shared memory, and a lock beside them: what a value and an array have in common.
//!
//! An element is read and written by one atomic access of its size, a range element by element and
//! never as bytes, of which a copy may be cut inside an element. What a dead holder of the lock
//! leaves is told from that: see the kill table in ARCHITECTURE.md.

use core::marker::PhantomData;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use purlin_shm::{Object, Place, Shared};
use purlin_sync::{Acquired, Deadline, Exclusive, Rules};

use crate::error::Error;
use crate::guarding::Guarding;
use crate::plain::Plain;
use crate::plain::stored::{CODE_COUNT, Cell, Stored};

/// What stands before the elements.
//
// 0      8     16
// | lock | len | elements …
//
// lock: 0 for none, 1 for one in another segment, else its offset in this one. len: as many as
// there are elements behind it, or 0 where there is one that is nobody's.
#[repr(C)]
pub(crate) struct Head<T, K> {
    pub(crate) lock: AtomicU64,
    pub(crate) len: AtomicU64,
    what: PhantomData<fn() -> (T, K)>,
}

const _: () = assert!(size_of::<Head<u8, One>>() == 16 && align_of::<Head<u8, One>>() == 8);

#[expect(unsafe_code, reason = "a promise about the layout, argued here")]
// SAFETY: `repr(C)`, of two atomic integers and nothing else; any bits are valid values of them.
unsafe impl<T, K> Shared for Head<T, K> {}

/// One element, or any number: the kinds of object.
pub(crate) trait Many: 'static {
    /// The kind of the first type.
    const FIRST_KIND: u16;
    /// Whether there is exactly one.
    const IS_ONE: bool;
}

#[derive(Clone, Copy)]
pub(crate) enum One {}
#[derive(Clone, Copy)]
pub(crate) enum Several {}

impl Many for One {
    const FIRST_KIND: u16 = 64;
    const IS_ONE: bool = true;
}

impl Many for Several {
    const FIRST_KIND: u16 = One::FIRST_KIND + CODE_COUNT;
    const IS_ONE: bool = false;
}

impl<T: Plain, K: Many> Object for Head<T, K> {
    const KIND: u16 = K::FIRST_KIND + <T as Stored>::CODE;
    const VERSION: u16 = 1;
    type Row = T::Cell;
}

/// The elements, by whatever is in front of them.
pub(crate) struct Cells<T: Plain, K: Many, L: Guarding> {
    pub(crate) place: Place<Head<T, K>>,
    /// How many there are: read once, when the handle was made.
    pub(crate) len: usize,
    pub(crate) guard: L,
}

impl<T: Plain, K: Many, L: Guarding> Cells<T, K, L> {
    /// Of what stands there, once it has been looked at.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when it is no length that a maker writes.
    pub(crate) fn of(place: Place<Head<T, K>>, guard: L) -> Result<Self, Error> {
        let row_len = place.row().len();
        // Relaxed: written before the object's check, whose load came before.
        let len = usize::try_from(place.len.load(Relaxed)).map_err(|_| Error::Damaged)?;
        let is_as_made = match K::IS_ONE {
            true => (len, row_len) == (1, 1),
            false => len == row_len || (len == 0 && row_len == 1),
        };
        if is_as_made { Ok(Self { place, len, guard }) } else { Err(Error::Damaged) }
    }

    #[inline]
    fn cells(&self) -> &[T::Cell] {
        &self.place.row()[..self.len]
    }

    /// One element's place.
    ///
    /// # Errors
    /// * [`Error::OutOfRange`] when there is none.
    #[inline]
    pub(crate) fn cell(&self, index: usize) -> Result<&T::Cell, Error> {
        self.cells().get(index).ok_or(Error::OutOfRange)
    }

    /// Copies elements out, each whole.
    ///
    /// # Panics
    /// When the range reaches outside, or is not as long as `into`: the callers have looked.
    pub(crate) fn copy_out(&self, from: Range<usize>, into: &mut [T]) {
        let cells = &self.cells()[from];
        assert_eq!(cells.len(), into.len());
        for (cell, element) in cells.iter().zip(into) {
            *element = T::of_bits(cell.load());
        }
    }

    /// Copies elements in, each whole.
    ///
    /// # Panics
    /// As [`copy_out`](Self::copy_out).
    pub(crate) fn copy_in(&self, into: Range<usize>, from: &[T]) {
        let cells = &self.cells()[into];
        assert_eq!(cells.len(), from.len());
        for (cell, element) in cells.iter().zip(from) {
            cell.store(element.to_bits()); // killed in between: whole elements, old or new
        }
    }

    /// What stands in a range, without the lock.
    pub(crate) fn to_vec(&self, range: Range<usize>) -> Vec<T> {
        self.cells()[range].iter().map(|cell| T::of_bits(cell.load())).collect()
    }
}

impl<T: Plain, K: Many, R: Rules> Cells<T, K, Exclusive<R>> {
    /// Holds the lock for an access to one element, which cannot be torn: it is done all the same
    /// where a holder has died. The hold ends without a word about that, so that the next one is
    /// told.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] and what else an acquire may answer.
    #[inline]
    pub(crate) fn hold(&self, deadline: Deadline) -> Result<Acquired<'_, R>, Error> {
        Ok(self.guard.acquire(deadline)?)
    }

    /// Holds the lock for an access to several elements, of which a dead holder may have left a
    /// mixture.
    ///
    /// # Errors
    /// * [`Error::OwnerDied`] when that is so; it is not held then.
    /// * Those of [`hold`](Self::hold).
    pub(crate) fn hold_sound(
        &self,
        deadline: Deadline,
    ) -> Result<purlin_sync::Guard<'_, R>, Error> {
        Ok(self.guard.acquire(deadline)?.sound()?)
    }

    pub(crate) fn get(&self, index: usize, deadline: Deadline) -> Result<T, Error> {
        let cell = self.cell(index)?;
        let _held = self.hold(deadline)?;
        Ok(T::of_bits(cell.load()))
    }

    pub(crate) fn set(&self, index: usize, element: T, deadline: Deadline) -> Result<(), Error> {
        let cell = self.cell(index)?;
        let _held = self.hold(deadline)?;
        cell.store(element.to_bits());
        Ok(())
    }

    /// Gives `change` what stands there, and stores what it makes of it.
    pub(crate) fn update(
        &self,
        index: usize,
        deadline: Deadline,
        change: impl FnOnce(T) -> T,
    ) -> Result<T, Error> {
        let cell = self.cell(index)?;
        let _held = self.hold(deadline)?;
        let next = change(T::of_bits(cell.load()));
        cell.store(next.to_bits()); // the commit: killed before it, nothing has changed
        Ok(next)
    }
}

impl<T: Plain, K: Many, L: Guarding> Clone for Cells<T, K, L> {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), len: self.len, guard: self.guard.clone() }
    }
}
