//! What an interface makes impossible, what a subject does not offer, and what cannot be judged.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::plain::in_line;
use super::text::{case_name, counted};
use crate::judgement::{CaseOutcome, Judgement, Line};
use crate::verdict::Verdict;

/// Each promise that cannot be broken, with the reason.
pub(super) fn prevented(judgement: &Judgement) -> String {
    headed(judgement, "cannot break, by its interface", prevented_lines(judgement))
}

/// How much is not offered for each reason.
pub(super) fn unsupported(judgement: &Judgement) -> String {
    headed(judgement, "does not offer", unsupported_lines(judgement))
}

/// How much was to be asked, and could not be judged, for each reason.
pub(super) fn not_judged(judgement: &Judgement) -> String {
    headed(judgement, NOT_JUDGED, not_judged_lines(judgement))
}

pub(super) fn prevented_lines(judgement: &Judgement) -> Vec<String> {
    let outcomes = judgement.outcomes.iter();
    let prevented = outcomes.filter(|asked| asked.outcome.verdict == Verdict::Prevented);
    let line = |asked: &CaseOutcome| {
        let ids: Vec<&str> =
            judgement.lines_of(asked).map(|line| line.behaviour.as_str()).collect();
        format!("{} in {}: {}", ids.join(", "), case_name(asked), came(asked))
    };
    prevented.map(line).collect()
}

pub(super) fn unsupported_lines(judgement: &Judgement) -> Vec<String> {
    counted_lines(judgement, Verdict::Unsupported)
}

pub(super) fn not_judged_lines(judgement: &Judgement) -> Vec<String> {
    counted_lines(judgement, Verdict::Untested)
}

/// The heading of what could not be judged, behind the subject's name.
pub(super) const NOT_JUDGED: &str = "could not be judged";

/// The behaviours that cases came to this verdict on, by reason.
fn counted_lines(judgement: &Judgement, counted_verdict: Verdict) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (line, verdict) in judgement.by_behaviour().into_values() {
        if verdict == counted_verdict && line.case.is_some() {
            *counts.entry(why(judgement, line)).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let line = |(why, count)| format!("{}: {why}", counted(count, "behaviour"));
    counts.into_iter().map(line).collect()
}

fn headed(judgement: &Judgement, what: &str, lines: Vec<String>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{} {what}\n", in_line(&judgement.hello.name));
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
    text
}

fn why(judgement: &Judgement, line: &Line) -> String {
    let asked = judgement.outcomes.iter().find(|asked| line.is_of(asked));
    asked.map_or_else(String::new, |asked| came(asked).into_owned())
}

fn came(asked: &CaseOutcome) -> std::borrow::Cow<'_, str> {
    in_line(asked.outcome.stop.as_ref().map_or("", |stop| &stop.came))
}
