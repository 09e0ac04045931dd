//! Programs for tests: shell scripts, killed and collected when their test is over.

use std::ops::Deref;
use std::process::Command;

use purlin_process::command::{Failure, Program};

use crate::bounded::LIMIT;

/// A shell that runs `script`.
pub(crate) fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Killed and collected when its test is over, however it ends.
pub(crate) struct Started(pub(crate) Program);

impl Deref for Started {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.0
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait(LIMIT);
    }
}

/// A program that must start.
pub(crate) fn started(program: Result<Program, Failure>) -> Started {
    Started(program.expect("a program"))
}
