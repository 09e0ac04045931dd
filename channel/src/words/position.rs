//! Where an end of a queue stands: how many messages passed it, and how many units of the ring.
//!
//! Both are in one word, so that one store moves both. They wrap, each for itself; what counts is
//! the difference of the two ends.

const SHUT: u64 = 1 << 63; // bit 63, at the tail only: nothing is put any more
const COUNT_SHIFT: u32 = 36; // bits 36..63: messages
const COUNT_MASK: u64 = ((1 << 27) - 1) << COUNT_SHIFT;
const PLACE_MASK: u64 = (1 << COUNT_SHIFT) - 1; // bits 0..36: units of 8 bytes

/// The most messages that can be between the two ends.
pub(crate) const COUNT_MAX: u32 = (1 << 27) - 1;

/// How many units there are from one place to another.
pub(super) const fn units_between(from: u64, to: u64) -> u64 {
    to.wrapping_sub(from) & PLACE_MASK
}

/// The place so many units behind another.
pub(super) const fn place_behind(place: u64, units: u64) -> u64 {
    place.wrapping_add(units) & PLACE_MASK
}

/// The word of an end, as it was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position(pub(super) u64);

impl Position {
    pub(super) const fn is_shut(self) -> bool {
        self.0 & SHUT != 0
    }

    /// The same, shut.
    pub(super) const fn shut(self) -> Self {
        Self(self.0 | SHUT)
    }

    /// The same, not shut: what the head is when all is taken.
    pub(super) const fn open(self) -> Self {
        Self(self.0 & !SHUT)
    }

    /// The unit of the ring, before it is folded to the ring's length.
    pub(super) const fn place(self) -> u64 {
        self.0 & PLACE_MASK
    }

    /// One message further, which takes so many units.
    pub(super) const fn past(self, units: u64) -> Self {
        let count = (self.0 & COUNT_MASK).wrapping_add(1 << COUNT_SHIFT) & COUNT_MASK;
        let place = self.0.wrapping_add(units) & PLACE_MASK;
        Self((self.0 & SHUT) | count | place)
    }

    /// As many messages, and the place of `other`.
    pub(super) const fn at_place_of(self, other: Self) -> Self {
        Self((self.0 & !PLACE_MASK) | other.place())
    }

    /// How many units there are from `head` to here.
    pub(super) const fn units_from(self, head: Self) -> u64 {
        self.0.wrapping_sub(head.place()) & PLACE_MASK
    }

    /// How many messages there are from `head` to here.
    pub(super) const fn count_from(self, head: Self) -> u32 {
        let count = (self.0 & COUNT_MASK).wrapping_sub(head.0 & COUNT_MASK) & COUNT_MASK;
        (count >> COUNT_SHIFT) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_and_place_wrap_each_for_itself() {
        let before = Position(COUNT_MASK | (PLACE_MASK - 1)).shut();
        let after = before.past(3);
        assert!(after.is_shut() && !after.open().is_shut());
        assert_eq!((after.place(), after.0 & COUNT_MASK), (1, 0));
        assert_eq!((after.units_from(before), after.count_from(before)), (3, 1));
        assert_eq!((before.units_from(before), before.count_from(before)), (0, 0));
    }
}
