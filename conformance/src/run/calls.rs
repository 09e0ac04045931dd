//! Calls and programs: how they begin, and what comes of them.

use std::fmt::Display;
use std::time::Duration;

use crate::actor::State;
use crate::call::Call;
use crate::limits::{CLOCK_SLACK_NANOS, longest_patience};
use crate::protocol::Answer;
use crate::run::end::Came;
use crate::run::{End, Run, What};
use crate::script::{Expected, Millis, Outcome as Wanted};
use crate::verdict::Verdict;
use crate::waits::Wait;

impl Run<'_> {
    /// Sends a call or a program to an actor that has none under way.
    pub(super) fn begin(&mut self, name: &str, what: What) -> Result<(), End> {
        let Some(actor) = self.session.actors.get(name) else {
            return Err(End::error(format!("there is no actor {name}")));
        };
        let cannot = match actor.state {
            State::Living if actor.call.is_some() => "still has a call that nobody has awaited",
            State::Living => return Ok(self.session.start_call(name, what)?),
            State::Frozen => "is frozen",
            State::Killed | State::Gone => "is gone",
        };
        Err(End::error(format!("{name} {cannot}")))
    }

    /// Waits until the actor is about to make its call.
    pub(super) fn entered(&mut self, name: &str, expected: &Expected) -> Result<(), End> {
        let has_begun = |run: &Self| {
            let call = run.call(name)?;
            (call.entered.is_some() || call.answer.is_some()).then_some(())
        };
        let waited = self.wait_for("", &[name.to_owned()], Duration::ZERO, has_begun);
        waited.map_err(|end| match end.verdict {
            Verdict::Hung => End::died(format!("{name} never entered the call ({expected})")),
            _ => end,
        })
    }

    /// Waits for what must come of an actor's call, and judges it.
    pub(super) fn expect(&mut self, name: &str, expected: &Expected) -> Result<(), End> {
        if let Expected::Gone { ended } = expected {
            return self.gone(name, *ended, expected);
        }
        if self.call(name).is_none() {
            return Err(End::error(format!("{name} has no call under way")));
        }
        match expected {
            Expected::Started => self.entered(name, expected),
            Expected::Waiting => self.waiting(name),
            Expected::Blocked { for_nanos, using_nanos } => {
                match self.waits(name, *for_nanos, *using_nanos)? {
                    Wait::Seen => Ok(()),
                    Wait::Over => Err(self.other_than(name, expected)),
                    Wait::Costly(nanos) => {
                        let used = Millis(nanos);
                        let came = format!("blocked, with {used} of processor time used");
                        Err(End::broken(expected.to_string(), came))
                    }
                }
            }
            Expected::Outcome { any_of, not_before_nanos } => {
                self.outcome(name, expected, any_of, *not_before_nanos)
            }
            Expected::Gone { .. } => Ok(()),
        }
    }

    fn outcome(
        &mut self,
        name: &str,
        expected: &Expected,
        any_of: &[Wanted],
        not_before_nanos: Option<u64>,
    ) -> Result<(), End> {
        let has_answer = |run: &Self| run.has_answer(name).then_some(());
        let more = self.more_patience(name, not_before_nanos);
        self.wait_for(&expected.to_string(), &[name.to_owned()], more, has_answer)?;
        let took = self.took_nanos(name).filter(|_| not_before_nanos.is_some());
        took.map_or(Ok(()), |took| self.check_clock(name, took))?;
        let may_be_prevented = any_of.iter().any(Wanted::may_be_prevented);
        let came = self.answer(name, expected, may_be_prevented)?;
        let is_late_enough = not_before_nanos
            .is_none_or(|limit| took.is_some_and(|took| took + CLOCK_SLACK_NANOS >= limit));
        if let Some(wanted) =
            any_of.iter().find(|wanted| came.is(wanted)).filter(|_| is_late_enough)
        {
            if let (Wanted::Kept(name), Came::Value(value)) = (wanted, came) {
                self.kept.insert(name.clone(), value);
            }
            return Ok(());
        }
        Err(End::broken(expected.to_string(), came.shown(took)))
    }

    /// Waits until the actor's program has come to its statement `wait`.
    pub(super) fn waiting(&mut self, name: &str) -> Result<(), End> {
        let more = self.more_patience(name, None);
        let expected = Expected::Waiting.to_string();
        let is_waiting = self.wait_for(&expected, &[name.to_owned()], more, |run| {
            let call = run.call(name)?;
            if call.is_at_wait() { Some(true) } else { call.answer.as_ref().map(|_| false) }
        })?;
        if is_waiting { Ok(()) } else { Err(self.other_than(name, &Expected::Waiting)) }
    }

    /// What came, be it an answer or not, is not what was expected.
    pub(super) fn other_than(&mut self, name: &str, expected: &Expected) -> End {
        if !self.has_answer(name) {
            return End::broken(expected.to_string(), Expected::Waiting.to_string());
        }
        match self.answer(name, expected, false) {
            Ok(came) => End::broken(expected.to_string(), came.shown(None)),
            Err(end) => end,
        }
    }

    /// Takes the answer of a call that has one. Where none of what may come of it is the refusal
    /// of a mistake, a subject that prevents the call does not offer it.
    pub(super) fn answer(
        &mut self,
        name: &str,
        expected: &impl Display,
        may_be_prevented: bool,
    ) -> Result<Came, End> {
        let Some(actor) = self.session.actors.get_mut(name) else {
            return Err(End::error(format!("there is no actor {name}")));
        };
        let call = actor.call.take();
        if call.as_ref().is_some_and(|call| call.traits.executes) {
            // Only one thread is left, and it has the number of the process.
            actor.tid = actor.pid;
        }
        match call.and_then(|call| call.answer) {
            Some(Answer::Returned { value, .. }) => Ok(Came::Value(value)),
            Some(Answer::Failed { kind, text, .. }) if self.error_kinds.contains(&kind) => {
                Ok(Came::Error(kind, text))
            }
            Some(Answer::Unsupported) => Err(End::unsupported("no such call".to_owned())),
            Some(Answer::Error { kind, text }) if kind == "unsupported" => {
                Err(End::unsupported(text))
            }
            Some(Answer::Prevented { why }) if may_be_prevented => {
                Err(End::prevented(expected.to_string(), why))
            }
            Some(Answer::Prevented { why }) => Err(End::unsupported(not_a_mistake(&why))),
            other => Err(End::died(format!("the adapter says of a call what none is: {other:?}"))),
        }
    }

    pub(super) fn call(&self, name: &str) -> Option<&Call> {
        self.session.actors.get(name)?.call.as_ref()
    }

    pub(super) fn has_answer(&self, name: &str) -> bool {
        self.session.actors.get(name).is_some_and(crate::actor::Actor::has_answer)
    }

    /// What an actor says that does not offer what it was asked for.
    pub(crate) fn not_offered(&self) -> Option<String> {
        let calls = self.session.actors.values().filter_map(|actor| actor.call.as_ref());
        let mut refusals = calls.filter_map(|call| match &call.answer {
            Some(Answer::Unsupported) => Some("no such call".to_owned()),
            Some(Answer::Error { kind, text }) if kind == "unsupported" => Some(text.clone()),
            Some(Answer::Prevented { why }) => Some(not_a_mistake(why)),
            _ => None,
        });
        refusals.next()
    }

    /// What a call may take beyond the usual, as it says itself.
    pub(super) fn more_patience(&self, name: &str, not_before_nanos: Option<u64>) -> Duration {
        let pauses = self.call(name).map_or(Duration::ZERO, |call| call.traits.pauses);
        let at_least = Duration::from_nanos(not_before_nanos.unwrap_or(0));
        pauses.min(longest_patience()).saturating_add(at_least)
    }

    /// A wait that the actor measured lies within what the runner waited for it, or nothing that
    /// its clock says is true.
    fn check_clock(&self, name: &str, took: u64) -> Result<(), End> {
        let waited = self.call(name).map_or(0, |call| call.sent.elapsed().as_nanos());
        if u128::from(took) <= waited + u128::from(CLOCK_SLACK_NANOS) {
            return Ok(());
        }
        let waited = Millis(u64::try_from(waited).unwrap_or(u64::MAX));
        let took = Millis(took);
        Err(End::died(format!(
            "the adapter says that a call took {took}, which was asked {waited} ago"
        )))
    }

    /// How long a call took by its actor's own clock.
    fn took_nanos(&self, name: &str) -> Option<u64> {
        let call = self.call(name)?;
        let at = match &call.answer {
            Some(Answer::Returned { at, .. } | Answer::Failed { at, .. }) => *at,
            _ => return None,
        };
        Some(at.saturating_sub(call.entered?.at))
    }
}

fn not_a_mistake(why: &str) -> String {
    format!("no such call, which is no mistake: {why}")
}
