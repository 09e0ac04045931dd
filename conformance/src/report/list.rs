//! The catalogue in columns: which cases show a behaviour, or why none does.

use super::columns::{Side, Table};
use crate::catalogue::Behaviour;
use crate::suite::Suite;

/// The behaviours of one group or of all; with `is_untested` only those that no case shows.
pub fn list(suite: &Suite, group: Option<&str>, is_untested: bool) -> String {
    let mut table = Table::default();
    let of_group = |behaviour: &&Behaviour| group.is_none_or(|group| behaviour.group == group);
    for behaviour in suite.catalogue.behaviours.iter().filter(of_group) {
        let cases: Vec<&str> = suite.cases_of(&behaviour.id).map(|case| case.id.as_str()).collect();
        if is_untested && !cases.is_empty() {
            continue;
        }
        let shown = if cases.is_empty() { untested(suite, behaviour) } else { cases.join(", ") };
        table.line([behaviour.id.clone(), behaviour.level.slug().to_owned(), shown]);
    }
    table.text("", "  ", Side::Left)
}

pub(super) fn untested(suite: &Suite, behaviour: &Behaviour) -> String {
    match suite.catalogue.untested(behaviour) {
        Some(why) => format!("untested: {why}"),
        None => "untested".to_owned(),
    }
}
