//! How a child is to be started: a process that is not started yet.
#![expect(unsafe_code, reason = "a fork whose child never returns")]

use std::fmt;
use std::path::PathBuf;

use purlin_shm::Carry;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::child::{self, shown};
use crate::fork::{Started, StartedEach, start, start_each};
use crate::identity::Plan;
use crate::key::Key;
use crate::limits::FORK_EACH_MAX;
use crate::outcome::Outcome;
use crate::spawn;
use crate::{Error, Process};

/// A process that was described and is not started: its name, whether it is a daemon, its key, what
/// is executed.
///
/// A start takes it, so that it is started once. It has no pid and no status, and is not among the
/// [`active_children`](crate::active_children). Numbers are given when it is made: the N-th that a
/// process makes is its N-th child in names, whether it is started or not.
///
/// ```
/// use purlin_process::{Builder, ExitCode, ExitStatus, current};
///
/// let described = Builder::new().name("adder");
/// assert_eq!((described.shown_name(), described.is_daemon()), ("adder", false));
/// let child = described.fork(|| ExitCode(i32::from(current().name() != "adder")))?;
/// assert_eq!(child.join(None)?, ExitStatus::Code(0));
/// # Ok::<(), purlin_process::Error>(())
/// ```
#[must_use = "nothing runs before it is started"]
pub struct Builder(Plan);

/// A value with a run step and a state of its own, which a child executes: see
/// [`Builder::fork_run`] and [`Builder::spawn_run`]; or a thread, see
/// [`start_run`](crate::thread::Builder::start_run). Called directly, it runs where it is called.
pub trait Run {
    /// What the step returns.
    type Outcome: Outcome;

    /// The step.
    fn run(self) -> Self::Outcome;
}

impl Builder {
    /// A child of the calling process, with a name of its number: `Process-N`, and the path from
    /// the main process for children of children, `Process-N:M`. It is a daemon if the calling
    /// process is one, and will have this process's key.
    pub fn new() -> Self {
        Self(Plan::new())
    }

    /// Gives it a name. Any text will do, and it need not be the only one of this name; in lines of
    /// text, control characters are shown as escapes, and what is long is cut. An empty name leaves
    /// it numbered.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.0.name = if name.is_empty() { format!("Process-{}", self.0.path) } else { name };
        self
    }

    /// Makes it a daemon or not. A daemon ends with its parent, however that ends:
    ///
    /// * By its function, [`exit`](crate::exit) or [`shutdown`](crate::shutdown): daemons are asked
    ///   to end (`SIGTERM`), after two seconds killed, and collected.
    /// * By anything else, such as `SIGKILL`, `_exit(2)` or an `execve(2)`: the kernel kills them.
    ///
    /// It may not start processes; nobody would end them. A [program](crate::command) that it
    /// starts is not refused, and lives on.
    ///
    /// # Weak points
    /// * Descriptors: a process keeps one from its first daemon on, closed on exec, and its daemons
    ///   have one each. Foreign code in the parent that closes it ends the daemons, for that is
    ///   what they wait for; foreign code in a daemon that closes its own cuts the tie.
    /// * A copy of the parent that foreign code made by a raw `clone(2)` keeps the parent's
    ///   descriptor: its daemons then live until that copy has ended, too. So does, rarely, a child
    ///   that foreign code in another thread forks while the first daemon is being started.
    /// * A daemon that executes another program, or changes its user for good, is not killed. What
    ///   foreign code in a daemon started lives on.
    /// * A daemon that was stopped (`SIGSTOP`) before its parent held it, a few system calls behind
    ///   the fork or the execution, and whose parent was killed right then, ends when it goes on.
    ///   The first process of a pid namespace has a thread more.
    /// * The parent that is killed does not collect: whoever adopts orphans does.
    pub fn daemon(mut self, is_daemon: bool) -> Self {
        self.0.is_daemon = is_daemon;
        self
    }

    /// Gives it another key than the calling process's.
    pub fn key(mut self, key: Key) -> Self {
        self.0.key = Some(key);
        self
    }

    /// Has a [`spawn`](Self::spawn) execute the program at this path, in place of this program's
    /// own file: a copy of it, or a wrapper that executes it with the same arguments, environment
    /// and standard input, such as `#!/bin/sh` and `exec strace ./server "$@"`. A name without a
    /// slash is looked for in `PATH`. A fork executes nothing, and pays no heed.
    ///
    /// The child's function is found by its place in the code, so the code has to be the same, to
    /// the byte. That is looked at in the child: where another program comes to
    /// [`init`](crate::init), it says so and ends with status 1. One that never comes there is
    /// refused: see the errors of [`Process::spawn`].
    ///
    /// It counts for this child alone. What that spawns is executed from its own file again.
    ///
    /// # Weak points
    /// * Time: both sides go through the code of the program, a millisecond for a few megabytes.
    /// * A program that its linker made executable and not readable cannot be compared:
    ///   [`Error::Unsupported`].
    ///
    /// ```standalone_crate
    /// use purlin_process::{Builder, Error, ExitCode, ExitStatus};
    ///
    /// fn main() -> Result<(), Error> {
    ///     purlin_process::init();
    ///     let own = std::env::current_exe().expect("a path");
    ///     let child = Builder::new().program(own).spawn(|(), ()| ExitCode(7), (), ())?;
    ///     assert_eq!(child.join(None)?, ExitStatus::Code(7));
    ///     let missing = Builder::new().program("/no/such/program").spawn(|(), ()| (), (), ());
    ///     assert_eq!(missing.err(), Some(Error::NoSuchProgram));
    ///     Ok(())
    /// }
    /// ```
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.program = Some(path.into());
        self
    }

    /// The name that it will have.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        &self.0.name
    }

    /// Whether it will be a daemon.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.0.is_daemon
    }

    /// Starts it as a copy of the calling process that runs `function`: all of
    /// [`Process::fork`] is said of this.
    ///
    /// # Errors
    /// * As [`Process::fork`].
    pub fn fork<F, R>(self, function: F) -> Result<Process, Error>
    where
        F: FnOnce() -> R,
        R: Outcome,
    {
        // SAFETY: the child runs `function` only and then ends; no frame of the parent goes on in
        // it. That it may wait for ever for a thread that is gone is said at `Process::fork`, and
        // no more than waiting: for memory safety the other threads are stopped, which any thread
        // may be.
        match unsafe { start(self.0) }? {
            Started::Child => child::run(function),
            Started::Parent(child) => Ok(Process::adopt(child)),
        }
    }

    /// Starts it as a copy of the calling process that executes the step of `value`, as
    /// [`fork`](Self::fork) does a function.
    ///
    /// ```
    /// use purlin_process::{Builder, ExitCode, ExitStatus, Run};
    ///
    /// struct Count(i32);
    ///
    /// impl Run for Count {
    ///     type Outcome = ExitCode;
    ///
    ///     fn run(self) -> ExitCode {
    ///         ExitCode(self.0 + 1)
    ///     }
    /// }
    ///
    /// let child = Builder::new().fork_run(Count(3))?;
    /// assert_eq!(child.join(None)?, ExitStatus::Code(4));
    /// # Ok::<(), purlin_process::Error>(())
    /// ```
    ///
    /// # Errors
    /// * As [`Process::fork`].
    pub fn fork_run(self, value: impl Run) -> Result<Process, Error> {
        self.fork(move || value.run())
    }

    /// Starts it as this program executed anew, for `function`, a copy of `arguments` and handles
    /// of the same objects as `carried`: all of [`Process::spawn`] is said of this.
    ///
    /// # Errors
    /// * As [`Process::spawn`].
    pub fn spawn<F, A, C, R>(self, function: F, arguments: A, carried: C) -> Result<Process, Error>
    where
        F: Fn(A, C) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned + 'static,
        C: Carry + 'static,
        R: Outcome,
    {
        spawn::spawn(self.0, function, &arguments, &carried)
    }

    /// Starts it as this program executed anew, for the step of a copy of `value`, as
    /// [`spawn`](Self::spawn) does a function.
    ///
    /// A value that has handles too is put together in the child, since handles have no serial
    /// form: `spawn(|state, handles| Both { state, handles }.run(), state, handles)`.
    ///
    /// ```standalone_crate
    /// use purlin_process::{Builder, ExitCode, ExitStatus, Run};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Count(i32);
    ///
    /// impl Run for Count {
    ///     type Outcome = ExitCode;
    ///
    ///     fn run(self) -> ExitCode {
    ///         ExitCode(self.0 + 1)
    ///     }
    /// }
    ///
    /// fn main() -> Result<(), purlin_process::Error> {
    ///     purlin_process::init();
    ///     let child = Builder::new().spawn_run(Count(3))?;
    ///     assert_eq!(child.join(None)?, ExitStatus::Code(4));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// * As [`Process::spawn`].
    pub fn spawn_run<T>(self, value: T) -> Result<Process, Error>
    where
        T: Run + Serialize + DeserializeOwned + 'static,
    {
        self.spawn(|value: T, ()| value.run(), value, ())
    }
}

/// Starts several children one after the other, up to
/// [`FORK_EACH_MAX`](crate::parts::FORK_EACH_MAX), each as
/// [`Builder::fork`](crate::Builder::fork) does: those that were started, and why the next one was
/// not. `give` makes what the function of one is given, right before its fork; the parent drops its
/// copy behind it.
///
/// It takes less time than one by one, as long as `give` leaves the heap alone: each page that a
/// process writes to between two forks is copied. `give` neither panics nor prints: who was started
/// before would be nobody's child, and print it again. Until the last one is started none is a
/// child for other threads, which may end this process meanwhile.
///
/// ```
/// use purlin_process::parts::fork_each;
/// use purlin_process::{Builder, Error, ExitCode, ExitStatus};
///
/// let builders = vec![Builder::new(), Builder::new()];
/// let give = |index| Ok::<_, Error>(7 * index);
/// let (children, answer) = fork_each(builders, give, |_, given| ExitCode(given as i32));
/// answer?;
/// assert_eq!(children[0].join(None)?, ExitStatus::Code(0));
/// assert_eq!(children[1].join(None)?, ExitStatus::Code(7));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// * As [`Builder::fork`](crate::Builder::fork), and what `give` says.
///
/// # Panics
/// * For more builders than [`FORK_EACH_MAX`](crate::parts::FORK_EACH_MAX).
pub fn fork_each<T, R, E>(
    builders: Vec<Builder>,
    give: impl FnMut(usize) -> Result<T, E>,
    function: impl FnOnce(usize, T) -> R,
) -> (Vec<Process>, Result<(), E>)
where
    R: Outcome,
    E: From<Error>,
{
    assert!(builders.len() <= FORK_EACH_MAX, "more children than are started at a time");
    let plans = builders.into_iter().map(|builder| builder.0).collect();
    // SAFETY: As in `Builder::fork`.
    match unsafe { start_each(plans, give) } {
        Ok(StartedEach::Child(index, given)) => child::run(move || function(index, given)),
        Ok(StartedEach::Parent(children, answer)) => {
            (children.into_iter().map(Process::adopt).collect(), answer)
        }
        Err(error) => (Vec::new(), Err(error.into())),
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Builder");
        shown.field("name", &self.0.name).field("is_daemon", &self.0.is_daemon).finish()
    }
}

impl fmt::Display for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_daemon() { ", daemon" } else { "" };
        write!(f, "{}: initial{kind}", shown(self.shown_name()))
    }
}
