//! A secret that a process hands down to its children.

use std::fmt;

use crate::Error;
use crate::limits::KEY_BYTES;
use crate::sys::random;

/// A secret of a process and its descendants, by which they know each other: whoever can prove that
/// it has the key was started, directly or not, by the process that made it.
///
/// It goes to a child at its start, in memory or over the private socket, and never by the
/// environment, a file or the arguments. It has no serial form, and its debug form does not show
/// it. Comparing two keys takes a time that depends on their lengths only.
///
/// # Weak points
/// * The bytes are not wiped when a key is dropped, and may be swapped out or be in a core file.
///
/// ```
/// use purlin_process::{Builder, ExitCode, ExitStatus, Key, current};
///
/// let key = Key::new("a secret of theirs")?;
/// let same = key.clone();
/// let differs = move || ExitCode(i32::from(current().key() != same));
/// let child = Builder::new().key(key).fork(differs)?;
/// assert_eq!(child.join(None)?, ExitStatus::Code(0));
/// # Ok::<(), purlin_process::Error>(())
/// ```
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl Key {
    /// A key of these bytes.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for none: an empty key is known to everybody.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let bytes = bytes.into();
        if bytes.is_empty() { Err(Error::InvalidArgument) } else { Ok(Self(bytes)) }
    }

    /// 32 random bytes of the system's. Waits in a machine that has just begun, until it has some.
    ///
    /// # Panics
    /// * When the system has none to give, which Linux since 3.17 always has: a filter of system
    ///   calls has to allow `getrandom(2)`.
    #[must_use]
    pub fn random() -> Self {
        Self::try_random().expect("getrandom(2) is there")
    }

    pub(crate) fn try_random() -> Result<Self, Error> {
        let mut bytes = vec![0; KEY_BYTES];
        random::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes, for who proves that it has the key. What is sent to others should be made of them
    /// by a keyed hash, and not be them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let differences = self.0.iter().zip(&other.0).fold(0, |seen, (a, b)| seen | (a ^ b));
        self.0.len() == other.0.len() && std::hint::black_box(differences) == 0
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_equal_by_all_their_bytes() {
        let key = |bytes: &str| Key::new(bytes).unwrap();
        assert_eq!(key("same"), key("same"));
        for other in ["samf", "Same", "sam", "samee"] {
            assert_ne!(key("same"), key(other));
        }
        assert_eq!(Key::new(""), Err(Error::InvalidArgument));
        assert_ne!(Key::random(), Key::random());
    }

    #[test]
    fn the_debug_form_does_not_show_the_key() {
        assert_eq!(format!("{:?}", Key::new("secret").unwrap()), "Key(6 bytes)");
    }
}
