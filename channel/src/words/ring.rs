//! The units of a ring: a power of two of them, which places are folded to.

use super::cell::{AtomicU64, Ordering::Relaxed, bulk};

/// How many bytes a unit has.
const UNIT_BYTES: usize = 8;

/// The row behind a queue's words.
#[derive(Clone, Copy)]
pub(super) struct Ring<'a>(pub(super) &'a [AtomicU64]);

impl Ring<'_> {
    #[inline]
    pub(super) const fn unit_count(self) -> u64 {
        self.0.len() as u64
    }

    /// The unit at a place, which may be a header.
    #[inline]
    pub(super) fn unit(&self, place: u64) -> &AtomicU64 {
        &self.0[self.fold(place)]
    }

    /// Copies bytes in from a place on. The rest of the last unit becomes zeros.
    #[inline]
    pub(super) fn write(self, place: u64, bytes: &[u8]) {
        let start = self.fold(place);
        if let Some(units) = self.0.get(start..start + bytes.len().div_ceil(UNIT_BYTES)) {
            return write_units(units, bytes); // in one piece, as most are
        }
        let (first, second) = self.halves(place, bytes.len());
        let (before, after) = bytes.split_at(bytes.len().min(first.len() * UNIT_BYTES));
        write_units(first, before);
        write_units(second, after);
    }

    /// Copies bytes out from a place on.
    #[inline]
    pub(super) fn read(self, place: u64, bytes: &mut [u8]) {
        let start = self.fold(place);
        if let Some(units) = self.0.get(start..start + bytes.len().div_ceil(UNIT_BYTES)) {
            return read_units(units, bytes);
        }
        let (first, second) = self.halves(place, bytes.len());
        let (before, after) = bytes.split_at_mut(bytes.len().min(first.len() * UNIT_BYTES));
        read_units(first, before);
        read_units(second, after);
    }

    /// Where so many bytes from a place on begin, if they do not go round the end.
    pub(super) fn contiguous(self, place: u64, len: usize) -> Option<*mut u8> {
        let (first, second) = self.halves(place, len);
        second.is_empty().then(|| first.as_ptr().cast_mut().cast())
    }

    #[inline]
    const fn fold(self, place: u64) -> usize {
        place as usize & (self.0.len() - 1)
    }

    /// The units of so many bytes from a place on, up to the end of the ring and from its start.
    #[cold]
    fn halves(&self, place: u64, len: usize) -> (&[AtomicU64], &[AtomicU64]) {
        let (start, count) = (self.fold(place), len.div_ceil(UNIT_BYTES));
        let first_count = count.min(self.0.len() - start);
        (&self.0[start..][..first_count], &self.0[..count - first_count])
    }
}

#[inline]
fn write_units(units: &[AtomicU64], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<UNIT_BYTES>();
    if bytes.len() >= bulk::BULK_BYTES {
        bulk::write(units, whole);
        return write_rest(units.get(whole.len()), rest);
    }
    for (unit, chunk) in units.iter().zip(whole) {
        // Relaxed: what publishes the bytes is a store of the caller's that follows.
        unit.store(u64::from_le_bytes(*chunk), Relaxed);
    }
    write_rest(units.get(whole.len()), rest);
}

#[inline]
fn write_rest(unit: Option<&AtomicU64>, rest: &[u8]) {
    if let Some(unit) = unit {
        let mut last = [0; UNIT_BYTES];
        last[..rest.len()].copy_from_slice(rest);
        unit.store(u64::from_le_bytes(last), Relaxed); // Relaxed: as in `write_units`
    }
}

#[inline]
fn read_units(units: &[AtomicU64], bytes: &mut [u8]) {
    let bytes_len = bytes.len();
    let (whole, rest) = bytes.as_chunks_mut::<UNIT_BYTES>();
    let whole_count = whole.len();
    if bytes_len >= bulk::BULK_BYTES {
        bulk::read(units, whole);
        return read_rest(units.get(whole_count), rest);
    }
    for (unit, chunk) in units.iter().zip(whole) {
        // Relaxed: ordered by a load of the caller's before, and by its store that gives the place
        // away.
        *chunk = unit.load(Relaxed).to_le_bytes();
    }
    read_rest(units.get(whole_count), rest);
}

#[inline]
fn read_rest(unit: Option<&AtomicU64>, rest: &mut [u8]) {
    if let Some(unit) = unit {
        let last = unit.load(Relaxed).to_le_bytes(); // Relaxed: as in `read_units`
        rest.copy_from_slice(&last[..rest.len()]);
    }
}
