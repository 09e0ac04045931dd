//! What is not judged: what an interface rules out, what is not offered, and what no case shows.

use std::fmt::Write as _;

use super::super::list::untested;
use super::super::markup::escaped;
use super::super::missing::{NOT_JUDGED, not_judged_lines, prevented_lines, unsupported_lines};
use super::super::text::{Row, counted};
use crate::suite::Suite;

/// The sections.
pub(super) fn sections(suite: &Suite, rows: &[Row]) -> String {
    let mut text = "<section id=\"rest\">\n<h2>What is not judged</h2>\n".to_owned();
    for judgement in rows.iter().filter_map(Row::judgement) {
        let name = &judgement.hello.name;
        let prevented = prevented_lines(judgement);
        text.push_str(&part(&format!("{name} cannot break, by its interface"), &prevented));
        text.push_str(&part(&format!("{name} does not offer"), &unsupported_lines(judgement)));
        text.push_str(&part(&format!("{name} {NOT_JUDGED}"), &not_judged_lines(judgement)));
    }
    let behaviours = suite.catalogue.behaviours.iter();
    let unseen = behaviours.filter(|behaviour| suite.cases_of(&behaviour.id).next().is_none());
    let unseen: Vec<String> = unseen
        .map(|behaviour| {
            let level = behaviour.level.slug();
            format!("{} ({level}): {} {}", behaviour.id, behaviour.says, untested(suite, behaviour))
        })
        .collect();
    text.push_str(&part("No case shows", &unseen));
    text.push_str("</section>\n");
    text
}

fn part(says: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let count = counted(lines.len(), "line");
    let mut text = format!(
        "<details class=\"rest\"><summary>{} <small>{count}</small></summary>\n<ul>\n",
        escaped(says)
    );
    for line in lines {
        let _ = writeln!(text, "<li>{}</li>", escaped(line));
    }
    text.push_str("</ul></details>\n");
    text
}
