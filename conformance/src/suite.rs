//! The suite over its subjects: which cases are asked, what came, and whether it was expected.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::Case;
use crate::catalogue::{Behaviour, Catalogue, Level};
use crate::error::Error;
use crate::expect::Expectations;
use crate::limits::DEATHS_IN_A_ROW_COUNT;
use crate::protocol::Hello;
use crate::run::{Asked, run_case};
use crate::session::Session;
use crate::subject::AdapterCommand;
use crate::verdict::{Outcome, Stop, Verdict};

/// What is asked.
pub struct Suite {
    /// All promises.
    pub catalogue: Catalogue,
    /// All cases.
    pub cases: Vec<Case>,
}

/// Which part of the suite is run; an empty list is everything.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Names of groups.
    pub groups: Vec<String>,
    /// Ids of cases.
    pub cases: Vec<String>,
}

/// Who is asked.
pub struct Subject {
    /// How its adapter is started.
    pub command: AdapterCommand,
    /// What its adapter says about itself.
    pub hello: Hello,
    /// What is known of it.
    pub expectations: Expectations,
    /// The words after `purlin-conformance run` that choose it, as a shell reads them.
    pub chosen_by: String,
}

/// What came of one subject.
pub struct Judgement {
    /// Its name and what else it said of itself.
    pub hello: Hello,
    /// The words after `purlin-conformance run` that choose it, as a shell reads them.
    pub chosen_by: String,
    /// What came of each case that was asked, in order.
    pub outcomes: Vec<CaseOutcome>,
    /// A line a behaviour and case, and one for each behaviour that no case shows.
    pub lines: Vec<Line>,
}

/// What came of one case.
pub struct CaseOutcome {
    /// Its id.
    pub case: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Every behaviour in it came as expected.
    pub is_expected: bool,
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
    /// It fails the run.
    pub is_unexpected: bool,
}

impl Suite {
    /// The catalogue and the cases that this program was built with.
    ///
    /// # Errors
    /// * [`Error::Data`] when they contradict themselves.
    pub fn embedded() -> Result<Self, Error> {
        let catalogue = Catalogue::embedded()?;
        let cases = Case::embedded(&catalogue)?;
        Ok(Self { catalogue, cases })
    }

    /// The cases that show a behaviour.
    pub fn cases_of<'a>(&'a self, behaviour: &'a str) -> impl Iterator<Item = &'a Case> {
        self.cases.iter().filter(move |case| case.shows.iter().any(|id| id == behaviour))
    }

    /// Checks that a selection selects something.
    ///
    /// # Errors
    /// * [`Error::Asked`] names the word that nothing answers to.
    pub fn check(&self, selection: &Selection) -> Result<(), Error> {
        let groups: BTreeSet<&str> = self.catalogue.groups().into_iter().collect();
        if let Some(group) = selection.groups.iter().find(|group| !groups.contains(group.as_str()))
        {
            return Err(Error::Asked(format!("there is no group `{group}`")));
        }
        let unknown = |id: &&String| !self.cases.iter().any(|case| case.id == **id);
        if let Some(id) = selection.cases.iter().find(unknown) {
            return Err(Error::Asked(format!("there is no case `{id}`; see `list`")));
        }
        let selected = self.cases.iter().filter(|case| selection.has_case(case)).count();
        if !selection.cases.is_empty() && selected == 0 {
            return Err(Error::Asked("no case is in all that was selected".to_owned()));
        }
        Ok(())
    }

    /// Runs the selected cases on one subject; `progress` is called before each.
    pub fn judge(
        &self,
        subject: Subject,
        selection: &Selection,
        progress: &mut dyn FnMut(&str, usize, usize),
    ) -> Judgement {
        let Subject { command, hello, expectations, chosen_by } = subject;
        let asked: Vec<&Case> = self
            .cases
            .iter()
            .filter(|case| selection.has_case(case) && takes_side(&hello, case.contract.as_deref()))
            .collect();
        let mut results = BTreeMap::new();
        let mut deaths_count = 0;
        for (place, case) in asked.iter().enumerate() {
            progress(&case.id, place, asked.len());
            let outcome = if deaths_count < DEATHS_IN_A_ROW_COUNT {
                {
                    let asked = Asked { form: &case.group, seed: 1 };
                    run_case(&command, case, &asked, &self.catalogue.error_kinds)
                }
            } else {
                not_asked()
            };
            let has_died = outcome.verdict == Verdict::Died;
            deaths_count = if has_died { deaths_count + 1 } else { 0 };
            results.insert(case.id.clone(), outcome);
        }
        let lines = self.lines(&hello, selection, &results, &expectations);
        let outcomes = asked.iter().filter_map(|case| {
            let outcome = results.remove(&case.id)?;
            let mut own = lines.iter().filter(|line| line.case.as_ref() == Some(&case.id));
            let is_expected = own.all(|line| !line.is_unexpected);
            Some(CaseOutcome { case: case.id.clone(), outcome, is_expected })
        });
        let outcomes = outcomes.collect();
        Judgement { hello, chosen_by, outcomes, lines }
    }

    /// How many behaviours have no verdict because the subject takes another side of a contract
    /// than they do, and how many because they were not selected.
    pub fn not_asked(&self, judgement: &Judgement) -> (usize, usize) {
        let judged = judgement.by_behaviour();
        let all = self.catalogue.behaviours.iter();
        let not_judged = all.filter(|behaviour| !judged.contains_key(behaviour.id.as_str()));
        let (not_selected, other_side): (Vec<&Behaviour>, Vec<&Behaviour>) = not_judged
            .partition(|behaviour| takes_side(&judgement.hello, behaviour.contract.as_deref()));
        (other_side.len(), not_selected.len())
    }

    fn lines(
        &self,
        hello: &Hello,
        selection: &Selection,
        results: &BTreeMap<String, Outcome>,
        expectations: &Expectations,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        let behaviours = self.catalogue.behaviours.iter();
        for behaviour in behaviours.filter(|b| takes_side(hello, b.contract.as_deref())) {
            let known = expectations.of(&behaviour.id);
            let shown: Vec<&Case> = self.cases_of(&behaviour.id).collect();
            for case in &shown {
                if let Some(outcome) = results.get(&case.id) {
                    lines.push(line(behaviour, Some((&case.id, outcome)), known));
                }
            }
            if shown.is_empty() && selection.has_untested(behaviour) {
                lines.push(line(behaviour, None, known));
            }
        }
        lines
    }
}

impl Selection {
    fn has_case(&self, case: &Case) -> bool {
        let has = |list: &[String], item: &String| list.is_empty() || list.contains(item);
        has(&self.groups, &case.group) && has(&self.cases, &case.id)
    }

    fn has_untested(&self, behaviour: &Behaviour) -> bool {
        let in_groups = self.groups.is_empty() || self.groups.contains(&behaviour.group);
        in_groups && self.cases.is_empty()
    }
}

impl Subject {
    /// Starts its adapter once, to hear who it is.
    ///
    /// # Errors
    /// * [`Error::Adapter`] when it cannot be started, ends, falls silent or speaks another
    ///   language, with what it said.
    pub fn probe(command: AdapterCommand, chosen_by: &str) -> Result<Self, Error> {
        let wrong = |fault: crate::subject::Fault| Error::Adapter {
            command: command.shown.clone(),
            what: fault.0,
        };
        let (mut session, hello) = Session::open(&command).map_err(wrong)?;
        session.close(&[]).map_err(wrong)?;
        let (expectations, chosen_by) = (Expectations::default(), chosen_by.to_owned());
        Ok(Self { command, hello, expectations, chosen_by })
    }
}

impl Judgement {
    /// The worst verdict on each behaviour, by behaviour.
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
        let unexpected = self.lines.iter().filter(|line| line.is_unexpected);
        unexpected.map(|line| line.behaviour.as_str()).collect::<BTreeSet<_>>().len()
    }
}

/// Whether a subject takes the side of a choice that is asked about.
pub fn takes_side(hello: &Hello, contract: Option<&str>) -> bool {
    let Some((choice, side)) = contract.and_then(|contract| contract.split_once(':')) else {
        return true;
    };
    match hello.contracts.get(choice) {
        Some(sides) => sides.iter().any(|declared| declared == side),
        None => Catalogue::default_side(choice) == Some(side),
    }
}

fn line(
    behaviour: &Behaviour,
    shown: Option<(&String, &Outcome)>,
    known: Option<&crate::expect::Deviation>,
) -> Line {
    let (verdict, detail, millis) = match shown {
        Some((_, outcome)) => {
            let millis = u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX);
            (outcome.verdict, outcome.stop.as_ref().map(Stop::detail), millis)
        }
        None => {
            let why = behaviour.untested.clone();
            (Verdict::Untested, Some(why.unwrap_or_else(|| NO_CASE.to_owned())), 0)
        }
    };
    let usual = if shown.is_some() { Verdict::Kept } else { Verdict::Untested };
    let expected = known.map_or(usual, |known| known.verdict);
    let is_unexpected = match known {
        Some(known) => verdict != known.verdict,
        None => verdict.fails(behaviour.level),
    };
    Line {
        group: behaviour.group.clone(),
        behaviour: behaviour.id.clone(),
        case: shown.map(|(case, _)| case.clone()),
        level: behaviour.level,
        verdict,
        expected,
        millis,
        detail,
        reason: known.map(|known| known.reason.clone()),
        is_unexpected,
    }
}

fn not_asked() -> Outcome {
    let came = format!("not asked: the adapter died in {DEATHS_IN_A_ROW_COUNT} cases in a row");
    let stop = Stop { span: None, expected: String::new(), came, within: Vec::new() };
    let took = std::time::Duration::ZERO;
    Outcome { verdict: Verdict::Died, stop: Some(stop), took, is_scaled: false }
}

const NO_CASE: &str = "no case shows it yet";
