//! What somebody may have meant who wrote a word that nothing answers to.

/// ` (did you mean …?)` with the candidate that is nearest to the word, or nothing where none is
/// near.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(word, candidates) {
        Some(candidate) => format!("; did you mean `{candidate}`?"),
        None => String::new(),
    }
}

/// The candidate with the fewest letters to change, if they are few; else the first that has the
/// word in it.
fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let is_long = word.chars().count() >= PART_MIN_CHARS;
    let around = || candidates.iter().copied().find(|one| is_long && one.contains(word));
    slip_of(word, candidates.iter().copied()).or_else(around)
}

/// The candidate with the fewest letters to change, if they are few: what the word is a slip of.
pub(crate) fn slip_of<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted: Vec<char> = word.chars().take(WORD_MAX_CHARS).collect();
    let limit = (wanted.len() / CHARS_PER_SLIP).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let slips = distance(&wanted, &candidate.chars().collect::<Vec<_>>());
        if slips <= limit && best.is_none_or(|(least, _)| slips < least) {
            best = Some((slips, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters to put in, to leave out, to change, or to swap with their neighbour lead from
/// one word to the other (the optimal string alignment of Damerau and Levenshtein).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut now = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let change = last[column] + usize::from(letter != other);
            let mut least = change.min(last[column + 1] + 1).min(now[column] + 1);
            let is_swap = row > 0 && column > 0;
            if is_swap && *letter == to[column - 1] && from[row - 1] == *other {
                least = least.min(before_last[column - 1] + 1);
            }
            now.push(least);
        }
        before_last = std::mem::replace(&mut last, now);
    }
    last[to.len()]
}

/// A word may differ in one letter of so many; shorter ones in one.
const CHARS_PER_SLIP: usize = 4;
/// A part of a candidate must have so many letters to hint at it.
const PART_MIN_CHARS: usize = 3;
/// What is longer is compared by its beginning: the work grows with the product of the lengths.
const WORD_MAX_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        let of = |from: &str, to: &str| {
            distance(&from.chars().collect::<Vec<_>>(), &to.chars().collect::<Vec<_>>())
        };
        let table = [("", "", 0), ("", "ab", 2), ("lock", "lock", 0), ("lock", "clock", 1)];
        for (from, to, slips) in table.into_iter().chain([("lokc", "lock", 1), ("lick", "luck", 1)])
        {
            assert_eq!((of(from, to), of(to, from)), (slips, slips), "{from} {to}");
        }
    }

    #[test]
    fn only_what_is_near_is_meant() {
        let words = ["lock", "lock/held-waits", "queue"];
        assert_eq!(nearest("lokc", words), Some("lock"));
        assert_eq!(nearest("held-waits", words), Some("lock/held-waits"));
        assert_eq!(nearest("lock/held-wait", words), Some("lock/held-waits"));
        assert_eq!(nearest("semaphore", words), None);
        assert_eq!(nearest("", words), None);
        assert_eq!(did_you_mean("quue", words), "; did you mean `queue`?");
    }
}
