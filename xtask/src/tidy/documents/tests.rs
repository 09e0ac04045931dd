//! The documents' rules on this workspace, and on planted faults.

use super::*;
use crate::tidy::{found_in, holds_here};

#[test]
fn front_pages_say_what_is_not_done() {
    holds_here(front_pages);
}

#[test]
fn planted_front_pages_are_found() {
    let found = |text: &str| found_in(front_pages, &[("shm/src/lib.rs", text)]).len();
    assert_eq!(found("//! Segments."), 1);
    assert_eq!(found(&format!("{HEADING}\n//! * a\n//! * b\n//! # Other\n//! * c")), 1);
    assert_eq!(found(&format!("{HEADING}\n//! * a\n//!   more of a\n//! * b\n//! * c")), 0);
}

#[test]
fn hazards_have_guards() {
    holds_here(hazards_without_guard);
}

#[test]
fn planted_hazards_are_found() {
    let table = |guard: &str| {
        format!("## Hazards\n\n| hazard | guard |\n|---|---|\n| it hangs | {guard} |\n\n## Rest\n")
    };
    let test = "#[test]\n#[cfg(unix)]\n// why\nfn wakes() {}\nfn no_test() {}\n\
        for_each! {\n    of_each\n}\nfn of_each<R>() {}\nfn of_none<R>() {}\n\
        pub(crate) const TESTS: &[Test] = &[\n    (\"of_table\", f),\n];\n    (\"of_none\", f),";
    let found = |guard: &str| {
        let sources = [("ARCHITECTURE.md", &*table(guard)), ("sync/tests/death.rs", test)];
        found_in(hazards_without_guard, &sources)
    };
    let other = ["`sync/death::of_none`", "`shm/death::wakes`", "", "?"];
    for guard in ["`sync/death::sleeps`", "`sync/death::no_test`"].into_iter().chain(other) {
        assert_eq!(found(guard), ["ARCHITECTURE.md:5"], "{guard}");
    }
    for guard in [
        "`sync/death::wakes`",
        "`death::wakes`",
        "`death::of_each`",
        "`death::of_table`",
        "unguarded",
    ] {
        assert!(found(guard).is_empty(), "{guard}");
    }
    assert_eq!(found_in(hazards_without_guard, &[]).len(), 1);
    assert_eq!(found_in(hazards_without_guard, &[("ARCHITECTURE.md", "## Rest")]).len(), 1);
}

#[test]
fn error_kinds_are_in_the_catalogue() {
    holds_here(unknown_error_kinds);
}

#[test]
fn planted_error_kinds_are_found() {
    let catalogue = ("conformance/catalogue/errors.toml", "kind = \"timed-out\"\n");
    let text = "    fn kind(&self) {\n A => \"timed-out\",\n B => \"late\",\n    }\nx(\"other\")";
    let found = found_in(unknown_error_kinds, &[catalogue, ("sync/src/error.rs", text)]);
    let missing = ["shm", "process", "channel", "pool", "manager"]
        .map(|folder| format!("{folder}/src/error.rs:0"));
    assert_eq!(found, [&["sync/src/error.rs:3".to_owned()], &missing[..]].concat());
}

#[test]
fn promises_that_are_shown_exist() {
    holds_here(unknown_promises);
}

#[test]
fn planted_promises_are_found() {
    let catalogue = ("conformance/catalogue/lock.toml", "id = \"lock-a\"\n\nid = \"lock-b\"\n");
    let text = "    // shows: lock-a, lock-b\n    // shows: lock-a, lock-c\n";
    let found = found_in(unknown_promises, &[catalogue, ("sync/tests/new.rs", text)]);
    assert_eq!(found, ["sync/tests/new.rs:2"]);
}

#[test]
fn the_readmes_commands_are_what_ci_runs() {
    holds_here(commands);
}

#[test]
fn planted_commands_are_found() {
    let found = |text: &str| found_in(commands, &[("README.md", text)]);
    let known = "cargo test --workspace    # every test\n";
    let text = format!("Text.\n\n```sh\n{known}cargo test --all\n```\n");
    assert_eq!(found(&text), ["README.md:5"]);
    assert_eq!(found(known), ["README.md:0"]);
    assert_eq!(found_in(commands, &[]), ["README.md:0"]);
}

#[test]
fn ci_runs_this_program() {
    holds_here(ci_script);
    assert_eq!(found_in(ci_script, &[]).len(), 1);
    assert_eq!(found_in(ci_script, &[(".ci/run", "cargo test\n")]).len(), 1);
}
