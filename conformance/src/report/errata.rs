//! The errata as a page of text, document by document.

use std::fmt::Write as _;

use super::columns::paragraph;
use super::list::untested;
use super::text::counted;
use crate::errata::Erratum;
use crate::suite::Suite;

/// All of them, or those that a group's promises say right.
pub fn errata(suite: &Suite, errata: &[Erratum], group: Option<&str>) -> String {
    let is_own = |id: &String| {
        suite.catalogue.behaviour(id).is_some_and(|found| group.is_none_or(|g| found.group == g))
    };
    let own: Vec<&Erratum> =
        errata.iter().filter(|erratum| erratum.behaviours.iter().any(is_own)).collect();
    let mut text = format!("{} in what the documents say\n", counted(own.len(), "mistake"));
    let mut document = "";
    for erratum in own {
        if erratum.document != document {
            document = &erratum.document;
            let _ = writeln!(text, "\n{document}");
        }
        text.push('\n');
        text.push_str(&paragraph("  claims    ", &erratum.claims));
        text.push_str(&paragraph("  truth     ", &erratum.truth));
        for (place, id) in erratum.behaviours.iter().enumerate() {
            let first = if place == 0 { "  shown by  " } else { "            " };
            text.push_str(&paragraph(first, &format!("{id}: {}", shown(suite, id))));
        }
    }
    text
}

/// The cases that show a promise, or why none does.
fn shown(suite: &Suite, id: &str) -> String {
    let cases: Vec<&str> = suite.cases_of(id).map(|case| case.id.as_str()).collect();
    if !cases.is_empty() {
        return cases.join(", ");
    }
    suite.catalogue.behaviour(id).map_or_else(String::new, |found| untested(suite, found))
}
