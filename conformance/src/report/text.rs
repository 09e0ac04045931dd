//! The report for people.

use std::fmt::Write as _;

use super::{marked, matrix};
use crate::protocol::How;
use crate::suite::{CaseOutcome, Judgement, Line, Suite};
use crate::verdict::Verdict;

/// A column of the report.
pub enum Row {
    /// A subject that was judged.
    Judged(Box<Judgement>),
    /// A subject that is not on this machine.
    Absent {
        /// Its name without a version.
        name: String,
        /// What is missing.
        why: String,
    },
}

impl Row {
    pub(super) fn judgement(&self) -> Option<&Judgement> {
        match self {
            Self::Judged(judgement) => Some(judgement),
            Self::Absent { .. } => None,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Judged(judgement) => &judgement.hello.name,
            Self::Absent { name, .. } => name,
        }
    }
}

/// The whole report. `program` is the word that starts this program, for a shell.
pub fn report(suite: &Suite, rows: &[Row], program: &str) -> String {
    let mut text = head(suite);
    let _ = write!(text, "\n{}\n{}", matrix::groups(suite, rows), matrix::cases(suite, rows));
    let _ = write!(text, "{}", legend(rows));
    for judgement in rows.iter().filter_map(Row::judgement) {
        for outcome in &judgement.outcomes {
            text.push_str(&details(suite, judgement, outcome, program));
        }
        text.push_str(&stale(judgement));
    }
    let _ = write!(text, "\n{}", summary(suite, rows));
    text
}

fn head(suite: &Suite) -> String {
    format!(
        "purlin-conformance {}: {} behaviours in {} groups, {} cases (catalogue {})\n",
        env!("CARGO_PKG_VERSION"),
        suite.catalogue.behaviours.len(),
        suite.catalogue.groups().len(),
        suite.cases.len(),
        suite.catalogue.version(),
    )
}

fn legend(rows: &[Row]) -> String {
    let mut text = String::new();
    let outcomes = || rows.iter().filter_map(Row::judgement).flat_map(|row| &row.outcomes);
    if outcomes().any(|outcome| outcome.is_expected && is_deviation(outcome.outcome.verdict)) {
        text.push_str("  * a known deviation, explained below\n");
    }
    let counts: Vec<usize> =
        rows.iter().filter_map(Row::judgement).map(|row| row.outcomes.len()).collect();
    if counts.iter().any(|count| *count != counts[0]) {
        text.push_str("  · not asked: the subject takes the other side of a choice\n");
    }
    for row in rows {
        match row {
            Row::Absent { name, why } => {
                let _ = writeln!(text, "  {name} is absent: {why}");
            }
            Row::Judged(judgement) if judgement.hello.starts[0] == How::Thread => {
                let name = &judgement.hello.name;
                let _ = writeln!(text, "  {name}: {FORKED}");
            }
            Row::Judged(_) => {}
        }
    }
    text
}

/// A limit of the judgement that its reader must know.
const FORKED: &str = "a thread cannot be killed alone, so actors that a script kills, or wants as \
    processes, are forked all the same";

fn is_deviation(verdict: Verdict) -> bool {
    verdict.is_offered() && !verdict.is_good()
}

fn details(suite: &Suite, judgement: &Judgement, outcome: &CaseOutcome, program: &str) -> String {
    let Some(stop) = &outcome.outcome.stop else { return String::new() };
    let of_case = judgement.lines.iter().filter(|line| line.case.as_ref() == Some(&outcome.case));
    let lines: Vec<&Line> = of_case.collect();
    let verdict = outcome.outcome.verdict;
    let mut text = format!("\n{}  {}  {}\n", judgement.hello.name, outcome.case, verdict.slug());
    let known = lines.iter().find_map(|line| line.reason.as_ref());
    if let (true, Some(reason)) = (outcome.is_expected, known) {
        let _ = writeln!(text, "    {}", stop.detail());
        let _ = writeln!(text, "    known: {reason}");
        return text;
    }
    for line in &lines {
        let says = suite.catalogue.behaviour(&line.behaviour).map_or("", |found| &found.says);
        let _ = writeln!(text, "    {} ({}): {says}", line.behaviour, line.level.slug());
    }
    let script = suite.cases.iter().find(|case| case.id == outcome.case);
    let script = script.map_or("", |case| case.text.as_str());
    let _ = write!(text, "\n{}", marked::script(script, stop));
    let _ = writeln!(text, "    again: {}", again(program, judgement, &outcome.case));
    text
}

/// Whatever was expected to fail and did not.
fn stale(judgement: &Judgement) -> String {
    let mut text = String::new();
    for line in judgement.lines.iter().filter(|line| line.is_unexpected && line.reason.is_some()) {
        let _ = writeln!(
            text,
            "\n{}  {}: expect/ says {}, and it is {}; correct the list",
            judgement.hello.name,
            line.behaviour,
            line.expected.slug(),
            line.verdict.slug(),
        );
    }
    text
}

fn again(program: &str, judgement: &Judgement, case: &str) -> String {
    let chosen_by = &judgement.chosen_by;
    if chosen_by.starts_with("--subject") {
        return format!("{program} run {chosen_by} --case {case}");
    }
    format!("{program} run --case {case} {chosen_by}")
}

fn summary(suite: &Suite, rows: &[Row]) -> String {
    let mut text = String::new();
    for judgement in rows.iter().filter_map(Row::judgement) {
        let counts = Verdict::ALL.into_iter().filter_map(|verdict| {
            let count = judgement.count(verdict);
            (count > 0).then(|| format!("{count} {}", verdict.slug()))
        });
        let counts = counts.collect::<Vec<_>>().join(", ");
        let unexpected = match judgement.unexpected_count() {
            0 => "as expected".to_owned(),
            count => format!("{count} UNEXPECTED"),
        };
        let hello = &judgement.hello;
        let _ = writeln!(text, "{} ({}): {counts}: {unexpected}", hello.name, hello.version);
        let _ = writeln!(text, "    {}", rest(suite, judgement));
    }
    text
}

/// What makes the counts of a subject add up to the catalogue.
fn rest(suite: &Suite, judgement: &Judgement) -> String {
    let (other_side_count, not_selected_count) = suite.not_asked(judgement);
    let mut text = format!("{other_side_count} belong to the other side of a contract");
    if not_selected_count > 0 {
        let _ = write!(text, ", {not_selected_count} were not selected");
    }
    let _ = write!(text, ": {} in all", suite.catalogue.behaviours.len());
    text
}
