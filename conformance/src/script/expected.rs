//! What stands behind the arrow of a step.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::print::Length;

/// What must come of a call or a program.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// `blocked`, `blocked for 300ms`, `blocked for 1s using 100ms`: it waits.
    Blocked {
        /// It still waits after this time, on a second look.
        for_nanos: Option<u64>,
        /// Meanwhile its process used no more processor time than this.
        using_nanos: Option<u64>,
    },
    /// `started`: it has begun; what comes of it is awaited later, or never.
    Started,
    /// `waiting`: the program has come to its statement `wait`.
    Waiting,
    /// `gone`, `gone with 3`, `gone by 6`: what takes the actor's calls (its process, or its
    /// thread) ends by itself.
    Gone {
        /// How its process ended.
        ended: Option<Ended>,
    },
    /// It comes back.
    Outcome {
        /// With one of these.
        any_of: Vec<Outcome>,
        /// No earlier than this after its start.
        not_before_nanos: Option<u64>,
    },
}

/// How a call comes back.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With a value; `ok` is null. A tally is a map from outcomes to their number.
    Value(Value),
    /// `value as x`: with any value but null, which `$x` stands for from here on.
    Kept(String),
    /// `not 5`, `not $x`: with another value than this, and not null.
    OtherThan(Value),
    /// With an error kind.
    Error(String),
    /// `ok | prevented`: or it is a call that the subject's interface makes impossible.
    Prevented,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// The error kinds that say that the caller made a mistake. A mistake that cannot be made is as
/// good as one that is refused; of all other kinds, such as `timed-out`, that is not so.
const MISTAKES: [&str; 21] = [
    "closed",
    "wrong-direction",
    "message-too-large",
    "not-owner",
    "over-released",
    "task-done-too-often",
    "already-started",
    "not-started",
    "still-running",
    "not-the-parent",
    "daemon-may-not-have-children",
    "would-deadlock",
    "pool-not-running",
    "not-ready",
    "out-of-range",
    "no-such-name",
    "already-exists",
    "not-transferable",
    "invalid-argument",
    "incompatible",
    "unsupported",
];

impl Outcome {
    /// Whether a subject whose interface makes the call impossible keeps what this promises: that
    /// a mistake is refused, or what the case says itself.
    pub(crate) fn may_be_prevented(&self) -> bool {
        match self {
            Self::Error(kind) => MISTAKES.contains(&kind.as_str()),
            Self::Prevented => true,
            Self::Value(_) | Self::Kept(_) | Self::OtherThan(_) => false,
        }
    }
}

impl Expected {
    /// `blocked` alone.
    pub const BLOCKED: Self = Self::Blocked { for_nanos: None, using_nanos: None };
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { for_nanos, using_nanos } => {
                f.write_str("blocked")?;
                for (word, nanos) in [("for", for_nanos), ("using", using_nanos)] {
                    if let Some(nanos) = nanos {
                        write!(f, " {word} {}", Length(*nanos))?;
                    }
                }
                Ok(())
            }
            Self::Started => f.write_str("started"),
            Self::Waiting => f.write_str("waiting"),
            Self::Gone { ended: None } => f.write_str("gone"),
            Self::Gone { ended: Some(Ended::Code(code)) } => write!(f, "gone with {code}"),
            Self::Gone { ended: Some(Ended::Signal(signal)) } => write!(f, "gone by {signal}"),
            Self::Outcome { any_of, not_before_nanos } => {
                for (place, outcome) in any_of.iter().enumerate() {
                    let between = if place == 0 { "" } else { " | " };
                    write!(f, "{between}{outcome}")?;
                }
                match not_before_nanos {
                    Some(nanos) => write!(f, " after {}", Length(*nanos)),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What may come of several calls together: `0, 1 | barrier-broken, barrier-broken`.
pub(crate) struct Together<'a>(pub(crate) &'a [Vec<Outcome>]);

impl fmt::Display for Together<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, outcomes) in self.0.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " | " })?;
            for (place, outcome) in outcomes.iter().enumerate() {
                let between = if place == 0 { "" } else { ", " };
                write!(f, "{between}{outcome}")?;
            }
        }
        Ok(())
    }
}

/// Nanoseconds, shown as milliseconds.
pub(crate) struct Millis(pub(crate) u64);

impl fmt::Display for Millis {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits only")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 as f64 / 1e6;
        if millis.fract() == 0.0 { write!(f, "{millis}ms") } else { write!(f, "{millis:.3}ms") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn mistakes_are_kinds_of_the_list() {
        let kinds = Catalogue::embedded().unwrap().error_kinds;
        let unknown: Vec<&str> =
            MISTAKES.into_iter().filter(|mistake| !kinds.contains(*mistake)).collect();
        assert_eq!(unknown, [""; 0]);
    }
}
