//! Two tables: groups by subjects with counts, and cases by subjects with verdicts.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::text::Row;
use crate::suite::{Judgement, Suite};

/// Kept of offered for each group, and what no case shows.
pub(super) fn groups(suite: &Suite, rows: &[Row]) -> String {
    let mut table = Table::new("kept of offered", rows, &["untested"]);
    let mut untested_count = 0;
    for group in suite.catalogue.groups() {
        let cells = rows.iter().map(|row| kept_of_offered(row, Some(group))).collect();
        let untested = suite.catalogue.behaviours.iter().filter(|behaviour| {
            behaviour.group == group && suite.cases_of(&behaviour.id).next().is_none()
        });
        let untested = untested.count();
        untested_count += untested;
        table.line(group, cells, &[untested.to_string()]);
    }
    let cells = rows.iter().map(|row| kept_of_offered(row, None)).collect();
    table.line("all", cells, &[untested_count.to_string()]);
    table.text()
}

/// The verdict on each case that was asked of somebody.
pub(super) fn cases(suite: &Suite, rows: &[Row]) -> String {
    let judged = || rows.iter().filter_map(Row::judgement);
    let asked: BTreeSet<&str> = judged()
        .flat_map(|judgement| judgement.outcomes.iter().map(|outcome| outcome.case.as_str()))
        .collect();
    let mut table = Table::new("case", rows, &[]);
    for case in suite.cases.iter().filter(|case| asked.contains(case.id.as_str())) {
        let cells = rows.iter().map(|row| verdict(row, &case.id)).collect();
        table.line(&case.id, cells, &[]);
    }
    table.text()
}

fn kept_of_offered(row: &Row, group: Option<&str>) -> String {
    let Some(judgement) = row.judgement() else { return String::new() };
    let (kept, offered) = count(judgement, group);
    if offered == 0 { "–".to_owned() } else { format!("{kept}/{offered}") }
}

fn count(judgement: &Judgement, group: Option<&str>) -> (usize, usize) {
    let of_group = judgement.by_behaviour().into_values();
    let of_group = of_group.filter(|(line, _)| group.is_none_or(|group| line.group == group));
    of_group.fold((0, 0), |(kept, offered), (_, verdict)| {
        (kept + usize::from(verdict.is_good()), offered + usize::from(verdict.is_offered()))
    })
}

fn verdict(row: &Row, case: &str) -> String {
    let Some(judgement) = row.judgement() else { return String::new() };
    match judgement.outcomes.iter().find(|outcome| outcome.case == case) {
        None => "·".to_owned(),
        Some(found) => {
            let verdict = found.outcome.verdict;
            let is_known = found.is_expected && !verdict.is_good() && verdict.is_offered();
            format!("{}{}", verdict.slug(), if is_known { "*" } else { "" })
        }
    }
}

/// Columns as wide as what stands in them; the first to the left, the others to the right.
struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    fn new(first: &str, rows: &[Row], last: &[&str]) -> Self {
        let mut head = vec![first.to_owned()];
        head.extend(rows.iter().map(|row| match row.judgement() {
            Some(judgement) => judgement.hello.name.clone(),
            None => format!("{} (absent)", row.name()),
        }));
        head.extend(last.iter().map(|text| (*text).to_owned()));
        Self { lines: vec![head] }
    }

    fn line(&mut self, first: &str, cells: Vec<String>, last: &[String]) {
        let mut line = vec![first.to_owned()];
        line.extend(cells);
        line.extend(last.iter().cloned());
        self.lines.push(line);
    }

    fn text(&self) -> String {
        let columns_count = self.lines.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns_count).map(width).collect();
        let mut text = String::new();
        for line in &self.lines {
            let mut shown = format!("  {:<1$}", line[0], widths[0]);
            for (cell, width) in line.iter().zip(&widths).skip(1) {
                let _ = write!(shown, "   {cell:>width$}");
            }
            let _ = writeln!(text, "{}", shown.trim_end());
        }
        text
    }
}
