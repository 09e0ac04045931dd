//! What is said of many samples.

/// The middle of some samples and how far they lie apart, in their unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// The spread of `samples`, or none where there are none.
    #[must_use]
    pub fn of(samples: &[f64]) -> Option<Self> {
        Some(Self {
            median: percentile(samples, 50.0)?,
            min: percentile(samples, 0.0)?,
            max: percentile(samples, 100.0)?,
        })
    }
}

/// The sample that `percent` of all do not exceed (nearest rank, so always a measured one), or none
/// where there are none.
///
/// ```
/// let samples = [30.0, 10.0, 20.0];
/// assert_eq!(purlin_benches::percentile(&samples, 50.0), Some(20.0));
/// assert_eq!(purlin_benches::percentile(&samples, 99.0), Some(30.0));
/// assert_eq!(purlin_benches::percentile(&[], 50.0), None);
/// ```
#[must_use]
pub fn percentile(samples: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_of_an_odd_number_of_samples_is_of_measured_ones() {
        let spread = Spread::of(&[5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(spread, Some(Spread { median: 3.0, min: 1.0, max: 5.0 }));
    }
}
