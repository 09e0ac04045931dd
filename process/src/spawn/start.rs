//! The parent's side of a spawn.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use purlin_shm::{Carry, Luggage};
use purlin_sync::Deadline;
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::init::is_initialized;
use super::task::Task;
use super::{HELLO, Letter, MARK};
use crate::children::{Child, children};
use crate::identity::{self, Plan};
use crate::limits::{HELLO_LIMIT, KILLED_LIMIT, PROGRAM};
use crate::outcome::Outcome;
use crate::sys::fork::Forkling;
use crate::sys::lifeline::{self, Line};
use crate::sys::{message, origin, pidfd, program, standard_input, stdio};
use crate::{Builder, Error, ExitStatus, Process};

impl Process {
    /// Starts a child that is this program executed anew and runs `function` there, with a copy of
    /// `arguments` and with handles of the same objects as `carried`. Returns once the child has
    /// begun to read them; it does not wait for the function.
    ///
    /// Short for [`Builder::new`](crate::Builder::new) with this name, and then
    /// [`spawn`](crate::Builder::spawn).
    ///
    /// `function` is a named function or a closure that captures nothing, which is checked when it
    /// is compiled. An empty name is replaced by a numbered one. The child has this program's
    /// arguments, and inherits this process's environment, directory, standard output and standard
    /// error, and no other descriptor; its standard input is the null device. It has one more,
    /// which leads to its parent, and a daemon two. It ends as [`shutdown`](crate::shutdown) says
    /// and then as a program does: exit handlers run.
    ///
    /// # Errors
    /// * [`Error::DaemonMayNotHaveChildren`] in a daemon.
    /// * [`Error::NotInitialized`] when this program does not call [`init`](crate::init) first
    ///   thing in `main`. No child is left.
    /// * [`Error::NotTransferable`] for arguments that have no serial form, and for a function that
    ///   is not in the main program, as a plugin's is not.
    /// * [`Error::ArgumentsTooLong`] where this program's arguments and environment, which the
    ///   child has as well, have become more than the kernel hands on.
    /// * [`Error::OutOfResources`] without processes, descriptors or memory, or when more is
    ///   carried than one message holds.
    /// * [`Error::NoSuchProgram`] when one was [chosen](crate::Builder::program) that is missing.
    /// * [`Error::Unsupported`] when `/proc` is not mounted; [`Error::PermissionDenied`] and
    ///   [`Error::System`] as the system says.
    ///
    /// What goes wrong in the child, such as arguments that cannot be rebuilt, is its end with
    /// status 1, or 101 for what panics, and told on its standard error.
    ///
    /// # Weak points
    /// * Time: about a millisecond, most of it the execution; other starts of this process wait. So
    ///   it may not be a part of what packs `carried`.
    /// * Fork: what is carried has a copy in this process until the child has it. Foreign code that
    ///   forks in another thread meanwhile has one, too, and keeps an end of a pipe open by it.
    /// * Death: killed inside this call, the parent leaves a child that ends without having run.
    /// * A child that does not get to [`init`](crate::init) within a minute is killed:
    ///   `not-initialized`.
    ///
    /// # Example
    /// ```standalone_crate
    /// use purlin_process::{ExitStatus, Process};
    /// use purlin_sync::{Error, Lock};
    ///
    /// fn work(times: u32, (lock,): (Lock,)) -> Result<(), Error> {
    ///     for _ in 0..times {
    ///         let _held = lock.acquire(None)?.sound()?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     purlin_process::init();
    ///     let lock = Lock::new()?;
    ///     let child = Process::spawn("worker", work, 3, (lock,))?;
    ///     assert_eq!(child.join(None)?, ExitStatus::Code(0));
    ///     Ok(())
    /// }
    /// ```
    pub fn spawn<F, A, C, R>(
        name: impl Into<String>,
        function: F,
        arguments: A,
        carried: C,
    ) -> Result<Self, Error>
    where
        F: Fn(A, C) -> R + Copy + 'static,
        A: Serialize + DeserializeOwned + 'static,
        C: Carry + 'static,
        R: Outcome,
    {
        Builder::new().name(name).spawn(function, arguments, carried)
    }
}

/// Starts `_function`, whose type is all there is to it, as what the plan says.
pub(crate) fn spawn<F, A, C, R>(
    plan: Plan,
    _function: F,
    arguments: &A,
    carried: &C,
) -> Result<Process, Error>
where
    F: Fn(A, C) -> R + Copy + 'static,
    A: Serialize + DeserializeOwned + 'static,
    C: Carry + 'static,
    R: Outcome,
{
    Plan::check(identity::own())?;
    if !is_initialized() {
        return Err(Error::NotInitialized);
    }
    let task = Task::of::<F, A, C, R>().offset()?;
    let arguments = postcard::to_stdvec(arguments).map_err(|_| Error::NotTransferable)?;
    start(plan, task, arguments, carried)
}

fn start(
    plan: Plan,
    task: u64,
    arguments: Vec<u8>,
    carried: &impl Carry,
) -> Result<Process, Error> {
    origin::watch_forks()?; // a child that foreign code forks must let go of the lifeline
    let list = children();
    let _turn = list.start(Deadline::never());
    let mut luggage = Luggage::new();
    carried.pack(&mut luggage)?; // in the turn: no child of ours gets copies of what it holds
    let mut line = plan.is_daemon.then(lifeline::line).transpose()?;
    let (letter, descriptors) = write(&plan, task, arguments, luggage, line.as_mut())?;
    // What another thread prints to a closed stream must not come to the child as our word.
    let _in_the_way = stdio::take_closed();
    let (ours, theirs) = message::pair()?;
    let forkling = execute(plan.program.as_deref(), theirs)?;
    let child = list.add(plan.name, plan.is_daemon, forkling);
    let process = Process::adopt(Arc::clone(&child));
    // Armed before it is told anything; until then it ends with the socket, wherever it stands.
    let armed = || if plan.is_daemon { arm(&descriptors, &child) } else { Ok(()) };
    if let Err(error) = hello(&ours, &process).and_then(|()| armed()) {
        return Err(give_up(&process, error));
    }
    // It reads as it can, and has a minute for it, so that one that was stopped stops nobody else.
    match message::send(ours.as_fd(), &letter, &descriptors, Deadline::after(HELLO_LIMIT)) {
        // One that was killed meanwhile has been started: its status says so.
        Ok(()) | Err(Error::BrokenPipe) => {}
        Err(error) => return Err(give_up(&process, error)),
    }
    if let Some(line) = line {
        line.keep();
    }
    Ok(process)
}

/// The letter, and what goes with it: first the descriptors that every child gets.
fn write(
    plan: &Plan,
    task: u64,
    arguments: Vec<u8>,
    luggage: Luggage,
    line: Option<&mut Line>,
) -> Result<(Vec<u8>, Vec<OwnedFd>), Error> {
    let own = identity::own();
    let (parent_pid, sentinel) = pidfd::open_own()?;
    let (items, carried) = luggage.into_parts();
    let letter = Letter {
        name: plan.name.clone(),
        path: plan.path.clone(),
        is_daemon: plan.is_daemon,
        key: plan.key(own)?.as_bytes().to_vec(),
        parent_name: own.name.clone(),
        parent_pid,
        task,
        code: plan.program.is_some().then(code).transpose()?,
        arguments,
        items,
    };
    let letter = postcard::to_stdvec(&letter).map_err(|_| Error::NotTransferable)?;
    let mut descriptors = vec![sentinel];
    descriptors.extend(line.and_then(Line::take_read));
    descriptors.extend(carried);
    Ok((letter, descriptors))
}

/// Ties the life of the daemon to this process's by what it will be given for it. One that has been
/// killed and collected meanwhile, here or by foreign code, needs no more.
fn arm(descriptors: &[OwnedFd], daemon: &Child) -> Result<(), Error> {
    let line = descriptors.get(1).ok_or(Error::Damaged)?; // behind the parent's own
    match daemon.by_number(|number| lifeline::arm(line.as_fd(), number)) {
        Err(error) if error == Error::from(Errno::SRCH) => Ok(()),
        armed => armed,
    }
}

/// Waits until the child has come to `init`.
fn hello(ours: &OwnedFd, process: &Process) -> Result<(), Error> {
    match message::receive_byte(ours.as_fd(), Deadline::after(HELLO_LIMIT)) {
        Ok(HELLO) => Ok(()),
        // It has ended, or has closed its standard input. One that was killed has been started; any
        // other does not call `init`.
        Err(Error::EndOfFile) if was_killed(process)? => Ok(()),
        Ok(_) | Err(Error::EndOfFile | Error::TimedOut) => Err(Error::NotInitialized),
        Err(other) => Err(other),
    }
}

/// Ends a child that cannot be told what to do.
fn give_up(process: &Process, error: Error) -> Error {
    // Both fail only when foreign code closed our descriptor; the first error says more.
    let _ = process.kill();
    let _ = process.join(KILLED_LIMIT); // its teardown; else a later start collects it
    error
}

/// The number of this program's code, which can be read unless the linker forbade it.
fn code() -> Result<u64, Error> {
    program::code().ok_or(Error::Unsupported)
}

/// Executes this program, or the one that was chosen, with the socket as its standard input.
fn execute(chosen: Option<&Path>, socket: OwnedFd) -> Result<Forkling, Error> {
    let mark = standard_input::mark_of(socket.as_fd())?;
    let mut command = Command::new(chosen.unwrap_or(Path::new(PROGRAM)));
    let mut words = std::env::args_os();
    if let Some(shown) = words.next().filter(|_| chosen.is_none()) {
        command.arg0(shown);
    }
    command.args(words);
    let started = command.env(MARK, mark).stdin(Stdio::from(socket)).spawn();
    Forkling::of_program(started.map_err(|error| match of_execution(&error) {
        Error::Unsupported if chosen.is_some() => Error::NoSuchProgram,
        other => other,
    })?)
}

fn was_killed(process: &Process) -> Result<bool, Error> {
    match process.join(KILLED_LIMIT) {
        Ok(status) => Ok(matches!(status, ExitStatus::Signal(_) | ExitStatus::Unknown)),
        Err(Error::TimedOut) => Ok(false),
        Err(other) => Err(other),
    }
}

fn of_execution(error: &std::io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) => Error::Unsupported,
        Some(libc::E2BIG) => Error::ArgumentsTooLong,
        Some(errno) => rustix::io::Errno::from_raw_os_error(errno).into(),
        None => Error::OutOfResources,
    }
}
