//! Who checks the suite: every case is brought down by a lock that is wrong in one way, each such
//! lock by exactly the cases that are named here, and odd locks that are right by none.

mod support;

use std::collections::BTreeSet;
use std::sync::Mutex;

use purlin_conformance::suite::Suite;
use support::{run, run_json};

/// A fault and the cases that notice it.
const TABLE: &[(&str, &[&str])] = &[
    (
        "fault-born-suspect",
        &[
            "lock/new-is-free",
            "lock/held-waits",
            "lock/try",
            "lock/timeouts",
            "lock/release-refused",
            "lock/release-by-other-process",
            "lock/release-admits-one",
            "lock/holder-killed-waiters",
            "lock/holder-killed-next-told",
            "lock/waiter-killed",
        ],
    ),
    ("fault-one-for-all", &["lock/new-is-free", "lock/release-refused"]),
    (
        "fault-never-blocks",
        &[
            "lock/held-waits",
            "lock/timeouts",
            "lock/release-admits-one",
            "lock/holder-killed-waiters",
            "lock/waiter-killed",
        ],
    ),
    ("fault-lost-wake", &["lock/held-waits", "lock/release-admits-one"]),
    (
        "fault-try-takes-nothing",
        &["lock/new-is-free", "lock/try", "lock/timeouts", "lock/release-refused"],
    ),
    (
        "fault-try-always-taken",
        &[
            "lock/new-is-free",
            "lock/try",
            "lock/timeouts",
            "lock/release-refused",
            "lock/release-by-other-process",
            "lock/holder-killed-next-told",
        ],
    ),
    ("fault-gives-up-early", &["lock/timeouts"]),
    ("fault-timeout-leaves-ticket", &["lock/timeouts"]),
    ("fault-zero-never-takes", &["lock/timeouts"]),
    ("fault-release-never-refused", &["lock/release-refused"]),
    ("fault-release-by-anyone", &["lock/release-by-other-process"]),
    ("fault-wake-admits-all", &["lock/release-admits-one"]),
    ("fault-ignores-deaths", &["lock/holder-killed-waiters", "lock/holder-killed-next-told"]),
    ("fault-death-wakes-nobody", &["lock/holder-killed-waiters"]),
    ("fault-death-admits-all", &["lock/holder-killed-waiters"]),
    ("fault-death-untold", &["lock/holder-killed-waiters", "lock/holder-killed-next-told"]),
    ("fault-told-but-not-held", &["lock/holder-killed-next-told"]),
    ("fault-forgets-the-warning", &["lock/holder-killed-next-told"]),
    ("fault-warning-stays", &["lock/holder-killed-next-told"]),
    ("fault-waiter-death-poisons", &["lock/waiter-killed"]),
    ("fault-waiter-death-keeps-ticket", &["lock/waiter-killed"]),
];

const HONEST: &[&str] = &["honest-server", "honest-spinner", "honest-poller"];

#[test]
fn each_fault_is_noticed_by_the_cases_that_it_names() {
    let wrong = in_parallel(TABLE, |(fault, cases)| {
        let noticed = noticed_by(fault, &["broken", "hung"]);
        let named: BTreeSet<String> = cases.iter().map(|case| (*case).to_owned()).collect();
        (noticed != named).then(|| format!("{fault}: {noticed:?}"))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn odd_but_honest_subjects_pass() {
    let wrong = in_parallel(HONEST, |name| {
        let all = ["broken", "hung", "died", "unsupported", "error"];
        let noticed = noticed_by(name, &all);
        (!noticed.is_empty()).then(|| format!("{name}: {noticed:?}"))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_case_is_brought_down_by_a_fault_of_its_own_kind() {
    let suite = Suite::embedded().unwrap();
    for case in &suite.cases {
        // The first fault is noticed by everybody, so it does not count.
        let notices = |cases: &[&str]| cases.contains(&case.id.as_str());
        assert!(TABLE[1..].iter().any(|(_, cases)| notices(cases)), "{}", case.id);
    }
}

#[test]
fn the_table_names_every_faulty_subject() {
    let listed = run(&["adapter"]).stderr;
    let names: BTreeSet<&str> = listed
        .split([' ', ',', '\n'])
        .filter(|word| word.starts_with("fault-") || word.starts_with("honest-"))
        .collect();
    let table = TABLE.iter().map(|(name, _)| *name).chain(HONEST.iter().copied());
    assert_eq!(names, table.collect());
}

/// The cases with one of these verdicts; the others must be kept.
fn noticed_by(subject: &str, verdicts: &[&str]) -> BTreeSet<String> {
    let (ran, lines) = run_json(&["run", "--subject", subject], &[]);
    let mut noticed = BTreeSet::new();
    let shown = lines.iter().filter(|line| line["case"].is_string());
    for line in shown.clone() {
        let verdict = line["verdict"].as_str().unwrap();
        if verdicts.contains(&verdict) {
            noticed.insert(line["case"].as_str().unwrap().to_owned());
        } else {
            assert_eq!(verdict, "kept", "{line}");
        }
    }
    assert!(shown.count() > 0, "{subject} was not asked: {}", ran.stderr);
    assert_eq!(ran.status, Some(i32::from(!noticed.is_empty())), "{}", ran.stdout);
    noticed
}

/// Most of a run is waiting, so a few go on side by side.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    const WORKERS_COUNT: usize = 4;
    let next = Mutex::new(items.iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS_COUNT {
            scope.spawn(|| {
                loop {
                    let item = next.lock().unwrap().next();
                    let Some(item) = item else { break };
                    let result = work(item);
                    found.lock().unwrap().extend(result);
                }
            });
        }
    });
    found.into_inner().unwrap()
}
