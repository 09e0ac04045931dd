//! Every case that was asked of somebody, by subjects; a verdict that is not good leads to what is
//! said of it above.

use std::fmt::Write as _;

use super::super::markup::escaped;
use super::super::matrix::{self, CaseLine};
use super::super::text::{Row, counted};
use super::deviations::Found;
use super::head_row;
use crate::suite::Suite;

/// The section, with a part for each group.
pub(super) fn section(suite: &Suite, rows: &[Row], found: &Found<'_>) -> String {
    let mut text = "<section id=\"cases\">\n<h2>Every case</h2>\n".to_owned();
    for group in suite.catalogue.groups() {
        let of_group = suite.cases.iter().filter(|case| case.group == group);
        let lines = of_group.map(|case| (case.id.as_str(), matrix::lines(case, rows)));
        let lines: Vec<_> = lines.filter(|(_, lines)| !lines.is_empty()).collect();
        if lines.is_empty() {
            continue;
        }
        let _ = write!(
            text,
            "<details class=\"cases\"><summary>{} <small>{}</small></summary>\n<div \
             class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Cases of {0}\"><table \
             class=\"cases\">\n{}<tbody>\n",
            escaped(group),
            counted(lines.len(), "case"),
            head_row("Case", rows, None)
        );
        for (case, lines) in &lines {
            lines.iter().for_each(|line| text.push_str(&row(case, line, found)));
        }
        text.push_str("</tbody>\n</table></div></details>\n");
    }
    text.push_str("</section>\n");
    text
}

fn row(case: &str, line: &CaseLine, found: &Found<'_>) -> String {
    let mut text = format!("<tr><th scope=\"row\"><code>{}</code></th>", escaped(&line.name));
    for (subject, cell) in line.cells.iter().enumerate() {
        let word = cell.trim_end_matches(['*', '?']);
        let class = if word.chars().all(|letter| letter.is_ascii_lowercase()) { word } else { "" };
        let shown = match found.place(subject, case, line.form.as_deref()) {
            Some(place) => format!("<a href=\"#d{place}\">{}</a>", escaped(cell)),
            None => escaped(cell),
        };
        let _ = write!(text, "<td><span class=\"verdict {class}\">{shown}</span></td>");
    }
    text.push_str("</tr>\n");
    text
}
