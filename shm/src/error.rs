//! What can go wrong, in the catalogue's words.

use core::fmt;

use rustix::io::Errno;

/// Why a segment could not be made, attached or used. Exhaustive on purpose: a new kind is a
/// breaking change that every `match` should feel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The argument is outside what the call accepts; nothing changed.
    InvalidArgument,
    /// No segment has this name.
    NoSuchName,
    /// The name is taken.
    AlreadyExists,
    /// Another process was amid taking a name away for too long; nothing changed.
    TimedOut,
    /// No segment of ours, another layout version, or an object of another kind.
    Incompatible,
    /// The contents break an invariant; they were refused rather than followed.
    Damaged,
    /// No memory, space, descriptors, locks or slots left, or a limit forbids it.
    OutOfResources,
    /// The system refused access.
    PermissionDenied,
    /// Not on this system; on Linux: `/proc` is not mounted.
    Unsupported,
    /// Any other failure of the operating system.
    System {
        /// The error number, as in `errno(3)`.
        errno: i32,
    },
}

impl Error {
    /// The kind's name in the catalogue's closed list.
    ///
    /// ```
    /// assert_eq!(purlin_shm::Error::OutOfResources.kind(), "out-of-resources");
    /// ```
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid-argument",
            Self::NoSuchName => "no-such-name",
            Self::AlreadyExists => "already-exists",
            Self::TimedOut => "timed-out",
            Self::Incompatible => "incompatible",
            Self::Damaged => "damaged",
            Self::OutOfResources => "out-of-resources",
            Self::PermissionDenied => "permission-denied",
            Self::Unsupported => "unsupported",
            Self::System { .. } => "system",
        }
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOSPC | Errno::NOLCK => {
                Self::OutOfResources
            }
            Errno::ACCESS | Errno::PERM => Self::PermissionDenied,
            other => Self::System { errno: other.raw_os_error() },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { errno } => {
                write!(out, "system: {}", std::io::Error::from_raw_os_error(*errno))
            }
            other => out.write_str(other.kind()),
        }
    }
}

impl std::error::Error for Error {}
