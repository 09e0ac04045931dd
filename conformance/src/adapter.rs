//! This program as an adapter: the subjects that are built into it.

use std::io;

/// The names that `adapter NAME` knows.
pub(crate) const NAMES: &[&str] = &[];

/// Runs one of them until its standard input ends. The process ends with it: threads that wait in
/// a call for ever are no reason to stay.
pub(crate) fn run(words: &[String]) -> io::Result<()> {
    Err(io::Error::other(format!("there is no adapter {words:?}")))
}
