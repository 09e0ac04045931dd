//! What an interface makes impossible, and what a subject does not offer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::plain::in_line;
use super::text::{case_name, counted};
use crate::judgement::{CaseOutcome, Judgement, Line};
use crate::verdict::Verdict;

/// Each promise that cannot be broken, with the reason.
pub(super) fn prevented(judgement: &Judgement) -> String {
    let mut text = String::new();
    let outcomes = judgement.outcomes.iter();
    for asked in outcomes.filter(|asked| asked.outcome.verdict == Verdict::Prevented) {
        let ids: Vec<&str> =
            judgement.lines_of(asked).map(|line| line.behaviour.as_str()).collect();
        let _ = writeln!(text, "    {} in {}: {}", ids.join(", "), case_name(asked), came(asked));
    }
    headed(judgement, "cannot break, by its interface", &text)
}

/// How much is not offered for each reason.
pub(super) fn unsupported(judgement: &Judgement) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (line, verdict) in judgement.by_behaviour().into_values() {
        if verdict == Verdict::Unsupported {
            *counts.entry(why(judgement, line)).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut text = String::new();
    for (why, count) in counts {
        let _ = writeln!(text, "    {}: {why}", counted(count, "behaviour"));
    }
    headed(judgement, "does not offer", &text)
}

fn headed(judgement: &Judgement, what: &str, lines: &str) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("\n{} {what}\n{lines}", in_line(&judgement.hello.name))
}

fn why(judgement: &Judgement, line: &Line) -> String {
    let asked = judgement.outcomes.iter().find(|asked| line.is_of(asked));
    asked.map_or_else(String::new, |asked| came(asked).into_owned())
}

fn came(asked: &CaseOutcome) -> std::borrow::Cow<'_, str> {
    in_line(asked.outcome.stop.as_ref().map_or("", |stop| &stop.came))
}
