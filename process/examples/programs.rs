//! Other programs: one that is waited for, one that is fed and read, one that fails, one that is
//! not there.
//!
//! ```sh
//! cargo run -p purlin-process --example programs
//! ```

use std::process::Command;

use purlin_process::command::{Program, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut greet = Command::new("echo");
    greet.arg("a program speaks");
    let program = Program::start(greet)?;
    println!("it ended with {}", program.wait(None)?);

    let sorted = run(Command::new("sort"), "pear\napple\nfig\n", None)?;
    let lines = String::from_utf8(sorted.stdout.unwrap_or_default())?;
    println!("sorted: {}", lines.lines().collect::<Vec<_>>().join(", "));

    let failed = Program::start(Command::new("false"))?;
    println!("and another with {}", failed.wait(None)?);

    if let Err(error) = Program::start(Command::new("there-is-no-such-program")) {
        println!("{error}");
    }
    Ok(())
}
