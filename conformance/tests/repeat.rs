//! The same run again and again: what changes is told, and fails it.

use std::fs;

use crate::support::{PROGRAM, Scratch, run_json};
use purlin_conformance::AdapterCommand;
use purlin_conformance::expect::List;
use purlin_conformance::suite::{Judgement, Plan, Selection, Standing, Subject, Suite};
use purlin_conformance::verdict::Verdict;

const CASE: &str = "lock/release-by-other-process";

#[test]
fn what_is_always_the_same_passes_with_all_its_seeds() {
    let words = ["run", "--subject", "purlin-fork", "--case", CASE, "--repeat", "3", "--seed", "7"];
    let (ran, lines) = run_json(&words, &[]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(", seeds 7 to 9\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("does not answer the same"), "{}", ran.stdout);
    let total = lines.last().unwrap();
    assert_eq!((&total["runs"], &total["changed"]), (&3.into(), &0.into()));
}

#[test]
fn a_verdict_that_changes_fails_the_run_and_is_told_with_its_seeds() {
    let flaky = Flaky::new();
    let script = flaky.script();
    let words = ["run", "--case", CASE, "--repeat", "3", "--", "sh", "-c", &script];
    let (ran, lines) = run_json(&words, &[]);
    assert_eq!(ran.status, Some(1), "{}{}", ran.stdout, ran.stderr);
    let told: Vec<_> = ran.stderr.lines().filter(|line| line.contains(", run ")).collect();
    let ends = [
        ", run 1 of 3, seed 1: nothing unexpected",
        ", run 2 of 3, seed 2: 1 behaviour unexpected",
        ", run 3 of 3, seed 3: nothing unexpected",
    ];
    assert!(
        told.len() == 3 && told.iter().zip(ends).all(|(line, end)| line.ends_with(end)),
        "{told:?}"
    );
    let of_kind = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    let runs: Vec<_> = of_kind("changed").iter().flat_map(|line| verdicts(line)).collect();
    let expected = [(1, "kept"), (2, "broken"), (3, "kept")];
    assert_eq!(runs, expected.map(|(seed, verdict)| (seed, verdict.to_owned())));
    assert!(ran.stdout.contains(": kept (seeds 1, 3), broken (seed 2)\n"), "{}", ran.stdout);
    let shown = of_kind("verdict").into_iter().find(|line| line["case"] == CASE).unwrap();
    assert_eq!((&shown["verdict"], &shown["seed"]), (&"broken".into(), &2.into()));
    assert!(ran.stdout.contains("--seed 2 -- "), "the run that failed: {}", ran.stdout);
}

#[test]
fn what_is_known_to_depend_on_chance_may_change() {
    let known = judged("broken", "by_chance = true");
    assert_eq!(known.changes.len(), 1);
    assert!(known.changes[0].is_known && !known.fails(), "{:?}", known.changes);
    assert_eq!(known.outcomes[0].standing, Standing::Known);
    let always = judged("broken", "");
    assert!(!always.changes[0].is_known && always.fails(), "{:?}", always.changes);
    assert_eq!(always.outcomes[0].outcome.verdict, Verdict::Broken);
}

/// Three runs of a subject that is right, wrong and right again, with an entry about it.
fn judged(verdict: &str, more: &str) -> Judgement {
    let flaky = Flaky::new();
    let suite = Suite::embedded().unwrap();
    let command = AdapterCommand {
        program: "sh".into(),
        args: vec!["-c".into(), flaky.script().into()],
        shown: "flaky".to_owned(),
    };
    let mut subject = Subject::probe(command, "-- flaky").unwrap();
    let name = subject.hello.name.clone();
    let entry = format!(
        "[[deviation]]\nbehaviours = [\"lock-release-by-other-process-refused\"]\n\
         cases = [\"{CASE}\"]\nverdict = \"{verdict}\"\nreason = \"It is so.\"\n\
         evidence = \"It came.\"\n{more}\n"
    );
    subject.expect(&suite, &[List::read(&name, &entry, &suite).unwrap()]).unwrap();
    let selection = Selection {
        cases: vec![CASE.to_owned()],
        behaviours: vec!["lock-release-by-other-process-refused".to_owned()],
        ..Selection::default()
    };
    let plan = Plan { selection, ..Plan::default() };
    suite.judge_repeatedly(&subject, &plan, 3, &mut |_, _| {}, &mut |_, _| {})
}

fn verdicts(line: &serde_json::Value) -> Vec<(u64, String)> {
    let runs = line["runs"].as_array().unwrap().iter();
    let run = |run: &serde_json::Value| {
        (run["seed"].as_u64().unwrap(), run["verdict"].as_str().unwrap().to_owned())
    };
    runs.map(run).collect()
}

/// A subject that is wrong the third time it is started: the first is to hear who it is.
struct Flaky {
    count: Scratch,
}

impl Flaky {
    fn new() -> Self {
        let count = Scratch::new();
        fs::write(&count.path, "0").unwrap();
        Self { count }
    }

    fn script(&self) -> String {
        let path = self.count.path.display();
        format!(
            "read n < '{path}'; echo $((n + 1)) > '{path}'; case $n in 2) \
             exec '{PROGRAM}' adapter fault-release-by-anyone;; *) \
             exec '{PROGRAM}' adapter honest-server;; esac"
        )
    }
}
