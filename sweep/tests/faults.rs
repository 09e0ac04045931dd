//! The planted faults still fit today's sources. `cargo xtask sweep --faults` tries them out.

use std::path::Path;

use purlin_sweep::faults::{edits, read};
use purlin_sweep::scenarios;
use purlin_sweep::verdict::Kind;

#[test]
fn every_fault_stands_exactly_once_where_it_is_planted() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let faults = read(&workspace).unwrap();
    assert!(faults.len() >= 14);
    for fault in &faults {
        let mut texts = std::collections::HashMap::new();
        for edit in edits(fault, &faults).unwrap() {
            let read = || std::fs::read_to_string(workspace.join(&edit.file)).unwrap();
            let text: &mut String = texts.entry(edit.file.clone()).or_insert_with(read);
            *text = edit.plant(text).unwrap_or_else(|error| panic!("{}: {error}", fault.name));
        }
    }
}

#[test]
fn every_fault_names_scenarios_and_kinds_that_exist() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for fault in read(&workspace).unwrap() {
        assert!(!fault.runs.is_empty(), "{}", fault.name);
        for run in &fault.runs {
            assert!(scenarios::named(&run.scenario).is_some(), "{}: {}", fault.name, run.scenario);
            let is_kind = |name: &String| Kind::named(name).is_some_and(Kind::is_the_librarys);
            assert!(run.noticed_as.iter().all(is_kind), "{}: {:?}", fault.name, run.noticed_as);
        }
    }
}
