//! Why the suite could not run.

use std::fmt;
use std::io;

/// The suite could not do its work; a subject that fails is no error but a verdict.
#[derive(Debug)]
pub enum Error {
    /// The catalogue, a case or an expectation contradicts itself; the text says where and why.
    Data(String),
    /// The adapter could not be started, or failed before it said who it is.
    Adapter {
        /// The command that was started.
        command: String,
        /// What it did, with what it said.
        what: String,
    },
    /// A file could not be written.
    Write {
        /// The path as it was given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// What was asked for does not exist, or makes no sense.
    Asked(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(text) | Self::Asked(text) => f.write_str(text),
            Self::Adapter { command, what } => write!(f, "the adapter `{command}` {what}"),
            Self::Write { path, source } => write!(f, "cannot write {path}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { source, .. } => Some(source),
            _ => None,
        }
    }
}
