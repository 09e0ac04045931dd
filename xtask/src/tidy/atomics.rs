//! Every memory ordering says whom it meets, or why it meets nobody.

use crate::code::{Code, Line, has_word, is_word};
use crate::tidy::Finding;
use crate::tree::Tree;

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// How far above a call its comment may begin. One comment serves a run of accesses in lines that
/// follow each other; one that says "below" serves the rest of its function.
const REACH_LINES: usize = 3;

/// What a comment that explains an ordering speaks of, beside the orderings themselves.
const SPEAKS_OF: [&str; 4] = ["pairs", "order", "as above", "fence"];

pub(super) fn unexplained_orderings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The models hold tests only; the words that they run are looked at where they lie.
    for source in tree.shipped().filter(|source| source.folder() != "models") {
        for line in unexplained(&Code::new(&source.text)) {
            findings.push(Finding::new(
                &source.path,
                line,
                "an ordering without its comment on the line or in the three above the call; name \
                 the function at its other end, or say why it needs none",
            ));
        }
    }
    findings
}

/// Numbers of the lines with an ordering that no comment is near enough to.
fn unexplained(code: &Code) -> Vec<usize> {
    let mut lines = Vec::new();
    for (index, line) in code.lines.iter().enumerate() {
        let Some(column) = ordering_at(&line.code) else { continue };
        let Some(mut start) = call_start(code, index, column) else { continue };
        while start > 0 && ordering_at(&code.lines[start - 1].code).is_some() {
            start -= 1;
        }
        let near = &code.lines[start.saturating_sub(REACH_LINES)..=index];
        if !near.iter().any(|line| explains(&line.comment)) && !is_covered(&code.lines[..start]) {
            lines.push(index + 1);
        }
    }
    lines
}

fn explains(comment: &str) -> bool {
    names_ordering(comment) || SPEAKS_OF.iter().any(|words| comment.contains(words))
}

fn names_ordering(comment: &str) -> bool {
    ORDERINGS.iter().any(|name| comment.contains(name))
}

/// Whether a comment earlier in the same function says that it is also for what is below.
fn is_covered(above: &[Line]) -> bool {
    let body = above.iter().rev().take_while(|line| !has_word(&line.code, "fn"));
    let mut comments = body.map(|line| line.comment.as_str());
    comments.any(|comment| names_ordering(comment) && comment.contains("below"))
}

/// The column of the first ordering that stands as an argument.
fn ordering_at(code: &str) -> Option<usize> {
    ORDERINGS.iter().filter_map(|name| argument_at(code, name)).min()
}

/// The column at which `name` stands as an argument of a call: after a parenthesis, a comma or an
/// indentation, and before a parenthesis or a comma.
fn argument_at(code: &str, name: &str) -> Option<usize> {
    code.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = code[..*at].trim_end_matches("Ordering::").trim_end_matches("atomic::");
        let after = code[at + name.len()..].trim_start();
        let opens = before.trim_end().chars().next_back().is_none_or(|c| c == '(' || c == ',');
        let is_whole = !before.ends_with(is_word);
        opens && is_whole && (after.starts_with([')', ',']) || after.is_empty())
    })
}

/// The line on which the call that the argument at `column` belongs to begins; `None` when it is in
/// no call, but in the list of an import.
fn call_start(code: &Code, index: usize, column: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in (0..=index).rev() {
        let line = &code.lines[at].code;
        let end = if at == index { column } else { line.len() };
        for character in line[..end].chars().rev() {
            match character {
                ')' => depth += 1,
                '(' if depth == 0 => return Some(at),
                '(' => depth -= 1,
                ';' | '{' | '}' if depth == 0 => return None,
                _ => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{found_in, holds_here};

    #[test]
    fn orderings_are_explained() {
        holds_here(unexplained_orderings);
    }

    #[test]
    fn planted_orderings_are_found() {
        let found = |text| found_in(unexplained_orderings, &[("sync/src/words/new.rs", text)]);
        assert_eq!(found("word.load(Acquire)").len(), 1);
        assert_eq!(found("fence(atomic::Ordering::SeqCst)").len(), 1);
        assert_eq!(found("// Relaxed: why\n\n\n\nword.store(1, Ordering::Relaxed)").len(), 1);
        let far =
            "// pairs with f\n\n\n\nword.compare_exchange(\n  a,\n  b,\n  Release,\n  Relaxed,\n)";
        assert_eq!(found(far).len(), 2);
        assert_eq!(found("// takes it\nword.swap(0, AcqRel)").len(), 1);
        let other = "fn f() {\n// Relaxed, also below\n\n\n\n}\nfn g() {\nword.load(Relaxed)\n}";
        assert_eq!(found(other).len(), 1);
    }

    #[test]
    fn explained_orderings_and_other_words_are_not() {
        let found = |text| found_in(unexplained_orderings, &[("sync/src/words/new.rs", text)]);
        assert!(found("word.load(Acquire) // pairs with `release`").is_empty());
        assert!(found("// Relaxed: why\n\n\nword.store(1, Ordering::Relaxed)").is_empty());
        let long =
            "// pairs with f\n\n\nword.compare_exchange(\n  a,\n  b,\n  Release,\n  Relaxed,\n)";
        assert!(found(long).is_empty());
        assert!(found("use core::sync::atomic::{\n  Ordering::{Acquire, Relaxed},\n};").is_empty());
        let run = format!("// Relaxed: why\n{}", "word.store(1, Relaxed);\n".repeat(6));
        assert!(found(&run).is_empty());
        let below = "fn f() {\n// Relaxed, also below: why\n\n\n\n\nword.load(Relaxed)\n}";
        assert!(found(below).is_empty());
        assert!(found("match verb { Verb::Release => (), Verb::Acquire => () }").is_empty());
    }
}
