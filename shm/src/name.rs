//! Names of segments.

use core::fmt;
use core::str::FromStr;

use crate::error::Error;
use crate::limits::NAME_MAX_BYTES;

/// The name of a segment: what processes that are no relatives of each other find it by.
///
/// Names are the machine's, as those of `shm_open(3)` are: whoever may read the folder of shared
/// memory sees them.
///
/// ```
/// use purlin_shm::{Error, Name};
///
/// assert_eq!(Name::new("jobs")?.as_str(), "jobs");
/// for wrong in ["", "a/b", "a\0", &"x".repeat(201)] {
///     assert_eq!(Name::new(wrong), Err(Error::InvalidArgument));
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// A name of 1 to [`NAME_MAX_BYTES`] bytes without a slash and without a zero byte.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for any other text.
    pub fn new(text: &str) -> Result<Self, Error> {
        let is_fit = (1..=NAME_MAX_BYTES).contains(&text.len()) && !text.contains(['/', '\0']);
        if is_fit { Ok(Self(text.to_owned())) } else { Err(Error::InvalidArgument) }
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its file.
    pub(crate) fn file_name(&self) -> String {
        [FILE_PREFIX, &self.0].concat()
    }

    /// The name of the segment in a file of this name; none when the file is none of ours.
    pub(crate) fn of_file(file_name: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(file_name).ok()?;
        Self::new(text.strip_prefix(FILE_PREFIX)?).ok()
    }
}

/// Before each of our names, in a folder that others use too.
const FILE_PREFIX: &str = "purlin.";

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_leads_back_to_its_name_and_a_foreign_one_to_none() {
        let name = Name::new("jobs").unwrap();
        assert_eq!(Name::of_file(name.file_name().as_bytes()), Some(name));
        for foreign in [&b"jobs"[..], b"purlin.", b"purlin.\xff", b"sem.jobs"] {
            assert_eq!(Name::of_file(foreign), None);
        }
    }
}
