//! The same questions again and again: what is not the same each time is a finding of its own.

use crate::expect::Expectations;
use crate::judgement::{CaseOutcome, Change, Judgement, Line, Standing};
use crate::suite::{Plan, Progress, Subject, Suite};
use crate::verdict::Verdict;

impl Suite {
    /// Runs what is planned so many times on one subject, each time with the next seed, and tells
    /// the worst that came of each case, and what did not come the same. `progress` is called
    /// before each case, and `ended` after each run, both with its number, from 1.
    pub fn judge_repeatedly(
        &self,
        subject: &Subject,
        plan: &Plan,
        count: u64,
        progress: &mut dyn FnMut(u64, &Progress<'_>),
        ended: &mut dyn FnMut(u64, &Judgement),
    ) -> Judgement {
        let mut run = |number: u64| {
            let seed = plan.seed.wrapping_add(number - 1);
            let plan = Plan { seed, ..plan.clone() };
            let judgement = self.judge(subject.clone(), &plan, &mut |at| progress(number, at));
            ended(number, &judgement);
            judgement
        };
        let first = run(1);
        let judgement = (2..=count).map(run).fold(first, collected);
        with_changes(judgement, &subject.expectations)
    }
}

/// Both, with the worse of what came of each case, and all verdicts for now.
fn collected(mut so_far: Judgement, next: Judgement) -> Judgement {
    if so_far.changes.is_empty() {
        so_far.changes = so_far.outcomes.iter().map(alone).collect();
    }
    so_far.seeds.extend(&next.seeds);
    // Every run asks the same questions in the same order.
    for (place, asked) in next.outcomes.iter().enumerate() {
        so_far.changes[place].verdicts.push((asked.seed, asked.outcome.verdict));
        if badness(asked) > badness(&so_far.outcomes[place]) {
            let lines = next.lines.iter().filter(|line| line.is_of(asked));
            for line in lines {
                let is_same =
                    |other: &&mut Line| other.is_of(asked) && other.behaviour == line.behaviour;
                if let Some(other) = so_far.lines.iter_mut().find(is_same) {
                    other.clone_from(line);
                }
            }
            so_far.outcomes[place] = asked.clone();
        }
    }
    so_far
}

fn alone(asked: &CaseOutcome) -> Change {
    let (case, form) = (asked.case.clone(), asked.form.clone());
    let verdicts = vec![(asked.seed, asked.outcome.verdict)];
    Change { case, form, verdicts, is_known: false }
}

/// What fails the run by what came comes before all; what is only kept against a list comes last.
fn badness(asked: &CaseOutcome) -> (bool, Verdict, Standing) {
    let verdict = asked.outcome.verdict;
    (asked.standing == Standing::Unexpected && !verdict.is_good(), verdict, asked.standing)
}

/// Only those that changed are left, and it is said which are known to.
fn with_changes(mut judgement: Judgement, expectations: &Expectations) -> Judgement {
    judgement.changes.retain(|change| {
        let (_, first) = change.verdicts[0];
        change.verdicts.iter().any(|(_, verdict)| *verdict != first)
    });
    for change in &mut judgement.changes {
        let mut lines = judgement.lines.iter().filter(|line| {
            line.case.as_ref() == Some(&change.case) && line.form.as_ref() == Some(&change.form)
        });
        change.is_known = lines.all(|line| {
            let known = expectations.of(&line.behaviour, &change.case, &change.form);
            known.is_some_and(|known| known.by_chance)
        });
    }
    judgement
}
