//! What can come of a program: whether it can return, fail, wait, block or end its process.
//!
//! It is a guess to the safe side: what is said to be impossible is impossible.

use crate::script::{Expected, Outcome};

/// What can come of statements.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Flow {
    /// The statement behind them can be reached, or they can be the last.
    pub(super) passes: bool,
    pub(super) fails: bool,
    pub(super) blocks: bool,
    /// Another program can take the place of this one; it is that which returns.
    pub(super) executes: bool,
    pub(super) ends: Option<Ends>,
    /// How many times they can come to a `wait`, as far as more than one does not matter.
    pub(super) wait_count: u8,
}

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ends {
    /// The thread that takes the calls.
    Thread,
    /// The process with all its threads.
    Process,
}

/// What can come of statements up to a `wait` that they cannot avoid, and in all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Course {
    pub(super) whole: Flow,
    until_wait: Option<Flow>,
    pub(super) worth: Worth,
    /// A `go` came: what stands before the first `wait` no longer matters.
    went_on: bool,
}

/// What is known of the value of the last statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Worth {
    /// It has none: `ok`.
    #[default]
    Nothing,
    /// It is what a call returns.
    Anything,
    /// It is that of a tally of so many rounds.
    Tally(u64),
}

impl Worth {
    /// Through what has no value of its own, and may pass on that of what is inside.
    const fn passed_on(self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Anything | Self::Tally(_) => Self::Anything,
        }
    }
}

impl Flow {
    pub(super) const PASSES: Self = Self {
        passes: true,
        fails: false,
        blocks: false,
        executes: false,
        ends: None,
        wait_count: 0,
    };
    pub(super) const CALL: Self = Self { fails: true, blocks: true, ..Self::PASSES };
    pub(super) const CHECK: Self = Self { fails: true, ..Self::PASSES };
    pub(super) const FAIL: Self = Self { passes: false, ..Self::CHECK };
    pub(super) const EXEC: Self = Self { passes: false, executes: true, ..Self::PASSES };

    pub(super) const fn end(ends: Ends) -> Self {
        Self { passes: false, ends: Some(ends), ..Self::PASSES }
    }

    /// One or the other.
    fn or(self, other: Self) -> Self {
        Self { passes: self.passes || other.passes, ..self.then(other) }
    }

    fn then(self, next: Self) -> Self {
        Self {
            passes: self.passes && next.passes,
            fails: self.fails || next.fails,
            blocks: self.blocks || next.blocks,
            executes: self.executes || next.executes,
            ends: self.ends.max(next.ends),
            wait_count: self.wait_count.saturating_add(next.wait_count),
        }
    }
}

impl From<Flow> for Course {
    fn from(whole: Flow) -> Self {
        Self { whole, ..Self::default() }
    }
}

impl Course {
    pub(super) fn wait() -> Self {
        let until = Flow { passes: false, wait_count: 1, ..Flow::PASSES };
        let whole = Flow { passes: true, ..until };
        Self { until_wait: Some(until), ..Self::from(whole) }
    }

    pub(super) fn call() -> Self {
        Self { worth: Worth::Anything, ..Self::from(Flow::CALL) }
    }

    /// What is only looked at, and may not be there.
    pub(super) fn value() -> Self {
        Self { worth: Worth::Anything, ..Self::from(Flow::CHECK) }
    }

    pub(super) fn scope(body: Self) -> Self {
        Self { worth: body.worth.passed_on(), ..Self::from(Flow::CALL).then(body) }
    }

    pub(super) fn then(self, next: Self) -> Self {
        let until_wait = self.until_wait.or(next.until_wait.map(|until| self.whole.then(until)));
        let until_wait = until_wait.map(|until| Flow { passes: false, ..until });
        Self { whole: self.whole.then(next.whole), until_wait, worth: next.worth, went_on: false }
    }

    /// A call that may run a function, any number of times or not at all.
    pub(super) fn calling(self, function: Self) -> Self {
        let inside = function.whole;
        let wait_count = if inside.wait_count > 0 { u8::MAX } else { 0 };
        let whole = self.whole.then(Flow { passes: true, wait_count, ..inside });
        Self { whole, ..self }
    }

    /// Whether some way through it ends the actor's process.
    pub(super) fn may_end_process(&self) -> bool {
        self.whole.ends == Some(Ends::Process)
    }

    /// In one case out of some, this.
    pub(super) fn or(self, other: Self) -> Self {
        Self { whole: self.whole.or(other.whole), worth: Worth::Anything, ..self }
    }

    pub(super) fn repeated(self, count: Option<u64>) -> Self {
        let whole = Flow {
            passes: self.whole.passes && count.is_some(),
            wait_count: self.whole.wait_count.saturating_mul(if count == Some(1) { 1 } else { 2 }),
            ..self.whole
        };
        Self { whole, worth: self.worth.passed_on(), ..self }
    }

    /// Failures are counted, and so even a `wait` can be left out.
    pub(super) fn tallied(self, count: u64) -> Self {
        let whole = self.repeated(Some(count)).whole;
        let passes = whole.passes || whole.fails;
        Self { worth: Worth::Tally(count), ..Self::from(Flow { passes, fails: false, ..whole }) }
    }

    /// The runner said `go`.
    pub(super) fn went_on(self) -> Self {
        let wait_count = self.whole.wait_count.saturating_sub(1);
        Self { whole: Flow { wait_count, ..self.whole }, went_on: true, ..self }
    }

    fn now(&self) -> Flow {
        self.until_wait.filter(|_| !self.went_on).unwrap_or(self.whole)
    }

    /// Why this can never come, if so.
    pub(super) fn refuses(&self, expected: &Expected) -> Option<&'static str> {
        let now = self.now();
        match expected {
            Expected::Started => None,
            Expected::Blocked { .. } => (!now.blocks).then_some("nothing here can block"),
            Expected::Waiting => {
                (self.whole.wait_count == 0).then_some("no `wait` is left to come to")
            }
            Expected::Gone { .. } => now.ends.is_none().then_some("nothing here ends the actor"),
            Expected::Outcome { any_of, .. } => {
                let can_come = any_of.iter().any(|outcome| match outcome {
                    Outcome::Error(_) => now.fails,
                    Outcome::Prevented => false,
                    _ => now.passes || now.executes,
                });
                if can_come { None } else { Some(self.why_never(now, any_of)) }
            }
        }
    }

    fn why_never(&self, now: Flow, any_of: &[Outcome]) -> &'static str {
        let is_value =
            |outcome: &Outcome| !matches!(outcome, Outcome::Error(_) | Outcome::Prevented);
        let values = any_of.iter().any(is_value);
        match (values, now.ends) {
            (false, _) => "nothing here can fail so",
            (true, _) if !self.went_on && self.until_wait.is_some() => {
                "first it is `waiting`, and then `go` lets it go on"
            }
            (true, Some(_)) => "the actor is `gone` before that",
            (true, None) => "this never ends so",
        }
    }
}
