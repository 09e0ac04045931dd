//! The habits of this workspace as commands: `cargo xtask ci`, `tidy`, `metrics`.

use std::process::ExitCode;

mod ci;
mod code;
mod metrics;
mod tidy;
mod tree;

const USAGE: &str = "usage: cargo xtask <command>
  ci        everything that CI runs, in its order
  tidy      the house rules alone; `cargo test -p xtask` runs them too
  metrics   figures that say where to look; nothing fails by them";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let result = match (arguments.next().as_deref(), arguments.next()) {
        (Some("ci"), None) => ci::run(),
        (Some("tidy"), None) => tidy::run(),
        (Some("metrics"), None) => metrics::run(),
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
