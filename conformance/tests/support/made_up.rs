//! Judgements that are made up, over a suite of their own.

use std::time::Duration;

use purlin_conformance::case::Case;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::protocol::Hello;
use purlin_conformance::script::Span;
use purlin_conformance::suite::{CaseOutcome, Judgement, Line, Standing, Suite};
use purlin_conformance::verdict::{Outcome, Stop, Verdict};

/// A suite of this test's own, whatever the files of cases say.
pub(crate) fn suite() -> Suite {
    let catalogue = Catalogue::embedded().unwrap();
    let cases = Case::read("lock", CASES, &catalogue).unwrap();
    Suite { catalogue, cases }
}

pub(crate) fn judgement(asked: &[CaseOutcome]) -> Judgement {
    let hello = serde_json::json!({
        "protocol": 1, "name": "made-up", "version": "1.2", "starts": ["fork"],
        "objects_reach": "start", "objects": {"lock": ["try"]},
    });
    let hello: Hello = serde_json::from_value(hello).unwrap();
    let suite = suite();
    let lines = asked.iter().flat_map(|asked| lines(&suite, asked)).collect();
    let outcomes = asked.to_vec();
    let (chosen_by, changes) = ("--subject made-up".to_owned(), Vec::new());
    Judgement { hello, chosen_by, seeds: vec![1], outcomes, lines, changes }
}

fn lines(suite: &Suite, asked: &CaseOutcome) -> Vec<Line> {
    let case = suite.cases.iter().find(|case| case.id == asked.case).unwrap();
    let line = |id: &String| Line {
        group: case.group.clone(),
        behaviour: id.clone(),
        case: Some(asked.case.clone()),
        form: Some(asked.form.clone()),
        level: suite.catalogue.behaviour(id).unwrap().level,
        verdict: asked.outcome.verdict,
        expected: Verdict::Kept,
        millis: 1,
        detail: None,
        reason: Some("It is so.".to_owned()),
        standing: asked.standing,
    };
    case.shows.iter().map(line).collect()
}

pub(crate) fn outcome(
    case: &str,
    form: &str,
    verdict: Verdict,
    standing: Standing,
    stop: Option<Stop>,
) -> CaseOutcome {
    let outcome = Outcome { verdict, stop, took: Duration::from_millis(1), is_scaled: false };
    CaseOutcome { case: case.to_owned(), form: form.to_owned(), seed: 1, outcome, standing }
}

pub(crate) fn stop(line: usize, expected: &str, came: &str) -> Stop {
    let span = Some(Span { line, start: 0, end: 8 });
    Stop { span, expected: expected.to_owned(), came: came.to_owned(), within: Vec::new() }
}

const CASES: &str = r#"
[[case]]
id = "lock/try"
shows = ["lock-try-held-refused", "lock-try-free-taken"]
script = '''
object lock: lock
actors a b
a: lock.try() -> ok
b: lock.try() -> timed-out
a: lock.release() -> ok
b: lock.try() -> ok
'''

[[case]]
id = "lock/timeouts"
shows = ["lock-timeout-expires"]
script = '''
object lock: lock
actors a b
a: lock.try() -> ok
b: lock.try() -> timed-out
'''

[[case]]
id = "lock/held-waits"
shows = ["lock-acquire-held-waits"]
script = '''
object lock: lock
actors a b
a: lock.try() -> ok
b: lock.try() -> timed-out
'''

[[case]]
id = "lock/waiter-killed"
shows = ["lock-waiter-killed-harmless"]
script = '''
object lock: lock
actors a b
a: lock.try() -> ok
b: lock.try() -> timed-out
'''
"#;
