//! Known deviations: what a subject does not keep, with the reason, so that a run is green as long
//! as nothing changes. The lists stay true: an entry that turns out to be kept fails the run.
//!
//! `expect/README.md` says how an entry is written.

mod file;
pub mod range;

pub use file::List;
use range::Range;

use crate::verdict::Verdict;

/// What is known of one subject in its version.
#[derive(Debug, Clone)]
pub struct Expectations {
    /// There is a list for it, so everything it does not offer stands there, too.
    pub is_listed: bool,
    /// Its version is one that the list was made for. Of others no deviation fails a run.
    pub knows_version: bool,
    /// What is no must fails a run, too, where no entry speaks of it.
    pub is_of_all_levels: bool,
    deviations: Vec<Deviation>,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// What is not kept.
    pub behaviours: Vec<String>,
    /// In which forms; empty for all.
    pub forms: Vec<String>,
    /// In which cases; empty for all that show the behaviours.
    pub cases: Vec<String>,
    /// The verdict that is expected.
    pub verdict: Verdict,
    /// Why the subject is so.
    pub reason: String,
    /// What came when it was seen.
    pub evidence: Option<String>,
    /// In which versions; all without.
    pub versions: Option<Range>,
    /// A program that shows it without the suite.
    pub script: Option<Script>,
    /// Why there is no such program.
    pub no_script: Option<String>,
    /// It takes a chance to be seen, so that a run in which all is kept does not make it stale.
    pub by_chance: bool,
}

/// A program in the subject's own language that shows a deviation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its text.
    pub text: String,
    /// What it prints where the deviation is.
    pub prints: String,
}

impl Default for Expectations {
    /// Nothing is known, and nothing is excused.
    fn default() -> Self {
        Self {
            is_listed: false,
            knows_version: true,
            is_of_all_levels: false,
            deviations: Vec::new(),
        }
    }
}

impl Expectations {
    /// What is known of a behaviour in a case and a form.
    pub fn of(&self, behaviour: &str, case: &str, form: &str) -> Option<&Deviation> {
        self.deviations.iter().find(|known| known.covers(behaviour, case, form))
    }

    /// A run in which all is kept makes no entry stale, as for one that takes a chance to be seen.
    pub(crate) fn let_nothing_be_stale(&mut self) {
        self.deviations.iter_mut().for_each(|known| known.by_chance = true);
    }

    /// The entries that apply to the subject.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }
}

impl Deviation {
    /// Whether it speaks of a behaviour in a case and a form.
    pub fn covers(&self, behaviour: &str, case: &str, form: &str) -> bool {
        let has = |list: &[String], item: &str| list.iter().any(|listed| listed == item);
        has(&self.behaviours, behaviour)
            && (self.cases.is_empty() || has(&self.cases, case))
            && (self.forms.is_empty() || has(&self.forms, form))
    }

    /// A behaviour that both speak of, in the same form, case and version.
    fn overlap<'a>(&'a self, other: &Self) -> Option<&'a str> {
        let meet = |ours: &[String], theirs: &[String]| {
            ours.is_empty() || theirs.is_empty() || ours.iter().any(|item| theirs.contains(item))
        };
        let versions_meet = match (&self.versions, &other.versions) {
            (Some(ours), Some(theirs)) => ours.meets(theirs),
            _ => true,
        };
        let is_apart =
            !meet(&self.forms, &other.forms) || !meet(&self.cases, &other.cases) || !versions_meet;
        if is_apart {
            return None;
        }
        let both = self.behaviours.iter().find(|id| other.behaviours.contains(id));
        both.map(String::as_str)
    }
}
