//! A mistake in a file of data, shown with the line that it is in.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use crate::error::Error;
use crate::limits::FILE_MAX_BYTES;

/// The text of a file that somebody named, which may be anything.
pub(crate) fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {FILE_MAX_BYTES} bytes")));
    }
    Ok(text)
}

/// A file of data: its name from the crate's folder, and its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DataFile<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

impl DataFile<'_> {
    /// A mistake at these bytes.
    pub(crate) fn wrong(&self, bytes: Range<usize>, what: &str) -> Error {
        let start = bytes.start.min(self.text.len());
        let before = self.text.get(..start).unwrap_or("");
        let number = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text.lines().nth(number - 1).unwrap_or("");
        let rest = line.get(column..).unwrap_or("");
        let marked = rest.get(..bytes.end.saturating_sub(start)).unwrap_or(rest);
        let mut shown = format!("{}:{number}: {what}\n    {line}\n    ", self.name);
        let indent = line.get(..column).map_or(column, |text| text.chars().count());
        let len = marked.chars().count().max(1);
        let _ = write!(shown, "{}{}", " ".repeat(indent), "^".repeat(len));
        Error::Data(shown)
    }

    /// A mistake at the first place behind `from` where `word` stands; at `from` itself where it
    /// does not, as when it was written with an escape.
    pub(crate) fn wrong_word(&self, from: usize, word: &str, what: &str) -> Error {
        let quoted = format!("\"{word}\"");
        let rest = self.text.get(from..).unwrap_or("");
        let bytes = match rest.find(&quoted) {
            Some(at) => from + at..from + at + quoted.len(),
            None => from..from + rest.find('\n').unwrap_or(rest.len()),
        };
        self.wrong(bytes, what)
    }

    /// What the reader of TOML says of it.
    pub(crate) fn unreadable(&self, error: &toml::de::Error) -> Error {
        match error.span() {
            Some(bytes) => self.wrong(bytes, error.message()),
            None => Error::Data(format!("{}: {}", self.name, error.message())),
        }
    }
}
