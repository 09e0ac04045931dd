//! What can go wrong, in the catalogue's words.

use core::fmt;

use purlin_process::ExitStatus;

/// Why a call did not happen, or what became of a task. Exhaustive on purpose: a new kind is a
/// breaking change that every `match` should feel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The deadline came first; the task goes on.
    TimedOut,
    /// The task has not ended yet.
    NotReady,
    /// The pool was closed or terminated, and takes nothing more.
    PoolNotRunning,
    /// The pool is open, and this is for one that was closed or terminated.
    StillRunning,
    /// The task failed: it panicked.
    TaskFailed {
        /// What it said.
        message: String,
        /// Where that was: file, line and column, and the stack where `RUST_BACKTRACE` asks for
        /// one. Empty for a task of a thread, of which the panic hook tells.
        trace: String,
    },
    /// The worker that ran the task ended amid it. Whether what the task does to the world was done
    /// is not known; it is not run again. Of a map, all arguments of its chunk are told so.
    WorkerLost(ExitStatus),
    /// The pool was terminated before the task had ended.
    Cancelled,
    /// What a task is given or returns has no form that can be carried, or none that can be read
    /// back; or the function is not one of the main program.
    NotTransferable,
    /// What a task is given or returns takes more bytes than the pool's limit.
    TooLarge {
        /// How many it takes.
        len: usize,
    },
    /// The argument is outside what the call accepts; nothing was run.
    InvalidArgument,
    /// Workers ended at once, again and again, and no more are started.
    WorkersFail {
        /// What the last one said, if it was the initializer.
        message: String,
        /// How the last one ended.
        status: ExitStatus,
    },
    /// The caller is not the process that made the pool.
    NotTheOwner,
    /// The caller is a daemon, and so may not start processes.
    DaemonMayNotHaveChildren,
    /// No processes, threads, descriptors or memory left.
    OutOfResources,
    /// The system refused access.
    PermissionDenied,
    /// Not on this system; or workers by spawn in a program that does not call `init`.
    Unsupported,
    /// A worker left what no worker leaves.
    Damaged,
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
    /// assert_eq!(purlin_pool::Error::PoolNotRunning.kind(), "pool-not-running");
    /// ```
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed-out",
            Self::NotReady => "not-ready",
            Self::PoolNotRunning => "pool-not-running",
            Self::StillRunning => "still-running",
            Self::TaskFailed { .. } => "task-failed",
            Self::WorkerLost(_) | Self::WorkersFail { .. } => "worker-lost",
            Self::Cancelled => "cancelled",
            Self::NotTransferable => "not-transferable",
            Self::TooLarge { .. } => "message-too-large",
            Self::InvalidArgument => "invalid-argument",
            Self::NotTheOwner => "not-the-parent",
            Self::DaemonMayNotHaveChildren => "daemon-may-not-have-children",
            Self::OutOfResources => "out-of-resources",
            Self::PermissionDenied => "permission-denied",
            Self::Unsupported => "unsupported",
            Self::Damaged => "damaged",
            Self::System { .. } => "system",
        }
    }
}

impl From<purlin_process::Error> for Error {
    fn from(error: purlin_process::Error) -> Self {
        use purlin_process::Error as Below;
        match error {
            Below::TimedOut => Self::TimedOut,
            Below::NotTheParent => Self::NotTheOwner,
            Below::DaemonMayNotHaveChildren => Self::DaemonMayNotHaveChildren,
            Below::OutOfResources => Self::OutOfResources,
            Below::PermissionDenied => Self::PermissionDenied,
            Below::InvalidArgument => Self::InvalidArgument,
            Below::NotTransferable => Self::NotTransferable,
            Below::NotInitialized | Below::Unsupported => Self::Unsupported,
            Below::System { errno } => Self::System { errno },
            _ => Self::Damaged,
        }
    }
}

impl From<purlin_shm::Error> for Error {
    fn from(error: purlin_shm::Error) -> Self {
        purlin_process::Error::from(error).into()
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(errno) => {
                purlin_process::Error::from(rustix::io::Errno::from_raw_os_error(errno)).into()
            }
            None => Self::OutOfResources,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TaskFailed { message, trace } if trace.is_empty() => {
                write!(out, "task-failed: {message}")
            }
            Self::TaskFailed { message, trace } => write!(out, "task-failed: {message}\n{trace}"),
            Self::WorkerLost(status) => write!(out, "worker-lost: {status}"),
            Self::WorkersFail { message, status } if message.is_empty() => {
                write!(out, "worker-lost: workers end at once, {status}")
            }
            Self::WorkersFail { message, status } => {
                write!(out, "worker-lost: workers end at once, {status}: {message}")
            }
            Self::TooLarge { len } => write!(out, "message-too-large: {len} bytes"),
            Self::System { errno } => {
                write!(out, "system: {}", std::io::Error::from_raw_os_error(*errno))
            }
            other => out.write_str(other.kind()),
        }
    }
}

impl std::error::Error for Error {}
