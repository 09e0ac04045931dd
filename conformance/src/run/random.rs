//! Random times that a seed repeats exactly.

use std::time::Duration;

use crate::limits::{RANDOM_MAX_NANOS, RANDOM_MIN_NANOS};

/// `SplitMix64`, from Steele, Lea and Flood, "Fast splittable pseudorandom number generators"
/// (2014).
pub(super) struct Random {
    state: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The time before a kill at random.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time between two small limits, of which only the size matters"
    )]
    pub(super) fn moment(&mut self) -> Duration {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let (least, most) = (RANDOM_MIN_NANOS as f64, RANDOM_MAX_NANOS as f64);
        Duration::from_nanos((least * (most / least).powf(share)) as u64)
    }
}

/// A number that stands for a text, by the function FNV-1a.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn moments_are_short_and_long_and_repeat() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..1000).map(move |_| random.moment()).collect::<Vec<_>>()
        };
        let moments = draw(7);
        assert_eq!(moments, draw(7));
        assert_ne!(moments, draw(8));
        let range = Duration::from_nanos(RANDOM_MIN_NANOS)..=Duration::from_nanos(RANDOM_MAX_NANOS);
        assert!(moments.iter().all(|moment| range.contains(moment)));
        let short = moments.iter().filter(|moment| **moment < Duration::from_micros(127)).count();
        assert!((400..600).contains(&short), "{short} of 1000 below the middle");
    }
}
