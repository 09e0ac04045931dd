//! The interpreter: runs one script against one subject and says what came of it.

mod actors;
mod calls;
mod end;
mod forms;
mod history;
mod kills;
mod needs;
mod random;
mod several;
mod steps;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::Value;

use crate::case::Case;
use crate::protocol::{Hello, Pace};
use crate::script::Script;
use crate::session::Session;
use crate::subject::AdapterCommand;
use crate::verdict::{Outcome, Stop, Verdict};

use actors::Plan;
pub(crate) use end::End;
pub use history::{CallEnd, CallEvent, Event, What};
pub(crate) use history::{History, now_nanos};
use random::Random;

/// How a case is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The kind of object that stands where the case names its group: the form in question.
    pub(crate) form: &'a str,
    /// What random times are drawn from.
    pub(crate) seed: u64,
}

/// Runs a case in an adapter of its own.
pub(crate) fn run_case(
    command: &AdapterCommand,
    case: &Case,
    asked: &Asked<'_>,
    error_kinds: &BTreeSet<String>,
) -> Outcome {
    let script = forms::formed(&case.script, &case.group, asked.form);
    // Asked alone or among others, a case draws the same times.
    let seed = asked.seed ^ random::hash(&case.id);
    run_script(command, &script, seed, error_kinds).0
}

/// Runs a script in an adapter of its own, and says also what happened, call by call. The kinds of
/// its objects are those that the subject names; `seed` is what random times are drawn from;
/// `error_kinds` is the closed list of the catalogue.
///
/// The verdict is about the script's own expectations alone. Before anything is made or started,
/// the script is held against what the subject offers.
pub fn run_script(
    command: &AdapterCommand,
    script: &Script,
    seed: u64,
    error_kinds: &BTreeSet<String>,
) -> (Outcome, Vec<Event>) {
    let started = Instant::now();
    let mut is_scaled = false;
    let mut events = Vec::new();
    let ended = Session::open(command).map_err(End::from).and_then(|(session, hello)| {
        let mut run = Run::new(session, hello, error_kinds, seed);
        let ended = run.whole(script).and_then(|()| run.is_shown());
        is_scaled = run.is_scaled;
        events = run.into_events();
        ended
    });
    let took = started.elapsed();
    let (verdict, stop) = match ended {
        Ok(()) => (Verdict::Kept, None),
        Err(End { verdict, span, expected, came, within }) => {
            (verdict, Some(Stop { span, expected, came, within }))
        }
    };
    (Outcome { verdict, stop, took, is_scaled }, events)
}

/// A case under way.
pub(crate) struct Run<'a> {
    pub(crate) session: Session,
    hello: Hello,
    error_kinds: &'a BTreeSet<String>,
    random: Random,
    /// How each actor is started, also again.
    plans: BTreeMap<String, Plan>,
    /// The names that `one of … as` gave to actors.
    names: BTreeMap<String, String>,
    is_scaled: bool,
    events: Vec<Event>,
    /// What calls came back with, by the names that the script gave it.
    kept: BTreeMap<String, Value>,
    /// A call that should wait was never seen asleep, so nothing but silence spoke for it.
    pub(crate) stands_on_silence: bool,
}

impl<'a> Run<'a> {
    fn new(session: Session, hello: Hello, error_kinds: &'a BTreeSet<String>, seed: u64) -> Self {
        let (plans, names) = (BTreeMap::new(), BTreeMap::new());
        let random = Random::new(seed);
        Self {
            session,
            hello,
            error_kinds,
            random,
            plans,
            names,
            is_scaled: false,
            events: Vec::new(),
            kept: BTreeMap::new(),
            stands_on_silence: false,
        }
    }

    fn whole(&mut self, script: &Script) -> Result<(), End> {
        if let Some((span, what)) = needs::missing(script, &self.hello) {
            return Err(End { span: Some(span), ..End::unsupported(what) });
        }
        let made = self.create(script)?;
        self.start_actors(script, &made)?;
        self.make(script)?;
        self.steps(&script.steps)?;
        // What is ended from here on is no part of what happened.
        self.events = std::mem::take(&mut self.session.history).into_events();
        Ok(self.session.close(&made)?)
    }

    /// All came as expected; whether that says anything.
    fn is_shown(&self) -> Result<(), End> {
        if self.stands_on_silence { Err(End::untested(SILENT.to_owned())) } else { Ok(()) }
    }

    /// All that happened, also where the script did not come to its end.
    fn into_events(mut self) -> Vec<Event> {
        let rest = std::mem::take(&mut self.session.history).into_events();
        if self.events.is_empty() { rest } else { self.events }
    }

    /// How often a block is run, which may start actors in each round.
    fn rounds_count(&mut self, count: u64, starts_actors: bool) -> u64 {
        if !starts_actors || self.hello.pace == Pace::Fast {
            return count;
        }
        self.is_scaled = true;
        count.div_ceil(crate::limits::SLOW_PACE_DIVISOR)
    }
}

const SILENT: &str = "a call that should wait never slept, and silence alone shows no wait";
