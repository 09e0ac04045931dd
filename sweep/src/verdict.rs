//! How a point ended: what the library did wrong, or what kept us from knowing.

use core::fmt;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Something that was committed is gone: data, a slot, space.
    Lost,
    /// Two had what only one can have.
    Duplicate,
    /// Something half done was taken for whole, or a word says what cannot be.
    Corrupt,
    /// Survivors wait for what does not come.
    Hang,
    /// Somebody lives who must have ended with another, or does what it was not let do.
    Orphan,
    /// A role panicked, was killed by a signal of its own making, or got an error nobody expects.
    Crashed,
    /// The stage could not be set: nothing was tried.
    SetupFailed,
    /// A traced role ended or slept before its mark: nothing was swept.
    NoMark,
    /// A role left processes behind that nobody ended.
    LeftChildren,
    /// The scenario or the harness broke its own rules.
    Wrong,
    /// The system does not let us trace.
    NotPermitted,
}

/// All kinds, in the order of their statuses.
const KINDS: [(Kind, &str); 11] = [
    (Kind::Lost, "lost"),
    (Kind::Duplicate, "duplicate"),
    (Kind::Corrupt, "corrupt"),
    (Kind::Hang, "hang"),
    (Kind::Orphan, "orphan"),
    (Kind::Crashed, "crashed"),
    (Kind::SetupFailed, "setup failed"),
    (Kind::NoMark, "mark never reached"),
    (Kind::LeftChildren, "left children behind"),
    (Kind::Wrong, "scenario wrong"),
    (Kind::NotPermitted, "not permitted"),
];

/// The exit status of the first kind; the others follow.
const STATUS_START: i32 = 20;

impl Kind {
    /// Whether it is the library that failed, and not the instrument.
    #[must_use]
    pub fn is_the_librarys(self) -> bool {
        self <= Self::Crashed
    }

    /// The kind that goes by this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// The exit status of a role that finds it.
    pub(crate) fn status(self) -> i32 {
        STATUS_START + self as i32
    }

    pub(crate) fn of_status(status: i32) -> Option<Self> {
        let index = usize::try_from(status.checked_sub(STATUS_START)?).ok()?;
        KINDS.get(index).map(|(kind, _)| *kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(KINDS[*self as usize].1)
    }
}

/// What is wrong, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong.
    pub kind: Kind,
    /// What was seen, for whoever has to find out why.
    pub says: String,
}

/// What a role answers.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// A failure of `kind`.
    pub fn new(kind: Kind, says: impl Into<String>) -> Self {
        Self { kind, says: says.into() }
    }

    /// What only the library can have done: an answer that nobody expects.
    pub fn crashed(says: impl Into<String>) -> Self {
        Self::new(Kind::Crashed, says)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.kind, self.says)
    }
}

/// An error of the library where a role expects none.
impl From<purlin_sync::Error> for Failure {
    fn from(error: purlin_sync::Error) -> Self {
        Self::crashed(format!("the lock answered {error}"))
    }
}

/// As for the lock's.
impl From<purlin_shm::Error> for Failure {
    fn from(error: purlin_shm::Error) -> Self {
        Self::crashed(format!("the segment answered {error}"))
    }
}

/// As for the lock's.
impl From<purlin_process::Error> for Failure {
    fn from(error: purlin_process::Error) -> Self {
        Self::crashed(format!("the start answered {error}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::SetupFailed, format!("the system answered {error}"))
    }
}

/// Fails with `kind` unless `holds`.
///
/// # Errors
/// The failure that `says` words.
pub fn check(holds: bool, kind: Kind, says: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Failure::new(kind, says())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_gives_its_kind_back() {
        for (index, (kind, name)) in KINDS.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
            assert_eq!(
                (Kind::of_status(kind.status()), Kind::named(name)),
                (Some(kind), Some(kind))
            );
        }
        assert_eq!(Kind::of_status(0), None);
        assert_eq!(Kind::of_status(101), None);
    }
}
