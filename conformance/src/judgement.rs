//! What came of one subject, behaviour by behaviour.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Behaviour, Level};
use crate::expect::Deviation;
use crate::protocol::Hello;
use crate::verdict::{Outcome, Stop, Verdict};

/// What came of one subject.
pub struct Judgement {
    /// Its name and what else it said of itself.
    pub hello: Hello,
    /// The words after `purlin-conformance run` that choose it, as a shell reads them.
    pub chosen_by: String,
    /// What random times were drawn from, run by run: once, unless it was repeated.
    pub seeds: Vec<u64>,
    /// What came of each case and form that was asked, in order.
    pub outcomes: Vec<CaseOutcome>,
    /// A line a behaviour, case and form, and one for each behaviour that no case shows.
    pub lines: Vec<Line>,
    /// What did not come the same in every run.
    pub changes: Vec<Change>,
}

/// A case whose verdict was another one in another run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub case: String,
    /// The kind of object that it was asked of.
    pub form: String,
    /// The verdict in each run, with that run's seed.
    pub verdicts: Vec<(u64, Verdict)>,
    /// All that it shows is known to be seen by chance, so it fails no run.
    pub is_known: bool,
}

/// What came of one case in one form.
#[derive(Debug, Clone)]
pub struct CaseOutcome {
    /// Its id.
    pub case: String,
    /// The kind of object that it was asked of.
    pub form: String,
    /// What random times were drawn from.
    pub seed: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// The worst standing of the behaviours that it shows.
    pub standing: Standing,
}

/// A verdict on one behaviour.
#[derive(Debug, Clone)]
pub struct Line {
    /// The behaviour's group.
    pub group: String,
    /// The behaviour.
    pub behaviour: String,
    /// The case that shows it.
    pub case: Option<String>,
    /// The kind of object that the case was asked of.
    pub form: Option<String>,
    /// How binding it is.
    pub level: Level,
    /// What came.
    pub verdict: Verdict,
    /// What was expected to come.
    pub expected: Verdict,
    /// How long the case took.
    pub millis: u64,
    /// Why, unless it was kept.
    pub detail: Option<String>,
    /// The reason of a known deviation.
    pub reason: Option<String>,
    /// How what came stands to what was expected.
    pub standing: Standing,
}

/// How what came stands to what was expected, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing to say: it is kept, or binds nobody.
    AsExpected,
    /// A deviation that `expect/` lists.
    Known,
    /// A deviation of a version that `expect/` knows nothing about.
    NotJudged,
    /// It fails the run.
    Unexpected,
}

impl Standing {
    /// The word in files and reports.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::AsExpected => "as-expected",
            Self::Known => "known",
            Self::NotJudged => "not-judged",
            Self::Unexpected => "unexpected",
        }
    }
}

impl Line {
    /// The line of a behaviour in a case that was asked. Its standing is settled later.
    pub(crate) fn shown(
        behaviour: &Behaviour,
        asked: &CaseOutcome,
        known: Option<&Deviation>,
    ) -> Self {
        let outcome = &asked.outcome;
        Self {
            case: Some(asked.case.clone()),
            form: Some(asked.form.clone()),
            verdict: outcome.verdict,
            expected: known.map_or(Verdict::Kept, |known| known.verdict),
            millis: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
            detail: outcome.stop.as_ref().map(Stop::detail),
            reason: known.map(|known| known.reason.clone()),
            ..Self::untested(behaviour, "")
        }
    }

    /// The line of a behaviour that no case shows.
    pub(crate) fn untested(behaviour: &Behaviour, why: &str) -> Self {
        Self {
            group: behaviour.group.clone(),
            behaviour: behaviour.id.clone(),
            case: None,
            form: None,
            level: behaviour.level,
            verdict: Verdict::Untested,
            expected: Verdict::Untested,
            millis: 0,
            detail: Some(why.to_owned()),
            reason: None,
            standing: Standing::AsExpected,
        }
    }

    /// Whether this is the line of a behaviour in this case and form.
    pub(crate) fn is_of(&self, asked: &CaseOutcome) -> bool {
        self.case.as_ref() == Some(&asked.case) && self.form.as_ref() == Some(&asked.form)
    }
}

impl Judgement {
    /// The worst verdict on each behaviour over its cases and forms, by behaviour.
    pub fn by_behaviour(&self) -> BTreeMap<&str, (&Line, Verdict)> {
        let mut worst: BTreeMap<&str, (&Line, Verdict)> = BTreeMap::new();
        for line in &self.lines {
            let entry = worst.entry(&line.behaviour).or_insert((line, line.verdict));
            if line.verdict > entry.1 {
                *entry = (line, line.verdict);
            }
        }
        worst
    }

    /// How many behaviours have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.by_behaviour().values().filter(|(_, found)| *found == verdict).count()
    }

    /// The behaviours whose verdict fails the run.
    pub fn unexpected_count(&self) -> usize {
        self.standing_count(Standing::Unexpected)
    }

    /// Whether it fails the run, by a verdict or by one that changed.
    pub fn fails(&self) -> bool {
        self.unexpected_count() > 0 || self.changes.iter().any(|change| !change.is_known)
    }

    /// The behaviours that stand so in at least one case and form.
    pub fn standing_count(&self, standing: Standing) -> usize {
        let lines = self.lines.iter().filter(|line| line.standing == standing);
        lines.map(|line| line.behaviour.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// The lines of one case in one form.
    pub fn lines_of<'a>(&'a self, asked: &'a CaseOutcome) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(|line| line.is_of(asked))
    }
}
