//! How much a run may cost.

use core::time::Duration;
use std::env;

use crate::limits::{
    CONTENDED_TURN_NANOS, GLANCE_KILL_COUNT, GLANCE_NANOS, KILL_COUNT, ROUND_COUNT, TURN_NANOS,
};

/// Whether figures are wanted, or only that the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// One short round: figures worth nothing, in no time.
    Glance,
    /// As many rounds as the figures need.
    Full,
}

impl Effort {
    /// Full under `cargo bench`, which passes `--bench`; a glance under `cargo test --all-targets`,
    /// which does not.
    #[must_use]
    pub fn from_arguments() -> Self {
        if env::args().any(|argument| argument == "--bench") { Self::Full } else { Self::Glance }
    }

    /// How many rounds a table has.
    #[must_use]
    pub const fn round_count(self) -> u32 {
        match self {
            Self::Glance => 1,
            Self::Full => ROUND_COUNT,
        }
    }

    /// How long one contender's turn takes, about.
    #[must_use]
    pub const fn turn(self) -> Duration {
        self.or_glance(TURN_NANOS)
    }

    /// How long one contender's turn with rivals takes.
    #[must_use]
    pub const fn contended_turn(self) -> Duration {
        self.or_glance(CONTENDED_TURN_NANOS)
    }

    /// How many holders of each scenario are killed; `PURLIN_BENCH_KILLS` says otherwise.
    #[must_use]
    pub fn kill_count(self) -> u32 {
        let wanted = env::var("PURLIN_BENCH_KILLS").ok().and_then(|text| text.parse().ok());
        wanted.unwrap_or(match self {
            Self::Glance => GLANCE_KILL_COUNT,
            Self::Full => KILL_COUNT,
        })
    }

    const fn or_glance(self, nanos: u64) -> Duration {
        Duration::from_nanos(match self {
            Self::Glance => GLANCE_NANOS,
            Self::Full => nanos,
        })
    }
}
