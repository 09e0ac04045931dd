//! Maps whose keys are numbers that the server itself gives, one after the other.
//!
//! A call looks up a dozen of them. The standard hash holds against keys that somebody chose to
//! meet in one place; here strangers name numbers, but which of them are in a map they do not
//! choose.

use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

/// By a number that this server has given.
pub(crate) type ByNumber<V> = HashMap<u64, V, BuildHasherDefault<Spread>>;

/// Spreads numbers that follow each other: 2^64 by the golden ratio, which is odd, so that no two
/// become the same.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// The hash of one number.
#[derive(Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(FACTOR);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    /// A map takes its place from the low bits, and what tells places apart from the high ones.
    #[test]
    fn numbers_in_a_row_have_places_of_their_own() {
        let hashes: Vec<u64> = {
            let spread = BuildHasherDefault::<Spread>::default();
            (0..1024_u64).map(|number| spread.hash_one(number)).collect()
        };
        let low: HashSet<u64> = hashes.iter().map(|hash| hash % 1024).collect();
        let high: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert_eq!((low.len(), high.len()), (1024, 128));
    }

    #[test]
    fn more_than_a_number_is_told_apart() {
        let spread = BuildHasherDefault::<Spread>::default();
        assert_ne!(spread.hash_one((1_u64, 2_u64)), spread.hash_one((2_u64, 1_u64)));
        assert_ne!(spread.hash_one("ab"), spread.hash_one("ba"));
    }
}
