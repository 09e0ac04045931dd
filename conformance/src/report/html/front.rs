//! The first look: a card a subject, and groups by subjects with a count and a bar.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::markup::{attribute, escaped};
use super::super::text::{Row, limits, rest, standing};
use super::head_row;
use crate::judgement::Judgement;
use crate::suite::Suite;
use crate::verdict::Verdict;

/// Who was asked, and how it went in all.
pub(super) fn cards(suite: &Suite, rows: &[Row]) -> String {
    let mut text = "<section id=\"subjects\" aria-label=\"Subjects\" class=\"cards\">\n".to_owned();
    for row in rows {
        match row {
            Row::Judged(judgement) => text.push_str(&card(suite, judgement)),
            Row::Absent { name, why } => {
                let _ = writeln!(
                    text,
                    "<article class=\"card absent\"><h2>{}</h2>\n<p>Absent: {}</p></article>",
                    escaped(name),
                    escaped(why)
                );
            }
        }
    }
    text.push_str("</section>\n");
    text
}

fn card(suite: &Suite, judgement: &Judgement) -> String {
    let (kept, offered) = Counts::of(judgement).all();
    let state = if judgement.fails() { "fails" } else { "passes" };
    let mut text = format!(
        "<article class=\"card {state}\"><h2>{} <small>{}</small></h2>\n<p class=\"count\">\
         <b>{kept}</b> of {offered} kept</p>\n{}<p class=\"standing\">{}</p>\n<ul class=\"chips\">",
        escaped(&judgement.hello.name),
        escaped(&judgement.hello.version),
        bar(kept, offered),
        escaped(&standing(judgement)),
    );
    for verdict in Verdict::ALL {
        let count = judgement.count(verdict);
        if count > 0 {
            let word = verdict.slug();
            let _ = write!(text, "<li><span class=\"verdict {word}\">{count} {word}</span></li>");
        }
    }
    text.push_str("</ul>\n<details><summary>What was asked</summary>\n");
    for says in [rest(suite, judgement)].into_iter().chain(limits(judgement)) {
        let _ = writeln!(text, "<p class=\"small\">{}</p>", escaped(&says));
    }
    text.push_str("</details>\n</article>\n");
    text
}

/// Kept of offered, group by group.
pub(super) fn groups(suite: &Suite, rows: &[Row]) -> String {
    let counts: Vec<Option<Counts>> =
        rows.iter().map(|row| row.judgement().map(Counts::of)).collect();
    let mut text = format!(
        "<section id=\"groups\">\n<h2>Kept of offered</h2>\n<div class=\"wide\" tabindex=\"0\" \
         role=\"region\" aria-label=\"Kept of offered\"><table class=\"groups\">\n\
         <caption>Promises kept of those offered, by group and subject. A count leads to what \
         is not kept.</caption>\n{}<tbody>\n",
        head_row("Group", rows, Some("Untested"))
    );
    let mut untested_count = 0;
    for group in suite.catalogue.groups() {
        let untested = suite.catalogue.behaviours.iter().filter(|behaviour| {
            behaviour.group == group && suite.cases_of(&behaviour.id).next().is_none()
        });
        let untested = untested.count();
        untested_count += untested;
        let _ = write!(text, "<tr><th scope=\"row\">{}</th>", escaped(group));
        for (place, counts) in counts.iter().enumerate() {
            let found = counts.as_ref().map_or((0, 0), |counts| counts.of_group(group));
            text.push_str(&cell(found, Some((group, place))));
        }
        let _ = writeln!(text, "<td>{untested}</td></tr>");
    }
    text.push_str("</tbody><tfoot><tr><th scope=\"row\">all</th>");
    for counts in &counts {
        text.push_str(&cell(counts.as_ref().map_or((0, 0), Counts::all), None));
    }
    let _ = writeln!(text, "<td>{untested_count}</td></tr></tfoot>\n</table></div>\n</section>");
    text
}

fn cell((kept, offered): (usize, usize), leads_to: Option<(&str, usize)>) -> String {
    if offered == 0 {
        return "<td class=\"none\"><span title=\"not offered\">–</span></td>".to_owned();
    }
    let count = format!("{kept}/{offered}");
    let class = if kept == offered { "full" } else { "part" };
    let count = match leads_to {
        Some((group, place)) if kept < offered => format!(
            "<a href=\"#deviations\" data-group=\"{}\" data-subject=\"{place}\">{count}</a>",
            attribute(group)
        ),
        _ => count,
    };
    format!("<td class=\"{class}\">{count}{}</td>", bar(kept, offered))
}

/// How much of a whole, as a picture for those who see it; the number beside it says the same.
fn bar(part: usize, whole: usize) -> String {
    let share = (part * 1000).checked_div(whole).unwrap_or(0);
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" \
         aria-hidden=\"true\"><rect class=\"all\" width=\"1000\" height=\"10\"/><rect \
         class=\"own\" width=\"{share}\" height=\"10\"/></svg>\n"
    )
}

/// Kept and offered, by group.
struct Counts(BTreeMap<String, (usize, usize)>);

impl Counts {
    fn of(judgement: &Judgement) -> Self {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (line, verdict) in judgement.by_behaviour().into_values() {
            let (kept, offered) = counts.entry(line.group.clone()).or_default();
            *kept += usize::from(verdict.is_good());
            *offered += usize::from(verdict.is_offered());
        }
        Self(counts)
    }

    fn of_group(&self, group: &str) -> (usize, usize) {
        self.0.get(group).copied().unwrap_or_default()
    }

    fn all(&self) -> (usize, usize) {
        self.0.values().fold((0, 0), |(kept, offered), own| (kept + own.0, offered + own.1))
    }
}
