//! The report for people.

use std::fmt::Write as _;

use super::changed::{changed, seeds};
use super::deviation::Again;
use super::plain::{in_line, plain};
use super::{broken, matrix, missing};
use crate::judgement::{CaseOutcome, Judgement, Line, Standing};
use crate::protocol::How;
use crate::suite::Suite;
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
    /// What came of it, if it was judged.
    pub fn judgement(&self) -> Option<&Judgement> {
        match self {
            Self::Judged(judgement) => Some(judgement),
            Self::Absent { .. } => None,
        }
    }
}

/// The whole report. `program` is what starts this program, for a shell. Nothing in it is obeyed
/// by a terminal. What fails the run stands last, above the summary.
pub fn report(suite: &Suite, rows: &[Row], program: &str) -> String {
    let mut text = head(suite, rows);
    let _ = write!(text, "\n{}\n{}", matrix::groups(suite, rows), matrix::cases(suite, rows));
    let _ = write!(text, "{}", legend(rows));
    let judged = || rows.iter().filter_map(Row::judgement);
    let again = Again { suite, program };
    for standing in [Standing::Known, Standing::NotJudged, Standing::AsExpected] {
        for judgement in judged() {
            text.push_str(&broken::of_standing(&again, judgement, standing));
        }
    }
    for judgement in judged() {
        text.push_str(&missing::prevented(judgement));
        text.push_str(&missing::unsupported(judgement));
        text.push_str(&missing::not_judged(judgement));
    }
    for judgement in judged() {
        text.push_str(&broken::of_standing(&again, judgement, Standing::Unexpected));
        text.push_str(&broken::stale(judgement));
        text.push_str(&changed(&again, judgement));
    }
    let _ = write!(text, "\n{}", summary(suite, rows, program));
    plain(&text).into_owned()
}

pub(super) fn head(suite: &Suite, rows: &[Row]) -> String {
    let seeds = rows.iter().find_map(Row::judgement).map(|judgement| seeds(&judgement.seeds));
    let seed = seeds.map_or_else(String::new, |seeds| format!(", {seeds}"));
    format!(
        "purlin-conformance {}: {} behaviours in {} groups, {} cases (catalogue {}){seed}\n",
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
    if outcomes().any(|asked| asked.standing == Standing::Known) {
        text.push_str("  * a known deviation, explained below\n");
    }
    if outcomes().any(|asked| asked.standing == Standing::NotJudged) {
        text.push_str("  ? not judged: nobody has looked at this version yet\n");
    }
    let counts: Vec<usize> =
        rows.iter().filter_map(Row::judgement).map(|row| row.outcomes.len()).collect();
    if counts.iter().any(|count| *count != counts[0]) {
        let mark = matrix::NOT_ASKED;
        let _ = writeln!(text, "  {mark} not asked: the subject takes the other side of a choice");
    }
    for row in rows {
        match row {
            Row::Absent { name, why } => {
                let _ = writeln!(text, "  {name} is absent: {}", in_line(why));
            }
            Row::Judged(judgement) => {
                let name = in_line(&judgement.hello.name);
                for limit in limits(judgement) {
                    let _ = writeln!(text, "  {name}: {limit}");
                }
            }
        }
    }
    text
}

/// Limits of the judgement that its reader must know.
pub(super) fn limits(judgement: &Judgement) -> Vec<String> {
    let mut limits = Vec::new();
    if judgement.hello.starts[0] == How::Thread && judgement.hello.starts.len() > 1 {
        limits.push(FORKED.to_owned());
    }
    let mut forms: Vec<&str> = judgement.outcomes.iter().map(|asked| asked.form.as_str()).collect();
    forms.sort_unstable();
    forms.dedup();
    if forms.len() > 1 {
        limits.push(format!("asked of each form: {}", in_line(&forms.join(", "))));
    }
    let scaled = judgement.outcomes.iter().filter(|asked| asked.outcome.is_scaled).count();
    if scaled > 0 {
        limits.push(format!("{SCALED}: {}", counted(scaled, "case")));
    }
    limits
}

const FORKED: &str = "a thread cannot be killed alone, so actors that a script kills, or wants as \
    processes, are forked all the same";
const SCALED: &str = "it starts actors slowly, so rounds that start some were a tenth as many";

fn summary(suite: &Suite, rows: &[Row], program: &str) -> String {
    let mut text = String::new();
    let mut has_untested = false;
    for judgement in rows.iter().filter_map(Row::judgement) {
        // Of those that have a case it is said above.
        let has_none = |line: &Line| line.verdict == Verdict::Untested && line.case.is_none();
        has_untested |= judgement.lines.iter().any(has_none);
        let counts = Verdict::ALL.into_iter().filter_map(|verdict| {
            let count = judgement.count(verdict);
            (count > 0).then(|| format!("{count} {}", verdict.slug()))
        });
        let counts = counts.collect::<Vec<_>>().join(", ");
        let hello = &judgement.hello;
        let (name, version) = (in_line(&hello.name), in_line(&hello.version));
        let _ = writeln!(text, "{name} ({version}): {counts}: {}", standing(judgement));
        let _ = writeln!(text, "    {}", rest(suite, judgement));
    }
    if has_untested {
        let _ = writeln!(text, "Why something is untested: {program} list --untested");
    }
    text
}

pub(super) fn standing(judgement: &Judgement) -> String {
    let not_judged = match judgement.standing_count(Standing::NotJudged) {
        0 => String::new(),
        count => format!(", but {count} not judged for this version"),
    };
    let mut failing = Vec::new();
    if judgement.unexpected_count() > 0 {
        failing.push(format!("{} UNEXPECTED", judgement.unexpected_count()));
    }
    let changed_count = judgement.changes.iter().filter(|change| !change.is_known).count();
    if changed_count > 0 {
        failing.push(format!("{} CHANGED", counted(changed_count, "case")));
    }
    let failing = if failing.is_empty() { "as expected".to_owned() } else { failing.join(", ") };
    failing + &not_judged
}

/// What makes the counts of a subject add up to the catalogue.
pub(super) fn rest(suite: &Suite, judgement: &Judgement) -> String {
    let (other_side_count, not_selected_count) = suite.not_asked(judgement);
    let mut text = format!("{other_side_count} belong to the other side of a contract");
    if not_selected_count > 0 {
        let _ = write!(text, ", {not_selected_count} were not selected");
    }
    let _ = write!(text, ": {} in all", suite.catalogue.behaviours.len());
    text
}

pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// How a case is called in a report: with its form, where that is not the group's own.
pub(super) fn case_name(asked: &CaseOutcome) -> String {
    form_of(&asked.case, &asked.form)
}

pub(super) fn form_of(case: &str, form: &str) -> String {
    let is_plain = case.split('/').next() == Some(form);
    if is_plain { case.to_owned() } else { format!("{case} ({})", in_line(form)) }
}
