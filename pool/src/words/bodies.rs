//! A ring of bodies: rows of bytes, one after the other, round the end. Its pages are taken as they
//! are needed.

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use purlin_shm::{Object, Place};

use super::space::Space;
use crate::error::Error;
use crate::limits::BODY_KEPT_BYTES;

pub(super) const UNIT_BYTES: usize = 8;

/// A part of an object's row.
pub(super) struct Bodies<'a, T: Object<Row = AtomicU64>> {
    pub(super) place: &'a Place<T>,
    /// Which units of the row.
    pub(super) units: Range<usize>,
}

/// How many units so many bytes take.
pub(super) const fn units_of(len: usize) -> u64 {
    len.div_ceil(UNIT_BYTES) as u64
}

impl<T: Object<Row = AtomicU64>> Bodies<'_, T> {
    pub(super) fn unit_count(&self) -> u64 {
        self.units.len() as u64
    }

    /// Takes the pages for a body that `space` gave a place to.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when there is no memory.
    pub(super) fn prepare(&self, space: &mut Space, start: u64, count: u64) -> Result<(), Error> {
        let Some(missing) = space.missing(start, count) else { return Ok(()) };
        let range = self.bytes_at(&missing);
        let held_bytes = range.end - range.start;
        self.place.attachment().take_pages(range, held_bytes)?;
        space.set_there(missing.end);
        Ok(())
    }

    /// Copies bytes in from a unit on, whose pages are there.
    pub(super) fn write(&self, start: u64, bytes: &[u8]) {
        let (first, second) = self.halves(start, bytes.len());
        let (before, after) = bytes.split_at(bytes.len().min(first.len() * UNIT_BYTES));
        write_units(&self.place.row()[first], before);
        write_units(&self.place.row()[second], after);
    }

    /// Copies so many bytes out from a unit on.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when there are not so many.
    pub(super) fn read(&self, start: u64, len: u64) -> Result<Vec<u8>, Error> {
        let len = usize::try_from(len).map_err(|_| Error::Damaged)?;
        if start >= self.unit_count() || units_of(len) > self.unit_count() {
            return Err(Error::Damaged);
        }
        let (first, second) = self.halves(start, len);
        let mut bytes = vec![0; len];
        let (before, after) = bytes.split_at_mut(len.min(first.len() * UNIT_BYTES));
        read_units(&self.place.row()[first], before);
        read_units(&self.place.row()[second], after);
        Ok(bytes)
    }

    /// Gives back what an empty ring has beyond what is kept.
    pub(super) fn give_surplus(&self, space: &mut Space) {
        if let Some(surplus) = space.surplus(BODY_KEPT_BYTES / UNIT_BYTES as u64) {
            // What is not given back is used again.
            let _ = self.place.attachment().give_pages(self.bytes_at(&surplus));
        }
    }

    /// Where units of this ring are, in bytes from the start of the segment.
    fn bytes_at(&self, units: &Range<u64>) -> Range<u64> {
        let start = self.place.row_offset() + (self.units.start * UNIT_BYTES) as u64;
        start + units.start * UNIT_BYTES as u64..start + units.end * UNIT_BYTES as u64
    }

    /// The units of the row for so many bytes, up to the end of the ring and from its start.
    fn halves(&self, start: u64, len: usize) -> (Range<usize>, Range<usize>) {
        let count = units_of(len) as usize;
        let begin = self.units.start + start as usize;
        let first_count = count.min(self.units.end - begin);
        let second_count = count - first_count;
        (begin..begin + first_count, self.units.start..self.units.start + second_count)
    }
}

fn write_units(units: &[AtomicU64], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<UNIT_BYTES>();
    for (unit, chunk) in units.iter().zip(whole) {
        unit.store(u64::from_le_bytes(*chunk), Relaxed); // Relaxed: published by a state
    }
    if let Some(unit) = units.get(whole.len()) {
        let mut last = [0; UNIT_BYTES];
        last[..rest.len()].copy_from_slice(rest);
        unit.store(u64::from_le_bytes(last), Relaxed); // Relaxed: as above
    }
}

fn read_units(units: &[AtomicU64], bytes: &mut [u8]) {
    let (whole, rest) = bytes.as_chunks_mut::<UNIT_BYTES>();
    for (unit, chunk) in units.iter().zip(whole.iter_mut()) {
        *chunk = unit.load(Relaxed).to_le_bytes(); // Relaxed: ordered by the load of a state
    }
    if let Some(unit) = units.get(whole.len()) {
        let last = unit.load(Relaxed).to_le_bytes(); // Relaxed: as above
        rest.copy_from_slice(&last[..rest.len()]);
    }
}
