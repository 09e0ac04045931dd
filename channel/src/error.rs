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
    /// The value has no serial form, and nothing was sent; or the message has none of this type,
    /// and is used up.
    NotTransferable,
    /// The message is larger than the queue was made for, or than the buffer: then it is still
    /// there.
    MessageTooLarge {
        /// How many bytes it has.
        len: usize,
    },
    /// More messages were marked done than were sent. Nothing changed.
    TaskDoneTooOften,
    /// All is received, and whoever could send more has left, or is dead.
    EndOfFile,
    /// Whoever could receive has left, or is dead. Nothing was sent.
    BrokenPipe,
    /// Another has this end, not this process.
    NotOwner,
    /// This end only sends, or only receives.
    WrongDirection,
    /// A holder of the lock died, and nobody has declared sound since what it may have left half
    /// written. Nothing was read or written.
    OwnerDied,
    /// The calling thread holds the lock that it would wait for.
    WouldDeadlock,
    /// The index, or a count, lies outside. Nothing changed.
    OutOfRange,
    /// The argument is outside what the call accepts; nothing changed.
    InvalidArgument,
    /// No segment has this name.
    NoSuchName,
    /// The name is taken.
    AlreadyExists,
    /// The deadline came first; or for a second a name was always just being taken away. Nothing
    /// changed.
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
            Self::NotTransferable => "not-transferable",
            Self::MessageTooLarge { .. } => "message-too-large",
            Self::TaskDoneTooOften => "task-done-too-often",
            Self::EndOfFile => "end-of-file",
            Self::BrokenPipe => "broken-pipe",
            Self::NotOwner => "not-owner",
            Self::WrongDirection => "wrong-direction",
            Self::OwnerDied => "owner-died",
            Self::WouldDeadlock => "would-deadlock",
            Self::OutOfRange => "out-of-range",
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
            Below::OwnerDied => Self::OwnerDied,
            Below::WouldDeadlock => Self::WouldDeadlock,
            Below::OutOfRange => Self::OutOfRange,
            Below::Incompatible => Self::Incompatible,
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
