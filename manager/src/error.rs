//! What can go wrong, in the catalogue's words.

use core::fmt;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// Why a call did not happen. Exhaustive on purpose: a new kind is a breaking change that every
/// `match` should feel. Its serial form is how a server's failures come to its clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Error {
    /// The deadline came first. A call that waits has done nothing; of another it is not known.
    TimedOut,
    /// There was nothing until the deadline.
    Empty,
    /// There was no room until the deadline. Nothing was put.
    Full,
    /// Its owner has shut the manager down.
    Closed,
    /// A holder of the lock died. Only [`Acquired::sound`](crate::Acquired::sound) answers so.
    OwnerDied,
    /// Only the holder may do this, and the caller is not.
    NotOwner,
    /// Nobody holds what was to be released, or a bound would be passed.
    OverReleased,
    /// More items were marked done than were put.
    TaskDoneTooOften,
    /// The barrier is broken: a party gave up, died or aborted it, or it was reset meanwhile.
    BarrierBroken,
    /// A server would wait for itself.
    WouldDeadlock,
    /// The index, or a count, lies outside. Nothing changed.
    OutOfRange,
    /// There is no such object, key, method, type or name.
    NoSuchName,
    /// The name or the address is taken.
    AlreadyExists,
    /// The argument is outside what the call accepts; nothing changed.
    InvalidArgument,
    /// The object is of another kind, or the peer speaks another version of the protocol.
    Incompatible,
    /// The peer sent what no peer sends.
    Damaged,
    /// A value has no form that can be carried, or none that can be read back as this type.
    NotTransferable,
    /// It takes more bytes than the server's limit.
    MessageTooLarge {
        /// How many it takes.
        len: usize,
    },
    /// A registered method failed or panicked.
    TaskFailed {
        /// What it said.
        message: String,
    },
    /// An iterator has no more.
    StopIteration,
    /// The peer did not prove that it has the key.
    AuthenticationFailed,
    /// Nothing listens at the address.
    ConnectionRefused,
    /// The server has ended, or the connection to it broke.
    ServerGone,
    /// Only the process that started the server may do this.
    NotTheParent,
    /// The caller is a daemon, and so may not start processes.
    DaemonMayNotHaveChildren,
    /// No memory, descriptors, processes or connections left.
    OutOfResources,
    /// The system refused access.
    PermissionDenied,
    /// Not on this system; or a server by spawn in a program that does not call `init`.
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
    /// assert_eq!(purlin_manager::Error::ServerGone.kind(), "server-gone");
    /// ```
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed-out",
            Self::Empty => "empty",
            Self::Full => "full",
            Self::Closed => "closed",
            Self::OwnerDied => "owner-died",
            Self::NotOwner => "not-owner",
            Self::OverReleased => "over-released",
            Self::TaskDoneTooOften => "task-done-too-often",
            Self::BarrierBroken => "barrier-broken",
            Self::WouldDeadlock => "would-deadlock",
            Self::OutOfRange => "out-of-range",
            Self::NoSuchName => "no-such-name",
            Self::AlreadyExists => "already-exists",
            Self::InvalidArgument => "invalid-argument",
            Self::Incompatible => "incompatible",
            Self::Damaged => "damaged",
            Self::NotTransferable => "not-transferable",
            Self::MessageTooLarge { .. } => "message-too-large",
            Self::TaskFailed { .. } => "task-failed",
            Self::StopIteration => "stop-iteration",
            Self::AuthenticationFailed => "authentication-failed",
            Self::ConnectionRefused => "connection-refused",
            Self::ServerGone => "server-gone",
            Self::NotTheParent => "not-the-parent",
            Self::DaemonMayNotHaveChildren => "daemon-may-not-have-children",
            Self::OutOfResources => "out-of-resources",
            Self::PermissionDenied => "permission-denied",
            Self::Unsupported => "unsupported",
            Self::System { .. } => "system",
        }
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Self::of_errno(errno.raw_os_error())
    }
}

impl Error {
    /// What the system's error is in our words.
    pub(crate) fn of_errno(errno: i32) -> Self {
        match Errno::from_raw_os_error(errno) {
            Errno::CONNREFUSED => Self::ConnectionRefused,
            Errno::NOENT | Errno::NOTDIR => Self::NoSuchName,
            Errno::ADDRINUSE | Errno::EXIST => Self::AlreadyExists,
            Errno::ACCESS | Errno::PERM | Errno::ROFS => Self::PermissionDenied,
            Errno::NAMETOOLONG | Errno::INVAL => Self::InvalidArgument,
            Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS | Errno::NOSPC => {
                Self::OutOfResources
            }
            Errno::TIMEDOUT => Self::TimedOut,
            Errno::NOSYS | Errno::AFNOSUPPORT => Self::Unsupported,
            Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN | Errno::CONNABORTED => {
                Self::ServerGone
            }
            other => Self::System { errno: other.raw_os_error() },
        }
    }

    /// The same for an error of std's.
    pub(crate) fn of_io(error: &std::io::Error) -> Self {
        error.raw_os_error().map_or(Self::InvalidArgument, Self::of_errno)
    }
}

impl From<purlin_process::Error> for Error {
    fn from(error: purlin_process::Error) -> Self {
        use purlin_process::Error as Below;
        match error {
            Below::TimedOut => Self::TimedOut,
            Below::NotTheParent => Self::NotTheParent,
            Below::DaemonMayNotHaveChildren => Self::DaemonMayNotHaveChildren,
            Below::OutOfResources | Below::ArgumentsTooLong => Self::OutOfResources,
            Below::PermissionDenied => Self::PermissionDenied,
            Below::InvalidArgument => Self::InvalidArgument,
            Below::NotTransferable => Self::NotTransferable,
            Below::NotInitialized | Below::Unsupported => Self::Unsupported,
            Below::EndOfFile | Below::BrokenPipe => Self::ServerGone,
            Below::Incompatible => Self::Incompatible,
            Below::Damaged => Self::Damaged,
            Below::NoSuchName | Below::NoSuchProgram | Below::NotExecutable => Self::NoSuchName,
            Below::AlreadyExists => Self::AlreadyExists,
            Below::TaskFailed => Self::TaskFailed { message: error.to_string() },
            Below::Closed => Self::Closed,
            Below::WouldDeadlock => Self::WouldDeadlock,
            // A server is never asked whether it may be closed.
            Below::StillRunning => Self::Damaged,
            Below::System { errno } => Self::System { errno },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TaskFailed { message } => write!(out, "task-failed: {message}"),
            Self::MessageTooLarge { len } => write!(out, "message-too-large: {len} bytes"),
            Self::System { errno } => {
                write!(out, "system: {}", std::io::Error::from_raw_os_error(*errno))
            }
            other => out.write_str(other.kind()),
        }
    }
}

impl std::error::Error for Error {}
