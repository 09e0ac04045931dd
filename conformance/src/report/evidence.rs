//! Which kinds of evidence stand behind each promise: cases, faults that bring them down, a model
//! that random scripts are held against, models of the words; and why where there is none.

use std::fmt::Write as _;

use super::columns::{Side, Table, paragraph};
use super::text::counted;
use crate::backing::{Backing, Kind};
use crate::catalogue::Behaviour;
use crate::suite::Suite;

/// A subject that is wrong on purpose, and the cases that it is known to be noticed by.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Its name: `fault-` is a faulty implementation, `false-` a falsified reply of a sound one, or
    /// of the suite's own objects, such as the host.
    pub name: &'static str,
    /// The cases. One that nearly all cases notice has none: it says little about each.
    pub cases: Vec<&'static str>,
}

/// All that is known of evidence.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The promises and cases.
    pub suite: &'a Suite,
    /// The models.
    pub backing: &'a Backing,
    /// The faults, each once.
    pub faults: &'a [Fault],
}

impl<'a> Known<'a> {
    /// The faults that bring a case down.
    fn faults_of<'k>(&'k self, case: &'k str) -> impl Iterator<Item = &'static str> + 'k {
        let own = self.faults.iter().filter(move |fault| fault.cases.contains(&case));
        own.map(|fault| fault.name)
    }

    /// How many faults bring down a case that shows it.
    fn faults_count(&self, behaviour: &str) -> usize {
        let own: Vec<&str> = self.suite.cases_of(behaviour).map(|case| case.id.as_str()).collect();
        self.faults.iter().filter(|fault| fault.cases.iter().any(|case| own.contains(case))).count()
    }

    fn of_group(&self, group: &'a str) -> impl Iterator<Item = &'a Behaviour> {
        self.suite.catalogue.behaviours.iter().filter(move |found| found.group == group)
    }
}

/// The table, of one group or of all, with the gaps below.
pub fn evidence(known: &Known<'_>, group: Option<&str>) -> String {
    let mut table = Table::default();
    let head = ["behaviour", "level", "cases", "faults", "model", "loom"];
    table.line(head.map(str::to_owned));
    let groups = known.suite.catalogue.groups();
    let groups: Vec<&str> =
        groups.into_iter().filter(|name| group.is_none_or(|group| group == *name)).collect();
    for behaviour in groups.iter().flat_map(|group| known.of_group(group)) {
        let id = &behaviour.id;
        let model = known.backing.model(id).map_or("–", |model| &model.group);
        table.line([
            id.clone(),
            behaviour.level.slug().to_owned(),
            number(known.suite.cases_of(id).count()),
            number(known.faults_count(id)),
            model.to_owned(),
            number(known.backing.looms(id).len()),
        ]);
    }
    let mut text = table.text("", "  ", Side::Left);
    text.push_str("\ngaps (`explain ID` names all that there is)\n");
    groups.iter().for_each(|group| text.push_str(&gaps(known, group)));
    text
}

fn number(count: usize) -> String {
    if count == 0 { "–".to_owned() } else { count.to_string() }
}

/// What has no evidence of each kind, counted, with the reason.
fn gaps(known: &Known<'_>, group: &str) -> String {
    let count = |lacks: &dyn Fn(&str) -> bool| {
        known.of_group(group).filter(|behaviour| lacks(&behaviour.id)).count()
    };
    let mut text = String::new();
    let mut gap = |count: usize, what: &str, why: &str| {
        if count > 0 {
            let first = format!("  {group}: ");
            text.push_str(&paragraph(&first, &format!("{count} {what}: {why}")));
        }
    };
    let no_case = count(&|id| known.suite.cases_of(id).next().is_none());
    gap(no_case, "without a case", "`list --untested` says why of each");
    let no_fault =
        count(&|id| known.suite.cases_of(id).next().is_some() && known.faults_count(id) == 0);
    gap(no_fault, "with cases and without a fault", "nobody has planted one");
    let why = |kind| known.backing.why_not(kind, group).unwrap_or_default();
    let no_model = count(&|id| known.backing.model(id).is_none());
    gap(no_model, "without a model", why(Kind::Model));
    gap(count(&|id| known.backing.looms(id).is_empty()), "without loom", why(Kind::Loom));
    text
}

/// All evidence for one behaviour, by name.
pub fn of_behaviour(known: &Known<'_>, behaviour: &Behaviour) -> String {
    let id = &behaviour.id;
    let mut text = "\nevidence\n".to_owned();
    for case in known.suite.cases_of(id) {
        text.push_str(&of_case(known, &case.id));
    }
    let why = |kind| known.backing.why_not(kind, &behaviour.group).unwrap_or_default();
    let model = match known.backing.model(id) {
        Some(model) => format!("src/model/{}, by random scripts and bursts", model.file),
        None => format!("none; those without: {}", why(Kind::Model)),
    };
    text.push_str(&paragraph("  model     ", &model));
    let looms = known.backing.looms(id);
    let looms = match looms.is_empty() {
        false => looms.join(", "),
        true => format!("none; those without: {}", why(Kind::Loom)),
    };
    text + &paragraph("  loom      ", &looms)
}

/// The faults that bring a case down, by name.
pub fn of_case(known: &Known<'_>, case: &str) -> String {
    let faults: Vec<&str> = known.faults_of(case).collect();
    let faults = if faults.is_empty() { "none".to_owned() } else { faults.join(", ") };
    paragraph("  faults    ", &format!("{case} is brought down by {faults}"))
}

/// Each fault with its cases, and each case with the number of its faults.
pub fn faults(known: &Known<'_>, group: Option<&str>) -> String {
    let is_own = |case: &str| group.is_none_or(|group| case.split('/').next() == Some(group));
    let mut table = Table::default();
    let mut count = 0;
    for fault in known.faults {
        let cases: Vec<&str> = fault.cases.iter().copied().filter(|case| is_own(case)).collect();
        if cases.is_empty() && (group.is_some() || !fault.cases.is_empty()) {
            continue;
        }
        count += 1;
        let shown = if cases.is_empty() { EVERYBODYS.to_owned() } else { cases.join(", ") };
        table.line([fault.name.to_owned(), class(fault.name).to_owned(), shown]);
    }
    let mut text = table.text("", "  ", Side::Left);
    let own = || known.suite.cases.iter().filter(|case| is_own(&case.id));
    let unbroken: Vec<&str> = own()
        .map(|case| case.id.as_str())
        .filter(|case| known.faults_of(case).next().is_none())
        .collect();
    let _ = writeln!(
        text,
        "\n{} and {}; brought down by none: {}",
        counted(count, "fault"),
        counted(own().count(), "case"),
        if unbroken.is_empty() { "no case".to_owned() } else { unbroken.join(", ") },
    );
    text
}

const EVERYBODYS: &str = "nearly all cases of its groups, so it counts for none";

fn class(name: &str) -> &'static str {
    if name.starts_with("false-") { "reply" } else { "implementation" }
}
