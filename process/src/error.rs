//! What can go wrong, by the kinds of the catalogue.

use core::fmt;

use rustix::io::Errno;

/// Why a call of this crate failed. Nothing has changed unless the call says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The deadline came first; a child goes on.
    TimedOut,
    /// The caller is not the process that started this child.
    NotTheParent,
    /// The child has not ended yet.
    StillRunning,
    /// The caller is a daemon, and so may not start processes.
    DaemonMayNotHaveChildren,
    /// No processes, descriptors or memory left.
    OutOfResources,
    /// The system refused: a child that has changed its user may be beyond its parent's signals.
    PermissionDenied,
    /// The argument is outside what the call accepts.
    InvalidArgument,
    /// The program was executed anew and did not call `init` first thing in `main`.
    NotInitialized,
    /// What was given cannot be carried to another process.
    NotTransferable,
    /// The other end is gone, and nothing more comes.
    EndOfFile,
    /// The other end is gone, and takes nothing more.
    BrokenPipe,
    /// What arrived is of another kind, or of another layout version.
    Incompatible,
    /// What arrived contradicts itself; it was refused rather than followed.
    Damaged,
    /// There is nothing of this name.
    NoSuchName,
    /// The name is taken.
    AlreadyExists,
    /// The system has no fork, or no process descriptors.
    Unsupported,
    /// There is no program of this name.
    NoSuchProgram,
    /// What has this name is no program, or not one that the caller may run.
    NotExecutable,
    /// The arguments and the environment are more than the system hands to a program.
    ArgumentsTooLong,
    /// The program ended, and not with success.
    TaskFailed,
    /// It was taken up before, and has come to its end.
    Closed,
    /// The caller would wait for its own end.
    WouldDeadlock,
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
            Self::StillRunning => "still-running",
            Self::DaemonMayNotHaveChildren => "daemon-may-not-have-children",
            Self::OutOfResources => "out-of-resources",
            Self::PermissionDenied => "permission-denied",
            Self::InvalidArgument => "invalid-argument",
            Self::NotInitialized => "unsupported",
            Self::NotTransferable => "not-transferable",
            Self::EndOfFile => "end-of-file",
            Self::BrokenPipe => "broken-pipe",
            Self::Incompatible => "incompatible",
            Self::Damaged => "damaged",
            Self::NoSuchName => "no-such-name",
            Self::AlreadyExists => "already-exists",
            Self::Unsupported => "unsupported",
            Self::NoSuchProgram | Self::NotExecutable => "no-such-program",
            Self::ArgumentsTooLong => "out-of-resources",
            Self::TaskFailed => "task-failed",
            Self::Closed => "closed",
            Self::WouldDeadlock => "would-deadlock",
            Self::System { .. } => "system",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the deadline came first"),
            Self::NotTheParent => f.write_str("only the process that started a child may do this"),
            Self::StillRunning => f.write_str("the child has not ended yet"),
            Self::DaemonMayNotHaveChildren => f.write_str("a daemon may not start processes"),
            Self::OutOfResources => f.write_str("no processes, descriptors or memory left"),
            Self::PermissionDenied => f.write_str("the system refused access to the process"),
            Self::InvalidArgument => f.write_str("the argument is outside what the call accepts"),
            Self::NotInitialized => f.write_str("init() is not called first thing in main"),
            Self::NotTransferable => f.write_str("this cannot be carried to another process"),
            Self::EndOfFile => f.write_str("the other end is gone; nothing more comes"),
            Self::BrokenPipe => f.write_str("the other end is gone; it takes nothing more"),
            Self::Incompatible => f.write_str("what arrived is of another kind or layout version"),
            Self::Damaged => f.write_str("what arrived contradicts itself"),
            Self::NoSuchName => f.write_str("there is nothing of this name"),
            Self::AlreadyExists => f.write_str("the name is taken"),
            Self::Unsupported => f.write_str("the system lacks what this call needs"),
            Self::NoSuchProgram => f.write_str("there is no program of this name"),
            Self::NotExecutable => f.write_str("this is no program that may be run"),
            Self::ArgumentsTooLong => f.write_str("the arguments and the environment are too long"),
            Self::TaskFailed => f.write_str("the program did not end with success"),
            Self::Closed => f.write_str("it has come to its end before"),
            Self::WouldDeadlock => f.write_str("a thread would wait for itself"),
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
