//! The numbers among a log's lines, as rows: what a script can say of many lines at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

/// So many pieces of a row are shown; a sound one has one.
const PIECES_MAX_COUNT: usize = 8;

/// Each name with its numbers, in the order of the lines or `sorted`, as pieces that go up by one:
/// `a 0..199`, `5`, `b 0..3 2`. A line is a number, `[name, number]`, or a byte string, whose name
/// is its length and whose number its seed; of any other the text is a name without a number.
/// Lines that are null are left out.
pub(super) fn rows(lines: &[String], is_sorted: bool) -> Vec<String> {
    let mut rows: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (name, number) in lines.iter().filter_map(|line| named_number(line)) {
        rows.entry(name).or_default().extend(number);
    }
    let shown = |(name, mut numbers): (String, Vec<i64>)| {
        if is_sorted {
            numbers.sort_unstable();
        }
        let row = format!("{name}{}", pieces(&numbers));
        row.trim_start().to_owned()
    };
    rows.into_iter().map(shown).collect()
}

/// How many lines stood there before.
pub(super) fn repeated_count(lines: &[String]) -> usize {
    lines.len() - lines.iter().collect::<BTreeSet<_>>().len()
}

fn named_number(line: &str) -> Option<(String, Option<i64>)> {
    match serde_json::from_str(line) {
        Ok(Value::Null) => None,
        Ok(Value::Number(number)) if number.is_i64() => Some((String::new(), number.as_i64())),
        Ok(Value::Array(pair)) => match pair.as_slice() {
            [name, Value::Number(number)] => Some((plain(name), number.as_i64())),
            _ => Some((line.to_owned(), None)),
        },
        Ok(Value::Object(map)) => match (map.get("bytes"), map.get("seed")) {
            (Some(bytes), Some(seed)) => Some((format!("{bytes} bytes"), seed.as_i64())),
            _ => Some((line.to_owned(), None)),
        },
        _ => Some((line.to_owned(), None)),
    }
}

fn plain(name: &Value) -> String {
    name.as_str().map_or_else(|| name.to_string(), str::to_owned)
}

fn pieces(numbers: &[i64]) -> String {
    let mut text = String::new();
    for (place, piece) in
        numbers.chunk_by(|one, next| one.checked_add(1) == Some(*next)).enumerate()
    {
        if place == PIECES_MAX_COUNT {
            text += " and more";
            break;
        }
        let _ = match piece {
            [one] => write!(text, " {one}"),
            [first, .., last] => write!(text, " {first}..{last}"),
            [] => Ok(()),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str], is_sorted: bool) -> Vec<String> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        rows(&lines, is_sorted)
    }

    #[test]
    fn numbers_are_gathered_by_name_in_the_order_of_the_lines() {
        let lines = ["0", "[\"a\",5]", "1", "[\"a\",3]", "2", "[\"a\",4]", "null"];
        assert_eq!(of(&lines, false), ["0..2", "a 5 3..4"]);
        assert_eq!(of(&lines, true), ["0..2", "a 3..5"]);
    }

    #[test]
    fn what_came_twice_or_not_at_all_is_seen() {
        assert_eq!(of(&["0", "1", "1", "2", "4"], true), ["0..1 1..2 4"]);
        let lines: Vec<String> = ["x", "y", "x", "x"].map(str::to_owned).into();
        assert_eq!(repeated_count(&lines), 2);
    }

    #[test]
    fn byte_strings_and_texts_have_rows_too() {
        let lines = ["{\"bytes\":9,\"seed\":0}", "small", "{\"bytes\":9,\"seed\":1}", "small"];
        assert_eq!(of(&lines, false), ["9 bytes 0..1", "small"]);
        assert_eq!(of(&["{\"bytes\":9,\"seed\":\"torn\"}"], false), ["9 bytes"]);
    }

    #[test]
    fn a_row_in_shreds_is_cut_off() {
        let lines: Vec<String> = (0..100).map(|number| (number * 2).to_string()).collect();
        assert!(rows(&lines, true)[0].ends_with("14 and more"));
    }
}
