//! The suite over its subjects: which cases are asked in which form, and what came.

use std::collections::BTreeSet;

use crate::case::Case;
use crate::catalogue::{Behaviour, Catalogue};
use crate::contract::{AskedForm, forms};
use crate::error::Error;
use crate::expect::{Expectations, List};
use crate::limits::{DEATHS_IN_A_ROW_COUNT, SIDE_BY_SIDE_COUNT};
use crate::protocol::Hello;
use crate::run::{Asked, run_case};
use crate::session::Session;
use crate::settle;
use crate::subject::AdapterCommand;
use crate::verdict::{Outcome, Stop, Verdict};
use crate::workers::{self, Question};

pub use crate::judgement::{CaseOutcome, Change, Judgement, Line, Standing};
pub use crate::selection::Selection;

/// What is asked.
pub struct Suite {
    /// All promises.
    pub catalogue: Catalogue,
    /// All cases.
    pub cases: Vec<Case>,
}

/// Who is asked.
#[derive(Clone)]
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

/// What is asked of everybody in one run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which part of the suite.
    pub selection: Selection,
    /// What random times are drawn from.
    pub seed: u64,
    /// How many cases are asked side by side, where there are many. More than one only in the
    /// program itself, which can be started as a worker.
    pub jobs: usize,
}

/// How far a run is, before each case.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The case that is asked now.
    pub case: &'a str,
    /// The form that it is asked in.
    pub form: &'a str,
    /// How many questions there are in all.
    pub count: usize,
    /// What came of those before.
    pub done: &'a [CaseOutcome],
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

    /// The same, whatever files of cases the environment names.
    ///
    /// # Errors
    /// * [`Error::Data`] when they contradict themselves.
    pub fn built_in() -> Result<Self, Error> {
        let catalogue = Catalogue::embedded()?;
        let cases = Case::built_in(&catalogue)?;
        Ok(Self { catalogue, cases })
    }

    /// The cases that show a behaviour.
    pub fn cases_of<'a>(&'a self, behaviour: &'a str) -> impl Iterator<Item = &'a Case> {
        self.cases.iter().filter(move |case| case.shows.iter().any(|id| id == behaviour))
    }

    /// Each question for a subject: a case, once for each form that takes its sides; one that is
    /// about another kind of object, such as a lock by name, once.
    pub(crate) fn questions<'a>(&'a self, hello: &'a Hello) -> Vec<(&'a Case, &'a str)> {
        let mut questions = Vec::new();
        for case in &self.cases {
            let asked = forms(hello, &case.group).into_iter();
            let asked = asked.filter(|form| form.takes(&case.contracts));
            let is_formed = case.script.objects.iter().any(|object| object.kind == case.group);
            let asked = asked.take(if is_formed { usize::MAX } else { 1 });
            questions.extend(asked.map(|form| (case, form.kind)));
        }
        questions
    }

    /// Runs what is planned on one subject; `progress` is called before each case.
    pub fn judge(
        &self,
        subject: Subject,
        plan: &Plan,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Judgement {
        let Subject { command, hello, expectations, chosen_by } = subject;
        let selection = &plan.selection;
        let mut questions = self.questions(&hello);
        questions.retain(|(case, form)| selection.has_case(case) && selection.has_form(form));
        let mut outcomes = if plan.jobs > 1 && questions.len() >= SIDE_BY_SIDE_COUNT {
            ask_side_by_side(&command, &questions, plan, progress)
        } else {
            self.ask_in_turn(&command, &questions, plan, progress)
        };
        let mut lines = self.lines(&hello, selection, &outcomes, &expectations);
        settle::settle(self, &hello, &expectations, &mut lines);
        for asked in &mut outcomes {
            let own = lines.iter().filter(|line| line.is_of(asked)).map(|line| line.standing);
            asked.standing = own.max().unwrap_or(Standing::AsExpected);
        }
        Judgement { hello, chosen_by, seeds: vec![plan.seed], outcomes, lines, changes: Vec::new() }
    }

    fn ask_in_turn(
        &self,
        command: &AdapterCommand,
        questions: &[(&Case, &str)],
        plan: &Plan,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Vec<CaseOutcome> {
        let count = questions.len();
        let mut outcomes: Vec<CaseOutcome> = Vec::new();
        let mut given_up = BTreeSet::new();
        for (case, form) in questions {
            progress(&Progress { case: &case.id, form, count, done: &outcomes });
            let outcome = if given_up.contains(&case.group) {
                not_asked()
            } else {
                let asked = Asked { form, seed: plan.seed };
                run_case(command, case, &asked, &self.catalogue.error_kinds)
            };
            outcomes.push(came(case, form, plan.seed, outcome));
            if has_died_for_good(&outcomes, &case.group) {
                given_up.insert(case.group.clone());
            }
        }
        outcomes
    }

    /// How many behaviours have no verdict because the subject takes another side of a contract
    /// than they do, and how many because they were not selected.
    pub fn not_asked(&self, judgement: &Judgement) -> (usize, usize) {
        let judged = judgement.by_behaviour();
        let all = self.catalogue.behaviours.iter();
        let not_judged = all.filter(|behaviour| !judged.contains_key(behaviour.id.as_str()));
        let (not_selected, other_side): (Vec<&Behaviour>, Vec<&Behaviour>) =
            not_judged.partition(|behaviour| is_asked(&judgement.hello, behaviour));
        (other_side.len(), not_selected.len())
    }

    fn lines(
        &self,
        hello: &Hello,
        selection: &Selection,
        outcomes: &[CaseOutcome],
        expectations: &Expectations,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        let behaviours = self.catalogue.behaviours.iter();
        for behaviour in behaviours.filter(|b| is_asked(hello, b) && selection.shows(b)) {
            let ids: Vec<&str> =
                self.cases_of(&behaviour.id).map(|case| case.id.as_str()).collect();
            let shown = outcomes.iter().filter(|asked| ids.contains(&asked.case.as_str()));
            lines.extend(shown.map(|asked| {
                let known = expectations.of(&behaviour.id, &asked.case, &asked.form);
                Line::shown(behaviour, asked, known)
            }));
            if let Some(why) = self.why_untested(hello, behaviour)
                && selection.has_untested(behaviour)
            {
                lines.push(Line::untested(behaviour, why));
            }
        }
        lines
    }

    /// Why this subject is asked nothing about a behaviour of its side.
    fn why_untested<'a>(&'a self, hello: &Hello, behaviour: &'a Behaviour) -> Option<&'a str> {
        let mut cases = self.cases_of(&behaviour.id).peekable();
        if cases.peek().is_none() {
            return Some(self.catalogue.untested(behaviour).unwrap_or(NO_CASE));
        }
        let takes =
            |case: &Case| forms(hello, &case.group).iter().any(|f| f.takes(&case.contracts));
        (!cases.any(takes)).then_some(OTHER_SIDE)
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

impl Subject {
    /// Takes in what the lists know of it. They speak of the cases that the program was built
    /// with; where others are asked, none of it is stale.
    ///
    /// # Errors
    /// * [`Error::Data`] when its list speaks of what it does not have.
    pub fn expect(&mut self, built_in: &Suite, lists: &[List]) -> Result<(), Error> {
        if let Some(list) = List::find(lists, &self.hello.name) {
            self.expectations = list.of(built_in, &self.hello)?;
            if Case::are_replaced() {
                self.expectations.let_nothing_be_stale();
            }
        }
        Ok(())
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self { selection: Selection::default(), seed: crate::limits::SEED, jobs: 1 }
    }
}

/// Whether one of a subject's forms takes the side that a behaviour belongs to.
fn is_asked(hello: &Hello, behaviour: &Behaviour) -> bool {
    let takes = |form: &AskedForm<'_>| form.takes(&behaviour.contract);
    forms(hello, &behaviour.group).iter().any(takes)
}

/// The outcomes are told in the order in which they came, and returned in that of the questions.
fn ask_side_by_side(
    command: &AdapterCommand,
    questions: &[(&Case, &str)],
    plan: &Plan,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Vec<CaseOutcome> {
    let question = |(case, form): &(&Case, &str)| {
        let (group, case, form) = (case.group.clone(), case.id.clone(), (*form).to_owned());
        Question { group, case, form, seed: plan.seed }
    };
    let asked: Vec<Question> = questions.iter().map(question).collect();
    let mut places = Vec::new();
    let mut outcomes: Vec<CaseOutcome> = Vec::new();
    workers::ask_all(command, &asked, plan.jobs, &mut |place, outcome| {
        let (case, form) = questions[place];
        places.push(place);
        outcomes.push(came(case, form, plan.seed, outcome.unwrap_or_else(not_asked)));
        progress(&Progress { case: &case.id, form, count: questions.len(), done: &outcomes });
        has_died_for_good(&outcomes, &case.group).then(|| case.group.clone())
    });
    let mut placed: Vec<(usize, CaseOutcome)> = places.into_iter().zip(outcomes).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, outcome)| outcome).collect()
}

fn came(case: &Case, form: &str, seed: u64, outcome: Outcome) -> CaseOutcome {
    let (case, form) = (case.id.clone(), form.to_owned());
    CaseOutcome { case, form, seed, outcome, standing: Standing::AsExpected }
}

/// The last cases of the group were all deaths. An adapter that dies of one kind of object is
/// asked about all others.
fn has_died_for_good(outcomes: &[CaseOutcome], group: &str) -> bool {
    let is_of = |asked: &&CaseOutcome| {
        asked.case.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'))
    };
    let last = outcomes.iter().rev().filter(is_of).take(DEATHS_IN_A_ROW_COUNT);
    let died = last.filter(|asked| asked.outcome.verdict == Verdict::Died);
    died.count() == DEATHS_IN_A_ROW_COUNT
}

/// What nobody was asked nobody has broken.
fn not_asked() -> Outcome {
    let came = format!(
        "not asked: the adapter died in {DEATHS_IN_A_ROW_COUNT} cases of the group in a row"
    );
    let stop = Stop { span: None, expected: String::new(), came, within: Vec::new() };
    let took = std::time::Duration::ZERO;
    Outcome { verdict: Verdict::Untested, stop: Some(stop), took, is_scaled: false }
}

const NO_CASE: &str = "no case shows it yet";
const OTHER_SIDE: &str = "its cases are asked of another side of a choice";
