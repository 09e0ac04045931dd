//! Who checks the suite: every case is brought down by a subject that is wrong in one way, each
//! such subject by exactly the cases that are named in `table/`, and odd subjects that are right by
//! none.
//!
//! All of that is more than fits into a run of all tests. So every second fault is asked one of
//! the cases that are to notice it, or a twelfth where nearly all are, and an honest subject one
//! case in eight, each another one; one honest subject all of locks. With `PURLIN_FAULTS=all` in
//! the environment each fault is asked all the cases that are to notice it and a twelfth of the
//! others of their groups, each fault another twelfth; with the name of a group, such as
//! `PURLIN_FAULTS=barrier`, all of that group's table, and nothing else.
//!
//! Where a case has more than one line that a fault could fail at, `lines.rs` may name the one.
//! A subject whose calls nap and come back must fail where a call was looked at for longer.
//!
//! The long cases are asked only where they are to notice, and of one honest subject: what they
//! find depends on many rounds, and a round on chance.

mod lines;
#[expect(dead_code, reason = "it uses a part of it")]
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use lines::LINES;
use purlin_conformance::suite::Suite;
use support::{run, run_json};
use table::{HONEST, Noticed, TABLES, Table};

/// A fault is asked one in so many of the cases that are not to notice it.
const SAMPLE: usize = 12;

/// One in so many faults is asked, where not all are.
const FAULT_SAMPLE: usize = 2;

/// An honest subject is asked one in so many of the cases.
const HONEST_SAMPLE: usize = 8;

/// Most of these subjects are models of locks and the like, and have no pipes.
const BY_PIPE: &str = "lock/sent-in-a-message";

/// One of them is asked all cases of this kind each time, the long ones too.
const ALL_OF_LOCKS: &str = "honest-server";
const LOCKS: &str = "lock/";

/// What `PURLIN_FAULTS` says.
enum Choice {
    Sample,
    All,
    Group(String),
}

impl Choice {
    fn read() -> Self {
        match std::env::var("PURLIN_FAULTS") {
            Err(_) => Self::Sample,
            Ok(word) if word == "all" => Self::All,
            Ok(group) => {
                let is_known = TABLES.iter().any(|table| table.groups.contains(&&*group));
                assert!(is_known, "PURLIN_FAULTS is {group}, and no table is about that");
                Self::Group(group)
            }
        }
    }

    /// Whether all is asked of what is asked.
    const fn is_whole(&self) -> bool {
        !matches!(self, Self::Sample)
    }

    fn has_table(&self, table: &Table) -> bool {
        match self {
            Self::Group(group) => table.groups.contains(&&**group),
            _ => true,
        }
    }

    fn has_case(&self, id: &str) -> bool {
        TABLES.iter().any(|table| table.is_about(id) && self.has_table(table))
    }
}

/// Goes on for ever, so only the end of the suite's patience finds it.
const ENDLESS: &str = "fault-limit-restarts";

/// These use up the processor, or are found by other cases only where the machine is slow or fast,
/// so they are asked nothing else.
const ALONE: &[&str] =
    &[ENDLESS, "fault-wait-burns", "fault-naps-then-takes", "fault-gives-up-early"];

#[test]
fn each_fault_is_noticed_by_the_cases_that_it_names() {
    let cases = Cases::read();
    let chosen = faults().filter(|(table, ..)| cases.choice.has_table(table));
    let names: BTreeSet<&str> = chosen.map(|(_, fault, _)| fault).collect();
    let is_asked = |place: usize| cases.choice.is_whole() || place.is_multiple_of(FAULT_SAMPLE);
    let rows: Vec<_> = names.iter().enumerate().filter(|(place, _)| is_asked(*place)).collect();
    let wrong = in_parallel(&rows, |(place, fault)| {
        let (asked, named) = cases.of(fault, *place);
        if asked.is_empty() {
            return None; // only long cases notice it, which are not asked here
        }
        let found = found_by(fault, &asked);
        let surprising = found.symmetric_difference(&named);
        let surprising: Vec<&String> = surprising.collect();
        (!surprising.is_empty()).then(|| format!("{fault}: {surprising:?}, found {found:?}"))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn odd_but_honest_subjects_pass() {
    let cases = Cases::read();
    let rows: Vec<_> = HONEST.iter().enumerate().collect();
    let wrong = in_parallel(&rows, |(place, (name, known))| {
        let is_asked = |case: usize, id: &str| {
            let is_whole =
                cases.choice.is_whole() || *name == ALL_OF_LOCKS && id.starts_with(LOCKS);
            is_whole || (case + place).is_multiple_of(HONEST_SAMPLE)
        };
        let short = cases.short.iter().enumerate().filter(|(case, id)| is_asked(*case, id));
        let mut asked: BTreeSet<String> = short.map(|(_, id)| id.clone()).collect();
        if *name == "honest-spinner" {
            // It says so itself: who waits uses a processor. How much it gets, others decide.
            asked.remove("lock/waiting-costs-nothing");
        }
        if *name == ALL_OF_LOCKS {
            let long = long().filter(|id| cases.choice.is_whole() || id.starts_with(LOCKS));
            asked.extend(long.map(str::to_owned));
        }
        asked.retain(|id| cases.choice.has_case(id));
        asked.retain(|id| !TABLES.iter().any(|table| table.is_bent() && table.is_about(id)));
        if asked.is_empty() {
            return None;
        }
        let found = found_by(name, &asked);
        let known: BTreeSet<String> = known.iter().map(|case| (*case).to_owned()).collect();
        (found != known).then(|| format!("{name}: {found:?}"))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_case_and_every_behaviour_is_brought_down_by_a_fault_of_its_own_kind() {
    let suite = Suite::embedded().unwrap();
    let is_brought_down = |case: &str| {
        faults().any(|(_, _, noticed)| match noticed {
            Noticed::These(cases) => cases.contains(&case),
            // Noticed by nearly everybody, so it does not count.
            Noticed::AllBut(_) => false,
        })
    };
    for case in &suite.cases {
        assert!(is_brought_down(&case.id), "no fault brings down {}", case.id);
        for behaviour in &case.shows {
            let mut shown = suite.cases_of(behaviour);
            assert!(shown.any(|case| is_brought_down(&case.id)), "no fault breaks {behaviour}");
        }
    }
}

#[test]
fn the_table_names_every_subject_and_cases_that_there_are() {
    let listed = run(&["adapter"]).stderr;
    let names: BTreeSet<&str> = listed
        .split([' ', ',', '\n'])
        .filter(|word| ["fault-", "false-", "honest-"].iter().any(|class| word.starts_with(class)))
        .collect();
    let table = faults().map(|(_, name, _)| name).chain(HONEST.iter().map(|(name, _)| *name));
    assert_eq!(names, table.collect());
    let suite = Suite::embedded().unwrap();
    let lists = faults().map(|(table, _, noticed)| match noticed {
        Noticed::These(cases) | Noticed::AllBut(cases) => (table, cases),
    });
    for (table, case) in
        lists.flat_map(|(table, cases)| cases.iter().map(move |case| (table, *case)))
    {
        assert!(suite.cases.iter().any(|known| known.id == case), "there is no case {case}");
        assert!(table.is_about(case), "{case} stands in the table of other groups");
    }
    for case in long() {
        assert!(suite.cases.iter().any(|known| known.id == case), "there is no case {case}");
    }
    for (fault, case, line) in LINES {
        let is_row = |(_, name, noticed): (_, &str, Noticed)| {
            name == *fault && matches!(noticed, Noticed::These(cases) if cases.contains(case))
        };
        assert!(faults().any(is_row), "{fault} stands in no table with {case}");
        let known = suite.cases.iter().find(|known| known.id == *case);
        let has_line = known.is_some_and(|known| known.text.lines().any(|own| own.trim() == *line));
        assert!(has_line, "{case} has no line {line}");
    }
}

/// Each row of each table.
fn faults() -> impl Iterator<Item = (&'static Table, &'static str, Noticed)> {
    let rows = |table: &'static Table| {
        table.faults.iter().copied().flatten().map(move |row| (table, row.0, row.1))
    };
    TABLES.iter().flat_map(rows)
}

fn long() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.long).copied()
}

/// The ids of the cases.
struct Cases {
    choice: Choice,
    short: BTreeSet<String>,
}

impl Cases {
    fn read() -> Self {
        let ids = Suite::embedded().unwrap().cases.into_iter().map(|case| case.id);
        Self {
            choice: Choice::read(),
            short: ids.filter(|id| long().all(|long| long != id)).collect(),
        }
    }

    /// What a fault is asked, and what of it is to notice.
    fn of(&self, fault: &str, place: usize) -> (BTreeSet<String>, BTreeSet<String>) {
        let owned = |cases: &[&str]| cases.iter().map(|case| (*case).to_owned()).collect();
        let (mut asked, mut named) = (BTreeSet::new(), BTreeSet::new());
        let rows =
            faults().filter(|(table, name, _)| *name == fault && self.choice.has_table(table));
        for (table, _, noticed) in rows {
            let short = self.short.iter().filter(|case| table.is_about(case)).cloned();
            match noticed {
                Noticed::These(cases) if !self.choice.is_whole() => {
                    let short = cases.iter().filter(|case| self.short.contains(**case));
                    let short: Vec<&&str> = short.collect();
                    let one = short.get(place % short.len().max(1));
                    named.extend(one.map(|case| (**case).to_owned()));
                }
                Noticed::These(cases) => {
                    // A changed reply takes longer on its way, and can come after its actor's end.
                    let is_alone = !table.is_sampled()
                        || ALONE.contains(&fault)
                        || fault.starts_with("false-");
                    let is_sampled =
                        |case: usize| !is_alone && (case + place).is_multiple_of(SAMPLE);
                    let sample = short.enumerate().filter(|(case, _)| is_sampled(*case));
                    asked.extend(sample.map(|(_, case)| case));
                    named.extend::<BTreeSet<String>>(owned(cases));
                }
                Noticed::AllBut(cases) => {
                    let kept: BTreeSet<String> = owned(cases);
                    let is_asked = |case: usize| {
                        self.choice.is_whole() || (case + place).is_multiple_of(SAMPLE)
                    };
                    let short = short.enumerate().filter(|(case, _)| is_asked(*case));
                    let short: BTreeSet<String> = short.map(|(_, case)| case).collect();
                    asked.extend(short.iter().cloned());
                    named.extend(short.into_iter().filter(|case| !kept.contains(case)));
                }
            }
        }
        asked.extend(named.iter().cloned());
        (asked, named)
    }
}

/// The cases that find something; nothing else but keeping may come of the others.
fn found_by(subject: &str, cases: &BTreeSet<String>) -> BTreeSet<String> {
    let mut words = vec!["run", "--subject", subject];
    words.extend(cases.iter().flat_map(|case| ["--case", case]));
    let patience: &[(&str, &str)] =
        if subject == ENDLESS { &[("PURLIN_PATIENCE", "0.05")] } else { &[] };
    let (ran, lines) = run_json(&words, patience);
    let mut found = BTreeSet::new();
    let shown = lines.iter().filter(|line| line["case"].is_string());
    for line in shown.clone() {
        match line["verdict"].as_str().unwrap() {
            "broken" | "hung" => {
                let case = line["case"].as_str().unwrap();
                let (came_at, is_right) = (line_of(line), is_about(subject, case));
                assert!(is_right(&came_at), "{subject} comes at another line of {case}: {came_at}");
                found.insert(case.to_owned());
            }
            "unsupported" if subject == "honest-core" || line["case"] == BY_PIPE => {}
            "prevented" => {}
            // It never sleeps, so nothing but silence shows its waits.
            "untested" if subject == "honest-spinner" => {}
            verdict => assert_eq!(verdict, "kept", "{subject}: {line}"),
        }
    }
    assert!(shown.count() > 0, "{subject} was not asked: {}", ran.stderr);
    found
}

/// What the line of a case must be at which a fault brings it down: the one that is named, a long
/// look at a call that waits where the fault is a nap, or any.
fn is_about(fault: &str, case: &str) -> impl Fn(&str) -> bool {
    let named = LINES.iter().find(|(of, at, _)| (*of, *at) == (fault, case)).map(|row| row.2);
    let is_nap = fault.ends_with("-naps");
    move |line| match named {
        Some(named) => line == named,
        None => !is_nap || line.contains("-> blocked"),
    }
}

/// The line of its script that a case has come to, as the report says.
fn line_of(outcome: &serde_json::Value) -> String {
    static TEXTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let cases = Suite::embedded().unwrap().cases.into_iter();
        cases.map(|case| (case.id, case.text)).collect()
    });
    let detail = outcome["detail"].as_str().unwrap_or_default();
    let number =
        detail.strip_prefix("line ").and_then(|rest| rest.split([':', ',']).next()?.parse().ok());
    let text = &TEXTS[outcome["case"].as_str().unwrap()];
    let line = number.and_then(|number: usize| text.lines().nth(number.checked_sub(1)?));
    line.unwrap_or_default().trim().to_owned()
}

/// Most of a run is waiting, so a few go on side by side.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    const WORKERS_COUNT: usize = 6;
    static ONE_TABLE: Mutex<()> = Mutex::new(());
    let _alone = ONE_TABLE.lock().unwrap_or_else(PoisonError::into_inner);
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
