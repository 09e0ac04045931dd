//! What can go wrong, in the catalogue's words.

use core::fmt;

/// Why an operation did not happen. Exhaustive on purpose: a new kind is a breaking change that
/// every `match` should feel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The deadline came first, or a call that never waits found the lock held. Nothing changed.
    TimedOut,
    /// What was acquired is not sound: its owner died. Only [`Acquired::sound`] answers so, for
    /// those who cannot repair; it has released again.
    ///
    /// [`Acquired::sound`]: crate::Acquired::sound
    OwnerDied,
    /// Only the holder may do this, and the caller is not.
    NotOwner,
    /// Nobody holds what was to be released.
    OverReleased,
    /// The calling thread holds what it would wait for. It still does, once.
    WouldDeadlock,
    /// One level more than can be counted. The hold is as it was.
    OutOfRange,
    /// The barrier is broken: a party gave up, died or aborted it, its action failed, or it was
    /// reset while the caller waited. It stays so until a reset.
    BarrierBroken,
    /// The argument is outside what the call accepts; nothing changed.
    InvalidArgument,
    /// No segment has this name.
    NoSuchName,
    /// The name is taken.
    AlreadyExists,
    /// No object of ours stands there, or another kind, or another layout version.
    Incompatible,
    /// The word, or the segment around it, holds what no operation can have left.
    Damaged,
    /// No memory, space, descriptors or slots left.
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
    /// assert_eq!(purlin_sync::Error::OverReleased.kind(), "over-released");
    /// ```
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed-out",
            Self::OwnerDied => "owner-died",
            Self::NotOwner => "not-owner",
            Self::OverReleased => "over-released",
            Self::WouldDeadlock => "would-deadlock",
            Self::OutOfRange => "out-of-range",
            Self::BarrierBroken => "barrier-broken",
            Self::InvalidArgument => "invalid-argument",
            Self::NoSuchName => "no-such-name",
            Self::AlreadyExists => "already-exists",
            Self::Incompatible => "incompatible",
            Self::Damaged => "damaged",
            Self::OutOfResources => "out-of-resources",
            Self::PermissionDenied => "permission-denied",
            Self::Unsupported => "unsupported",
            Self::System { .. } => "system",
        }
    }
}

impl From<purlin_shm::Error> for Error {
    fn from(error: purlin_shm::Error) -> Self {
        use purlin_shm::Error as Below;
        match error {
            Below::InvalidArgument => Self::InvalidArgument,
            Below::NoSuchName => Self::NoSuchName,
            Below::AlreadyExists => Self::AlreadyExists,
            Below::TimedOut => Self::TimedOut,
            Below::Incompatible => Self::Incompatible,
            Below::Damaged => Self::Damaged,
            Below::OutOfResources => Self::OutOfResources,
            Below::PermissionDenied => Self::PermissionDenied,
            Below::Unsupported => Self::Unsupported,
            Below::System { errno } => Self::System { errno },
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
