//! What the suite says about a promise.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::catalogue::Level;
use crate::script::Span;

/// What came of a case, and so of the behaviours that it shows. The order is from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Shown to hold.
    Kept,
    /// The interface makes the break impossible.
    Prevented,
    /// No case shows it; or its case could not tell, or was not asked.
    Untested,
    /// The subject does not offer it.
    Unsupported,
    /// Something else came.
    Broken,
    /// A call that never returns.
    Hung,
    /// The adapter or an actor ended unasked, fell silent or broke the protocol.
    Died,
    /// The suite itself failed.
    Error,
}

/// What came of one case on one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Where and why it ended, unless all was kept.
    pub stop: Option<Stop>,
    /// How long it took.
    pub took: Duration,
    /// Rounds that start actors were a tenth as many, since the subject starts them slowly.
    pub is_scaled: bool,
}

/// Where and why a case ended before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The line of the script; none when it ended outside of it.
    pub span: Option<Span>,
    /// What should have come; empty where nothing in particular was expected.
    pub expected: String,
    /// What came.
    pub came: String,
    /// The rounds of the blocks that the line stands in, outermost first: `round 37 of 100`,
    /// `t = 2s`.
    pub within: Vec<String>,
}

impl Verdict {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 8] = [
        Self::Kept,
        Self::Prevented,
        Self::Broken,
        Self::Hung,
        Self::Died,
        Self::Unsupported,
        Self::Error,
        Self::Untested,
    ];

    /// The word in files and reports.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Prevented => "prevented",
            Self::Untested => "untested",
            Self::Unsupported => "unsupported",
            Self::Broken => "broken",
            Self::Hung => "hung",
            Self::Died => "died",
            Self::Error => "error",
        }
    }

    /// Whether the subject keeps the promise.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Kept | Self::Prevented)
    }

    /// Whether the subject was asked and could answer.
    pub const fn is_offered(self) -> bool {
        !matches!(self, Self::Untested | Self::Unsupported)
    }

    /// Whether it fails the run although nobody expected anything but good.
    pub const fn fails(self, level: Level) -> bool {
        match self {
            Self::Kept | Self::Prevented | Self::Untested | Self::Unsupported => false,
            Self::Broken | Self::Hung => matches!(level, Level::Must),
            Self::Died | Self::Error => true,
        }
    }
}

impl Stop {
    /// One line for machines.
    pub fn detail(&self) -> String {
        let line = self.span.map(|span| format!("line {}", span.line));
        let places: Vec<&str> = line.iter().chain(&self.within).map(String::as_str).collect();
        let place =
            if places.is_empty() { String::new() } else { format!("{}: ", places.join(", ")) };
        if self.expected.is_empty() {
            return format!("{place}{}", self.came);
        }
        format!("{place}expected {}, came: {}", self.expected, self.came)
    }
}
