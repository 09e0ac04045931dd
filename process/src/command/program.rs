//! `Program`: another program from its start to its end.

use std::fmt;
use std::ops::Deref;
use std::os::fd::BorrowedFd;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_sync::Deadline;

use super::{Exchange, Failure, Launch};
use crate::children::Child;
use crate::sys::fork::Forkling;
use crate::sys::origin::PerProcess;
use crate::{Error, ExitStatus, Process};

/// A program that was started by this process.
///
/// A clone is another handle of the same program, for other threads; all that wait see the same
/// status. In a forked copy of this process every call answers [`Error::NotTheParent`], and there
/// are no streams.
///
/// Dropping the last handle closes the streams that were not taken, and neither ends the program
/// nor waits for it: it goes on, as one that is started by std does. Once it has ended it is
/// collected by the next start of a program here. [`scoped`](Self::scoped) waits instead.
///
/// # Weak points
/// * A child that is forked later holds copies of the ends of the pipes that are here, so that
///   closing them here ends nothing for the program as long as that child lives.
/// * Suspended (`SIGSTOP`) is running, here as in the system's table.
/// * As [`Process`] for foreign code that takes the status away, and for debuggers.
#[derive(Clone)]
pub struct Program(Arc<Inner>);

struct Inner {
    process: Process,
    child: Arc<Child>,
    streams: Mutex<Streams>,
}

/// What nobody has taken yet.
struct Streams {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    is_exchanged: bool,
}

/// The caller's ends of the pipes of a new program.
pub(super) type Ends = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

/// Programs that run on without a handle, to be collected when they have ended.
static LEFT: PerProcess<Mutex<Vec<Arc<Child>>>> = PerProcess::new();

impl Program {
    /// Starts what `command` describes, with the standard streams and no other descriptor. See
    /// [`Launch`] for what else can be asked.
    ///
    /// # Errors
    /// * As [`Launch::start`].
    ///
    /// # Example
    /// ```
    /// use std::io::Write;
    /// use std::process::{Command, Stdio};
    ///
    /// use purlin_process::ExitStatus;
    /// use purlin_process::command::Program;
    ///
    /// let mut command = Command::new("cat");
    /// command.stdin(Stdio::piped()).stdout(Stdio::null());
    /// let program = Program::start(command)?;
    /// assert_eq!(program.status()?, None); // it waits for its input
    /// drop(program.take_stdin());
    /// assert_eq!(program.wait(None)?, ExitStatus::Code(0));
    /// # Ok::<(), purlin_process::Error>(())
    /// ```
    pub fn start(command: Command) -> Result<Self, Failure> {
        Launch::new(command).start()
    }

    pub(super) fn adopt(name: String, forkling: Forkling, ends: Ends) -> Self {
        let child = Child::unlisted(name, false, forkling);
        let (stdin, stdout, stderr) = ends;
        let streams = Mutex::new(Streams { stdin, stdout, stderr, is_exchanged: false });
        Self(Arc::new(Inner { process: Process::adopt(Arc::clone(&child)), child, streams }))
    }

    /// What was run, as the command names it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.process.name()
    }

    /// Its number in the system's table. Once it has been collected the number may be another's.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.0.process.pid()
    }

    /// A descriptor that polls readable once the program has ended, for waiting on several.
    ///
    /// # Errors
    /// * [`Error::NotTheParent`] in any process but the one that started it.
    pub fn sentinel(&self) -> Result<BorrowedFd<'_>, Error> {
        self.0.process.sentinel()
    }

    /// How it ended, or `None` while it runs: a [`wait`](Self::wait) that does not wait.
    ///
    /// # Errors
    /// * [`Error::NotTheParent`] in any process but the one that started it.
    /// * [`Error::System`] when foreign code closed our descriptor.
    pub fn status(&self) -> Result<Option<ExitStatus>, Error> {
        match self.0.process.try_join() {
            Err(Error::TimedOut) => Ok(None),
            done => done.map(Some),
        }
    }

    /// Waits until it has ended or `deadline` passes, and returns how, the same however often and
    /// by however many threads it is asked. The streams are left alone: one that is full may keep
    /// the program from ending, for which there is [`exchange`](Self::exchange).
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first; the program goes on.
    /// * As [`status`](Self::status).
    pub fn wait(&self, deadline: impl Into<Deadline>) -> Result<ExitStatus, Error> {
        self.0.process.join(deadline)
    }

    /// Sends the signal `number`, as in `signal(7)`. Does nothing to a program that has ended, and
    /// never reaches another that was given its number.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when `number` is not in 1 to 64.
    /// * [`Error::NotTheParent`] in any process but the one that started it.
    /// * [`Error::PermissionDenied`] when it runs as a user beyond this process's reach.
    /// * [`Error::System`] when foreign code closed our descriptor.
    pub fn signal(&self, number: i32) -> Result<(), Error> {
        self.0.process.signal(number)
    }

    /// Asks it to end: `SIGTERM`.
    ///
    /// # Errors
    /// * As [`signal`](Self::signal).
    pub fn terminate(&self) -> Result<(), Error> {
        self.0.process.terminate()
    }

    /// Ends it, whatever it does: `SIGKILL`. Returns without waiting for the end.
    ///
    /// # Errors
    /// * As [`signal`](Self::signal).
    pub fn kill(&self) -> Result<(), Error> {
        self.0.process.kill()
    }

    /// The way to its standard input, if that is a pipe and nobody has taken it. Dropping it is the
    /// end of its input.
    #[must_use]
    pub fn take_stdin(&self) -> Option<ChildStdin> {
        self.streams()?.stdin.take()
    }

    /// The way from its standard output, if that is a pipe and nobody has taken it.
    #[must_use]
    pub fn take_stdout(&self) -> Option<ChildStdout> {
        self.streams()?.stdout.take()
    }

    /// The way from its standard error, if that is a pipe and nobody has taken it.
    #[must_use]
    pub fn take_stderr(&self) -> Option<ChildStderr> {
        self.streams()?.stderr.take()
    }

    /// Closes the streams that nobody has taken: the end of its input, and nobody for its output.
    pub fn close_streams(&self) {
        if let Some(mut streams) = self.streams() {
            (streams.stdin, streams.stdout, streams.stderr) = (None, None, None);
        }
    }

    /// Takes all streams, to feed it `input` and to read what it says; see
    /// [`Exchange::finish`], where that is done.
    ///
    /// # Errors
    /// * [`Error::Closed`] when this was called before, by whichever handle.
    /// * [`Error::InvalidArgument`] for an input, if the standard input is no pipe or was taken.
    /// * [`Error::NotTheParent`] in any process but the one that started it.
    /// * [`Error::System`] when the system does not let the pipes be set.
    pub fn exchange(&self, input: impl Into<Vec<u8>>) -> Result<Exchange, Error> {
        let input = input.into();
        let Some(mut streams) = self.streams() else { return Err(Error::NotTheParent) };
        if streams.is_exchanged {
            return Err(Error::Closed);
        }
        if streams.stdin.is_none() && !input.is_empty() {
            return Err(Error::InvalidArgument);
        }
        streams.is_exchanged = true;
        let ends = (streams.stdin.take(), streams.stdout.take(), streams.stderr.take());
        drop(streams);
        Exchange::new(self.clone(), input, ends)
    }

    /// Makes this a handle that, when dropped, closes the streams and waits for the program, at
    /// most until `deadline`; a [`Duration`](core::time::Duration) counts from the drop. After the
    /// deadline the program goes on.
    ///
    /// ```
    /// use std::process::{Command, Stdio};
    /// use std::time::Duration;
    ///
    /// use purlin_process::ExitStatus;
    /// use purlin_process::command::Program;
    ///
    /// let mut command = Command::new("cat");
    /// command.stdin(Stdio::piped());
    /// let program = Program::start(command)?;
    /// {
    ///     let _scope = program.clone().scoped(Duration::from_secs(60));
    /// }
    /// assert_eq!(program.status()?, Some(ExitStatus::Code(0)));
    /// # Ok::<(), purlin_process::Error>(())
    /// ```
    #[must_use = "it waits where it is dropped"]
    pub fn scoped(self, deadline: impl Into<Deadline>) -> Scoped {
        Scoped { program: self, deadline: deadline.into() }
    }

    /// `None` in a forked copy, whose lock a thread that is gone may hold.
    fn streams(&self) -> Option<MutexGuard<'_, Streams>> {
        self.sentinel().is_ok().then(|| locked(&self.0.streams))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // In a forked copy this is not-the-parent, and nothing is done. What cannot be looked at
        // cannot be collected either.
        if self.process.try_join() == Err(Error::TimedOut) {
            locked(left()).push(Arc::clone(&self.child));
        }
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.0.process).finish()
    }
}

/// A program that is waited for where this is dropped, see [`Program::scoped`].
#[derive(Debug)]
pub struct Scoped {
    program: Program,
    deadline: Deadline,
}

impl Deref for Scoped {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl Drop for Scoped {
    fn drop(&mut self) {
        self.program.close_streams();
        let _ = self.program.wait(self.deadline); // past the deadline it goes on, as was asked for
    }
}

/// Collects programs that have ended since their handles were dropped.
pub(super) fn collect_left() {
    // One that cannot be looked at just now is looked at next time.
    locked(left()).retain(|child| !matches!(child.look(), Ok(Some(_))));
}

fn left() -> &'static Mutex<Vec<Arc<Child>>> {
    LEFT.get(|| Mutex::new(Vec::new()))
}

/// Nothing panics while it holds one of these locks, so poison would say nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
