//! The pages of an unbounded queue's ring: taken by who puts, given back by who takes.
//!
//! ```text
//!        given       head          tail      taken          given + limit
//!   ...   | (dead)    | messages    | (free)  |  (no pages)   |
//!         <---------- every page is there ---->
//! ```
//!
//! `given` and `taken` are places, in whole chunks. The numbers of the steps are those of
//! ARCHITECTURE.md.

use core::ops::Range;

use super::cell::{
    Error,
    Ordering::{Acquire, Relaxed, Release},
    PAGES_CHUNK_BYTES,
};
use super::position::{Position, place_behind, units_between};
use super::queue::View;
use super::record::units;

/// How many units a chunk has.
const CHUNK_UNITS: u64 = PAGES_CHUNK_BYTES / 8;

/// The least limit: what behind the head is not given back yet, and what of its chunk the last
/// message does not need, is three chunks at most.
pub(crate) const LIMIT_MIN_UNITS: u64 = 4 * CHUNK_UNITS;

/// So many units in whole chunks, as few as there may be at least; `None` when there are none.
pub(crate) const fn limit_units(bytes: u64) -> Option<u64> {
    if bytes == 0 {
        return None;
    }
    let units = bytes.div_ceil(PAGES_CHUNK_BYTES) * CHUNK_UNITS;
    Some(if units < LIMIT_MIN_UNITS { LIMIT_MIN_UNITS } else { units })
}

/// The longest message that fits, in bytes, wherever the head stands.
pub(crate) const fn message_max_bytes(limit_units: u64) -> u64 {
    (limit_units - 3 * CHUNK_UNITS - 1) * 8
}

const fn chunk_of(place: u64) -> u64 {
    place / CHUNK_UNITS * CHUNK_UNITS
}

impl View<'_> {
    /// U1 to U3, under the tail's lock: what room was found for has its pages, or there is none.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when memory ends.
    /// * [`Error::Damaged`] when the places hold what no step has left.
    #[inline]
    pub(super) fn with_pages(
        self,
        found: Option<Position>,
        len: u32,
    ) -> Result<Option<Position>, Error> {
        match found {
            Some(tail) if self.shape.face.is_unbounded() => {
                Ok(self.take_pages(tail, units(len))?.then_some(tail))
            }
            other => Ok(other),
        }
    }

    fn take_pages(self, tail: Position, units: u64) -> Result<bool, Error> {
        let (face, words) = (self.shape.face, &self.words.face);
        // Relaxed: written under the lock that we have.
        let taken = words.taken.load(Relaxed);
        if units_between(tail.place(), taken) > face.limit_units || chunk_of(taken) != taken {
            return Err(Error::Damaged);
        }
        if units_between(tail.place(), taken) >= units {
            return Ok(true);
        }
        // U1. Acquire pairs with the Release in `give_pages`: the hole was punched before.
        let given = words.given.load(Acquire);
        let end = chunk_of(place_behind(tail.place(), units + CHUNK_UNITS - 1));
        if units_between(given, taken) > face.limit_units || chunk_of(given) != given {
            return Err(Error::Damaged);
        }
        let held_units = units_between(given, end);
        if held_units > face.limit_units {
            return Ok(false);
        }
        for range in self.ranges(taken, end) {
            let took = self.at.take_pages(range, held_units * 8); // U2
            took.map_err(Error::from)?;
        }
        // U3. Relaxed: as above. Killed before: the next put takes them again.
        words.taken.store(end, Relaxed);
        Ok(true)
    }

    /// V1 to V3, under the head's lock: gives back what lies two chunks behind the head. Whether
    /// there was such.
    #[inline]
    pub(super) fn give_pages(self, head: Position) -> bool {
        self.shape.face.is_unbounded() && self.give_those_behind(chunk_of(head.place()))
    }

    fn give_those_behind(self, place: u64) -> bool {
        let words = &self.words.face;
        // V1. Relaxed: written under the lock that we have.
        let given = words.given.load(Relaxed);
        let behind = units_between(given, place);
        // More than can be taken is no step's work; the next put says so.
        if behind < 2 * CHUNK_UNITS || behind > self.shape.face.limit_units {
            return false;
        }
        // V2. Where the kernel refuses, the next one tries again.
        if !self.ranges(given, place).all(|range| self.at.give_pages(range).is_ok()) {
            return false;
        }
        // V3. Release pairs with the Acquire in `take_pages`.
        words.given.store(place, Release);
        true
    }

    /// Where in the segment the units from one place to another are, in bytes: up to the end of the
    /// ring, and from its start.
    fn ranges(self, from: u64, to: u64) -> impl Iterator<Item = Range<u64>> {
        let (ring_units, start) = (self.ring.unit_count(), self.shape.face.start_bytes);
        let count = units_between(from, to);
        let first = from % ring_units;
        let first_count = count.min(ring_units - first);
        let bytes = move |first: u64, count: u64| {
            let start = start + first * 8;
            start..start + count * 8
        };
        [bytes(first, first_count), bytes(0, count - first_count)]
            .into_iter()
            .filter(|range| !range.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_whole_chunks_and_enough_of_them() {
        assert_eq!(limit_units(0), None);
        for bytes in [1, PAGES_CHUNK_BYTES - 1, PAGES_CHUNK_BYTES, 4 * PAGES_CHUNK_BYTES] {
            assert_eq!(limit_units(bytes), Some(LIMIT_MIN_UNITS));
        }
        assert_eq!(limit_units(4 * PAGES_CHUNK_BYTES + 1), Some(5 * CHUNK_UNITS));
        assert_eq!(message_max_bytes(LIMIT_MIN_UNITS), PAGES_CHUNK_BYTES - 8);
    }
}
