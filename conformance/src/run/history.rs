//! What happened while a script ran: for whoever judges a whole history instead of each line.

use rustix::time::{ClockId, clock_gettime};

use crate::protocol::{Answer, Arguments, Target};
use crate::script::{Outcome, Program};

/// Something that happened, in the order in which the runner set it going. Times are nanoseconds of
/// the monotonic clock, which the runner and all actors on one machine share.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A call or a program.
    Call(CallEvent),
    /// A kill.
    Death {
        /// Who died; one that takes its place later (`fresh`) has the same name.
        actor: String,
        /// It lived until then at least.
        sent_at: u64,
        /// By then the kernel said that it was gone; none when nobody waited for that.
        gone_at: Option<u64>,
    },
}

/// A call or a program: who, what, when, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CallEvent {
    /// Who made it.
    pub actor: String,
    /// What was asked.
    pub what: What,
    /// The runner sent it then, by its own clock.
    pub sent_at: u64,
    /// The actor was about to make it then, by its clock; none when it never said so.
    pub entered_at: Option<u64>,
    /// How it ended.
    pub end: CallEnd,
}

/// What was asked of an actor.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// One call.
    Call {
        /// On what.
        target: Target,
        /// Which operation.
        op: String,
        /// With what.
        args: Arguments,
    },
    /// A program, in which nothing is timed.
    Run(Program),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEnd {
    /// It came back.
    Returned {
        /// When, by the actor's clock.
        at: u64,
        /// With what.
        outcome: Outcome,
    },
    /// Its actor died first, by the [`Event::Death`] that follows, or by itself.
    CutOff,
    /// Nothing came of it while the script ran: it waits, was not offered, or was given up.
    Open,
}

/// All that happened so far.
#[derive(Default)]
pub(crate) struct History {
    events: Vec<Event>,
}

impl History {
    /// Writes down a call that is sent now; the number stands for it from here on.
    pub(crate) fn sent(&mut self, actor: &str, what: What) -> usize {
        let (actor, sent_at) = (actor.to_owned(), now_nanos());
        let (entered_at, end) = (None, CallEnd::Open);
        self.events.push(Event::Call(CallEvent { actor, what, sent_at, entered_at, end }));
        self.events.len() - 1
    }

    /// Writes down what an actor said of a call.
    pub(crate) fn answered(&mut self, event: usize, answer: &Answer) {
        let Some(Event::Call(call)) = self.events.get_mut(event) else { return };
        let (at, outcome) = match answer {
            Answer::Entered { at } => {
                call.entered_at = Some(*at);
                return;
            }
            Answer::Returned { at, value } => (*at, Outcome::Value(value.clone())),
            Answer::Failed { at, kind, .. } => (*at, Outcome::Error(kind.clone())),
            _ => return,
        };
        call.end = CallEnd::Returned { at, outcome };
    }

    /// Writes down that the actor of a call died before it came back.
    pub(crate) fn cut_off(&mut self, event: usize) {
        if let Some(Event::Call(CallEvent { end: end @ CallEnd::Open, .. })) =
            self.events.get_mut(event)
        {
            *end = CallEnd::CutOff;
        }
    }

    /// Writes down a kill, with the time before it was sent.
    pub(crate) fn killed(&mut self, actor: &str, sent_at: u64, gone_at: Option<u64>) {
        self.events.push(Event::Death { actor: actor.to_owned(), sent_at, gone_at });
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(crate) fn into_events(self) -> Vec<Event> {
        self.events
    }
}

/// The monotonic clock.
pub(crate) fn now_nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_before_the_kill_stays_answered() {
        let mut history = History::default();
        let what = What::Run(Program::new());
        let (whole, cut) = (history.sent("a", what.clone()), history.sent("b", what));
        history.answered(whole, &Answer::Entered { at: 1 });
        history.answered(whole, &Answer::Returned { at: 2, value: 7.into() });
        for event in [whole, cut] {
            history.cut_off(event);
        }
        let ends: Vec<CallEnd> = history.into_events().into_iter().map(end).collect();
        let outcome = Outcome::Value(7.into());
        assert_eq!(ends, [CallEnd::Returned { at: 2, outcome }, CallEnd::CutOff]);
    }

    fn end(event: Event) -> CallEnd {
        match event {
            Event::Call(call) => call.end,
            Event::Death { .. } => panic!("nobody was killed"),
        }
    }
}
