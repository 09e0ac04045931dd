//! The verdicts as JUnit's XML, which most services that build and test can read.
//!
//! A suite is a group of one subject, a test is a case in one of its forms. What fails the run is a
//! failure (an error where the suite itself failed), and nothing else is: a deviation that is
//! known, that is not judged or that is not offered is skipped, with its reason; so is what no case
//! shows.

use std::fmt::Write as _;

use super::broken::block;
use super::changed;
use super::deviation::{self, Again};
use super::markup::{attribute, escaped};
use super::text::{Row, form_of};
use crate::judgement::{CaseOutcome, Change, Judgement, Line, Standing};
use crate::suite::Suite;
use crate::verdict::Verdict;

/// The file. `program` is what starts this program, for a shell.
pub fn junit(suite: &Suite, rows: &[Row], program: &str) -> String {
    let again = Again { suite, program };
    let suites: Vec<TestSuite> = rows.iter().flat_map(|row| of_row(&again, row)).collect();
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let counts = counts(suites.iter().flat_map(|suite| &suite.tests));
    let _ = writeln!(text, "<testsuites name=\"purlin-conformance\" {counts}>");
    suites.iter().for_each(|suite| suite.write(&mut text));
    text.push_str("</testsuites>\n");
    text
}

/// A group of one subject.
struct TestSuite {
    name: String,
    tests: Vec<Test>,
}

/// A case in one form, or a promise that no case shows.
struct Test {
    name: String,
    millis: u128,
    came: Came,
}

enum Came {
    Passed,
    Skipped(String),
    Failed { kind: &'static str, message: String, text: String },
    Error { message: String, text: String },
}

fn of_row(again: &Again<'_>, row: &Row) -> Vec<TestSuite> {
    let judgement = match row {
        Row::Judged(judgement) => judgement,
        Row::Absent { name, why } => {
            let came = Came::Skipped(format!("absent: {why}"));
            let tests = vec![Test { name: "everything".to_owned(), millis: 0, came }];
            return vec![TestSuite { name: name.clone(), tests }];
        }
    };
    let of_group = |group: &&str| {
        let tests = tests(again, judgement, group);
        let name = format!("{}.{group}", judgement.hello.name);
        (!tests.is_empty()).then_some(TestSuite { name, tests })
    };
    again.suite.catalogue.groups().iter().filter_map(of_group).collect()
}

fn tests(again: &Again<'_>, judgement: &Judgement, group: &str) -> Vec<Test> {
    let is_own = |case: &str| case.split('/').next() == Some(group);
    let asked = judgement.outcomes.iter().filter(|asked| is_own(&asked.case));
    let asked = asked.map(|asked| Test {
        name: form_of(&asked.case, &asked.form),
        millis: asked.outcome.took.as_millis(),
        came: came(again, judgement, asked),
    });
    let changed = judgement.changes.iter().filter(|change| is_own(&change.case));
    let changed = changed.map(|change| Test {
        name: format!("{} (again and again)", form_of(&change.case, &change.form)),
        millis: 0,
        came: of_change(again, judgement, change),
    });
    let untested = judgement.lines.iter().filter(|line| line.case.is_none() && line.group == group);
    let untested = untested.map(|line| Test {
        name: line.behaviour.clone(),
        millis: 0,
        came: Came::Skipped(format!("untested: {}", line.detail.as_deref().unwrap_or_default())),
    });
    asked.chain(changed).chain(untested).collect()
}

fn came(again: &Again<'_>, judgement: &Judgement, asked: &CaseOutcome) -> Came {
    let verdict = asked.outcome.verdict;
    let detail = asked.outcome.stop.as_ref().map_or_else(String::new, |stop| stop.detail());
    let message = format!("{}: {detail}", verdict.slug());
    if asked.standing != Standing::Unexpected {
        let skipped = match asked.standing {
            _ if verdict.is_good() => return Came::Passed,
            Standing::Known => format!("known: {}", reasons(judgement, asked).join(" ")),
            Standing::NotJudged => format!("not judged for this version: {message}"),
            _ => message,
        };
        return Came::Skipped(skipped);
    }
    let mut text =
        deviation::of_one(again, judgement, asked).map_or_else(String::new, |found| block(&found));
    if verdict == Verdict::Error {
        return Came::Error { message, text };
    }
    if !verdict.is_good() {
        return Came::Failed { kind: verdict.slug(), message, text };
    }
    for stale in deviation::stale_of(judgement, asked) {
        let _ = writeln!(text, "{stale}");
    }
    let message = "kept, though a list says that it is not".to_owned();
    Came::Failed { kind: "stale", message, text }
}

fn reasons<'a>(judgement: &'a Judgement, asked: &'a CaseOutcome) -> Vec<&'a str> {
    let is_known = |line: &&Line| line.standing == Standing::Known;
    let known = judgement.lines_of(asked).filter(is_known);
    let mut reasons: Vec<&str> = known.filter_map(|line| line.reason.as_deref()).collect();
    reasons.dedup();
    reasons
}

fn of_change(again: &Again<'_>, judgement: &Judgement, change: &Change) -> Came {
    let message = changed::verdicts(change);
    if change.is_known {
        return Came::Skipped(format!("known to depend on chance: {message}"));
    }
    let text = format!("again: {}\n", changed::command(again, judgement, change));
    Came::Failed { kind: "changed", message, text }
}

impl TestSuite {
    fn write(&self, text: &mut String) {
        let name = attribute(&self.name);
        let _ = writeln!(text, "  <testsuite name=\"{name}\" {}>", counts(self.tests.iter()));
        for test in &self.tests {
            test.write(text, &name);
        }
        text.push_str("  </testsuite>\n");
    }
}

impl Test {
    fn write(&self, text: &mut String, suite: &str) {
        let (name, time) = (attribute(&self.name), seconds(self.millis));
        let _ = write!(text, "    <testcase classname=\"{suite}\" name=\"{name}\" time=\"{time}\"");
        let _ = match &self.came {
            Came::Passed => {
                text.push_str("/>\n");
                return;
            }
            Came::Skipped(why) => {
                write!(text, ">\n      <skipped message=\"{}\"/>\n", attribute(why))
            }
            Came::Failed { kind, message, text: body } => write!(
                text,
                ">\n      <failure type=\"{kind}\" message=\"{}\">{}</failure>\n",
                attribute(message),
                escaped(body)
            ),
            Came::Error { message, text: body } => write!(
                text,
                ">\n      <error type=\"error\" message=\"{}\">{}</error>\n",
                attribute(message),
                escaped(body)
            ),
        };
        text.push_str("    </testcase>\n");
    }
}

/// The attributes that count, of a suite or of all.
fn counts<'a>(tests: impl Iterator<Item = &'a Test>) -> String {
    let (mut all, mut failed, mut wrong, mut skipped, mut millis) = (0, 0, 0, 0, 0);
    for test in tests {
        all += 1;
        millis += test.millis;
        match test.came {
            Came::Passed => {}
            Came::Skipped(_) => skipped += 1,
            Came::Failed { .. } => failed += 1,
            Came::Error { .. } => wrong += 1,
        }
    }
    let time = seconds(millis);
    format!(
        "tests=\"{all}\" failures=\"{failed}\" errors=\"{wrong}\" skipped=\"{skipped}\" \
         time=\"{time}\""
    )
}

fn seconds(millis: u128) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}
