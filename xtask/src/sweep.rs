//! The kill sweep and the soak: a program of their own, built as it is shipped.

use std::io;
use std::process::Command;

use crate::tree;

/// Runs the sweep with `arguments`; returns whether nothing was found.
pub(crate) fn run(arguments: &[String]) -> io::Result<bool> {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--release", "--package", "purlin-sweep", "--"]);
    // In a folder of this workspace; its manifest decides.
    Ok(command.args(arguments).current_dir(tree::root()).status()?.success())
}

/// Runs the soak; the first of `arguments` is for how many seconds.
pub(crate) fn soak(arguments: &[String]) -> io::Result<bool> {
    let (seconds, rest) = match arguments.split_first() {
        Some((seconds, rest)) => (seconds.clone(), rest),
        None => ("60".to_owned(), arguments),
    };
    run(&[&["--soak".to_owned(), seconds], rest].concat())
}
