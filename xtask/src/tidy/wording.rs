//! What no file has: things left undone, sleeps, allowed lints, great length, paths of a machine.

use crate::code::{Code, has_word};
use crate::tidy::Finding;
use crate::tree::Tree;

/// Lines of code in a file, comments and blank lines apart; beyond that it holds two ideas.
const FILE_LINES_MAX: usize = 600;
/// As rustfmt has it; comments and strings are held to it here.
const LINE_COLUMNS_MAX: usize = 100;

/// What is never committed, and what to do instead.
const UNFINISHED: [(&str, &str); 4] = [
    ("todo!", "write it, or leave it out and say so in the front page"),
    ("unimplemented!", "write it, or leave it out and say so in the front page"),
    ("dbg!", "take it out"),
    ("#[ignore", "a test that does not run guards nothing: make it run, or remove it"),
];

/// Folders of people and machines. Put together here, so that this file does not have them.
const MACHINE_FOLDERS: [&str; 5] = ["home", "root", "Users", "work", "mnt"];

pub(super) fn unfinished(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        for (index, line) in Code::new(&source.text).lines.iter().enumerate() {
            for (what, instead) in UNFINISHED.iter().filter(|(what, _)| line.code.contains(what)) {
                let says = format!("{what} is not committed; {instead}");
                findings.push(Finding::new(&source.path, index + 1, says));
            }
        }
    }
    findings
}

/// Subjects that are odd or wrong on purpose may poll with pauses, since others' do.
const MAY_SLEEP: &str = "conformance/faults/";

pub(super) fn sleeps(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust().filter(|source| !source.path.starts_with(MAY_SLEEP)) {
        for (index, line) in Code::new(&source.text).lines.iter().enumerate() {
            if has_word(&line.code, "thread::sleep") {
                let says = "a sleep; order things by messages, since a pause orders nothing";
                findings.push(Finding::new(&source.path, index + 1, says));
            }
        }
    }
    findings
}

pub(super) fn allowed_lints(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        for (index, line) in Code::new(&source.text).lines.iter().enumerate() {
            let code = &line.code;
            let after_attribute =
                code.find("#[").or_else(|| code.find("#![")).unwrap_or(code.len());
            if has_word(&code[after_attribute..], "allow") {
                let says = "an allowed lint; write #[expect(lint, reason = \"…\")] at the smallest \
                            scope, which complains when it is no longer needed";
                findings.push(Finding::new(&source.path, index + 1, says));
            }
        }
    }
    findings
}

pub(super) fn long_files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        let line_count = code_line_count(&source.text);
        if line_count > FILE_LINES_MAX {
            let says = format!("{line_count} lines of code, {FILE_LINES_MAX} at most; split it");
            findings.push(Finding::new(&source.path, 0, says));
        }
    }
    findings
}

/// Lines that have code on them.
pub(crate) fn code_line_count(text: &str) -> usize {
    Code::new(text).lines.iter().filter(|line| has_code(line)).count()
}

/// A line inside a long string is blanked like a comment, but is no comment.
fn has_code(line: &crate::code::Line) -> bool {
    !line.code.trim().is_empty() || (line.comment.is_empty() && !line.raw.trim().is_empty())
}

pub(super) fn long_lines(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        for (index, line) in source.text.lines().enumerate() {
            let column_count = line.chars().count();
            if column_count > LINE_COLUMNS_MAX {
                let says = format!("{column_count} columns, {LINE_COLUMNS_MAX} at most; break it");
                findings.push(Finding::new(&source.path, index + 1, says));
            }
        }
    }
    findings
}

pub(super) fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        for (index, line) in source.text.lines().enumerate() {
            if MACHINE_FOLDERS.iter().any(|folder| has_root_folder(line, folder)) {
                let says = "a path of one machine; say it relative to the workspace";
                findings.push(Finding::new(&source.path, index + 1, says));
            }
        }
    }
    findings
}

/// Whether a path on this line begins with `/folder/`.
fn has_root_folder(line: &str, folder: &str) -> bool {
    let starts = format!("/{folder}/");
    line.match_indices(&starts).any(|(at, _)| {
        // After a letter or a dot it is the inside of another path.
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || ".-_}/".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{found_in, holds_here};

    #[test]
    fn nothing_is_left_undone() {
        holds_here(unfinished);
    }

    #[test]
    fn planted_leftovers_are_found() {
        let found = |text| found_in(unfinished, &[("shm/tests/new.rs", text)]).len();
        for text in ["fn f() { todo!() }", "dbg!(x);", "#[ignore = \"slow\"]", "unimplemented!()"] {
            assert_eq!(found(text), 1, "{text}");
        }
        assert_eq!(found("// no todo!, no dbg!\nlet s = \"todo!()\";"), 0);
    }

    #[test]
    fn nothing_is_ordered_by_sleeping() {
        holds_here(sleeps);
    }

    #[test]
    fn planted_sleeps_are_found() {
        let found = |path| found_in(sleeps, &[(path, "std::thread::sleep(limit); // nap")]).len();
        assert_eq!((found("sync/tests/new.rs"), found("sync/src/new.rs")), (1, 1));
        assert_eq!(found("conformance/faults/new.rs"), 0);
        assert!(found_in(sleeps, &[("sync/src/new.rs", "// no thread::sleep")]).is_empty());
    }

    #[test]
    fn lints_are_expected_not_allowed() {
        holds_here(allowed_lints);
    }

    #[test]
    fn planted_allowances_are_found() {
        let found = |text| found_in(allowed_lints, &[("shm/src/new.rs", text)]).len();
        assert_eq!(found("#[allow(dead_code)]\nfn f() {}"), 1);
        assert_eq!(found("#![allow(unsafe_code)]"), 1);
        assert_eq!(found("#[cfg_attr(test, allow(dead_code))]"), 1);
        assert_eq!(found("fn f() { self.allow(1) } // #[allow(x)]"), 0);
    }

    #[test]
    fn files_are_short() {
        holds_here(long_files);
    }

    #[test]
    fn lines_are_short() {
        holds_here(long_lines);
    }

    #[test]
    fn planted_lengths_are_found() {
        let found = |text: &str| found_in(long_files, &[("shm/src/new.rs", text)]).len();
        assert_eq!(found(&"f();\n".repeat(FILE_LINES_MAX + 1)), 1);
        assert_eq!(found(&"f();\n// why\n\n".repeat(FILE_LINES_MAX)), 0);
        let found = |text: &str| found_in(long_lines, &[("shm/src/new.rs", text)]).len();
        assert_eq!(found(&"ü".repeat(LINE_COLUMNS_MAX + 1)), 1);
        assert_eq!(found(&"ü".repeat(LINE_COLUMNS_MAX)), 0);
    }

    #[test]
    fn no_path_of_a_machine() {
        holds_here(machine_paths);
    }

    #[test]
    fn planted_paths_are_found() {
        let found = |text: &str| found_in(machine_paths, &[("README.md", text)]).len();
        for folder in MACHINE_FOLDERS {
            assert_eq!(found(&format!("see /{folder}/me/notes")), 1, "{folder}");
            assert_eq!(found(&format!("see target/{folder}/me or /proc/{folder}/x")), 0);
        }
    }
}
