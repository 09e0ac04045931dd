//! Where in a ring of bodies the next one goes: kept by the side that writes it.

use core::ops::Range;

use crate::limits::BODY_STEP_BYTES;

/// Pages are taken so many units at a time, to take them seldom.
const STEP_UNITS: u64 = BODY_STEP_BYTES / 8;

/// A ring of so many units, of which some are used, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    unit_count: u64,
    /// Where the next body begins.
    place: u64,
    used_count: u64,
    /// The pages of the units before this one are there.
    there: u64,
}

impl Space {
    pub(crate) const fn new(unit_count: u64) -> Self {
        Self { unit_count, place: 0, used_count: 0, there: 0 }
    }

    /// Whether so many units would ever fit.
    pub(crate) const fn could_fit(&self, count: u64) -> bool {
        count <= self.unit_count
    }

    /// Takes so many, if there is room: where they begin.
    pub(crate) fn take(&mut self, count: u64) -> Option<u64> {
        if self.used_count == 0 {
            self.place = 0; // from the start, so that few pages are enough
        }
        if self.used_count + count > self.unit_count {
            return None;
        }
        let start = self.place;
        self.place = (start + count) % self.unit_count;
        self.used_count += count;
        Some(start)
    }

    /// Which units' pages are to be taken for so many from there on, some more included.
    pub(crate) fn missing(&self, start: u64, count: u64) -> Option<Range<u64>> {
        let end = (start + count).min(self.unit_count);
        let step_end = end.next_multiple_of(STEP_UNITS).min(self.unit_count);
        (end > self.there).then_some(self.there..step_end)
    }

    /// The pages before this unit have been taken.
    pub(crate) fn set_there(&mut self, end: u64) {
        self.there = end;
    }

    /// The oldest so many are free.
    pub(crate) fn free(&mut self, count: u64) {
        self.used_count -= count.min(self.used_count);
    }

    /// So many are used, the youngest ones.
    pub(crate) fn set_used(&mut self, count: u64) {
        self.used_count = count.min(self.unit_count);
    }

    /// The youngest so many, which began there, are free.
    pub(crate) fn take_back(&mut self, start: u64, count: u64) {
        self.place = start;
        self.free(count);
    }

    /// What an empty ring has beyond so many units, to be given back.
    pub(crate) fn surplus(&mut self, kept: u64) -> Option<Range<u64>> {
        if self.used_count > 0 || self.there <= kept {
            return None;
        }
        let surplus = kept..self.there;
        self.there = kept;
        Some(surplus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_follow_each_other_round_the_end() {
        let mut space = Space::new(10);
        assert_eq!((space.take(4), space.take(4), space.take(3)), (Some(0), Some(4), None));
        space.free(4);
        assert_eq!(space.take(3), Some(8)); // 8, 9 and 0
        assert_eq!((space.take(4), space.take(3)), (None, Some(1)));
        space.take_back(1, 3);
        assert_eq!(space.take(3), Some(1));
        space.free(10);
        assert_eq!(space.take(10), Some(0));
        assert!(space.could_fit(10) && !space.could_fit(11));
    }

    #[test]
    fn an_empty_ring_gives_back_what_is_beyond() {
        let mut space = Space::new(10);
        assert_eq!(space.surplus(2), None);
        let start = space.take(7).unwrap();
        assert_eq!(space.missing(start, 7), Some(0..10)); // a step, or all that there is
        space.set_there(10);
        assert_eq!((space.missing(start, 7), space.surplus(2)), (None, None));
        space.free(7);
        assert_eq!(space.surplus(2), Some(2..10));
        assert_eq!((space.surplus(2), space.missing(0, 2)), (None, None));
        assert_eq!(space.missing(0, 3), Some(2..10));
    }
}
