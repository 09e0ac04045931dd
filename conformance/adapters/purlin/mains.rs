//! Programs with a main of their own that starts processes by spawn: what a script runs as
//! `program(main="unguarded")` is this program with these words.

use std::env;
use std::process::{Command, ExitCode};

use purlin_process::{Error, Process};

/// The first word, and how such a program is started.
const MAIN: &str = "be-main";

/// The option that `options` looks for.
const OPTION: &str = "--option";

/// A program of this name, with further words.
pub(super) fn command(name: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args([MAIN, name]);
    if name == "options" {
        command.arg(OPTION);
    }
    command
}

/// The whole of such a program, when this is one. What is in front of `init` its children would
/// do as well, and nothing is.
pub(crate) fn run_if_one() -> Option<ExitCode> {
    let words: Vec<_> = env::args_os().skip(1).take(2).collect();
    let [first, name] = &*words else { return None };
    if first != MAIN {
        return None;
    }
    let started = match name.to_str() {
        Some("unguarded") => {
            println!("main");
            Process::spawn("child", |(), ()| println!("child"), (), ())
        }
        Some("guarded") => {
            purlin_process::init();
            println!("main");
            Process::spawn("child", |(), ()| println!("child"), (), ())
        }
        // So wrong that its children begin as it does.
        Some("late") => {
            println!("main");
            purlin_process::init();
            Process::spawn("child", |(), ()| println!("child"), (), ())
        }
        Some("arguments") => {
            purlin_process::init();
            print_arguments((), ());
            Process::spawn("child", print_arguments, (), ())
        }
        Some("options") => {
            purlin_process::init();
            print_option();
            Process::spawn("child", with_a_child, (), ())
        }
        _ => return None,
    };
    Some(ended(started))
}

/// What is behind the words that say which program this is.
fn print_arguments((): (), (): ()) {
    println!("{}", env::args().skip(3).collect::<Vec<_>>().join(" "));
}

fn print_option() {
    println!("{}", if env::args().any(|word| word == OPTION) { "with" } else { "without" });
}

fn with_a_child((): (), (): ()) -> Result<(), Error> {
    print_option();
    let child = Process::spawn("grandchild", |(), ()| print_option(), (), ())?;
    child.join(None).map(drop)
}

fn ended(started: Result<Process, Error>) -> ExitCode {
    match started.and_then(|child| child.join(None)).map(|status| status.code()) {
        Ok(Some(code)) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
