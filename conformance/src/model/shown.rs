//! A history as people read it.

use std::fmt::Write;

use super::burst::Log;
use super::call::Op;
use super::history::End;
use super::kind::State;
use super::linear::Refusal;
use crate::script::Millis;

impl Log {
    /// A line a call, in the order in which they began; with a refusal also where an order ends.
    #[must_use]
    pub fn shown(&self, refusal: Option<&Refusal<State>>) -> String {
        let mut events = Vec::new();
        for (line, calls) in self.history.lines.iter().enumerate() {
            for (at, event) in calls.iter().enumerate() {
                let is_next = refusal.is_some_and(|refusal| refusal.places.get(line) == Some(&at));
                events.push((event.entered, line, event, is_next));
            }
        }
        events.sort_by_key(|(entered, line, ..)| (*entered, *line));
        let start = events.first().map_or(0, |(entered, ..)| *entered);
        let mut text = String::new();
        for (entered, line, event, is_next) in events {
            let since = |at: u64| Millis(at.saturating_sub(start) / MICRO_NANOS * MICRO_NANOS);
            let end = match event.end {
                _ if event.call.op == Op::Gone => String::new(),
                End::Returned { at, told } => format!("{} at {}", told, since(at)),
                End::CutOff => "cut off".to_owned(),
                End::Blocked => "still waits".to_owned(),
            };
            let name = &self.names[line];
            let what = shown_op(event.call.op, self.object);
            let mark = if is_next { "   <-- none of these can come next" } else { "" };
            let arrow = if end.is_empty() { "" } else { "-> " };
            let _ = writeln!(
                text,
                "{:>10}  {name:<3} {what:<30} {arrow}{end}{mark}",
                since(entered).to_string()
            );
        }
        if let Some(refusal) = refusal {
            let states: Vec<String> = refusal.states.iter().map(State::to_string).collect();
            let _ = writeln!(text, "there the {} is {}", self.object, states.join(", or "));
        }
        text
    }
}

const MICRO_NANOS: u64 = 1000;

/// A call on the one object of a burst.
pub(super) fn shown_op(op: Op, object: &str) -> String {
    if op == Op::Gone {
        return "dies".to_owned();
    }
    let (op, args) = op.words();
    let shown = |(name, value): (&String, &serde_json::Value)| {
        let unit = if name == "timeout" { "s" } else { "" };
        format!("{name}={value}{unit}")
    };
    let args: Vec<String> = args.iter().map(shown).collect();
    format!("{object}.{op}({})", args.join(", "))
}
