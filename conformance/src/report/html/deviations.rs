//! Each deviation: the sentence of the catalogue, the script with the mark under the failing line,
//! what was expected, what came, and the command that repeats it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::changed;
use super::super::deviation::{self, Again, Deviation, stale};
use super::super::markup::{attribute, escaped};
use super::super::text::{Row, case_name, counted, form_of};
use super::name;
use crate::judgement::{Change, Judgement, Standing};
use crate::verdict::{Stop, Verdict};

/// All deviations, what fails the run first, and where each stands in the page.
pub(super) struct Found<'a> {
    all: Vec<(usize, Deviation<'a>)>,
    places: BTreeMap<(usize, &'a str, &'a str), usize>,
}

impl<'a> Found<'a> {
    pub(super) fn of(again: &'a Again<'a>, rows: &'a [Row]) -> Self {
        let (mut all, mut places) = (Vec::new(), BTreeMap::new());
        for (standing, _) in PARTS {
            for (subject, row) in rows.iter().enumerate() {
                let Some(judgement) = row.judgement() else { continue };
                for found in deviation::of_standing(again, judgement, standing) {
                    let asked = found.asked;
                    places.insert((subject, &*asked.case, &*asked.form), all.len());
                    all.push((subject, found));
                }
            }
        }
        Self { all, places }
    }

    /// Where a subject's deviation stands: in this form, or in the first that has one.
    pub(super) fn place(&self, subject: usize, case: &str, form: Option<&str>) -> Option<usize> {
        let mut of_case = self.places.range((subject, case, "")..);
        match form {
            Some(form) => self.places.get(&(subject, case, form)).copied(),
            None => of_case
                .next()
                .filter(|((other, of, _), _)| *other == subject && *of == case)
                .map(|(_, place)| *place),
        }
    }
}

/// How each part is headed.
const PARTS: [(Standing, &str); 4] = [
    (Standing::Unexpected, "What fails the run"),
    (Standing::NotJudged, "Not judged: nobody has looked at this version yet"),
    (Standing::AsExpected, "Broken, and binding nobody"),
    (Standing::Known, "Known deviations"),
];

/// The section, with its filter.
pub(super) fn section(again: &Again<'_>, rows: &[Row], found: &Found<'_>) -> String {
    let mut text = format!(
        "<section id=\"deviations\">\n<h2>Deviations</h2>\n{}{}{}",
        filter(again, rows, found),
        changes(again, rows),
        stale_entries(rows)
    );
    if found.all.is_empty() {
        text.push_str("<p>None: all that was offered is kept.</p>\n");
    }
    for (standing, says) in PARTS {
        let own = found.all.iter().enumerate();
        let own: Vec<_> = own.filter(|(_, (_, one))| one.asked.standing == standing).collect();
        if own.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "<section class=\"part\"><h3>{says} <small>{}</small></h3>",
            counted(own.len(), "case")
        );
        for (place, (subject, one)) in own {
            text.push_str(&block(place, *subject, one));
        }
        text.push_str("</section>\n");
    }
    text.push_str("</section>\n");
    text
}

fn filter(again: &Again<'_>, rows: &[Row], found: &Found<'_>) -> String {
    let subjects = rows.iter().enumerate().filter(|(_, row)| row.judgement().is_some());
    let subjects = subjects.map(|(place, row)| (place.to_string(), name(row)));
    let has = |group: &str| found.all.iter().any(|(_, one)| group_of(one) == group);
    let groups = again.suite.catalogue.groups().into_iter().filter(|group| has(group));
    let groups = groups.map(|group| (group.to_owned(), group.to_owned()));
    let has = |verdict| found.all.iter().any(|(_, one)| one.asked.outcome.verdict == verdict);
    let verdicts = Verdict::ALL.into_iter().filter(|verdict| has(*verdict));
    let verdicts = verdicts.map(|verdict| (verdict.slug().to_owned(), verdict.slug().to_owned()));
    let standings = PARTS.iter().map(|(standing, _)| standing.slug());
    let standings = standings.map(|slug| (slug.to_owned(), slug.replace('-', " ")));
    format!(
        "<form id=\"filter\" hidden=\"hidden\">\n{}{}{}{}<label>Words <input type=\"search\" \
         name=\"words\" autocomplete=\"off\"/></label>\n<span class=\"buttons\"><button \
         type=\"reset\">Clear</button> <button type=\"button\" id=\"open\">Open all</button>\
         </span>\n\
         <output id=\"shown\" aria-live=\"polite\"></output>\n</form>\n",
        choice("Subject", "subject", subjects),
        choice("Group", "group", groups),
        choice("Verdict", "verdict", verdicts),
        choice("Standing", "standing", standings),
    )
}

fn choice(label: &str, field: &str, options: impl IntoIterator<Item = (String, String)>) -> String {
    let mut text =
        format!("<label>{label} <select name=\"{field}\"><option value=\"\">all</option>");
    for (value, shown) in options {
        let _ =
            write!(text, "<option value=\"{}\">{}</option>", attribute(&value), escaped(&shown));
    }
    text.push_str("</select></label>\n");
    text
}

fn group_of<'a>(one: &'a Deviation<'_>) -> &'a str {
    one.asked.case.split('/').next().unwrap_or_default()
}

fn block(place: usize, subject: usize, one: &Deviation<'_>) -> String {
    let asked = one.asked;
    let verdict = asked.outcome.verdict.slug();
    let standing = asked.standing.slug();
    let open = if asked.standing == Standing::Unexpected { " open=\"open\"" } else { "" };
    let mut text = format!(
        "<details class=\"deviation\" id=\"d{place}\" data-subject=\"{subject}\" data-group=\"{}\" \
         data-verdict=\"{verdict}\" data-standing=\"{standing}\"{open}>\n<summary><span \
         class=\"verdict {verdict}\">{verdict}</span> <code>{}</code> <span \
         class=\"who\">{}</span> <span class=\"how\">{}</span></summary>\n",
        attribute(group_of(one)),
        escaped(&case_name(asked)),
        escaped(&one.judgement.hello.name),
        escaped(&one.standing()),
    );
    text.push_str("<ul class=\"promises\">\n");
    for promise in &one.promises {
        let _ = writeln!(
            text,
            "<li>{} <span class=\"id\"><code>{}</code> {}</span></li>",
            escaped(promise.says),
            escaped(&promise.line.behaviour),
            promise.line.level.slug()
        );
    }
    text.push_str("</ul>\n");
    for reason in &one.reasons {
        let _ = writeln!(text, "<p class=\"reason\"><b>Known:</b> {}</p>", escaped(reason));
    }
    text.push_str(&script(one.script, one.stop));
    text.push_str(&again_line(&one.again));
    text.push_str("</details>\n");
    text
}

/// The script, line by line; under the one that failed stands what was expected and what came.
fn script(script: &str, stop: &Stop) -> String {
    let mut text = "<pre class=\"script\" tabindex=\"0\">".to_owned();
    for (place, line) in script.lines().enumerate() {
        let span = stop.span.filter(|span| span.line == place + 1);
        let shown = span.and_then(|span| {
            let before = line.get(..span.start)?;
            let (marked, behind) = (line.get(span.start..span.end)?, line.get(span.end..)?);
            let marked = escaped(marked);
            Some(format!("{}<mark>{marked}</mark>{}", escaped(before), escaped(behind)))
        });
        let shown = shown.unwrap_or_else(|| escaped(line));
        let class = if span.is_some() { "line failed" } else { "line" };
        let _ = writeln!(text, "<span class=\"{class}\">{shown}</span>");
        if span.is_some() {
            text.push_str(&reasons(stop));
        }
    }
    if stop.span.is_none() {
        text.push_str(&reasons(stop));
    }
    text.push_str("</pre>\n");
    text
}

fn reasons(stop: &Stop) -> String {
    let within = (!stop.within.is_empty()).then(|| stop.within.join(", "));
    let expected = (!stop.expected.is_empty()).then(|| stop.expected.clone());
    let parts = [("in", within), ("expected", expected), ("came", Some(stop.came.clone()))];
    let mut text = "<span class=\"came\">".to_owned();
    for (word, what) in parts {
        if let Some(what) = what {
            let _ = write!(text, "<span><b>{word:<9}</b> {}</span>", escaped(&what));
        }
    }
    text.push_str("</span>");
    text
}

fn again_line(command: &str) -> String {
    format!("<p class=\"again\"><b>Again</b> <code>{}</code></p>\n", escaped(command))
}

/// What did not come the same in every run.
fn changes(again: &Again<'_>, rows: &[Row]) -> String {
    let judged = rows.iter().filter_map(Row::judgement);
    let all = judged.flat_map(|judgement| {
        judgement.changes.iter().map(move |change| change_item(again, judgement, change))
    });
    listed("Changes from run to run", "changes", all)
}

fn change_item(again: &Again<'_>, judgement: &Judgement, change: &Change) -> String {
    let known = if change.is_known { "; known to depend on chance" } else { "" };
    format!(
        "<code>{}</code> {}: {}{known}{}",
        escaped(&form_of(&change.case, &change.form)),
        escaped(&judgement.hello.name),
        escaped(&changed::verdicts(change)),
        again_line(&changed::command(again, judgement, change))
    )
}

fn stale_entries(rows: &[Row]) -> String {
    let judged = rows.iter().filter_map(Row::judgement);
    let all = judged.flat_map(|judgement| {
        let name = escaped(&judgement.hello.name);
        stale(judgement).map(move |stale| format!("{name}: {}", escaped(&stale)))
    });
    listed("Lists that say what is so no more", "stale", all)
}

/// A part of its own that fails the run, or nothing.
fn listed(says: &str, class: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.map(|item| format!("<li>{item}</li>\n")).collect();
    if items.is_empty() {
        return String::new();
    }
    let count = counted(items.len(), "item");
    let items = items.concat();
    format!(
        "<section class=\"{class}\"><h3>{says} <small>{count}</small></h3>\n<ul>\n{items}</ul>\
         </section>\n"
    )
}
