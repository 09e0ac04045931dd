//! The whole of CI, on a laptop: every step a command that anybody can type.

use std::process::Command;
use std::time::Instant;

use crate::tree;

/// One step: what it is called, its environment and its command.
struct Step {
    name: &'static str,
    environment: &'static [(&'static str, &'static str)],
    command: &'static str,
}

/// Cheapest first, so that the common faults are told soon; the suite last, since it needs a
/// release build. The words' models are tests of a member and run with the others.
const STEPS: [Step; 6] = [
    step("format", "cargo fmt --all --check"),
    step("lints", "cargo clippy --workspace --all-targets -- -D warnings"),
    step("house rules", "cargo xtask tidy"),
    step("tests", "cargo test --workspace"),
    Step {
        name: "documents",
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        command: "cargo doc --workspace --no-deps",
    },
    // All of CPython takes five minutes by itself, and would not fit.
    Step {
        name: "suite",
        environment: &[("PURLIN_CPYTHON_GROUPS", "lock")],
        command: "cargo run --release -p purlin-conformance",
    },
];

const fn step(name: &'static str, command: &'static str) -> Step {
    Step { name, environment: &[], command }
}

/// Runs the steps until one fails; returns whether all were passed.
pub(crate) fn run() -> std::io::Result<bool> {
    let begin = Instant::now();
    for step in &STEPS {
        println!("ci: {}: {}", step.name, step.shown());
        let step_begin = Instant::now();
        if !step.command().status()?.success() {
            println!("ci: failed at {}: {}", step.name, step.shown());
            return Ok(false);
        }
        println!("ci: {} took {:.1} s", step.name, step_begin.elapsed().as_secs_f64());
    }
    println!("ci: all of {} steps passed in {:.0} s", STEPS.len(), begin.elapsed().as_secs_f64());
    Ok(true)
}

/// Whether `command` is a step.
pub(crate) fn runs(command: &str) -> bool {
    STEPS.iter().any(|step| step.command == command)
}

impl Step {
    fn command(&self) -> Command {
        let mut words = self.command.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).envs(self.environment.iter().copied()).current_dir(tree::root());
        command
    }

    /// As one would type it.
    fn shown(&self) -> String {
        let settings = self.environment.iter().map(|(name, value)| format!("{name}='{value}' "));
        settings.chain([self.command.to_owned()]).collect()
    }
}
