//! The start of a program.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use purlin_sync::Deadline;

use super::program::collect_left;
use super::{Exchange, Failure, Output, Program};
use crate::children::children;
use crate::limits::{DEFAULT_PATH, KILLED_LIMIT, STANDARD_FD_COUNT, UMASK_MAX};
use crate::sys::execution::{self, Wants};
use crate::sys::fork::Forkling;
use crate::sys::{descriptor, origin, signal, stdio, thread};
use crate::{Error, ExitStatus};

/// A program about to be started: what [`std::process::Command`] says, and what it cannot say.
///
/// The program gets the three standard streams and no other descriptor, whatever this process has
/// open and however that is marked, but for those that are [passed](Self::pass). It begins with no
/// signal blocked, whatever the calling thread blocks.
///
/// # Weak points
/// * Time: a fork and an execution. A process with one thread and nothing to be closed or set has
///   it done by `posix_spawn(3)`, which does not copy the page table.
/// * A process that ignores `SIGCHLD`, or collects any child (`waitpid(-1)`), takes the statuses
///   away. There a start that fails in a way that cannot be foreseen also makes std panic inside;
///   the panic is caught here, but its message is printed.
/// * What is passed is open in the program with all that its open file description has, its
///   position for instance.
///
/// # Example
/// ```
/// use std::process::Command;
/// use std::time::Duration;
///
/// use purlin_process::command::Launch;
///
/// let mut command = Command::new("sh");
/// command.args(["-c", "echo out; echo err >&2; umask"]);
/// let launch = Launch::new(command).capture().errors_into_output().umask(0o077);
/// let output = launch.run("", Duration::from_secs(60))?;
/// assert_eq!(output.stdout.as_deref(), Some(&b"out\nerr\n0077\n"[..]));
/// assert_eq!(output.stderr, None);
/// # Ok::<(), purlin_process::command::Failure>(())
/// ```
pub struct Launch<'fd> {
    command: Command,
    wants: Wants,
    is_captured: bool,
    /// Something was asked for that no program can have.
    is_refused: bool,
    passed: PhantomData<BorrowedFd<'fd>>,
}

impl<'fd> Launch<'fd> {
    /// A program that is as `command` says.
    #[must_use]
    pub fn new(command: Command) -> Self {
        let wants = Wants::default();
        Self { command, wants, is_captured: false, is_refused: false, passed: PhantomData }
    }

    /// Leaves `descriptor` open in the program, under the number that it has here. Standard streams
    /// are set by the command instead: to pass one is [`Error::InvalidArgument`] at the start.
    #[must_use]
    pub fn pass(mut self, descriptor: &'fd impl AsFd) -> Self {
        let number = descriptor.as_fd().as_raw_fd();
        self.is_refused |= number < STANDARD_FD_COUNT;
        self.wants.passed.push(number);
        self
    }

    /// Makes standard output and standard error pipes, for [`run`](Self::run) or an
    /// [`Exchange`] to read.
    #[must_use]
    pub fn capture(mut self) -> Self {
        self.is_captured = true;
        self
    }

    /// Sends standard error where standard output goes, be that a pipe, a file or the caller's own
    /// output; the order of writes is kept.
    #[must_use]
    pub fn errors_into_output(mut self) -> Self {
        self.wants.has_errors_in_output = true;
        self
    }

    /// Lets the program lead a session of its own, hence a process group of its own: no terminal's
    /// signals reach it. For a group alone std has `CommandExt::process_group`; the two exclude
    /// each other, with [`Error::PermissionDenied`].
    #[must_use]
    pub fn own_session(mut self) -> Self {
        self.wants.has_own_session = true;
        self
    }

    /// Sets the program's file-creation mask, `umask(2)`; the caller's stays. A mask beyond 0o777
    /// is [`Error::InvalidArgument`] at the start.
    #[must_use]
    pub fn umask(mut self, mask: u32) -> Self {
        self.is_refused |= mask > UMASK_MAX;
        self.wants.umask = Some(mask);
        self
    }

    /// Has the kernel kill the program when its caller ends. The caller is the *thread* that starts
    /// it (`PR_SET_PDEATHSIG(2const)`): start it from one that stays. A program that changes its
    /// user loses this.
    #[must_use]
    pub fn end_with_caller(mut self) -> Self {
        self.wants.ends_with_caller = true;
        self
    }

    /// Starts the program, and returns once it is being executed.
    ///
    /// # Errors
    /// Nothing is left of a start that fails.
    /// * [`Error::NoSuchProgram`] when there is none of this name; the failure has the path.
    /// * [`Error::NotExecutable`] for a directory, for a file without the execute right or of a
    ///   form that the system does not execute; the failure has the path.
    /// * [`Error::NoSuchName`], [`Error::PermissionDenied`] for a working directory that is not
    ///   there, or that may not be entered; the failure has its path.
    /// * [`Error::PermissionDenied`] also when another user was asked for without the right to it.
    /// * [`Error::ArgumentsTooLong`]; [`Error::OutOfResources`] without processes, descriptors or
    ///   memory.
    /// * [`Error::InvalidArgument`] for a zero byte anywhere, for a `=` in the name of a variable,
    ///   and as [`pass`](Self::pass) and [`umask`](Self::umask) say.
    /// * [`Error::System`] as the system says.
    pub fn start(self) -> Result<Program, Failure> {
        self.start_until(Deadline::never())
    }

    fn start_until(mut self, deadline: Deadline) -> Result<Program, Failure> {
        if self.is_refused || has_bad_names(&self.command) {
            return Err(Error::InvalidArgument.into());
        }
        if self.is_captured {
            self.command.stdout(Stdio::piped());
            let is_apart = !self.wants.has_errors_in_output;
            self.command.stderr(if is_apart { Stdio::piped() } else { Stdio::null() });
        }
        if !signal::keeps_ended_children() {
            foresee(&self.command)?;
        }
        origin::watch_forks()?;
        collect_left();
        // Nobody forks a child here that would keep our side of the pipes for good.
        let _turn = children().start(deadline).ok_or(Error::TimedOut)?;
        let _in_the_way = stdio::take_closed();
        if self.wants != Wants::default() || signal::blocks_any() || may_leak() {
            execution::prepare(&mut self.command, self.wants);
        }
        let mut child = spawn(&mut self.command)?;
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let name = self.command.get_program().to_string_lossy().into_owned();
        Ok(Program::adopt(name, Forkling::of_program(child)?, streams))
    }

    /// Runs the program to its end: feeds it `input`, reads the streams that are pipes, and returns
    /// their contents with its status, whatever that is. With an input that is not empty the
    /// standard input becomes a pipe; else it stays as the command says.
    ///
    /// The deadline holds for all of it. When it comes the program is killed and collected.
    ///
    /// # Errors
    /// * As [`start`](Self::start).
    /// * [`Error::TimedOut`] when the deadline came first. The failure carries what was read, and
    ///   how the program ended; nothing, if other starts of this process took so long that it was
    ///   not begun.
    ///
    /// # Weak points
    /// * What the program has started lives on, and may keep the streams open: without a deadline
    ///   this waits for their end, since what is written there is asked for.
    /// * A process that another thread forks meanwhile has copies of this end of the pipes: as long
    ///   as it lives, a program that reads to the end of its input waits for it, and so does this.
    pub fn run(
        mut self,
        input: impl Into<Vec<u8>>,
        deadline: impl Into<Deadline>,
    ) -> Result<Output, Failure> {
        let (input, deadline) = (input.into(), deadline.into().start());
        if !input.is_empty() {
            self.command.stdin(Stdio::piped());
        }
        let program = self.start_until(deadline)?;
        let mut exchange = program.exchange(input)?;
        match exchange.finish(deadline) {
            Ok(output) => Ok(output),
            Err(error) => Err(Failure::after(error, give_up(&program, exchange))),
        }
    }
}

impl fmt::Debug for Launch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch").field("command", &self.command).finish_non_exhaustive()
    }
}

/// Ends a program that has not come to its end in time.
fn give_up(program: &Program, exchange: Exchange) -> Output {
    // It fails for one that is another user's by now; then the wait is over in time.
    let _ = program.kill();
    // Its teardown is all that is waited for. One that the kernel cannot end yet is collected by a
    // later start.
    let status = program.wait(KILLED_LIMIT).unwrap_or(ExitStatus::Unknown);
    exchange.into_output(status)
}

/// Whether the program could inherit a descriptor beyond its standard streams. Another thread may
/// open one at any moment, so that only a process with one thread can answer no.
fn may_leak() -> bool {
    !thread::is_only() || descriptor::has_inherited(STANDARD_FD_COUNT).unwrap_or(true)
}

/// Names of variables that the program would read as other ones.
fn has_bad_names(command: &Command) -> bool {
    command.get_envs().any(|(name, _)| name.as_encoded_bytes().contains(&b'='))
}

fn spawn(command: &mut Command) -> Result<Child, Failure> {
    // Where nobody keeps ended children, std finds the one that failed gone, and panics. The
    // command is not used any more then, but to be looked at.
    match catch_unwind(AssertUnwindSafe(|| command.spawn())) {
        Ok(Ok(child)) => Ok(child),
        Ok(Err(error)) => Err(why(&error, command)),
        Err(_) => Err(foresee(command).err().unwrap_or(Error::NotExecutable.into())),
    }
}

/// What a start failed of.
fn why(error: &io::Error, command: &Command) -> Failure {
    let Some(errno) = error.raw_os_error() else {
        return match error.kind() {
            io::ErrorKind::InvalidInput => Error::InvalidArgument.into(), // a zero byte
            _ => Error::OutOfResources.into(),
        };
    };
    let program = command.get_program();
    match errno {
        libc::ENOENT | libc::ENOTDIR | libc::EACCES => match check_directory(command) {
            Err(failure) => failure,
            Ok(()) if errno == libc::EACCES => Failure::about(Error::NotExecutable, program),
            Ok(()) => Failure::about(Error::NoSuchProgram, program),
        },
        libc::ENOEXEC | libc::EISDIR => Failure::about(Error::NotExecutable, program),
        libc::E2BIG => Error::ArgumentsTooLong.into(),
        other => Error::from(rustix::io::Errno::from_raw_os_error(other)).into(),
    }
}

/// The working directory's part in a failure; the system does not tell it from the program's.
fn check_directory(command: &Command) -> Result<(), Failure> {
    let Some(directory) = command.get_current_dir() else { return Ok(()) };
    if !directory.is_dir() {
        return Err(Failure::about(Error::NoSuchName, directory));
    }
    match execution::may_execute(directory) {
        Ok(()) => Ok(()),
        Err(_) => Err(Failure::about(Error::PermissionDenied, directory)),
    }
}

/// Looks before the start whether there is a program, for a process that does not learn it
/// afterwards.
fn foresee(command: &Command) -> Result<(), Failure> {
    check_directory(command)?;
    let program = Path::new(command.get_program());
    let is_path = program.as_os_str().as_encoded_bytes().contains(&b'/');
    let folders = if is_path { vec![PathBuf::new()] } else { search_path(command) };
    let directory = command.get_current_dir().unwrap_or(Path::new(""));
    let mut error = Error::NoSuchProgram;
    for path in folders.iter().map(|folder| directory.join(folder).join(program)) {
        if path.is_file() && execution::may_execute(&path).is_ok() {
            return Ok(());
        }
        if path.is_file() || is_path && path.exists() {
            error = Error::NotExecutable; // unless a later folder has one that is
        }
    }
    Err(Failure::about(error, program))
}

/// Where a name without a directory is looked for. A command that clears the environment cannot be
/// told from one that does not: it is taken to look where this process does.
fn search_path(command: &Command) -> Vec<PathBuf> {
    let mut given = command.get_envs().filter(|(name, _)| *name == OsStr::new("PATH"));
    let path = match given.next() {
        Some((_, value)) => value.map(OsStr::to_owned),
        None => std::env::var_os("PATH"),
    };
    std::env::split_paths(&path.unwrap_or_else(|| DEFAULT_PATH.into())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_deadline_holds_for_other_starts_that_are_waited_for() {
        let turn = children().start(Deadline::never());
        let failure = Launch::new(Command::new("true")).run("", Duration::from_millis(1));
        assert_eq!(failure.err().map(|failure| failure.error()), Some(Error::TimedOut));
        drop(turn);
        let output = Launch::new(Command::new("true")).run("", Duration::from_secs(60));
        assert_eq!(output.map(|output| output.status).ok(), Some(ExitStatus::Code(0)));
    }
}
