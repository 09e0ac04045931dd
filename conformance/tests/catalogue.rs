//! The data that ships: whole, and true to itself.

use std::collections::BTreeSet;

use purlin_conformance::catalogue::{Catalogue, Check};
use purlin_conformance::error::Error;
use purlin_conformance::expect::List;
use purlin_conformance::suite::Suite;

#[test]
fn the_catalogue_is_whole() {
    let catalogue = Catalogue::embedded().unwrap();
    assert!(catalogue.behaviours.len() >= 1186, "{}", catalogue.behaviours.len());
    assert!(catalogue.error_kinds.len() >= 42, "{}", catalogue.error_kinds.len());
    assert_eq!(catalogue.groups().len(), 19);
    for behaviour in &catalogue.behaviours {
        for kind in &behaviour.errors {
            assert!(catalogue.error_kinds.contains(kind), "{}: {kind}", behaviour.id);
        }
        for text in [&behaviour.says, &behaviour.given, &behaviour.when, &behaviour.then] {
            assert!(!text.trim().is_empty(), "{}", behaviour.id);
        }
    }
}

#[test]
fn every_file_of_the_catalogue_is_read() {
    let mut files = files("catalogue");
    files.retain(|name| name != "errors" && name != "errata");
    let catalogue = Catalogue::embedded().unwrap();
    let groups: BTreeSet<String> = catalogue.groups().into_iter().map(Into::into).collect();
    assert_eq!(files, groups);
}

#[test]
fn the_errata_name_behaviours_that_exist() {
    let text = include_str!("../catalogue/errata.toml");
    let errata: toml::Table = toml::from_str(text).unwrap();
    let catalogue = Catalogue::embedded().unwrap();
    let entries = errata["erratum"].as_array().unwrap();
    assert!(!entries.is_empty());
    for id in entries.iter().flat_map(|entry| entry["behaviours"].as_array().unwrap()) {
        let id = id.as_str().unwrap();
        assert!(catalogue.behaviour(id).is_some(), "{id}");
    }
}

#[test]
fn every_promise_of_a_group_with_cases_is_shown_or_says_why_not() {
    let suite = Suite::embedded().unwrap();
    let has_cases = |group: &str| suite.cases.iter().any(|case| case.group == group);
    let promises = suite.catalogue.behaviours.iter();
    for promise in promises.filter(|promise| has_cases(&promise.group)) {
        let is_shown = suite.cases_of(&promise.id).next().is_some();
        // A group whose cases are begun says so itself.
        let is_awaited = suite.catalogue.untested_group(&promise.group).is_some();
        assert!(is_awaited || is_shown != promise.untested.is_some(), "{}", promise.id);
    }
}

/// Behaviours of calls that wait, whose cases have nothing that would come too early.
const NOTHING_IS_AWAITED: &[(&str, &str)] = &[
    ("event-set-and-clear-never-wait", "it is about calls that never wait"),
    ("pool-stopped-worker-does-not-starve", "its calls come back, one worker stopped or not"),
];

#[test]
fn each_wait_is_held_for_a_while_by_one_of_its_cases() {
    let suite = Suite::embedded().unwrap();
    let waits = suite.catalogue.behaviours.iter().filter(|wait| wait.check == Check::Blocks);
    for wait in waits.filter(|wait| wait.untested.is_none()) {
        let is_held = suite.cases_of(&wait.id).any(|case| is_held(&case.text));
        let is_excused = NOTHING_IS_AWAITED.iter().any(|(id, _)| *id == wait.id);
        assert!(is_held != is_excused, "{}: no case has `blocked for 300ms`", wait.id);
    }
    for (id, _) in NOTHING_IS_AWAITED {
        assert!(suite.catalogue.behaviour(id).is_some(), "{id}");
    }
}

/// Whether a script has a call that is still blocked after 300 ms or longer: one that naps and then
/// comes back is found.
fn is_held(script: &str) -> bool {
    const LONG_MILLIS: u64 = 300;
    let millis = |words: &str| {
        let word = words.split([' ', '\n', ';', '}']).next()?;
        match word.strip_suffix("ms") {
            Some(millis) => millis.parse().ok(),
            None => word.strip_suffix('s')?.parse::<u64>().ok().map(|seconds| seconds * 1000),
        }
    };
    script.split("-> blocked for ").skip(1).filter_map(millis).any(|millis| millis >= LONG_MILLIS)
}

#[test]
fn no_two_cases_have_one_name() {
    let suite = Suite::embedded().unwrap();
    let ids: BTreeSet<&String> = suite.cases.iter().map(|case| &case.id).collect();
    assert_eq!(ids.len(), suite.cases.len());
}

#[test]
fn the_expectations_fit_the_cases() {
    let suite = Suite::embedded().unwrap();
    // Reading holds each entry against the cases.
    let lists = List::embedded(&suite).unwrap();
    let list = List::find(&lists, "cpython-3.99-fork").unwrap();
    assert!(!list.deviations.is_empty());
}

#[test]
fn every_file_of_cases_and_of_expectations_is_read() {
    let suite = Suite::embedded().unwrap();
    let is_begun = |group: &&str| files("cases").contains(*group);
    let mut groups: BTreeSet<String> = suite.cases.iter().map(|case| case.group.clone()).collect();
    groups.extend(suite.catalogue.groups().into_iter().filter(is_begun).map(str::to_owned));
    assert_eq!(files("cases"), groups);
    let lists = List::embedded(&suite).unwrap();
    assert_eq!(files("expect"), lists.into_iter().map(|list| list.name).collect());
}

#[test]
fn a_group_has_cases_or_says_what_it_waits_for() {
    let suite = Suite::embedded().unwrap();
    for group in suite.catalogue.groups() {
        let has_cases = suite.cases.iter().any(|case| case.group == group);
        assert!(suite.catalogue.untested_group(group).is_some() || has_cases, "{group}");
    }
}

#[test]
fn a_group_without_cases_needs_a_reason() {
    let text = format!("untested = \"\"\n{ONE}");
    assert!(refused(&text).starts_with("catalogue/lock.toml:1: lock is untested without"));
    let text = format!("untested = \"It waits.\"\n{ONE}");
    let catalogue = Catalogue::read(&[("lock", &text)], ERRORS).unwrap();
    assert_eq!(catalogue.untested(&catalogue.behaviours[0]), Some("It waits."));
    let text = format!("{text}untested = \"Nobody can.\"\n");
    let catalogue = Catalogue::read(&[("lock", &text)], ERRORS).unwrap();
    assert_eq!(catalogue.untested(&catalogue.behaviours[0]), Some("Nobody can."));
}

#[test]
fn a_second_behaviour_of_the_same_name_is_refused() {
    let twice = format!("{ONE}{ONE}");
    let shown = "catalogue/lock.toml:14: lock-x stands in the catalogue twice
    id = \"lock-x\"
         ^^^^^^^^";
    assert_eq!(refused(&twice), shown);
}

#[test]
fn an_error_kind_that_nobody_knows_is_refused() {
    let text = format!("{ONE}errors = [\"late\"]\n");
    assert!(refused(&text).contains("lock-x names the error kind late"));
}

#[test]
fn an_unknown_level_check_or_field_is_refused() {
    assert!(refused(&ONE.replace("must", "shall")).contains("shall"));
    assert!(refused(&ONE.replace("\"step\"", "\"guess\"")).contains("guess"));
    assert!(refused(&format!("{ONE}colour = \"red\"\n")).contains("colour"));
}

#[test]
fn a_contract_that_nobody_knows_is_refused() {
    let text = format!("{ONE}contract = \"lock-release:by-nobody\"\n");
    assert!(refused(&text).contains("lock-release:by-nobody"));
}

#[test]
fn untested_needs_a_reason() {
    let text = format!("{ONE}untested = \" \"\n");
    assert!(refused(&text).contains("without a reason"));
    let text = format!("{ONE}untested = \"needs a second machine\"\n");
    let catalogue = Catalogue::read(&[("lock", &text)], ERRORS).unwrap();
    assert_eq!(catalogue.behaviours[0].untested.as_deref(), Some("needs a second machine"));
}

#[test]
fn a_name_that_belongs_to_another_group_is_refused() {
    assert!(refused(&ONE.replace("lock-x", "rlock-x")).contains("name of its group"));
}

/// The names of the files of data in a folder of the crate.
fn files(folder: &str) -> BTreeSet<String> {
    let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().ok()?;
        // A group of many cases has a folder.
        if entry.path().is_dir() { Some(name) } else { name.strip_suffix(".toml").map(Into::into) }
    };
    entries.filter_map(name).collect()
}

fn refused(text: &str) -> String {
    match Catalogue::read(&[("lock", text)], ERRORS) {
        Err(Error::Data(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

const ERRORS: &str = "[[error]]\nkind = \"timed-out\"\nsays = \"x\"\n";

const ONE: &str = r#"
[[behaviour]]
id = "lock-x"
says = "x"
level = "must"
origin = "purlin"
source = "x"
given = "x"
when = "x"
then = "x"
check = "step"
"#;
