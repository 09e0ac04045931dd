//! One behaviour or one case, with all that the suite knows about it before anything is run.

use std::fmt::Write as _;

use super::columns::paragraph;
use super::list::untested;
use crate::case::Case;
use crate::catalogue::Behaviour;
use crate::error::Error;
use crate::expect::List;
use crate::selection::unknown_word;
use crate::suite::Suite;

/// Explains the behaviour or the case of this id.
///
/// # Errors
/// * [`Error::Asked`] when there is none, with what was perhaps meant.
pub fn explain(suite: &Suite, lists: &[List], id: &str) -> Result<String, Error> {
    if let Some(found) = suite.catalogue.behaviour(id) {
        return Ok(behaviour(suite, lists, found));
    }
    if let Some(found) = suite.cases.iter().find(|case| case.id == id) {
        return Ok(case(suite, lists, found));
    }
    if suite.catalogue.groups().contains(&id) {
        let what = format!("`{id}` is a group of behaviours; see `list --group {id}`");
        return Err(Error::Asked(what));
    }
    let ids = suite.catalogue.behaviours.iter().map(|behaviour| behaviour.id.as_str());
    let ids = ids.chain(suite.cases.iter().map(|case| case.id.as_str()));
    Err(Error::Asked(unknown_word("behaviour or case", id, ids)))
}

fn behaviour(suite: &Suite, lists: &[List], found: &Behaviour) -> String {
    let mut text = format!("{}  {}\n\n", found.id, found.level.slug());
    text.push_str(&paragraph("  ", &found.says));
    text.push('\n');
    let is_own = found.origin.slug() == found.source;
    let origin = if is_own { String::new() } else { format!("{}: ", found.origin.slug()) };
    let origin = format!("{origin}{}", found.source);
    let fields = [
        ("given", Some(&found.given)),
        ("when", Some(&found.when)),
        ("then", Some(&found.then)),
        ("source", Some(&origin)),
        ("contract", found.contract.as_ref()),
        ("deviates", found.deviates.as_ref()),
        ("note", found.note.as_ref()),
    ];
    for (name, field) in fields {
        if let Some(field) = field {
            text.push_str(&paragraph(&format!("  {name:<9} "), field));
        }
    }
    if !found.errors.is_empty() {
        text.push_str(&paragraph("  errors    ", &found.errors.join(", ")));
    }
    let cases: Vec<&Case> = suite.cases_of(&found.id).collect();
    if cases.is_empty() {
        let _ = write!(text, "\n{}", paragraph("", &untested(suite, found)));
    }
    for case in cases {
        let _ = write!(text, "\nshown by {}{}\n\n{}", case.id, sides(case), script(case));
    }
    text + &deviations(lists, &[&found.id])
}

fn case(suite: &Suite, lists: &[List], found: &Case) -> String {
    let mut text = format!("{}{}\n\n{}\nshows\n", found.id, sides(found), script(found));
    for id in &found.shows {
        let Some(behaviour) = suite.catalogue.behaviour(id) else { continue };
        let _ = writeln!(text, "  {id}  {}", behaviour.level.slug());
        text.push_str(&paragraph("      ", &behaviour.says));
    }
    let ids: Vec<&str> = found.shows.iter().map(String::as_str).collect();
    text + &deviations(lists, &ids)
}

fn sides(case: &Case) -> String {
    if case.contracts.is_empty() {
        return String::new();
    }
    format!(", asked only of {}", case.contracts.join(" and "))
}

fn script(case: &Case) -> String {
    let lines = case.text.lines().enumerate();
    lines.map(|(place, line)| format!("    {:>2}  {line}\n", place + 1)).collect()
}

/// What each list says about these behaviours.
fn deviations(lists: &[List], ids: &[&str]) -> String {
    let mut text = String::new();
    for list in lists {
        let known = list.deviations.iter();
        for known in
            known.filter(|known| known.behaviours.iter().any(|id| ids.contains(&id.as_str())))
        {
            let versions = known.versions.as_ref().or(list.versions.as_ref());
            let versions = versions.map_or_else(String::new, |range| format!(" {range}"));
            let forms = known.forms.join(", ");
            let forms = if forms.is_empty() { forms } else { format!(" ({forms})") };
            let _ = writeln!(text, "\n{}{versions}{forms}: {}", list.name, known.verdict.slug());
            text.push_str(&paragraph("  reason    ", &known.reason));
            if let Some(evidence) = &known.evidence {
                text.push_str(&paragraph("  evidence  ", evidence));
            }
            if let Some(why) = &known.no_script {
                text.push_str(&paragraph("  no program  ", why));
            }
            if let Some(script) = &known.script {
                let _ = writeln!(text, "  a program that shows it, with what it prints\n");
                for line in script.text.lines() {
                    let _ = writeln!(text, "{}", format!("      {line}").trim_end());
                }
                for line in script.prints.lines() {
                    let _ = writeln!(text, "    > {line}");
                }
            }
        }
    }
    if text.is_empty() { text } else { format!("\nknown deviations\n{text}") }
}
