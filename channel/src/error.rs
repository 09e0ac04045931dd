//! What can go wrong, in the catalogue's words.

use core::fmt;

/// Why an operation did not happen. Exhaustive on purpose: a new kind is a breaking change that
/// every `match` should feel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// There was no room until the deadline. Nothing was put.
    Full,
    /// There was nothing until the deadline.
    Empty,
    /// This handle was closed, or the queue was shut down for everybody.
    Closed,
    /// The message is larger than the queue was made for, or than the buffer: then it is still
    /// there.
    MessageTooLarge {
        /// How many bytes it has.
        len: usize,
    },
    /// More messages were marked done than were sent. Nothing changed.
    TaskDoneTooOften,
    /// Whoever sent has left, or is dead, and nothing is left inside.
    EndOfFile,
    /// Whoever received has left, or is dead, and there is no room.
    BrokenPipe,
    /// Another has this end, not this process.
    NotOwner,
    /// The argument is outside what the call accepts; nothing changed.
    InvalidArgument,
    /// No segment has this name.
    NoSuchName,
    /// The name is taken.
    AlreadyExists,
    /// The deadline came first; or for a second a name was always just being taken away.
    TimedOut,
    /// No object of ours stands there, or another kind, or another layout version.
    Incompatible,
    /// The words, or the segment around them, hold what no operation can have left.
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
    /// assert_eq!(purlin_channel::Error::MessageTooLarge { len: 9 }.kind(), "message-too-large");
    /// ```
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Empty => "empty",
            Self::Closed => "closed",
            Self::MessageTooLarge { .. } => "message-too-large",
            Self::TaskDoneTooOften => "task-done-too-often",
            Self::EndOfFile => "end-of-file",
            Self::BrokenPipe => "broken-pipe",
            Self::NotOwner => "not-owner",
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

impl From<purlin_sync::Error> for Error {
    fn from(error: purlin_sync::Error) -> Self {
        use purlin_sync::Error as Below;
        match error {
            Below::OutOfResources => Self::OutOfResources,
            Below::PermissionDenied => Self::PermissionDenied,
            Below::Unsupported => Self::Unsupported,
            Below::System { errno } => Self::System { errno },
            Below::TimedOut => Self::TimedOut,
            // What an inner lock or a sleep answers otherwise, no sound word makes it answer.
            _ => Self::Damaged,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MessageTooLarge { len } => write!(out, "message-too-large: {len} bytes"),
            Self::System { errno } => {
                write!(out, "system: {}", std::io::Error::from_raw_os_error(*errno))
            }
            other => out.write_str(other.kind()),
        }
    }
}

impl std::error::Error for Error {}
