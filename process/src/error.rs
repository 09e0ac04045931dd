//! What can go wrong, by the kinds of the catalogue.

use core::fmt;

use rustix::io::Errno;

/// Why a call of this crate failed. Nothing has changed unless the call says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The deadline came first; the child goes on.
    TimedOut,
    /// The caller is not the process that started this child.
    NotTheParent,
    /// No processes, descriptors or memory left.
    OutOfResources,
    /// The system refused: a child that has changed its user may be beyond its parent's signals.
    PermissionDenied,
    /// The argument is outside what the call accepts.
    InvalidArgument,
    /// The system has no fork, or no process descriptors.
    Unsupported,
    /// Any other failure of the system.
    System {
        /// The error number, as in `errno(3)`.
        errno: i32,
    },
}

impl Error {
    /// The name of this kind of error in the catalogue that all crates and subjects share.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed-out",
            Self::NotTheParent => "not-the-parent",
            Self::OutOfResources => "out-of-resources",
            Self::PermissionDenied => "permission-denied",
            Self::InvalidArgument => "invalid-argument",
            Self::Unsupported => "unsupported",
            Self::System { .. } => "system",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the deadline came before the child's end"),
            Self::NotTheParent => f.write_str("only the process that started a child may do this"),
            Self::OutOfResources => f.write_str("no processes, descriptors or memory left"),
            Self::PermissionDenied => f.write_str("the system refused access to the process"),
            Self::InvalidArgument => f.write_str("the argument is outside what the call accepts"),
            Self::Unsupported => f.write_str("the system lacks what this call needs"),
            Self::System { errno } => write!(f, "system error {errno}"),
        }
    }
}

impl core::error::Error for Error {}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE | Errno::NOBUFS => {
                Self::OutOfResources
            }
            Errno::PERM | Errno::ACCESS => Self::PermissionDenied,
            Errno::NOSYS => Self::Unsupported,
            other => Self::System { errno: other.raw_os_error() },
        }
    }
}
