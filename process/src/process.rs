//! `Process`: a child from its start to its end.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use purlin_sync::Deadline;

use crate::child::shown;
use crate::children::{self, Child};
use crate::limits::{JOIN_SLICE, TRACED_PAUSE};
use crate::outcome::Outcome;
use crate::sys::origin::Origin;
use crate::sys::pidfd;
use crate::{Builder, Error, ExitStatus};

/// A child of this process, which was started. What is not started yet is a [`Builder`].
///
/// The handle belongs to the process that started the child. In a forked copy of that process,
/// every call but [`name`](Self::name), [`is_daemon`](Self::is_daemon) and [`pid`](Self::pid)
/// answers [`Error::NotTheParent`]. A clone is one more handle of the same child, and equal to it.
/// Threads may share a handle: all that join see the same status.
///
/// Dropping it neither waits for the child nor kills it. A child that has ended is collected on the
/// spot; one that ends later stays in the system's table until the next start of a process here, or
/// [`active_children`], collects it, and goes with this process at the latest.
///
/// Its display form is a line with name, pid and state: `started`, or `stopped` and how, as far as
/// some call has seen it.
///
/// # Weak points
/// * The system's descriptor of a child is kept until the child has been collected and the last
///   handle is gone.
/// * Foreign code that waits for any child (`waitpid(-1)`), or that ignores `SIGCHLD`, takes the
///   status away; the child is then joined as [`ExitStatus::Unknown`].
/// * Foreign code that closes our descriptor of a child makes these calls fail. If the number is
///   given to another file by then, they fail as well; to another child's descriptor, they reach
///   that child. No look before a call rules it out, for another thread may close and open between
///   the two: who closes what it does not own breaks this as it breaks every descriptor of std's.
/// * A child that a debugger follows counts as alive until the debugger has seen its end.
#[derive(Clone)]
pub struct Process {
    child: Arc<Child>,
}

impl Process {
    /// Starts a child that runs `function` in a copy of this process, then ends with the status
    /// that its [`Outcome`] means. Returns without waiting for it. Short for [`Builder::new`] with
    /// this name, and then [`fork`](Builder::fork).
    ///
    /// An empty name is replaced by a numbered one. The closure is dropped here when the child has
    /// its copy; what it captured by reference the child sees as it was at the start.
    ///
    /// The child's standard input is the null device. A panic is printed by the panic hook and is
    /// status 101, an error is printed and is status 1. Then the child does what
    /// [`shutdown`](crate::shutdown) does, standard output is written out, and it leaves by
    /// `_exit(2)`: exit handlers and destructors outside the function do not run.
    ///
    /// # Errors
    /// * [`Error::DaemonMayNotHaveChildren`] in a daemon.
    /// * [`Error::OutOfResources`] without processes, descriptors or memory; no child is left.
    /// * [`Error::PermissionDenied`], [`Error::Unsupported`] and [`Error::System`] as the system
    ///   says; no child is left either.
    ///
    /// # Weak points
    /// * Threads: the child has one. A lock that another thread held at that moment stays held in
    ///   the child for ever: locks of the program, of loggers, of `std::io::stdin`, of the panic
    ///   hook's backtrace. Standard output, standard error, the allocator and this crate are safe.
    ///   So is a thread that the child starts by [`thread`](crate::thread), and one of
    ///   `std::thread` is not: std takes a lock of the whole process as a thread begins and as it
    ///   ends. If another thread of the parent was just at that, the child's hangs for ever. The
    ///   same goes for `std::env::set_var`, if a thread of the parent was just at a variable.
    /// * Streams: the start waits while another thread is printing, and for ever if that thread
    ///   waits for this one while it holds `stdout().lock()` or, with output to come,
    ///   `stderr().lock()`, or starts a child while it holds the latter alone. C's standard output
    ///   is written out unless it is in use; other C streams are not. What `std::io::stdin` had
    ///   read ahead is copied into the child.
    /// * Exit: `std::process::exit` in the function runs the parent's exit handlers; return
    ///   instead, or call [`exit`](crate::exit). A panic while a panic unwinds aborts (signal 6),
    ///   as does any panic in a program that is built to abort.
    /// * Death: if the parent is killed inside this call, the child ends without having run.
    /// * Descriptors: the child inherits all of them, those of its siblings included, and has one
    ///   more, which leads to its parent; a daemon has two.
    ///
    /// # Example
    /// ```
    /// use purlin_process::{ExitStatus, Process};
    ///
    /// let child = Process::fork("checker", || -> Result<(), String> { Err("no luck".into()) })?;
    /// assert_eq!(child.join(None)?, ExitStatus::Code(1)); // and "checker: no luck" was printed
    /// # Ok::<(), purlin_process::Error>(())
    /// ```
    pub fn fork<F, R>(name: impl Into<String>, function: F) -> Result<Self, Error>
    where
        F: FnOnce() -> R,
        R: Outcome,
    {
        Builder::new().name(name).fork(function)
    }

    /// The handle of a child.
    pub(crate) fn adopt(child: Arc<Child>) -> Self {
        Self { child }
    }

    /// The name that it was started with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.child.name
    }

    /// Whether it was started as a daemon, which ends with its parent: see [`Builder::daemon`].
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.child.is_daemon
    }

    /// Its number in the system's table. Once it has been collected the number may be another's.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// A descriptor that polls readable once the child has ended, for waiting on several. Collect
    /// it with [`join`](Self::join) afterwards.
    ///
    /// # Errors
    /// * [`Error::NotTheParent`] in any process but the one that started the child.
    pub fn sentinel(&self) -> Result<BorrowedFd<'_>, Error> {
        self.check_parent()?;
        Ok(self.child.sentinel())
    }

    /// Whether the child has not ended yet. One that has is collected.
    ///
    /// # Errors
    /// * [`Error::NotTheParent`] in any process but the one that started the child.
    /// * [`Error::System`] when foreign code closed our descriptor.
    pub fn is_alive(&self) -> Result<bool, Error> {
        Ok(self.look()?.is_none())
    }

    /// Waits until the child has ended or `deadline` passes, and returns how it ended, the same
    /// however often it is asked.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first; the child goes on.
    /// * [`Error::NotTheParent`] in any process but the one that started the child.
    /// * [`Error::System`] when foreign code closed our descriptor.
    pub fn join(&self, deadline: impl Into<Deadline>) -> Result<ExitStatus, Error> {
        let mut deadline = deadline.into();
        // Ends at the child's end or at the deadline, each of which is looked at every slice.
        loop {
            if let Some(status) = self.look()? {
                return Ok(status);
            }
            deadline = deadline.start();
            let left = deadline.remaining().unwrap_or(JOIN_SLICE);
            if left.is_zero() {
                return Err(Error::TimedOut);
            }
            let slice = left.min(JOIN_SLICE);
            if pidfd::wait_ended(&[self.child.sentinel()], slice)? && self.look()?.is_none() {
                pidfd::pause(slice.min(TRACED_PAUSE));
            }
        }
    }

    /// How the child ended, or `None` while it runs. One that has ended is collected.
    ///
    /// # Errors
    /// * [`Error::NotTheParent`] in any process but the one that started the child.
    /// * [`Error::System`] when foreign code closed our descriptor.
    pub fn status(&self) -> Result<Option<ExitStatus>, Error> {
        self.look()
    }

    /// Gives this handle back, and with the last one what the system keeps of the child: it is
    /// collected. That the child has ended is a condition, and not waited for.
    ///
    /// # Errors
    /// * [`StillRunning`], with the handle in it, while the child runs. The same with another
    ///   [`error`](StillRunning::error) in any process but the one that started the child.
    ///
    /// # Example
    /// ```
    /// use purlin_process::Process;
    ///
    /// let child = Process::fork("sleeper", || loop {
    ///     std::thread::park();
    /// } as ())?;
    /// let child = child.close().unwrap_err().into_process();
    /// child.kill()?;
    /// child.join(None)?;
    /// child.close()?;
    /// # Ok::<(), purlin_process::Error>(())
    /// ```
    pub fn close(self) -> Result<(), StillRunning> {
        match self.look() {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(StillRunning { process: self, error: Error::StillRunning }),
            Err(error) => Err(StillRunning { process: self, error }),
        }
    }

    /// How the child ended, if it has: a [`join`](Self::join) that does not wait.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] while the child runs.
    /// * [`Error::NotTheParent`] in any process but the one that started the child.
    /// * [`Error::System`] when foreign code closed our descriptor.
    pub fn try_join(&self) -> Result<ExitStatus, Error> {
        self.look()?.ok_or(Error::TimedOut)
    }

    /// Ends the child, whatever it does: `SIGKILL`. Returns without waiting for its end; its own
    /// children live on, but for daemons. Does nothing to one that has ended.
    ///
    /// # Errors
    /// * [`Error::NotTheParent`] in any process but the one that started the child.
    /// * [`Error::PermissionDenied`] when the child runs as a user beyond this process's reach.
    /// * [`Error::System`] when foreign code closed our descriptor.
    pub fn kill(&self) -> Result<(), Error> {
        self.signal(pidfd::SIGKILL)
    }

    /// Asks the child to end: `SIGTERM`, which it may handle or ignore. Otherwise as
    /// [`kill`](Self::kill).
    ///
    /// # Errors
    /// * As [`kill`](Self::kill).
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal(pidfd::SIGTERM)
    }

    /// Sends the child the signal `number`, as in `signal(7)`. Does nothing to one that has ended.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when `number` is not in 1 to 64.
    /// * As [`kill`](Self::kill).
    pub fn signal(&self, number: i32) -> Result<(), Error> {
        self.check_parent()?;
        self.child.signal(number)
    }

    fn look(&self) -> Result<Option<ExitStatus>, Error> {
        let current = Origin::current();
        if self.child.parent != current {
            return Err(Error::NotTheParent);
        }
        match self.child.collected() {
            Some(status) => Ok(Some(status)),
            None => children::children_of(current).look(&self.child),
        }
    }

    fn check_parent(&self) -> Result<(), Error> {
        if self.is_ours() { Ok(()) } else { Err(Error::NotTheParent) }
    }

    fn is_ours(&self) -> bool {
        self.child.parent.is_current()
    }
}

/// Waits until one of `processes` has ended or `deadline` passes. Returns the places in the slice
/// of all that have ended by then, at least one, in ascending order; they are collected.
///
/// # Errors
/// * [`Error::TimedOut`] when the deadline came first.
/// * [`Error::InvalidArgument`] when there are none to wait for.
/// * [`Error::NotTheParent`] when one of them is no child of the calling process.
/// * [`Error::OutOfResources`] without memory; [`Error::System`] when foreign code closed a
///   descriptor of ours.
///
/// # Example
/// ```
/// use purlin_process::{Process, wait_any};
///
/// let sleeper = Process::fork("sleeper", || loop {
///     std::thread::park();
/// } as ())?;
/// let brief = Process::fork("brief", || ())?;
/// assert_eq!(wait_any(&[&sleeper, &brief], None)?, [1]);
/// # sleeper.kill()?;
/// # sleeper.join(None)?;
/// # Ok::<(), purlin_process::Error>(())
/// ```
pub fn wait_any(
    processes: &[&Process],
    deadline: impl Into<Deadline>,
) -> Result<Vec<usize>, Error> {
    if processes.is_empty() {
        return Err(Error::InvalidArgument);
    }
    let mut deadline = deadline.into();
    let sentinels: Vec<_> = processes.iter().map(|process| process.child.sentinel()).collect();
    let mut is_any_ready = false;
    // Ends with the first that has ended or at the deadline, which are looked at every slice.
    loop {
        let mut ended = Vec::new();
        for (place, process) in processes.iter().enumerate() {
            if process.look()?.is_some() {
                ended.push(place);
            }
        }
        if !ended.is_empty() {
            return Ok(ended);
        }
        deadline = deadline.start();
        let left = deadline.remaining().unwrap_or(JOIN_SLICE);
        if left.is_zero() {
            return Err(Error::TimedOut);
        }
        let slice = left.min(JOIN_SLICE);
        if is_any_ready {
            pidfd::pause(slice.min(TRACED_PAUSE)); // ended, and held by a tracer
        }
        is_any_ready = pidfd::wait_ended(&sentinels, slice)?;
    }
}

/// The children of this process that have not ended, in the order of their starts: a snapshot. It
/// collects those that have ended. What a child starts is not among them, nor what other code of
/// this program starts.
///
/// ```
/// use purlin_process::{Process, active_children};
///
/// let sleeper = Process::fork("sleeper", || loop {
///     std::thread::park();
/// } as ())?;
/// assert_eq!(active_children(), [sleeper.clone()]);
/// sleeper.kill()?;
/// sleeper.join(None)?;
/// assert_eq!(active_children(), []);
/// # Ok::<(), purlin_process::Error>(())
/// ```
#[must_use]
pub fn active_children() -> Vec<Process> {
    children::living().into_iter().map(Process::adopt).collect()
}

impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.child, &other.child)
    }
}

impl Eq for Process {}

impl Drop for Process {
    fn drop(&mut self) {
        // In a forked copy this fails and does nothing, as it should. A child that runs on, or that
        // cannot be looked at, stays in the list for the next start.
        let _ = self.look();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Process");
        shown.field("name", &self.name()).field("pid", &self.pid());
        // A forked copy must not touch the lock, which a thread of the parent may have held.
        if self.is_ours() {
            shown.field("status", &self.child.collected());
        }
        shown.field("is_daemon", &self.is_daemon()).finish()
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {}): ", shown(self.name()), self.pid())?;
        let kind = if self.is_daemon() { ", daemon" } else { "" };
        match self.is_ours().then(|| self.child.collected()) {
            None => write!(f, "of another process{kind}"), // the lock: as above
            Some(None) => write!(f, "started{kind}"),
            Some(Some(status)) => write!(f, "stopped, {status}{kind}"),
        }
    }
}

/// A child that was to be closed and has not ended, or that is another process's. See
/// [`Process::close`].
#[derive(Debug)]
pub struct StillRunning {
    process: Process,
    error: Error,
}

impl StillRunning {
    /// The handle that was to be closed.
    #[must_use]
    pub fn into_process(self) -> Process {
        self.process
    }

    /// Why it was not: [`Error::StillRunning`], or as for [`Process::status`].
    #[must_use]
    pub fn error(&self) -> Error {
        self.error
    }
}

impl fmt::Display for StillRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", shown(self.process.name()), self.error)
    }
}

impl core::error::Error for StillRunning {}

impl From<StillRunning> for Error {
    fn from(not_closed: StillRunning) -> Self {
        not_closed.error
    }
}
