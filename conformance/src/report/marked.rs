//! A script with a mark under the line where it ended.

use std::fmt::Write as _;

use super::plain::in_line;
use crate::verdict::Stop;

/// The script, indented, with what was expected and what came under the line that failed.
pub(super) fn script(text: &str, stop: &Stop) -> String {
    let mut shown = String::new();
    for (place, line) in text.lines().enumerate() {
        let _ = writeln!(shown, "    {:>2}  {line}", place + 1);
        if let Some(span) = stop.span.filter(|span| span.line == place + 1) {
            let before = line.get(..span.start).map_or(0, |text| text.chars().count());
            let marked = line.get(span.start..span.end).unwrap_or("");
            let len = marked.trim_end().chars().count().max(1);
            let _ = writeln!(shown, "        {}{}", " ".repeat(before), "^".repeat(len));
            let _ = write!(shown, "{}", reasons(stop));
        }
    }
    if stop.span.is_none() {
        let _ = write!(shown, "{}", reasons(stop));
    }
    shown
}

fn reasons(stop: &Stop) -> String {
    let mut text = String::new();
    if !stop.within.is_empty() {
        let _ = writeln!(text, "        in        {}", stop.within.join(", "));
    }
    if !stop.expected.is_empty() {
        let _ = writeln!(text, "        expected  {}", in_line(&stop.expected));
    }
    let _ = writeln!(text, "        came      {}", in_line(&stop.came));
    text
}
