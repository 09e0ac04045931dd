//! The house rules, each a function from the texts of the workspace to what breaks it.
//!
//! Every rule runs as a `#[test]` of its own and under `cargo xtask tidy`. Beside it stands a test
//! that plants what it forbids, since a rule that cannot fail guards nothing.

use std::fmt;
use std::io;

use crate::tree::Tree;

mod atomics;
mod documents;
mod layers;
mod wording;

pub(crate) use documents::{UNGUARDED, hazards, promises};
pub(crate) use wording::code_line_count;

/// One place where a rule is broken, and how to comply.
#[derive(Debug)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 stands for the file as a whole.
    line: usize,
    says: String,
}

impl Finding {
    fn new(path: &str, line: usize, says: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, says: says.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.says)
    }
}

type Rule = fn(&Tree) -> Vec<Finding>;

/// All rules, under the names of their tests.
const RULES: [(&str, Rule); 16] = [
    ("unsafe stays where it is listed", layers::unsafe_outside_the_list),
    ("system calls stay under sys", layers::system_calls_outside_sys),
    ("arrows point one way", layers::arrows_that_are_not_drawn),
    ("orderings are explained", atomics::unexplained_orderings),
    ("nothing is left undone", wording::unfinished),
    ("nothing is ordered by sleeping", wording::sleeps),
    ("lints are expected, not allowed", wording::allowed_lints),
    ("files are short", wording::long_files),
    ("lines are short", wording::long_lines),
    ("no path of a machine", wording::machine_paths),
    ("front pages say what is not done", documents::front_pages),
    ("hazards have guards", documents::hazards_without_guard),
    ("error kinds are in the catalogue", documents::unknown_error_kinds),
    ("promises that are shown exist", documents::unknown_promises),
    ("the README's commands are what CI runs", documents::commands),
    ("CI runs this program", documents::ci_script),
];

/// Checks every rule; returns whether all hold.
pub(crate) fn run() -> io::Result<bool> {
    let tree = Tree::read()?;
    let findings: Vec<Finding> = RULES.iter().flat_map(|(_, rule)| rule(&tree)).collect();
    for finding in &findings {
        eprintln!("{finding}");
    }
    let source_count = tree.sources.len();
    println!("tidy: {} rules, {source_count} files, {} findings", RULES.len(), findings.len());
    Ok(findings.is_empty())
}

/// For the rules' own tests: fails with all that `rule` finds in the workspace.
#[cfg(test)]
fn holds_here(rule: Rule) {
    let tree = Tree::read().unwrap();
    assert!(tree.rust().count() > 50, "the workspace was not found");
    let findings: Vec<String> = rule(&tree).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// For the rules' own tests: what `rule` finds in planted texts, as `path:line`.
#[cfg(test)]
fn found_in(rule: Rule, sources: &[(&str, &str)]) -> Vec<String> {
    let findings = rule(&Tree::of(sources));
    findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}
