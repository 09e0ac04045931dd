//! Each promise that is not kept: the sentence, the script with the line that failed, what was
//! expected, what came, why as far as known, and the command that repeats exactly this.

use std::fmt::Write as _;

use super::deviation::{self, Again, Deviation};
use super::marked;
use super::plain::in_line;
use super::text::case_name;
use crate::judgement::{Judgement, Standing};

/// All that came so and is not kept, case by case.
pub(super) fn of_standing(again: &Again<'_>, judgement: &Judgement, standing: Standing) -> String {
    let deviations = deviation::of_standing(again, judgement, standing);
    deviations.map(|found| format!("\n{}", block(&found))).collect()
}

/// Whatever was expected to fail and did not.
pub(super) fn stale(judgement: &Judgement) -> String {
    let name = in_line(&judgement.hello.name);
    deviation::stale(judgement).map(|stale| format!("\n{name}  {stale}\n")).collect()
}

/// One of them.
pub(super) fn block(found: &Deviation<'_>) -> String {
    let Deviation { asked, stop, promises, reasons, script, again, .. } = found;
    let name = in_line(&found.judgement.hello.name);
    let standing = found.standing();
    let comma = if standing.is_empty() { "" } else { ", " };
    let verdict = asked.outcome.verdict.slug();
    let mut text = format!("{name}  {}  {verdict}{comma}{standing}\n", case_name(asked));
    for promise in promises {
        let line = promise.line;
        let _ = writeln!(text, "    {} ({}): {}", line.behaviour, line.level.slug(), promise.says);
    }
    for reason in reasons {
        let _ = writeln!(text, "    known: {reason}");
    }
    let _ = write!(text, "\n{}", marked::script(script, stop));
    let _ = writeln!(text, "    again: {again}");
    text
}
