//! Documents that must agree with the code: front pages, hazards, error kinds, promises, commands.

use std::collections::HashSet;

use crate::ci;
use crate::code::Code;
use crate::tidy::Finding;
use crate::tree::{Source, Tree};

/// The heading that every front page has, and how many things it names at least.
const HEADING: &str = "//! # What this crate does not do";
const ABSENCES_MIN: usize = 3;

pub(super) fn front_pages(tree: &Tree) -> Vec<Finding> {
    let is_front_page = |source: &&Source| source.path == format!("{}/src/lib.rs", source.folder());
    let mut findings = Vec::new();
    for source in tree.rust().filter(is_front_page) {
        let after = source.text.lines().skip_while(|line| !line.starts_with(HEADING)).skip(1);
        let section =
            after.take_while(|line| line.starts_with("//!") && !line.starts_with("//! #"));
        if section.filter(|line| line.starts_with("//! * ")).count() < ABSENCES_MIN {
            let says = format!(
                "the front page names fewer than {ABSENCES_MIN} things under `{HEADING}`; say \
                 what a reader may expect in vain, and where to look instead"
            );
            findings.push(Finding::new(&source.path, 1, says));
        }
    }
    findings
}

/// A row of the hazards table: its line, and its last cell.
pub(crate) fn hazards(architecture: &str) -> Vec<(usize, String)> {
    let lines = architecture.lines().enumerate();
    let section = lines.skip_while(|(_, line)| !line.starts_with("## Hazards")).skip(1);
    let rows = section
        .take_while(|(_, line)| !line.starts_with("## "))
        .filter(|(_, line)| line.starts_with('|'))
        .skip(2); // the head and the rule under it
    rows.map(|(index, row)| {
        let last = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        (index + 1, last.trim().trim_matches('`').to_owned())
    })
    .collect()
}

/// The word in a hazard's last cell that says that nothing would notice.
pub(crate) const UNGUARDED: &str = "unguarded";

pub(super) fn hazards_without_guard(tree: &Tree) -> Vec<Finding> {
    const PATH: &str = "ARCHITECTURE.md";
    let rows = tree.find(PATH).map(|source| hazards(&source.text)).unwrap_or_default();
    if rows.is_empty() {
        return vec![Finding::new(PATH, 0, "no table under `## Hazards`; write it")];
    }
    let is_bad = |(_, guard): &(usize, String)| guard != UNGUARDED && !is_test(tree, guard);
    let finding = |(line, guard)| {
        let says = format!(
            "no test `{guard}`; name one as `crate/file::test`, or write the word {UNGUARDED}"
        );
        Finding::new(PATH, line, says)
    };
    rows.into_iter().filter(is_bad).map(finding).collect()
}

/// How such a table begins; `main` runs all that is in it.
const TABLES: [&str; 2] =
    ["pub(crate) const TESTS: &[Test] = &[", "const TESTS: &[(&str, fn())] = &["];

/// Whether `crate/file::test`, or `file::test` for whichever crate, is a test function.
fn is_test(tree: &Tree, guard: &str) -> bool {
    let Some((place, name)) = guard.rsplit_once("::") else { return false };
    let (folder, file) = place.split_once('/').unwrap_or(("", place));
    let tail = format!("/{}.rs", file.replace("::", "/"));
    tree.rust()
        .filter(|source| folder.is_empty() || source.folder() == folder)
        .filter(|source| source.path.ends_with(&tail))
        .any(|source| has_test(&source.text, name))
}

/// Whether `text` has a function `name` under a `#[test]`, or a generic one that a macro makes
/// tests of: its name stands alone in a line, in the macro's list; or a row of this name in a table
/// of tests, for a program with a `main` of its own.
fn has_test(text: &str, name: &str) -> bool {
    let row = format!("(\"{name}\", ");
    let mut table = text
        .lines()
        .skip_while(|line| !TABLES.iter().any(|begins| line.starts_with(begins)))
        .skip(1);
    if table.by_ref().take_while(|line| *line != "];").any(|line| line.trim().starts_with(&row)) {
        return true;
    }
    let code = Code::new(text);
    let has_line = |is_it: &dyn Fn(&str) -> bool| code.lines.iter().any(|line| is_it(&line.code));
    let generic = format!("fn {name}<");
    if has_line(&|line| line.starts_with(&generic)) && has_line(&|line| line.trim() == name) {
        return true;
    }
    let function = format!("fn {name}(");
    let at = code.lines.iter().position(|line| line.code.contains(&function));
    at.is_some_and(|at| {
        let above = code.lines[..at].iter().rev();
        let mut attributes = above.take_while(|line| {
            line.code.trim_start().starts_with("#[") || line.code.trim().is_empty()
        });
        attributes.any(|line| line.code.trim() == "#[test]")
    })
}

pub(super) fn unknown_error_kinds(tree: &Tree) -> Vec<Finding> {
    let known = values_of(tree, "conformance/catalogue/errors.toml", "kind");
    let mut findings = Vec::new();
    if known.is_empty() {
        let says = "no kinds of errors; the catalogue has to name them";
        findings.push(Finding::new("conformance/catalogue/errors.toml", 0, says));
    }
    for source in tree.shipped().filter(|source| source.path.ends_with("/src/error.rs")) {
        for (line, kind) in kinds(&source.text) {
            if !known.contains(kind) {
                let says = format!("the catalogue has no kind `{kind}`; errors.toml is the list");
                findings.push(Finding::new(&source.path, line, says));
            }
        }
    }
    let ours = ["shm", "sync", "process", "channel", "pool", "manager"];
    findings.extend(ours.iter().filter_map(|folder| {
        let path = format!("{folder}/src/error.rs");
        let has_kinds = tree.find(&path).is_some_and(|source| !kinds(&source.text).is_empty());
        (!has_kinds).then(|| Finding::new(&path, 0, "no fn kind() with a slug an arm; write it"))
    }));
    findings
}

/// The strings that `fn kind` answers with, each with its line.
fn kinds(text: &str) -> Vec<(usize, &str)> {
    let lines = text.lines().enumerate().skip_while(|(_, line)| !line.contains("fn kind("));
    let body = lines.take_while(|(_, line)| *line != "    }");
    body.filter_map(|(index, line)| Some((index + 1, line.split('"').nth(1)?))).collect()
}

pub(super) fn unknown_promises(tree: &Tree) -> Vec<Finding> {
    let promises = promises(tree);
    let mut findings = Vec::new();
    for source in tree.rust().filter(|source| source.path.contains("/tests/")) {
        for (index, line) in source.text.lines().enumerate() {
            let Some(shown) = line.trim().strip_prefix("// shows: ") else { continue };
            for id in shown.split(", ").filter(|id| !promises.contains(*id)) {
                let says = format!("the catalogue has no promise `{id}`; cite one that it has");
                findings.push(Finding::new(&source.path, index + 1, says));
            }
        }
    }
    findings
}

/// The ids of all promises of the catalogue.
pub(crate) fn promises(tree: &Tree) -> HashSet<&str> {
    let files = tree.sources.iter().map(|source| source.path.as_str());
    let catalogue = files.filter(|path| path.starts_with("conformance/catalogue/"));
    catalogue.flat_map(|path| values_of(tree, path, "id")).collect()
}

/// What stands in quotes after `key = ` at the start of a line.
fn values_of<'a>(tree: &'a Tree, path: &str, key: &str) -> HashSet<&'a str> {
    let start = format!("{key} = \"");
    let lines = tree.find(path).map(|source| source.text.lines()).into_iter().flatten();
    lines.filter_map(|line| line.strip_prefix(start.as_str())?.strip_suffix('"')).collect()
}

pub(super) fn commands(tree: &Tree) -> Vec<Finding> {
    let Some(readme) = tree.find("README.md") else {
        return vec![Finding::new("README.md", 0, "missing; write it, its commands first")];
    };
    let block = first_block(&readme.text);
    if block.len() != 2 {
        let says = "the first code block has to be the two commands";
        return vec![Finding::new("README.md", 0, says)];
    }
    let is_unknown = |(_, command): &(usize, String)| !ci::runs(command);
    let finding = |(line, command)| {
        let says = format!("`{command}` is not a step of `cargo xtask ci`; make it one");
        Finding::new("README.md", line, says)
    };
    block.into_iter().filter(is_unknown).map(finding).collect()
}

/// The lines of the first fenced block, each with its number and without its remark.
fn first_block(text: &str) -> Vec<(usize, String)> {
    let is_fence = |line: &str| line.starts_with("```");
    let lines = text.lines().enumerate().skip_while(|(_, line)| !is_fence(line)).skip(1);
    let block = lines.take_while(|(_, line)| !is_fence(line));
    let command = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    block.map(|(index, line)| (index + 1, command(line))).collect()
}

pub(super) fn ci_script(tree: &Tree) -> Vec<Finding> {
    const PATH: &str = ".ci/run";
    const LAST: &str = "exec cargo xtask ci";
    let last = tree.find(PATH).and_then(|source| source.text.trim_end().lines().last());
    if last == Some(LAST) {
        return Vec::new();
    }
    vec![Finding::new(PATH, 0, format!("it has to end in `{LAST}`, so that the two agree"))]
}

#[cfg(test)]
mod tests;
