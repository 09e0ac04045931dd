//! Why a program could not be started, or not be run to a good end.

use core::fmt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::child::escaped;
use crate::command::Output;

/// What went wrong with a program: the [`Error`], the path that it is about where it is about one,
/// and, where the program ran, what it had said until then and how it ended.
///
/// It turns into its [`Error`] by `?`, where that is enough. Its display form is a line: control
/// characters of a path are shown as escapes, and what is no text as a replacement character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    error: Error,
    path: Option<PathBuf>,
    output: Option<Box<Output>>,
}

impl Failure {
    pub(super) fn about(error: Error, path: impl Into<PathBuf>) -> Self {
        Self { error, path: Some(path.into()), output: None }
    }

    pub(super) fn after(error: Error, output: Output) -> Self {
        Self { error, path: None, output: Some(Box::new(output)) }
    }

    /// What went wrong.
    #[must_use]
    pub const fn error(&self) -> Error {
        self.error
    }

    /// The name of this kind of error in the catalogue that all crates and subjects share.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.error.kind()
    }

    /// The program or the directory that is at fault, as the command names it.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What had come until then, if the program ran.
    #[must_use]
    pub fn output(&self) -> Option<&Output> {
        self.output.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.path, &self.output) {
            (Some(path), _) => {
                write!(f, "{}: {}", escaped(&path.to_string_lossy()), self.error)
            }
            (None, Some(output)) => write!(f, "{} ({})", self.error, output.status),
            (None, None) => self.error.fmt(f),
        }
    }
}

impl core::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, path: None, output: None }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}
