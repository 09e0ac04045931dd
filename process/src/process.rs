//! `Process`: a child from its start to its end.
#![expect(unsafe_code, reason = "a fork whose child never returns")]

use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use purlin_sync::Deadline;

use crate::child;
use crate::children::{Child, children};
use crate::fork::{Started, start};
use crate::limits::{JOIN_SLICE, TRACED_PAUSE};
use crate::outcome::Outcome;
use crate::sys::origin::Origin;
use crate::sys::pidfd;
use crate::{Error, ExitStatus};

/// A child of this process.
///
/// The handle belongs to the process that started the child. In a forked copy of that process,
/// every call but [`name`](Self::name) and [`pid`](Self::pid) answers [`Error::NotTheParent`].
/// Threads may share a handle: all that join see the same status.
///
/// Dropping it neither waits for the child nor kills it. A child that has ended is collected on the
/// spot; one that ends later stays in the system's table until the next start of a process here
/// collects it, and goes with this process at the latest.
///
/// # Weak points
/// * Foreign code that waits for any child (`waitpid(-1)`), or that ignores `SIGCHLD`, takes the
///   status away; the child is then joined as [`ExitStatus::Unknown`].
/// * A child that a debugger follows counts as alive until the debugger has seen its end.
pub struct Process {
    name: String,
    child: Arc<Child>,
    parent: Origin,
}

impl Process {
    /// Starts a child that runs `function` in a copy of this process, then ends with the status
    /// that its [`Outcome`] means. Returns without waiting for it.
    ///
    /// An empty name is replaced by a numbered one. The closure is dropped here when the child has
    /// its copy; what it captured by reference the child sees as it was at the start.
    ///
    /// The child's standard input is the null device. A panic is printed by the panic hook and is
    /// status 101, an error is printed and is status 1. Then standard output is written out and the
    /// child leaves by `_exit(2)`: exit handlers and destructors outside the function do not run.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] without processes, descriptors or memory; no child is left.
    /// * [`Error::PermissionDenied`], [`Error::Unsupported`] and [`Error::System`] as the system
    ///   says; no child is left either.
    ///
    /// # Weak points
    /// * Threads: the child has one. A lock that another thread held at that moment stays held in
    ///   the child for ever: locks of the program, of loggers, of `std::io::stdin`, of the panic
    ///   hook's backtrace. Standard output, standard error, the allocator and this crate are safe.
    /// * Streams: the start waits while another thread is printing, and for ever if that thread
    ///   waits for this one while it holds `stdout().lock()` or, with output to come,
    ///   `stderr().lock()`. C's standard output is written out unless it is in use; other C streams
    ///   are not. What `std::io::stdin` had read ahead is copied into the child.
    /// * Exit: `std::process::exit` in the function runs the parent's exit handlers; return
    ///   instead, or call [`exit`](crate::exit). A panic while a panic unwinds aborts (signal 6),
    ///   as does any panic in a program that is built to abort.
    /// * Death: if the parent is killed inside this call, the child ends without having run.
    /// * Descriptors: the child inherits all of them, those of its siblings included.
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
        let mut name = name.into();
        if name.is_empty() {
            name = children().next_name();
        }
        // SAFETY: the child runs `function` only and then ends; no frame of the parent goes on in
        // it. That it may wait for ever for a thread that is gone is said above, and no more than
        // waiting: for memory safety the other threads are stopped, which any thread may be.
        match unsafe { start() }? {
            Started::Child { is_c_stdout_ours } => child::run(&name, function, is_c_stdout_ours),
            Started::Parent(child) => Ok(Self::adopt(name, child)),
        }
    }

    /// The handle for a child that this process has just started.
    pub(crate) fn adopt(name: String, child: Arc<Child>) -> Self {
        Self { name, child, parent: Origin::current() }
    }

    /// The name that it was started with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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
            if pidfd::wait_ended(self.child.sentinel(), slice)? && self.look()?.is_none() {
                pidfd::pause(slice.min(TRACED_PAUSE));
            }
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
    /// children live on. Does nothing to one that has ended.
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
        self.check_parent()?;
        children().look(&self.child)
    }

    fn check_parent(&self) -> Result<(), Error> {
        if self.parent.is_current() { Ok(()) } else { Err(Error::NotTheParent) }
    }
}

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
        shown.field("name", &self.name).field("pid", &self.pid());
        // A forked copy must not touch the lock, which a thread of the parent may have held.
        if self.parent.is_current() {
            shown.field("status", &self.child.collected());
        }
        shown.finish()
    }
}
