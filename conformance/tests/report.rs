//! What the report says, held against judgements that are made up.

use crate::support::made_up::{judgement, outcome, stop, suite};
use purlin_conformance::report::text::{Row, report};
use purlin_conformance::suite::{Change, Judgement, Standing};
use purlin_conformance::verdict::Verdict;

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
    judgement.seeds = vec![7];
    judgement.outcomes.iter_mut().for_each(|asked| asked.seed = 7);
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

#[test]
fn what_changes_from_run_to_run_has_a_part_of_its_own() {
    let asked = [outcome("lock/try", "lock", Verdict::Kept, Standing::AsExpected, None)];
    let mut judgement = judgement(&asked);
    judgement.seeds = vec![1, 2, 3];
    let verdicts = vec![(1, Verdict::Kept), (2, Verdict::Hung), (3, Verdict::Kept)];
    let (case, form) = ("lock/try".to_owned(), "lock".to_owned());
    judgement.changes = vec![Change { case, form, verdicts, is_known: false }];
    assert!(judgement.fails());
    let text = reported(judgement);
    let shown = "
made-up does not answer the same in 3 runs
    lock/try: kept (seeds 1, 3), hung (seed 2)
        again: suite run --subject made-up --case lock/try --repeat 3
";
    assert!(text.contains(shown), "{text}");
    assert!(text.contains(": 1 case CHANGED\n"), "{text}");
    assert!(text.contains(", seeds 1 to 3\n"), "{text}");
}

fn reported(judgement: Judgement) -> String {
    report(&suite(), &[Row::Judged(Box::new(judgement))], "suite")
}
