//! A history as people read it.

use std::fmt::Write;

use super::burst::Log;
use super::history::End;
use super::linear::Refusal;
use super::lock::{LockState, Op};
use super::stage::{LOCK_NAMES, words};
use crate::script::Millis;

impl Log {
    /// A line a call, in the order in which they began; with a refusal also where an order ends.
    #[must_use]
    pub fn shown(&self, refusal: Option<&Refusal<LockState>>) -> String {
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
                End::Returned { at, told } => format!("{} at {}", told.word(), since(at)),
                End::CutOff => "cut off".to_owned(),
                End::Blocked => "still waits".to_owned(),
            };
            let name = &self.names[line];
            let what = shown_op(event.call.op);
            let mark = if is_next { "   <-- none of these can come next" } else { "" };
            let arrow = if end.is_empty() { "" } else { "-> " };
            let _ = writeln!(
                text,
                "{:>10}  {name:<3} {what:<30} {arrow}{end}{mark}",
                since(entered).to_string()
            );
        }
        if let Some(refusal) = refusal {
            let states: Vec<String> = refusal.states.iter().map(LockState::to_string).collect();
            let _ = writeln!(text, "there the lock is {}", states.join(", or "));
        }
        text
    }
}

const MICRO_NANOS: u64 = 1000;

/// A call on the one lock of a burst.
pub(super) fn shown_op(op: Op) -> String {
    if op == Op::Gone {
        return "dies".to_owned();
    }
    let (op, args) = words(op);
    let args: Vec<String> = args.iter().map(|(name, value)| format!("{name}={value}s")).collect();
    format!("{}.{op}({})", LOCK_NAMES[0], args.join(", "))
}
