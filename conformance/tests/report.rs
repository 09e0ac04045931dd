//! What the report says, held against judgements that are made up.

use std::time::Duration;

use purlin_conformance::case::Case;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::protocol::Hello;
use purlin_conformance::report::text::{Row, report};
use purlin_conformance::script::Span;
use purlin_conformance::suite::{CaseOutcome, Judgement, Line, Standing, Suite};
use purlin_conformance::verdict::{Outcome, Stop, Verdict};

#[test]
fn a_round_is_named_under_the_line_that_failed() {
    let mut stop = stop(3, "timed-out", "ok");
    stop.within = vec!["round 37 of 100".to_owned(), "t = 2".to_owned()];
    let asked = [outcome("lock/try", "lock", Verdict::Broken, Standing::Unexpected, Some(stop))];
    let text = reported(judgement(&asked));
    let shown = "
     3  a: lock.try() -> ok
        ^^^^^^^^
        in        round 37 of 100, t = 2
        expected  timed-out
        came      ok
     4  b: lock.try() -> timed-out
";
    assert!(text.contains(shown), "{text}");
    let again = "    again: suite run --subject made-up --case lock/try\n";
    assert!(text.contains(again), "{text}");
}

#[test]
fn a_known_deviation_has_its_reason_and_all_else() {
    let stop = Some(stop(3, "timed-out", "ok"));
    let asked = [outcome("lock/try", "lock", Verdict::Broken, Standing::Known, stop)];
    let text = reported(judgement(&asked));
    for shown in [
        "made-up  lock/try  broken, as known\n",
        "    lock-try-held-refused (must): ",
        "    known: It is so.\n",
        "        came      ok\n",
        "    again: suite run",
        "  * a known deviation, explained below\n",
        ": as expected\n",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert_eq!(text.matches("known: ").count(), 1, "once a case: {text}");
    assert!(text.contains("broken*"), "{text}");
}

#[test]
fn what_is_not_judged_is_said() {
    let stop = Some(stop(3, "timed-out", "ok"));
    let asked = [outcome("lock/try", "lock", Verdict::Broken, Standing::NotJudged, stop)];
    let text = reported(judgement(&asked));
    assert!(text.contains("lock/try  broken, not judged for version 1.2\n"), "{text}");
    assert!(text.contains("? not judged: nobody has looked at this version yet\n"), "{text}");
    assert!(text.contains(": as expected, but 2 not judged for this version\n"), "{text}");
    assert!(text.contains("broken?"), "{text}");
}

#[test]
fn what_is_prevented_is_listed_with_its_reason() {
    let stop = Some(stop(3, "", "a guard is dropped once"));
    let asked = [outcome("lock/try", "lock", Verdict::Prevented, Standing::AsExpected, stop)];
    let text = reported(judgement(&asked));
    let shown = "
made-up cannot break, by its interface
    lock-try-held-refused, lock-try-free-taken in lock/try: a guard is dropped once
";
    assert!(text.contains(shown), "{text}");
    assert!(text.contains("2 prevented") && !text.contains("again: "), "{text}");
}

#[test]
fn what_is_not_offered_is_counted_by_its_reason() {
    let of = |case: &str, came: &str| {
        let stop = Some(stop(3, "", came));
        outcome(case, "lock", Verdict::Unsupported, Standing::AsExpected, stop)
    };
    let asked = [of("lock/waiter-killed", "needs threads"), of("lock/try", "needs fork")];
    let text = reported(judgement(&asked));
    let shown = "
made-up does not offer
    2 behaviours: needs fork
    1 behaviour: needs threads
";
    assert!(text.contains(shown), "{text}");
    assert!(text.contains("0/0") || text.contains("–"), "{text}");
}

#[test]
fn rounds_that_were_fewer_are_said() {
    let mut asked = outcome("lock/try", "lock", Verdict::Kept, Standing::AsExpected, None);
    asked.outcome.is_scaled = true;
    let text = reported(judgement(&[asked]));
    let shown = "made-up: it starts actors slowly, so rounds that start some were a tenth as \
                 many: 1 case\n";
    assert!(text.contains(shown), "{text}");
}

#[test]
fn forms_have_lines_of_their_own_where_they_differ() {
    let of = |case: &str, form: &str, verdict| {
        let stop = (verdict != Verdict::Kept).then(|| stop(3, "timed-out", "ok"));
        outcome(case, form, verdict, Standing::Unexpected, stop)
    };
    let asked = [
        of("lock/try", "lock", Verdict::Kept),
        of("lock/try", "turn-lock", Verdict::Broken),
        of("lock/timeouts", "lock", Verdict::Kept),
        of("lock/timeouts", "turn-lock", Verdict::Kept),
    ];
    let mut judgement = judgement(&asked);
    let form = serde_json::json!({"of": "lock"});
    judgement.hello.forms.insert("turn-lock".to_owned(), serde_json::from_value(form).unwrap());
    judgement.seed = 7;
    let text = reported(judgement);
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("  lock/"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    let expected: [&[&str]; 3] = [
        &["lock/try", "(lock)", "kept"],
        &["lock/try", "(turn-lock)", "broken"],
        &["lock/timeouts", "kept"],
    ];
    assert_eq!(rows, expected, "{text}");
    assert!(text.contains("made-up  lock/try (turn-lock)  broken\n"), "{text}");
    let again = "--subject made-up --case lock/try --form turn-lock --seed 7\n";
    assert!(text.contains(again), "{text}");
    assert!(text.contains(", seed 7\n"), "{text}");
    assert!(text.contains("  made-up: asked of each form: lock, turn-lock\n"), "{text}");
}

#[test]
fn a_stale_entry_is_named() {
    let asked = [outcome("lock/try", "lock", Verdict::Kept, Standing::Unexpected, None)];
    let mut judgement = judgement(&asked);
    for line in &mut judgement.lines {
        line.expected = Verdict::Hung;
    }
    let text = reported(judgement);
    let shown = "made-up  lock-try-held-refused: expect/ says hung, and it is kept in lock/try \
                 (lock); correct the list\n";
    assert!(text.contains(shown), "{text}");
    assert!(text.contains("2 UNEXPECTED"), "{text}");
}

#[test]
fn nothing_that_a_subject_says_is_obeyed() {
    let evil = "ok\u{1b}[2J\n\nmade-up: all kept\u{202e}\u{9b}1A";
    let stop = Some(stop(3, evil, evil));
    let asked = [
        outcome("lock/try", evil, Verdict::Broken, Standing::Unexpected, stop.clone()),
        outcome("lock/timeouts", evil, Verdict::Prevented, Standing::AsExpected, stop.clone()),
        outcome("lock/held-waits", evil, Verdict::Unsupported, Standing::AsExpected, stop),
    ];
    let mut judgement = judgement(&asked);
    judgement.hello.name = evil.to_owned();
    judgement.hello.version = evil.to_owned();
    let absent = Row::Absent { name: "other".to_owned(), why: evil.to_owned() };
    let suite = suite();
    let text = report(&suite, &[Row::Judged(Box::new(judgement)), absent], "suite");
    let is_obeyed = |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
    assert!(!text.contains(is_obeyed), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("made-up: all kept")), "{text}");
    assert!(text.contains("ok\\u{1b}[2J\\u{a}\\u{a}made-up: all kept\\u{202e}\\u{9b}1A"), "{text}");
}

/// A suite of this test's own, whatever the files of cases say.
fn suite() -> Suite {
    let catalogue = Catalogue::embedded().unwrap();
    let cases = Case::read("lock", CASES, &catalogue).unwrap();
    Suite { catalogue, cases }
}

fn reported(judgement: Judgement) -> String {
    report(&suite(), &[Row::Judged(Box::new(judgement))], "suite")
}

fn judgement(asked: &[CaseOutcome]) -> Judgement {
    let hello = serde_json::json!({
        "protocol": 1, "name": "made-up", "version": "1.2", "starts": ["fork"],
        "objects_reach": "start", "objects": {"lock": ["try"]},
    });
    let hello: Hello = serde_json::from_value(hello).unwrap();
    let suite = suite();
    let lines = asked.iter().flat_map(|asked| lines(&suite, asked)).collect();
    let again = |asked: &CaseOutcome| CaseOutcome {
        outcome: asked.outcome.clone(),
        case: asked.case.clone(),
        form: asked.form.clone(),
        standing: asked.standing,
    };
    let outcomes = asked.iter().map(again).collect();
    Judgement { hello, chosen_by: "--subject made-up".to_owned(), seed: 1, outcomes, lines }
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

fn outcome(
    case: &str,
    form: &str,
    verdict: Verdict,
    standing: Standing,
    stop: Option<Stop>,
) -> CaseOutcome {
    let outcome = Outcome { verdict, stop, took: Duration::from_millis(1), is_scaled: false };
    CaseOutcome { case: case.to_owned(), form: form.to_owned(), outcome, standing }
}

fn stop(line: usize, expected: &str, came: &str) -> Stop {
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
