//! Asks a subject what nobody wrote down: scripts and bursts, drawn from a seed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::burst::{Burst, BurstEnd};
use super::draw::{self, Draw};
use super::ground::Ground;
use super::plan::Plan;
use super::shrink::shrink;
use crate::parse::{ParseError, parse};
use crate::run::run_script;
use crate::script::Script;
use crate::subject::AdapterCommand;
use crate::verdict::{Outcome, Stop, Verdict};

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// So many scripts.
    pub scripts_count: u64,
    /// So many bursts.
    pub bursts_count: u64,
    /// The seed of the first of each; the next has the next.
    pub seed: u64,
}

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// How its adapter is started.
    pub command: &'a AdapterCommand,
    /// What it says of its object.
    pub ground: &'a Ground,
    /// The closed list of the catalogue.
    pub error_kinds: &'a BTreeSet<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Came {
    /// So many scripts came as the model has it.
    pub scripts_count: u64,
    /// Their steps.
    pub steps_count: usize,
    /// So many scripts ended early, at a call that the subject does not offer.
    pub unsupported_count: u64,
    /// So many bursts are explained by an order.
    pub bursts_count: u64,
    /// Their calls and deaths.
    pub events_count: usize,
    /// The first script that came otherwise; the rest was not asked.
    pub script: Option<WrongScript>,
    /// The first burst that came otherwise; the rest was not asked.
    pub burst: Option<WrongBurst>,
}

/// A script that did not come as the model has it.
#[derive(Debug, Clone)]
pub struct WrongScript {
    /// Its seed.
    pub seed: u64,
    /// As short as it became.
    pub script: Script,
    /// What came of the short one.
    pub outcome: Outcome,
    /// How many tries it took to make it short.
    pub tries_count: u64,
}

/// A burst that did not come as the model has it.
#[derive(Debug, Clone)]
pub struct WrongBurst {
    /// Its seed.
    pub seed: u64,
    /// What it did.
    pub burst: Burst,
    /// What came of it.
    pub end: BurstEnd,
}

impl Asked<'_> {
    /// Asks; `progress` is told before each script and burst.
    pub fn ask(&self, amount: &Amount, progress: &mut dyn FnMut(&str)) -> Came {
        let mut came = Came::default();
        self.scripts(amount, &mut came, progress);
        if self.ground.model.has_bursts() {
            self.bursts(amount, &mut came, progress);
        }
        came
    }

    fn scripts(&self, amount: &Amount, came: &mut Came, progress: &mut dyn FnMut(&str)) {
        for place in 0..amount.scripts_count {
            progress(&format!("script {} of {}", place + 1, amount.scripts_count));
            let seed = amount.seed.wrapping_add(place);
            let plan = draw::plan(&mut Draw::new(seed), self.ground);
            let (script, outcome) = self.play(&plan, seed);
            came.steps_count += script.steps.len();
            match outcome.verdict {
                Verdict::Kept => came.scripts_count += 1,
                Verdict::Prevented | Verdict::Unsupported | Verdict::Untested => {
                    came.unsupported_count += 1;
                }
                Verdict::Error => {
                    came.script = Some(WrongScript { seed, script, outcome, tries_count: 0 });
                    return;
                }
                Verdict::Broken | Verdict::Hung | Verdict::Died => {
                    let wrong = WrongScript { seed, script, outcome, tries_count: 0 };
                    came.script = Some(self.shortened(&plan, wrong, progress));
                    return;
                }
            }
        }
    }

    fn bursts(&self, amount: &Amount, came: &mut Came, progress: &mut dyn FnMut(&str)) {
        for place in 0..amount.bursts_count {
            progress(&format!("burst {} of {}", place + 1, amount.bursts_count));
            let seed = amount.seed.wrapping_add(place);
            let burst = Burst::draw(&mut Draw::new(seed), self.ground);
            match burst.run(self.command, self.ground) {
                BurstEnd::Explained(log) => {
                    came.bursts_count += 1;
                    came.events_count += log.history.len();
                }
                BurstEnd::Unsupported(_) => came.unsupported_count += 1,
                end => {
                    came.burst = Some(WrongBurst { seed, burst, end });
                    return;
                }
            }
        }
    }

    /// Runs the script of a plan as it is read from its text, so that its lines have places.
    fn play(&self, plan: &Plan, seed: u64) -> (Script, Outcome) {
        let script = plan.script(self.ground);
        match parse(&script.to_string(), self.error_kinds) {
            Ok(script) => {
                let (outcome, _) = run_script(self.command, &script, seed, self.error_kinds);
                (script, outcome)
            }
            Err(error) => (script, unreadable(&error)),
        }
    }

    fn shortened(
        &self,
        plan: &Plan,
        wrong: WrongScript,
        progress: &mut dyn FnMut(&str),
    ) -> WrongScript {
        let seed = wrong.seed;
        let (started, mut tries_count) = (Instant::now(), 0);
        let mut shortest = wrong;
        let mut fails = |candidate: &Plan| {
            if started.elapsed() >= SHRINK_FOR {
                return false;
            }
            tries_count += 1;
            progress(&format!("a shorter script, try {tries_count}"));
            let (script, outcome) = self.play(candidate, seed);
            let is_wrong =
                matches!(outcome.verdict, Verdict::Broken | Verdict::Hung | Verdict::Died);
            if is_wrong {
                shortest = WrongScript { seed, script, outcome, tries_count: 0 };
            }
            is_wrong
        };
        shrink(plan, self.ground, SHRINK_TRIES_COUNT, &mut fails);
        WrongScript { tries_count, ..shortest }
    }
}

/// No subject's fault: the model has made a script that is none.
fn unreadable(error: &ParseError) -> Outcome {
    let stop = Stop {
        span: Some(error.span),
        expected: String::new(),
        came: error.message.clone(),
        within: Vec::new(),
    };
    Outcome { verdict: Verdict::Error, stop: Some(stop), took: Duration::ZERO, is_scaled: false }
}

impl Came {
    /// Whether all came as the model has it.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.script.is_none() && self.burst.is_none()
    }

    /// Whether the suite itself failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        let script = self.script.as_ref();
        let burst = self.burst.as_ref();
        script.is_some_and(|wrong| wrong.outcome.verdict == Verdict::Error)
            || burst.is_some_and(|wrong| matches!(wrong.end, BurstEnd::Error(_)))
    }
}

/// So many tries make a script short enough; a plan has some twenty moves.
const SHRINK_TRIES_COUNT: usize = 200;
/// No new try begins after so long: one that hangs takes seconds.
const SHRINK_FOR: Duration = Duration::from_secs(60);
