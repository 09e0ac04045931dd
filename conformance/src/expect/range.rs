//! Versions, and ranges of them such as `>=3.8, <3.14`.

use std::cmp::Ordering;
use std::fmt;

/// A version as numbers; `3.13` and `3.13.0` are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    numbers: Vec<u64>,
}

/// All versions that each of its parts admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    text: String,
    low: Option<Bound>,
    high: Option<Bound>,
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    version: Version,
    is_inside: bool,
}

impl Version {
    /// The numbers at the beginning: `3.14.0rc1` counts as 3.14.0. None without a number.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = Vec::new();
        for part in text.trim().split('.') {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            let Ok(number) = digits.parse() else { break };
            numbers.push(number);
            if digits.len() < part.len() {
                break;
            }
        }
        if numbers.is_empty() {
            return None;
        }
        while numbers.len() > 1 && numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self { numbers })
    }

    /// Nothing but numbers and dots, as it stands in a range.
    fn parse_exactly(text: &str) -> Option<Self> {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if text.split('.').all(is_number) { Self::parse(text) } else { None }
    }
}

impl Range {
    /// Reads a range: comparisons (`>=` `>` `<` `<=` `=`) with a comma between them.
    ///
    /// # Errors
    /// * What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut range = Self { text: text.trim().to_owned(), low: None, high: None };
        for part in text.split(',').map(str::trim) {
            let wrong = || format!("`{part}` is no comparison such as `>=3.8`");
            let end = part.find(|c: char| c.is_ascii_digit()).ok_or_else(wrong)?;
            let (sign, version) = (part[..end].trim(), &part[end..]);
            let version = Version::parse_exactly(version).ok_or_else(wrong)?;
            let bound = |is_inside| Some(Bound { version: version.clone(), is_inside });
            let (low, high) = match sign {
                ">=" => (bound(true), None),
                ">" => (bound(false), None),
                "<=" => (None, bound(true)),
                "<" => (None, bound(false)),
                "=" => (bound(true), bound(true)),
                _ => return Err(wrong()),
            };
            let is_twice =
                (low.is_some() && range.low.is_some()) || (high.is_some() && range.high.is_some());
            if is_twice {
                return Err(format!("`{text}` has two ends on one side"));
            }
            (range.low, range.high) = (low.or(range.low), high.or(range.high));
        }
        if !reaches(range.low.as_ref(), range.high.as_ref()) {
            return Err(format!("no version is in `{text}`"));
        }
        Ok(range)
    }

    /// Whether a version is in it.
    pub fn has(&self, version: &Version) -> bool {
        let is_above = self.low.as_ref().is_none_or(|low| match version.cmp(&low.version) {
            Ordering::Less => false,
            Ordering::Equal => low.is_inside,
            Ordering::Greater => true,
        });
        let is_below = self.high.as_ref().is_none_or(|high| match version.cmp(&high.version) {
            Ordering::Less => true,
            Ordering::Equal => high.is_inside,
            Ordering::Greater => false,
        });
        is_above && is_below
    }

    /// Whether a version can be in both.
    pub fn meets(&self, other: &Self) -> bool {
        [(&self.low, &other.high), (&other.low, &self.high)]
            .into_iter()
            .all(|(low, high)| reaches(low.as_ref(), high.as_ref()))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a version can be between the ends.
fn reaches(low: Option<&Bound>, high: Option<&Bound>) -> bool {
    let (Some(low), Some(high)) = (low, high) else { return true };
    match low.version.cmp(&high.version) {
        Ordering::Less => true,
        Ordering::Equal => low.is_inside && high.is_inside,
        Ordering::Greater => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(range: &str, version: &str) -> bool {
        Range::parse(range).unwrap().has(&Version::parse(version).unwrap())
    }

    #[test]
    fn a_range_has_what_lies_between_its_ends() {
        let range = ">=3.8, <3.14";
        assert!(["3.8", "3.8.0", "3.8.20", "3.13.9"].iter().all(|version| has(range, version)));
        assert!(["3", "3.7.99", "3.14", "3.14.0rc1", "4"].iter().all(|v| !has(range, v)));
        assert!(has(">3.8", "3.8.1") && !has(">3.8", "3.8.0"));
        assert!(has("<=3.8", "3.8") && !has("<=3.8", "3.8.1"));
        assert!(has("= 3.8", "3.8.0") && !has("=3.8", "3.8.1"));
    }

    #[test]
    fn numbers_are_compared_and_not_letters() {
        assert!(has(">=3.9", "3.10") && !has("<3.9", "3.10"));
        assert!(Version::parse("3.13.0") == Version::parse("3.13"));
        assert_eq!(Version::parse("main"), None);
        assert!(Version::parse("99999999999999999999").is_none());
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for wrong in ["", "3.8", ">=", ">=3.8,", "=>3.8", ">=3.x", ">=3.8 <3.9", "~3.8", ">=3..8"] {
            assert!(Range::parse(wrong).unwrap_err().contains("no comparison"), "{wrong}");
        }
        assert!(Range::parse(">=3.8, >3.9").unwrap_err().contains("two ends"));
        assert!(Range::parse(">=3.9, <3.9").unwrap_err().contains("no version"));
    }

    #[test]
    fn ranges_meet_where_a_version_is_in_both() {
        let meet = |one: &str, other: &str| {
            let (one, other) = (Range::parse(one).unwrap(), Range::parse(other).unwrap());
            assert_eq!(one.meets(&other), other.meets(&one));
            one.meets(&other)
        };
        assert!(meet(">=3.8, <3.12", ">=3.11"));
        assert!(meet("<=3.12", ">=3.12"));
        assert!(meet(">3", "<4"));
        assert!(!meet("<3.12", ">=3.12"));
        assert!(!meet("=3.11", "=3.12"));
    }
}
