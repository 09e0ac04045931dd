//! The habits of this workspace as commands: `cargo xtask ci`, `tidy`, `metrics`, `sweep`.

use std::process::ExitCode;

mod ci;
mod code;
mod emulated;
mod metrics;
mod sweep;
mod tidy;
mod tree;

const USAGE: &str = "usage: cargo xtask <command>
  ci        everything that CI runs, in its order
  tidy      the house rules alone; `cargo test -p xtask` runs them too
  metrics   figures that say where to look; nothing fails by them
  sweep     SIGKILL at every instruction; `cargo xtask sweep --help` says what can be chosen
  emulated  the tests of the words as aarch64 programs, where the tools for that are installed
  soak [S]  processes hammer each primitive for S seconds (60), one killed every 10 ms";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["metrics"] => metrics::run(),
        ["emulated"] => emulated::run(),
        ["sweep", ..] => sweep::run(&arguments[1..]),
        ["soak", ..] => sweep::soak(&arguments[1..]),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
