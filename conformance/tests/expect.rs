//! The lists of known deviations stay true: whatever comes otherwise fails the run.

use purlin_conformance::AdapterCommand;
use purlin_conformance::expect::List;
use purlin_conformance::suite::{Judgement, Plan, Selection, Subject, Suite};
use purlin_conformance::verdict::Verdict;

#[test]
fn a_deviation_that_is_known_is_as_expected() {
    let judgement = judge("fault-try-always-taken", &known("broken"));
    let line = &judgement.lines[0];
    assert_eq!((line.verdict, line.expected), (Verdict::Broken, Verdict::Broken));
    assert_eq!(judgement.unexpected_count(), 0);
}

#[test]
fn a_deviation_that_is_kept_fails_the_run() {
    let judgement = judge("honest-server", &known("broken"));
    assert_eq!(judgement.lines[0].verdict, Verdict::Kept);
    assert_eq!(judgement.unexpected_count(), 2);
}

#[test]
fn a_deviation_of_another_kind_fails_the_run() {
    let judgement = judge("fault-try-always-taken", &known("hung"));
    assert_eq!(judgement.lines[0].verdict, Verdict::Broken);
    assert_eq!(judgement.unexpected_count(), 2);
}

#[test]
fn a_deviation_that_nobody_knows_fails_the_run() {
    let judgement = judge("fault-try-always-taken", "");
    assert_eq!(judgement.count(Verdict::Broken), 2);
    assert_eq!(judgement.unexpected_count(), 2);
}

fn known(verdict: &str) -> String {
    format!(
        "[[deviation]]\nbehaviours = [\"lock-try-held-refused\", \"lock-try-free-taken\"]\n\
         verdict = \"{verdict}\"\nreason = \"It is so.\"\nevidence = \"It came so.\"\n"
    )
}

fn judge(name: &str, expected: &str) -> Judgement {
    let suite = Suite::embedded().unwrap();
    let command = AdapterCommand {
        program: env!("CARGO_BIN_EXE_purlin-conformance").into(),
        args: vec!["adapter".into(), name.into()],
        shown: name.to_owned(),
    };
    let mut subject = Subject::probe(command, name).unwrap();
    subject.expect(&suite, &[List::read(name, expected, &suite).unwrap()]).unwrap();
    let selection = Selection { cases: vec!["lock/try".to_owned()], ..Selection::default() };
    suite.judge(subject, &Plan { selection, ..Plan::default() }, &mut |_| {})
}
