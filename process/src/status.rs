//! How a child ended.

use core::fmt;

use crate::limits::{FAILED_STATUS, STATUS_MAX};
use crate::sys::signal;

/// How a process ended.
///
/// | what ends it | seen as |
/// |---|---|
/// | its function returns, or it calls [`exit`](crate::exit) or `exit(3)` | `Code`, its own |
/// | an error, a panic | `Code(1)`, `Code(101)`, and a line with the process's name |
/// | an abort, a panic amid a panic | `Signal(6)` |
/// | a stack that overflows | `Signal(6)`, or 16 where it is told apart, see below |
/// | an access to memory that it has not | `Signal(11)` |
/// | a kill | `Signal(9)` |
///
/// # Weak points
/// * A stack that overflows is ended by std as an abort is, by `SIGABRT`, and only the line that
///   std prints before (`has overflowed its stack`) tells the two apart, unless the program asks
///   for another end of it by [`tell_overflow_apart`](crate::tell_overflow_apart). That takes a
///   handler of a signal, and this crate installs none by itself.
/// * On a [thread](crate::thread) of a forked child std has no handler's stack, so that an overflow
///   there is what it is to the kernel, `Signal(11)`, and nothing is printed.
/// * By whom a status was chosen cannot be seen: a panic's 101 and an error's 1 may be a program's
///   own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It ended by itself with this status, 0 to 255; 0 is success.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It has ended, and nobody can say how: other code of this program collected it, or `SIGCHLD`
    /// is ignored, in which case the kernel keeps no status.
    Unknown,
}

impl ExitStatus {
    /// The end as one number, as runtimes write it: 0 to 255 for a status, `-N` for signal `N`.
    /// `None` when it is unknown.
    ///
    /// ```
    /// use purlin_process::ExitStatus;
    /// assert_eq!(ExitStatus::Code(7).code(), Some(7));
    /// assert_eq!(ExitStatus::Signal(9).code(), Some(-9));
    /// assert_eq!(ExitStatus::Unknown.code(), None);
    /// ```
    #[must_use]
    pub const fn code(self) -> Option<i32> {
        match self {
            Self::Code(status) => Some(status),
            Self::Signal(number) => Some(-number),
            Self::Unknown => None,
        }
    }

    /// Whether the process said that it did what it was to do. An unknown end is no success.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(status) => write!(f, "status {status}"),
            Self::Signal(number) => {
                write!(f, "ended by signal {number}")?;
                signal::name_of(*number).map_or(Ok(()), |name| write!(f, ", {name}"))
            }
            Self::Unknown => f.write_str("ended, status unknown"),
        }
    }
}

/// The status that `_exit(2)` can carry for `number`; what does not fit must not read as success.
pub(crate) const fn carried(number: i32) -> i32 {
    if 0 <= number && number <= STATUS_MAX { number } else { STATUS_MAX }
}
const _: () = assert!(carried(256) == STATUS_MAX && carried(-1) == STATUS_MAX);
const _: () = assert!(carried(0) == 0 && carried(FAILED_STATUS) == FAILED_STATUS);
