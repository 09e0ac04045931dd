//! Two tables: groups by subjects with counts, and cases by subjects with verdicts.

use std::fmt::Write as _;

use super::columns::{Side, Table};
use super::plain::in_line;
use super::text::Row;
use crate::case::Case;
use crate::judgement::{Judgement, Standing};
use crate::suite::Suite;

/// Kept of offered for each group, and what no case shows.
pub(super) fn groups(suite: &Suite, rows: &[Row]) -> String {
    let mut table = Table::default();
    table.line(head("kept of offered", rows).into_iter().chain(["untested".to_owned()]));
    let mut untested_count = 0;
    for group in suite.catalogue.groups() {
        let cells = rows.iter().map(|row| kept_of_offered(row, Some(group)));
        let untested = suite.catalogue.behaviours.iter().filter(|behaviour| {
            behaviour.group == group && suite.cases_of(&behaviour.id).next().is_none()
        });
        let untested = untested.count();
        untested_count += untested;
        table.line([group.to_owned()].into_iter().chain(cells).chain([untested.to_string()]));
    }
    let cells = rows.iter().map(|row| kept_of_offered(row, None));
    table.line(["all".to_owned()].into_iter().chain(cells).chain([untested_count.to_string()]));
    table.text("  ", "   ", Side::Right)
}

/// The verdict on each case that was asked of somebody. Of many cases only those have a line that
/// somebody does not keep, and the others are counted.
pub(super) fn cases(suite: &Suite, rows: &[Row]) -> String {
    let asked: Vec<Vec<CaseLine>> = suite.cases.iter().map(|case| lines(case, rows)).collect();
    let is_short = asked.iter().filter(|lines| !lines.is_empty()).count() <= SHORT_COUNT;
    let mut table = Table::default();
    table.line(head("case", rows));
    let mut kept_count = 0;
    for lines in asked.into_iter().filter(|lines| !lines.is_empty()) {
        let is_kept = |line: &CaseLine| line.cells.iter().all(|cell| KEPT.contains(&cell.as_str()));
        if !is_short && lines.iter().all(is_kept) {
            kept_count += 1;
            continue;
        }
        for line in lines {
            table.line([line.name].into_iter().chain(line.cells));
        }
    }
    let is_empty = table.len() == 1;
    let mut text = if is_empty { String::new() } else { table.text("  ", "   ", Side::Right) };
    if kept_count > 0 {
        let more = if is_empty { "" } else { " more" };
        let _ = writeln!(text, "  {kept_count}{more} cases are kept by all that were asked");
    }
    text
}

/// Up to so many cases all have a line.
const SHORT_COUNT: usize = 20;
/// The cells of a case that nobody breaks.
const KEPT: [&str; 3] = ["kept", NOT_ASKED, ""];
pub(super) const NOT_ASKED: &str = "·";

/// What came of one case, subject by subject.
pub(super) struct CaseLine {
    pub(super) name: String,
    /// The form, where the forms differ.
    pub(super) form: Option<String>,
    pub(super) cells: Vec<String>,
}

/// One line, or one a form where the forms differ; none where nobody was asked.
pub(super) fn lines(case: &Case, rows: &[Row]) -> Vec<CaseLine> {
    let mut forms: Vec<&str> = Vec::new();
    for judgement in rows.iter().filter_map(Row::judgement) {
        let asked = judgement.outcomes.iter().filter(|asked| asked.case == case.id);
        for asked in asked {
            if !forms.contains(&asked.form.as_str()) {
                forms.push(&asked.form);
            }
        }
    }
    let merged: Option<Vec<String>> = rows.iter().map(|row| merged(row, case, &forms)).collect();
    match merged {
        _ if forms.is_empty() => Vec::new(),
        Some(cells) => vec![CaseLine { name: case.id.clone(), form: None, cells }],
        None => {
            let line = |form: &&str| CaseLine {
                name: format!("{} ({})", case.id, in_line(form)),
                form: Some((*form).to_owned()),
                cells: rows.iter().map(|row| verdict(row, &case.id, form)).collect(),
            };
            forms.iter().map(line).collect()
        }
    }
}

/// What came in every form that was asked, if it is the same.
fn merged(row: &Row, case: &Case, forms: &[&str]) -> Option<String> {
    let cells = forms.iter().map(|form| verdict(row, &case.id, form));
    let mut asked = cells.filter(|cell| cell != NOT_ASKED);
    let Some(first) = asked.next() else { return Some(NOT_ASKED.to_owned()) };
    asked.all(|cell| cell == first).then_some(first)
}

fn verdict(row: &Row, case: &str, form: &str) -> String {
    let Some(judgement) = row.judgement() else { return String::new() };
    let mut outcomes = judgement.outcomes.iter();
    let found = outcomes.find(|asked| asked.case == case && asked.form == form);
    let Some(found) = found else { return NOT_ASKED.to_owned() };
    let mark = match found.standing {
        Standing::Known => "*",
        Standing::NotJudged => "?",
        Standing::AsExpected | Standing::Unexpected => "",
    };
    format!("{}{mark}", found.outcome.verdict.slug())
}

fn head(first: &str, rows: &[Row]) -> Vec<String> {
    let names = rows.iter().map(|row| match row {
        Row::Judged(judgement) => in_line(&judgement.hello.name).into_owned(),
        Row::Absent { name, .. } => format!("{name} (absent)"),
    });
    std::iter::once(first.to_owned()).chain(names).collect()
}

fn kept_of_offered(row: &Row, group: Option<&str>) -> String {
    let Some(judgement) = row.judgement() else { return String::new() };
    let (kept, offered) = count(judgement, group);
    if offered == 0 { "–".to_owned() } else { format!("{kept}/{offered}") }
}

pub(super) fn count(judgement: &Judgement, group: Option<&str>) -> (usize, usize) {
    let of_group = judgement.by_behaviour().into_values();
    let of_group = of_group.filter(|(line, _)| group.is_none_or(|group| line.group == group));
    of_group.fold((0, 0), |(kept, offered), (_, verdict)| {
        (kept + usize::from(verdict.is_good()), offered + usize::from(verdict.is_offered()))
    })
}
