//! Tokens: 30 bits that name one process in one segment, for as long as the segment is.

use crate::limits::{GENERATION_MAX, SLOT_BITS, SLOT_COUNT};

// 29                  10 9            0
// | generation (20 bits) | slot (10)   |     never 0; generation 0 and 2^20-1 are never issued
const SLOT_MASK: u32 = SLOT_COUNT - 1;

/// Whether `token` can have been given to a process at all. What cannot is a damaged word.
///
/// ```
/// assert!(!purlin_shm::is_issued(0));
/// assert!(!purlin_shm::is_issued(7)); // generation 0
/// assert!(purlin_shm::is_issued(1 << 10));
/// ```
#[must_use]
pub const fn is_issued(token: u32) -> bool {
    let generation = generation_of(token);
    generation != 0 && generation <= GENERATION_MAX
}

pub(crate) const fn pack(generation: u32, slot: u32) -> u32 {
    (generation << SLOT_BITS) | (slot & SLOT_MASK)
}

pub(crate) const fn generation_of(token: u32) -> u32 {
    token >> SLOT_BITS
}

pub(crate) const fn slot_of(token: u32) -> u32 {
    token & SLOT_MASK
}

/// The generation after `last`, whatever a hostile peer left in its field: always an issued one.
pub(crate) const fn generation_after(last: u32) -> u32 {
    if last >= GENERATION_MAX { 1 } else { last + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_back_what_was_packed() {
        let token = pack(GENERATION_MAX, SLOT_MASK);
        assert_eq!((generation_of(token), slot_of(token)), (GENERATION_MAX, SLOT_MASK));
        assert!(is_issued(token) && token < 1 << 30);
    }

    #[test]
    fn generations_wrap_past_what_is_never_issued() {
        assert_eq!(generation_after(0), 1);
        assert_eq!(generation_after(GENERATION_MAX), 1);
        assert_eq!(generation_after(u32::MAX), 1);
        assert!(!is_issued(pack(GENERATION_MAX + 1, 3)));
    }
}
