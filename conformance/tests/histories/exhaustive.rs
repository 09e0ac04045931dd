//! Every order of the events, by brute force: nothing is remembered and nothing is left out.

use purlin_conformance::model::Model;
use purlin_conformance::model::history::End;
use purlin_conformance::model::lock::{LockModel, LockState};

use super::{History, LockEvent};

/// An event with the span of time in which it took effect.
struct Span<'a> {
    event: &'a LockEvent,
    from: u64,
    to: u64,
    line: usize,
}

/// Whether some order of the events that took effect is one that the model allows.
pub(crate) fn has_order(model: &LockModel, history: &History) -> bool {
    let mut spans = Vec::new();
    for (line, events) in history.lines.iter().enumerate() {
        for (at, event) in events.iter().enumerate() {
            let to = events[at..].iter().find_map(|event| match event.end {
                End::Returned { at, .. } => Some(at),
                _ => None,
            });
            let to = to.unwrap_or(u64::MAX);
            spans.push(Span { event, from: event.entered, to, line });
        }
    }
    let mut is_used: Vec<bool> = spans.iter().map(|span| span.event.end == End::Blocked).collect();
    go_on(model, &spans, &mut is_used, model.new_state())
}

fn go_on(model: &LockModel, spans: &[Span<'_>], is_used: &mut [bool], state: LockState) -> bool {
    if is_used.iter().all(|used| *used) {
        let mut waiting = spans.iter().filter(|span| span.event.end == End::Blocked);
        return waiting.all(|span| model.step(&state, &span.event.call).is_empty());
    }
    for next in 0..spans.len() {
        if is_used[next] || !may_be_next(spans, is_used, next) {
            continue;
        }
        is_used[next] = true;
        let steps = model.step(&state, &spans[next].event.call);
        let has_order = match spans[next].event.end {
            End::Returned { told: seen, .. } => steps
                .iter()
                .any(|(told, after)| *told == seen && go_on(model, spans, is_used, *after)),
            End::CutOff => {
                go_on(model, spans, is_used, state)
                    || steps.iter().any(|(_, after)| go_on(model, spans, is_used, *after))
            }
            End::Blocked => false,
        };
        is_used[next] = false;
        if has_order {
            return true;
        }
    }
    false
}

/// Nothing that must come before it is left.
fn may_be_next(spans: &[Span<'_>], is_used: &[bool], next: usize) -> bool {
    let candidate = &spans[next];
    spans.iter().enumerate().all(|(at, other)| {
        let is_earlier_in_line = other.line == candidate.line && at < next;
        let must_be_earlier = is_earlier_in_line || other.to < candidate.from;
        at == next || is_used[at] || !must_be_earlier
    })
}
