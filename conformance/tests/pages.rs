//! The reports in files, held against judgements that are made up: HTML, XML, JSON lines.

use crate::support::made_up::{judgement, outcome, stop, suite};
use crate::support::markup;
use purlin_conformance::report::html::html;
use purlin_conformance::report::json;
use purlin_conformance::report::junit::junit;
use purlin_conformance::report::text::Row;
use purlin_conformance::suite::{CaseOutcome, Change, Judgement, Standing};
use purlin_conformance::verdict::Verdict;

#[test]
fn the_page_shows_a_deviation_with_all_that_one_needs_to_argue() {
    let page = html(&suite(), &[judged(judgement(&[broken(Standing::Unexpected)]))], "suite");
    markup::read(&page);
    for shown in [
        "<b>0</b> of 2 kept",
        "1 case</small>",
        "data-subject=\"0\" data-group=\"lock\" data-verdict=\"broken\" \
         data-standing=\"unexpected\" open=\"open\"",
        "A try on a held lock answers at once that it did not get it.",
        "<code>lock-try-held-refused</code> must",
        "<span class=\"line failed\"><mark>a: lock.</mark>try() -&gt; ok</span>\n<span \
         class=\"came\"><span><b>expected </b> timed-out</span><span><b>came     </b> ok</span>",
        "<code>suite run --subject made-up --case lock/try</code>",
        "data-group=\"lock\" data-subject=\"0\">0/2</a>",
        "<a href=\"#d0\">broken</a>",
        "<td class=\"some\"><a",
        "What fails the run",
    ] {
        assert!(page.contains(shown), "no {shown} in {page}");
    }
}

#[test]
fn the_page_says_what_is_known_and_opens_only_what_fails() {
    let asked = [broken(Standing::Known), of("lock/timeouts", Verdict::Hung, Standing::NotJudged)];
    let page = html(&suite(), &[judged(judgement(&asked))], "suite");
    markup::read(&page);
    assert!(page.contains("<b>Known:</b> It is so.</p>"), "{page}");
    assert!(page.contains("as known</span>"), "{page}");
    assert!(page.contains("not judged for version 1.2</span>"), "{page}");
    assert!(!page.contains("open=\"open\"") && !page.contains("What fails the run"), "{page}");
}

#[test]
fn subjects_stand_side_by_side_also_those_that_are_absent() {
    let mut other = judgement(&[of("lock/try", Verdict::Kept, Standing::AsExpected)]);
    other.hello.name = "second".to_owned();
    let absent = Row::Absent { name: "third".to_owned(), why: "no <b>way</b>".to_owned() };
    let rows = [judged(judgement(&[broken(Standing::Unexpected)])), judged(other), absent];
    let page = html(&suite(), &rows, "suite");
    markup::read(&page);
    let head = "<th scope=\"col\">made-up</th><th scope=\"col\">second</th><th scope=\"col\">third \
                <small>(absent)</small></th>";
    assert_eq!(page.matches(head).count(), 2, "{page}");
    assert!(page.contains("<td class=\"full\">2/2"), "{page}");
    assert!(page.contains("Absent: no &lt;b&gt;way&lt;/b&gt;"), "{page}");
}

#[test]
fn a_page_without_deviations_says_so() {
    let kept = judgement(&[of("lock/try", Verdict::Kept, Standing::AsExpected)]);
    let page = html(&suite(), &[judged(kept)], "suite");
    markup::read(&page);
    assert!(page.contains("None: all that was offered is kept."), "{page}");
    let page = html(&suite(), &[], "suite");
    markup::read(&page);
}

#[test]
fn a_page_fetches_nothing() {
    let page = html(&suite(), &[judged(judgement(&[broken(Standing::Known)]))], "suite");
    let read = markup::read(&page);
    assert!(page.contains("default-src 'none'"), "{page}");
    for (name, value) in &read.attributes {
        assert!(name != "src" && name != "style" && !name.starts_with("on"), "{name}={value}");
        assert!(name != "href" || value.starts_with('#'), "{name}={value}");
    }
    for what in ["@import", "url(", "http:", "https:", "fetch(", "import("] {
        assert!(!page.contains(what), "{what}");
    }
    let ids: Vec<&str> = of_attribute(&read, "id").collect();
    for link in of_attribute(&read, "href") {
        assert!(ids.contains(&&link[1..]), "nothing is called {link}");
    }
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
}

/// What the page's script hides is the parts of the deviations, and nothing else.
#[test]
fn what_is_filtered_is_deviations_alone() {
    let page = html(&suite(), &[judged(judgement(&[broken(Standing::Known)]))], "suite");
    assert!(page.contains("querySelectorAll(\"section.part\")"), "{page}");
    assert!(page.contains("querySelectorAll(\".deviation\")"), "{page}");
    assert_eq!(page.matches("class=\"part\"").count(), 1, "{page}");
    assert_eq!(page.matches("<section class=\"part\"").count(), 1, "{page}");
    let deviations = page.matches("class=\"deviation\"").count();
    assert_eq!(page.matches("<details class=\"deviation\"").count(), deviations, "{page}");
}

/// Whoever cannot see the page is told what a picture is for, and every field has a name.
#[test]
fn a_page_can_be_read_aloud() {
    let page = html(&suite(), &[judged(judgement(&[broken(Standing::Known)]))], "suite");
    let read = markup::read(&page);
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert_eq!(page.matches("<svg").count(), page.matches("aria-hidden=\"true\"").count());
    let fields = read.tags.iter().filter(|tag| ["select", "input"].contains(&tag.as_str()));
    assert_eq!(fields.count(), page.matches("<label>").count());
    assert_eq!(page.matches("<th scope=").count(), page.matches("<th").count() - heads(&page));
    assert_eq!(read.tags.iter().filter(|tag| *tag == "h1").count(), 1);
}

/// `<thead>` starts like a cell of one.
fn heads(page: &str) -> usize {
    page.matches("<thead>").count()
}

#[test]
fn nothing_that_a_subject_says_is_markup() {
    let rows = [judged(evil()), Row::Absent { name: EVIL.to_owned(), why: EVIL.to_owned() }];
    let page = html(&suite(), &rows, EVIL);
    let read = markup::read(&page);
    let plain = html(&suite(), &[judged(judgement(&[]))], "suite");
    let known: Vec<String> = markup::read(&plain).tags;
    assert_eq!(read.tags.iter().filter(|tag| *tag == "script").count(), 1);
    assert_eq!(known.iter().filter(|tag| *tag == "script").count(), 1);
    assert!(!read.tags.iter().any(|tag| tag == "img"), "{:?}", read.tags);
    assert!(!read.attributes.iter().any(|(name, _)| name.starts_with("on")));
    assert!(read.text.contains("<img src=x onerror=alert(1)>"), "it is text: {}", read.text);

    let xml = junit(&suite(), &rows, EVIL);
    let read = markup::read(&xml);
    let tags = ["testsuites", "testsuite", "testcase", "failure", "skipped", "error"];
    assert!(read.tags.iter().all(|tag| tags.contains(&tag.as_str())), "{:?}", read.tags);
    let is_forbidden = |letter: char| letter.is_control() && letter != '\n';
    assert!(!xml.contains(is_forbidden) && !page.contains(is_forbidden));
}

const EVIL: &str = "\"'><img src=x onerror=alert(1)></script></pre>]]>&lt;\u{1b}[2J\u{0}\u{ffff}\n";

fn evil() -> Judgement {
    let stop = Some(stop(3, EVIL, EVIL));
    let asked = [
        outcome("lock/try", EVIL, Verdict::Broken, Standing::Unexpected, stop.clone()),
        outcome("lock/timeouts", EVIL, Verdict::Prevented, Standing::AsExpected, stop.clone()),
        outcome("lock/waiter-killed", EVIL, Verdict::Error, Standing::Unexpected, stop.clone()),
        outcome("lock/held-waits", EVIL, Verdict::Unsupported, Standing::AsExpected, stop),
    ];
    let mut judgement = judgement(&asked);
    judgement.hello.name = EVIL.to_owned();
    judgement.hello.version = EVIL.to_owned();
    judgement.chosen_by = EVIL.to_owned();
    for line in &mut judgement.lines {
        line.reason = Some(EVIL.to_owned());
        line.detail = Some(EVIL.to_owned());
    }
    judgement.changes = vec![change(false)];
    judgement.changes[0].form = EVIL.to_owned();
    judgement
}

#[test]
fn changes_from_run_to_run_have_a_part_of_their_own() {
    let mut judgement = judgement(&[of("lock/try", Verdict::Kept, Standing::AsExpected)]);
    judgement.seeds = vec![1, 2];
    judgement.changes = vec![change(false), change(true)];
    let rows = [judged(judgement)];
    let page = html(&suite(), &rows, "suite");
    markup::read(&page);
    for shown in [
        "Changes from run to run <small>2 items",
        "<code>lock/try</code> made-up: kept (seed 1), hung (seed 2)<p",
        "hung (seed 2); known to depend on chance",
        "<code>suite run --subject made-up --case lock/try --repeat 2</code>",
        "1 case CHANGED",
    ] {
        assert!(page.contains(shown), "no {shown} in {page}");
    }

    let xml = junit(&suite(), &rows, "suite");
    markup::read(&xml);
    assert!(xml.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""), "{xml}");
    assert!(xml.contains("<failure type=\"changed\" message=\"kept (seed 1), hung"), "{xml}");

    let lines = json::lines(&rows, &suite().catalogue);
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changed: Vec<_> = lines.iter().filter(|line| line["kind"] == "changed").collect();
    let expected = serde_json::json!({
        "kind": "changed", "subject": "made-up", "case": "lock/try", "form": "lock",
        "known": false,
        "runs": [{"seed": 1, "verdict": "kept"}, {"seed": 2, "verdict": "hung"}],
    });
    assert_eq!(changed.len(), 2);
    assert_eq!(*changed[0], expected);
    let total = lines.last().unwrap();
    assert_eq!((&total["runs"], &total["changed"]), (&2.into(), &2.into()));
}

#[test]
fn only_what_fails_the_run_is_a_failure_in_junit() {
    let asked = [
        broken(Standing::Unexpected),
        of("lock/timeouts", Verdict::Hung, Standing::Known),
        of("lock/held-waits", Verdict::Prevented, Standing::AsExpected),
        of("lock/waiter-killed", Verdict::Broken, Standing::NotJudged),
    ];
    let rows = [judged(judgement(&asked))];
    let xml = junit(&suite(), &rows, "suite");
    let read = markup::read(&xml);
    let counts = "tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\" time=\"0.004\"";
    assert_eq!(xml.matches(counts).count(), 2, "of all and of the group: {xml}");
    for shown in [
        "<testsuite name=\"made-up.lock\"",
        "<testcase classname=\"made-up.lock\" name=\"lock/try\" time=\"0.001\">",
        "<failure type=\"broken\" message=\"broken: line 3: expected timed-out, came: ok\">",
        "<skipped message=\"known: It is so.\"/>",
        "<skipped message=\"not judged for this version: broken: line 3",
        "name=\"lock/held-waits\" time=\"0.001\"/>",
    ] {
        assert!(xml.contains(shown), "no {shown} in {xml}");
    }
    assert!(read.text.contains("again: suite run --subject made-up --case lock/try\n"), "{xml}");
}

#[test]
fn a_stale_entry_and_the_suites_own_failure_are_told_apart_in_junit() {
    let asked = [
        of("lock/try", Verdict::Kept, Standing::Unexpected),
        of("lock/timeouts", Verdict::Error, Standing::Unexpected),
    ];
    let mut judgement = judgement(&asked);
    for line in &mut judgement.lines {
        line.expected = Verdict::Hung;
    }
    let xml = junit(&suite(), &[judged(judgement)], "suite");
    markup::read(&xml);
    assert!(xml.contains("<failure type=\"stale\""), "{xml}");
    assert!(xml.contains("expect/ says hung, and it is kept in lock/try (lock)"), "{xml}");
    assert!(xml.contains("<error type=\"error\" message=\"error: line 3"), "{xml}");
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"1\" skipped=\"0\""), "{xml}");
}

fn of_attribute<'a>(read: &'a markup::Read, name: &str) -> impl Iterator<Item = &'a str> {
    let own = read.attributes.iter().filter(move |(other, _)| other == name);
    own.map(|(_, value)| value.as_str())
}

fn judged(judgement: Judgement) -> Row {
    Row::Judged(Box::new(judgement))
}

fn broken(standing: Standing) -> CaseOutcome {
    of("lock/try", Verdict::Broken, standing)
}

fn of(case: &str, verdict: Verdict, standing: Standing) -> CaseOutcome {
    let stop = (verdict != Verdict::Kept).then(|| stop(3, "timed-out", "ok"));
    outcome(case, "lock", verdict, standing, stop)
}

fn change(is_known: bool) -> Change {
    let verdicts = vec![(1, Verdict::Kept), (2, Verdict::Hung)];
    Change { case: "lock/try".to_owned(), form: "lock".to_owned(), verdicts, is_known }
}
