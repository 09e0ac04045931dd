//! The lists of known deviations stay true: whatever comes otherwise fails the run.

use crate::support::{PROGRAM, dressed};
use purlin_conformance::AdapterCommand;
use purlin_conformance::case::Case;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::error::Error;
use purlin_conformance::expect::List;
use purlin_conformance::suite::{Judgement, Line, Plan, Selection, Standing, Subject, Suite};
use purlin_conformance::verdict::Verdict;

#[test]
fn a_deviation_that_is_known_is_as_expected() {
    let judgement = judge("fault-try-always-taken", &known("broken"));
    let line = &judgement.lines[0];
    assert_eq!((line.verdict, line.expected), (Verdict::Broken, Verdict::Broken));
    assert_eq!(standings(&judgement), [Standing::Known; 2]);
    assert_eq!(judgement.unexpected_count(), 0);
}

#[test]
fn a_deviation_that_is_kept_fails_the_run() {
    let judgement = judge("honest-server", &known("broken"));
    assert_eq!(judgement.lines[0].verdict, Verdict::Kept);
    assert_eq!(judgement.unexpected_count(), 2);
}

#[test]
fn a_deviation_that_takes_a_chance_may_be_kept() {
    let list = format!("{}by_chance = true\n", known("broken"));
    assert_eq!(judge("honest-server", &list).unexpected_count(), 0);
    let judgement = judge("fault-try-always-taken", &list);
    assert_eq!(standings(&judgement), [Standing::Known; 2]);
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

#[test]
fn what_is_no_must_fails_a_run_where_the_list_is_of_all_levels() {
    let words = [PROGRAM, "adapter", "purlin-fork"].map(str::to_owned);
    let of = |list: &str| judge_as(&words, list, &["lock/release-by-other-thread"]);
    // The process's word of one of its forms cannot tell its threads apart.
    let judgement = of("");
    assert_eq!((judgement.count(Verdict::Broken), judgement.unexpected_count()), (1, 0));
    assert_eq!(of("all_levels = true\n").unexpected_count(), 1);
    let two = "lock-try-held-refused\",\n\"lock-try-free-taken";
    let known = known("broken").replace(two, "lock-release-by-other-thread-refused");
    assert_eq!(of(&format!("all_levels = true\n{known}")).unexpected_count(), 0);
}

#[test]
fn an_entry_ends_with_its_versions() {
    let at = |version: &str, range: &str| {
        let hello = format!("1s/\"version\":\"[^\"]*\"/\"version\":\"{version}\"/");
        let list =
            format!("versions = \">=3.8, <3.14\"\n{}versions = \"{range}\"\n", known("broken"));
        standings(&judge_as(&dressed("fault-try-always-taken", &hello, ""), &list, &["lock/try"]))
    };
    assert_eq!(at("3.11.2", "<3.12"), [Standing::Known; 2]);
    // A known version of which no entry speaks: it is expected to keep all.
    assert_eq!(at("3.12.1", "<3.12"), [Standing::Unexpected; 2]);
    // Nobody has looked at these.
    assert_eq!(at("3.14.0rc1", "<3.12"), [Standing::NotJudged; 2]);
    assert_eq!(at("main", "<3.12"), [Standing::NotJudged; 2]);
}

#[test]
fn a_version_that_nobody_looked_at_is_known_from_the_entries_alone() {
    let at = |version: &str, list: &str| {
        let hello = format!("1s/\"version\":\"[^\"]*\"/\"version\":\"{version}\"/");
        standings(&judge_as(&dressed("fault-try-always-taken", &hello, ""), list, &["lock/try"]))
    };
    let list = format!("{}versions = \">=3.8, <3.14\"\n", known("broken"));
    assert_eq!(at("3.13.1", &list), [Standing::Known; 2]);
    assert_eq!(at("3.14.0", &list), [Standing::NotJudged; 2]);
    assert_eq!(at("main", &known("broken")), [Standing::Known; 2]);
}

#[test]
fn a_kept_entry_of_another_version_fails_nothing() {
    let hello = "1s/\"version\":\"[^\"]*\"/\"version\":\"3.14.0\"/";
    let list = format!("{}versions = \">=3.8, <3.14\"\n", known("broken"));
    let judgement = judge_as(&dressed("honest-server", hello, ""), &list, &["lock/try"]);
    assert_eq!(standings(&judgement), [Standing::AsExpected; 2]);
}

#[test]
fn what_is_not_offered_is_listed_or_unexpected() {
    let requests = "s/\"op\":\"try\"/\"op\":\"attempt\"/";
    let words = dressed("honest-server", "", requests);
    let judgement = judge_as(&words, "", &["lock/try"]);
    assert_eq!(judgement.lines[0].verdict, Verdict::Unsupported);
    assert_eq!(standings(&judgement), [Standing::Unexpected; 2]);
    let judgement = judge_as(&words, &known("unsupported"), &["lock/try"]);
    assert_eq!(standings(&judgement), [Standing::Known; 2]);
    // A kind that it does not speak of at all needs no entry.
    let other = dressed("honest-server", "s/\"lock\":/\"other\":/", "");
    let judgement = judge_as(&other, "", &["lock/try"]);
    assert_eq!(judgement.lines[0].verdict, Verdict::Unsupported);
    assert_eq!(standings(&judgement), [Standing::AsExpected; 2]);
    // Somebody of whom nobody has made a list may well leave things out.
    let suite = suite();
    let judgement = judge_subject(&suite, probe(&words), &["lock/try"]);
    assert_eq!(standings(&judgement), [Standing::AsExpected; 2]);
}

#[test]
fn forms_are_told_apart() {
    let judgement = judge_as(&two_forms(), "", &["lock/try"]);
    let of = |line: &Line| (line.form.clone().unwrap(), line.verdict, line.standing);
    let found: Vec<_> = judgement.lines.iter().map(of).collect();
    let kept = ("lock".to_owned(), Verdict::Kept, Standing::AsExpected);
    let missing = ("turn-lock".to_owned(), Verdict::Unsupported, Standing::Unexpected);
    assert_eq!(found, [kept.clone(), missing.clone(), kept, missing]);
    assert_eq!(judgement.count(Verdict::Unsupported), 2, "the worst of its forms counts");

    let list = format!("{}forms = [\"turn-lock\"]\n", known("unsupported"));
    assert_eq!(judge_as(&two_forms(), &list, &["lock/try"]).unexpected_count(), 0);
    let list = format!("{}forms = [\"lock\"]\n", known("unsupported"));
    let judgement = judge_as(&two_forms(), &list, &["lock/try"]);
    assert_eq!(standings(&judgement), [Standing::Unexpected; 4], "stale, and not listed");
    // An entry without forms is true as long as one of them shows it.
    let judgement = judge_as(&two_forms(), &known("unsupported"), &["lock/try"]);
    let [kept, missing] = [Standing::AsExpected, Standing::Known];
    assert_eq!(standings(&judgement), [kept, missing, kept, missing]);
}

#[test]
fn an_entry_is_stale_only_where_all_was_asked() {
    let suite = suite();
    let list = List::read("honest", &known("unsupported"), &suite).unwrap();
    let mut subject = probe(&two_forms());
    subject.expect(&suite, &[list]).unwrap();
    let selection = Selection {
        cases: vec!["lock/try".to_owned()],
        forms: vec!["lock".to_owned()],
        ..Selection::default()
    };
    let judgement = suite.judge(subject, &Plan { selection, ..Plan::default() }, &mut |_| {});
    assert_eq!(standings(&judgement), [Standing::AsExpected; 2]);
}

#[test]
fn a_list_that_says_nothing_true_is_refused() {
    assert_refused(&known("kept"), "4: an entry needs a verdict that is a deviation");
    assert_refused(&known("untested"), "4: an entry needs a verdict that is a deviation");
    assert_refused(&known("late"), "4: unknown variant `late`");
    assert_refused(&known("broken").replace("It is so.", " "), "4: an entry needs behaviours, and");
    assert_refused(&known("broken").replace("It came so.", ""), "4: an entry needs its evidence");
    assert_refused("[[deviation]]\nbehaviours = []\nverdict = \"hung\"\nreason = \"x\"\n", "3: an");
    assert_refused("colour = \"red\"", "1: unknown field `colour`");
    assert_refused("versions = \"3.8\"", "1: `3.8` is no comparison");
    let range = format!("{}versions = \">=3.9, <3.8\"\n", known("broken"));
    assert_refused(&range, "7: no version is in");
    let script = |line: &str| format!("{}{line}\n", known("broken"));
    assert_refused(&script("script = \"print(1)\""), "7: a script needs what it prints");
    assert_refused(&script("prints = \"1\""), "7: a script needs what it prints");
    let both = "no_script = \"It is not.\"\nscript = \"print(1)\"\nprints = \"1\"";
    assert_refused(&script(both), "7: either a script, or why there is none");
    assert_refused(&script("no_script = \"\""), "7: either a script, or why there is none");
}

#[test]
fn a_stale_entry_is_refused_under_its_line() {
    let text = known("broken").replace("lock-try-held-refused", "lock-try-held-refusd");
    assert_refused(&text, "2: there is no behaviour `lock-try-held-refusd`; did you mean");
    let text = known("broken").replace("lock-try-free-taken", "queue-put-get-same-value");
    assert_refused(&text, "3: there is no behaviour");
    let text = known("broken").replace("lock-try-free-taken", "event-new-is-clear");
    let suite = suite();
    let id = suite.catalogue.behaviours.iter().find(|b| b.group == "event").unwrap().id.clone();
    let text = text.replace("event-new-is-clear", &id);
    assert_refused(&text, &format!("3: no case shows {id}"));
    let text = known("broken").replace("lock-try-free-taken", "lock-try-held-refused");
    assert_refused(&text, "2: lock-try-held-refused stands here twice");
    let cases = |cases: &str| format!("{}cases = [{cases}]\n", known("broken"));
    assert_refused(
        &cases("\"lock/tri\""),
        "7: there is no case `lock/tri`; did you mean `lock/try`?",
    );
    assert_refused(&cases("\"lock/waiter-killed\""), "2: none of the entry's cases shows lock-try");
    let both = cases("\"lock/try\", \"lock/waiter-killed\"");
    assert_refused(&both, "7: the case lock/waiter-killed shows nothing that the entry");
}

#[test]
fn entries_that_overlap_are_refused() {
    let two = |first: &str, second: &str| {
        format!("{}{first}\n{}{second}\n", known("broken"), known("hung"))
    };
    assert_refused(&two("", ""), "9: another entry says something about lock-try-held-refused");
    assert_refused(&two("forms = [\"lock\"]", ""), "9: another entry");
    assert_refused(&two("versions = \"<3.12\"", "versions = \">=3.11\""), "9: another entry");
    let suite = suite();
    for (first, second) in [
        ("forms = [\"lock\"]", "forms = [\"turn-lock\"]"),
        ("versions = \"<3.12\"", "versions = \">=3.12\""),
    ] {
        List::read("x", &two(first, second), &suite).unwrap();
    }
}

#[test]
fn an_entry_about_what_the_subject_does_not_have_is_refused() {
    let suite = suite();
    let refused = |text: &str| {
        let list = List::read("x", text, &suite).unwrap();
        list.of(&suite, &probe(&two_forms()).hello).unwrap_err().to_string()
    };
    let error = refused(&format!("{}forms = [\"turn-lok\"]\n", known("broken")));
    assert!(error.starts_with("expect/x.toml:7: honest-server has no form `turn-lok`"), "{error}");
    assert!(error.contains("did you mean `turn-lock`?"), "{error}");
    // The other form takes the other side.
    let text = known("broken")
        .replace("lock-try-held-refused", "lock-release-by-other-process-refused")
        .replace(", \"lock-try-free-taken\"", "");
    let error = refused(&format!("{text}forms = [\"turn-lock\"]\n"));
    let shown = "honest-server is never asked for lock-release-by-other-process-refused";
    assert!(error.starts_with(&format!("expect/x.toml:2: {shown}")), "{error}");
}

/// A list without a subject of its own; the mistake is shown with the line that it is in.
#[track_caller]
fn assert_refused(text: &str, says: &str) {
    match List::read("x", text, &suite()) {
        Err(Error::Data(error)) => {
            assert!(error.starts_with(&format!("expect/x.toml:{says}")), "{error}");
            let (number, _) = says.split_once(':').unwrap();
            let line = text.lines().nth(number.parse::<usize>().unwrap() - 1).unwrap();
            assert!(error.contains(&format!("\n    {line}\n    ")), "{error}");
            assert!(error.contains('^'), "{error}");
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// A suite of this test's own, whatever the files of cases say.
fn suite() -> Suite {
    let catalogue = Catalogue::embedded().unwrap();
    let cases = Case::read("lock", CASES, &catalogue).unwrap();
    Suite { catalogue, cases }
}

fn known(verdict: &str) -> String {
    format!(
        "[[deviation]]\nbehaviours = [\"lock-try-held-refused\",\n\"lock-try-free-taken\"]\n\
         verdict = \"{verdict}\"\nreason = \"It is so.\"\nevidence = \"It came so.\"\n"
    )
}

/// A subject with a second kind of lock, which it does not have after all.
fn two_forms() -> [String; 3] {
    let form = "\"turn-lock\":{\"of\":\"lock\",\"contracts\":{\"lock-release\":[\"by-anyone\"]}}";
    dressed("honest-server", &format!("1s/\"forms\":{{/&{form},/"), "")
}

fn standings(judgement: &Judgement) -> Vec<Standing> {
    judgement.lines.iter().map(|line| line.standing).collect()
}

fn judge(name: &str, expected: &str) -> Judgement {
    let words = [PROGRAM, "adapter", name].map(str::to_owned);
    judge_as(&words, expected, &["lock/try"])
}

fn judge_as(words: &[String], expected: &str, cases: &[&str]) -> Judgement {
    let suite = suite();
    let mut subject = probe(words);
    let name = subject.hello.name.clone();
    subject.expect(&suite, &[List::read(&name, expected, &suite).unwrap()]).unwrap();
    judge_subject(&suite, subject, cases)
}

fn judge_subject(suite: &Suite, subject: Subject, cases: &[&str]) -> Judgement {
    let cases = cases.iter().map(|case| (*case).to_owned()).collect();
    let selection = Selection { cases, ..Selection::default() };
    suite.judge(subject, &Plan { selection, ..Plan::default() }, &mut |_| {})
}

fn probe(words: &[String]) -> Subject {
    let command = AdapterCommand {
        program: words[0].clone().into(),
        args: words[1..].iter().map(Into::into).collect(),
        shown: words.join(" "),
    };
    Subject::probe(command, "").unwrap()
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
id = "lock/release-by-other-process"
shows = ["lock-release-by-other-process-refused"]
contract = "lock-release:by-holder"
script = '''
object lock: lock
processes a b
a: lock.acquire() -> ok
b: lock.release() -> not-owner
'''

[[case]]
id = "lock/release-by-other-thread"
shows = ["lock-release-by-other-thread-refused"]
contract = "lock-release:by-holder"
script = '''
object lock: lock
processes a
threads t u of a
t: lock.acquire() -> ok
u: lock.release() -> not-owner
'''

[[case]]
id = "lock/waiter-killed"
shows = ["lock-waiter-killed-harmless"]
script = '''
object lock: lock
actors a b
a: lock.acquire() -> ok
b: lock.acquire() -> blocked
kill b
a: lock.release() -> ok
'''
"#;
