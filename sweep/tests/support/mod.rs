//! The program under test. It has one thread and no other children, which a test does not.

use std::process::{Command, Output};

/// Runs `purlin-sweep` with `arguments`. Every wait in it has a limit of its own.
pub(crate) fn sweep(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin-sweep"));
    command.args(arguments).output().expect("the program starts")
}

/// Runs it, and fails with what it says unless it finds nothing.
pub(crate) fn finds_nothing(arguments: &[&str]) {
    let output = sweep(arguments);
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "\n{text}{errors}");
    print!("{text}");
}
