//! What a process can ask about itself, its parent and its machine.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};

use purlin_sync::Deadline;

use crate::Error;
use crate::child::shown;
use crate::identity::{Identity, ParentRecord, own};
use crate::key::Key;
use crate::limits::JOIN_SLICE;
use crate::sys::origin::own_pid;
use crate::sys::{pidfd, processors};

/// The process that asks: see [`current`]. What it says is fixed when the process begins, and in a
/// forked copy it goes on speaking of the process that asked.
#[derive(Clone, Copy)]
pub struct Current {
    identity: &'static Identity,
    pid: i32,
}

/// The process that started this one: see [`Current::parent`].
///
/// It is known by a descriptor that it opened of itself before the start, so that no other process
/// is taken for it that is given its number later.
#[derive(Clone, Copy)]
pub struct Parent(&'static ParentRecord);

/// The calling process, as it was described when it was started. The main process, and one that
/// foreign code started, was not: it is `MainProcess`, or named as what it was forked from, is no
/// daemon, and has no parent here.
///
/// ```
/// use purlin_process::{ExitStatus, Process, current};
///
/// let own = current();
/// assert_eq!((own.name(), own.is_daemon()), ("MainProcess", false));
/// let child = Process::fork("worker", move || {
///     let parent = current().parent().ok_or("no parent")?;
///     let is_so = current().name() == "worker" && parent.pid() == own.pid();
///     if is_so { Ok(()) } else { Err("another one") }
/// })?;
/// assert_eq!(child.join(None)?, ExitStatus::Code(0));
/// # Ok::<(), purlin_process::Error>(())
/// ```
#[must_use]
pub fn current() -> Current {
    Current { identity: own(), pid: own_pid() }
}

impl Current {
    /// Its number in the system's table.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Its name; `MainProcess` in the main program.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.identity.name
    }

    /// Whether it is a daemon, which ends with its parent and may not start processes.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.identity.is_daemon
    }

    /// Its key: 32 random bytes that the main process made, unless a [`Builder`](crate::Builder)
    /// above was given another.
    ///
    /// # Panics
    /// * As [`Key::random`], in the main process and at the first call only.
    #[must_use]
    pub fn key(&self) -> Key {
        self.identity.key().expect("getrandom(2) is there")
    }

    /// The process that started it by a call of this crate.
    #[must_use]
    pub fn parent(&self) -> Option<Parent> {
        self.identity.parent.as_ref().map(Parent)
    }
}

impl Parent {
    /// The name by which the parent knows itself.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.0.name
    }

    /// Its number in the system's table, as the parent saw it. Once it has ended the number may be
    /// another's.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.0.pid
    }

    /// Whether it has not ended yet.
    ///
    /// # Errors
    /// * [`Error::System`] when foreign code closed our descriptor.
    pub fn is_alive(&self) -> Result<bool, Error> {
        Ok(!pidfd::wait_ended(&[self.sentinel()], core::time::Duration::ZERO)?)
    }

    /// Waits until the parent has ended or `deadline` passes. Its status is for its own parent.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::System`] when foreign code closed our descriptor.
    ///
    /// # Example
    /// ```
    /// use core::time::Duration;
    /// use purlin_process::{Error, ExitCode, ExitStatus, Process, current};
    ///
    /// let child = Process::fork("heir", || match current().parent() {
    ///     Some(parent) if parent.join(Duration::ZERO) == Err(Error::TimedOut) => ExitCode(0),
    ///     _ => ExitCode(2),
    /// })?;
    /// assert_eq!(child.join(None)?, ExitStatus::Code(0));
    /// # Ok::<(), purlin_process::Error>(())
    /// ```
    pub fn join(&self, deadline: impl Into<Deadline>) -> Result<(), Error> {
        let deadline = deadline.into().start();
        // Ends at the parent's end or at the deadline, each of which is looked at every slice.
        loop {
            let left = deadline.remaining().unwrap_or(JOIN_SLICE);
            if pidfd::wait_ended(&[self.sentinel()], left.min(JOIN_SLICE))? {
                return Ok(());
            }
            if deadline.remaining().is_some_and(|left| left.is_zero()) {
                return Err(Error::TimedOut);
            }
        }
    }

    /// A descriptor that polls readable once the parent has ended, for waiting on several.
    #[must_use]
    pub fn sentinel(&self) -> BorrowedFd<'static> {
        self.0.sentinel.as_fd()
    }
}

/// How many processors the machine has online, whoever may use them.
///
/// # Errors
/// * [`Error::Unsupported`] when the system does not say.
///
/// # Example
/// ```
/// use purlin_process::{cpu_count, usable_cpu_count};
/// assert!(1 <= usable_cpu_count()? && usable_cpu_count()? <= cpu_count()?);
/// # Ok::<(), purlin_process::Error>(())
/// ```
pub fn cpu_count() -> Result<usize, Error> {
    processors::online_count().ok_or(Error::Unsupported)
}

/// How many of the processors this process may use at once: those of its affinity mask, or what its
/// control group has a quota for, if that is less; at least 1. It is asked anew at each call, as
/// `std::thread::available_parallelism` does on Linux:
///
/// * The mask of the calling thread (`sched_getaffinity(2)`), which a cpuset of its control group
///   has narrowed already.
/// * The least quota of its control group and those above it, rounded down: of version 2, the
///   `cpu.max` of each folder from its own up to `/sys/fs/cgroup`; of version 1, where the group of
///   the `cpu` controller is mounted, `cpu.cfs_quota_us` over `cpu.cfs_period_us`.
///
/// # Weak points
/// * A quota of two and a half processors counts as two, one of a half as one.
/// * A version 2 hierarchy that is mounted elsewhere, and one whose upper levels a container does
///   not see, are not looked at: what cannot be read limits nothing.
/// * Shares and weights are no quota, and not counted.
///
/// # Errors
/// * [`Error::Unsupported`] when the system does not say.
pub fn usable_cpu_count() -> Result<usize, Error> {
    std::thread::available_parallelism().map(Into::into).map_err(|_| Error::Unsupported)
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Current");
        shown.field("name", &self.name()).field("pid", &self.pid());
        shown.field("is_daemon", &self.is_daemon()).field("parent", &self.parent()).finish()
    }
}

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_daemon() { ", daemon" } else { "" };
        write!(f, "{} (pid {}): started{kind}", shown(self.name()), self.pid())
    }
}

impl fmt::Debug for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parent").field("name", &self.name()).field("pid", &self.pid()).finish()
    }
}
