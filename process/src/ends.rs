//! What a process owes at its end, in this order: its hooks, its threads, its daemons, its other
//! children, and once more hooks that came meanwhile.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use purlin_sync::Deadline;

use crate::child::report;
use crate::limits::{DAEMON_GRACE, KILLED_LIMIT};
use crate::sys::origin::{Origin, PerProcess};
use crate::{Process, active_children, identity, sys, thread};

type Hook = Box<dyn FnOnce() + Send>;

/// What a process has for its end. A forked child starts with nothing: its parent's hooks are not
/// its own.
#[derive(Default)]
struct Hooks {
    waiting: Mutex<Vec<Hook>>,
    has_panicked: AtomicBool,
}

static HOOKS: PerProcess<Hooks> = PerProcess::new();

/// A forked child begins as any process does, and waits.
static IS_WAITING: PerProcess<AtomicBool> = PerProcess::new();

/// Has `hook` run at the normal end of this process: after the function of a child, by
/// [`exit`](crate::exit), by [`shutdown`] and by [`AtEnd`]. The last registered runs first; one
/// that registers another at the end has it run next.
///
/// A forked child does not have its parent's hooks. None run when a signal ends the process, nor
/// at an immediate exit (`_exit(2)`, `abort`), nor at `std::process::exit`. A hook that panics is
/// reported, the others run, and a child that had succeeded ends with status 101, by `exit(0)` too.
///
/// ```
/// use purlin_process::{ExitStatus, Process, at_exit, exit};
///
/// let child = Process::fork("tidy", || at_exit(|| exit(3)))?;
/// assert_eq!(child.join(None)?, ExitStatus::Code(3));
/// # Ok::<(), purlin_process::Error>(())
/// ```
pub fn at_exit(hook: impl FnOnce() + Send + 'static) {
    locked(&HOOKS.get(Hooks::default).waiting).push(Box::new(hook));
}

/// Does what the calling process owes at its end, in this order:
///
/// 1. The hooks of [`at_exit`], the last registered first.
/// 2. Its threads of this crate's making that are no daemons are joined; of several that are at
///    this themselves, none waits for the other.
/// 3. Its daemons are asked to end (`SIGTERM`); those that have not after two seconds are killed.
///    They are collected.
/// 4. Its other children are joined.
/// 5. Hooks that some thread has registered meanwhile run.
///
/// After [`wait_at_end(false)`](wait_at_end) the second and the fourth are left out.
///
/// Children do this by themselves, after their function and in [`exit`](crate::exit); then their
/// output is written out. The main program calls this last, or has an [`AtEnd`]. Without, its
/// children that are no daemons live on, and the kernel kills the daemons.
///
/// Whatever has been done is not done again, so that to call it twice does no harm. It waits as
/// long as the other children run.
///
/// # Weak points
/// * Called in a thread that one of the joined threads waits for, it waits for ever.
/// * A daemon that was killed and cannot be torn down (a hung disk) is waited for five seconds.
///
/// ```
/// use purlin_process::{Builder, ExitCode, ExitStatus, Process, shutdown};
///
/// let idle = || loop {
///     std::thread::park();
/// };
/// let daemon = Builder::new().daemon(true).fork(move || idle() as ())?;
/// let brief = Process::fork("brief", || ExitCode(3))?;
/// shutdown();
/// assert_eq!(daemon.try_join()?, ExitStatus::Signal(15));
/// assert_eq!(brief.try_join()?, ExitStatus::Code(3));
/// # Ok::<(), purlin_process::Error>(())
/// ```
pub fn shutdown() {
    end(&identity::own().name);
}

/// Has the calling process wait at its end for its threads and children that are no daemons, as is
/// usual, or not wait. Then the children go on by themselves, and are collected by whoever adopts
/// orphans; its threads end with it. Its hooks run and its daemons end either way.
///
/// It counts for every normal end: of a child's function, by [`exit`](crate::exit), by
/// [`shutdown`] and by [`AtEnd`]. It is about the calling process alone: a child waits, also a
/// forked one of a process that does not, until it says otherwise.
///
/// # Weak points
/// * A thread that is not waited for is cut short wherever it is. In a process that was not forked,
///   exit handlers run beside it.
///
/// ```
/// use purlin_process::{Error, ExitStatus, Process, current, wait_at_end};
///
/// let brief = Process::fork("brief", || -> Result<(), Error> {
///     wait_at_end(false);
///     // It waits for its parent; if its parent waited for it, neither would end.
///     Process::fork("left", || current().parent().map_or(Ok(()), |brief| brief.join(None)))?;
///     Ok(())
/// })?;
/// assert_eq!(brief.join(None)?, ExitStatus::Code(0));
/// # Ok::<(), Error>(())
/// ```
pub fn wait_at_end(is_waiting: bool) {
    // Relaxed: one flag, which guards no data.
    IS_WAITING.get(|| AtomicBool::new(true)).store(is_waiting, Ordering::Relaxed);
}

fn is_waiting() -> bool {
    // Relaxed: as above.
    IS_WAITING.existing().is_none_or(|is_waiting| is_waiting.load(Ordering::Relaxed))
}

/// Calls [`shutdown`] when it is dropped, for the end of `main`. In a forked copy of the process
/// that made it, it does nothing.
///
/// ```
/// fn main() -> Result<(), purlin_process::Error> {
///     let _at_end = purlin_process::AtEnd::new();
///     purlin_process::Process::fork("brief", || ())?;
///     Ok(()) // not before the child has ended
/// }
/// ```
///
/// # Weak points
/// * It is not dropped by `std::process::exit`, by `abort`, or by a panic of a program that is
///   built to abort. [`exit`](crate::exit) does the same work by itself.
/// * What is made after it is dropped before it.
#[derive(Debug)]
#[must_use = "it acts when it is dropped: bind it to a name, and not to _"]
pub struct AtEnd(Origin);

impl AtEnd {
    /// To be bound first in `main`, beside [`init`](crate::init).
    pub fn new() -> Self {
        Self(Origin::current())
    }
}

impl Default for AtEnd {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        if self.0.is_current() {
            shutdown();
        }
    }
}

/// The same as [`shutdown`] for a process of this name. Returns whether no hook panicked, be it in
/// an earlier call, or in one around this that a hook of it made.
pub(crate) fn end(name: &str) -> bool {
    run_hooks(name);
    if is_waiting() {
        join_threads();
    }
    end_daemons();
    if is_waiting() {
        join_children();
    }
    run_hooks(name);
    // Relaxed: set by this thread, or by one that ends the process as well.
    !HOOKS.existing().is_some_and(|hooks| hooks.has_panicked.load(Ordering::Relaxed))
}

fn run_hooks(name: &str) {
    // Ends when no hook registers another.
    while let Some(hook) = pop() {
        // What a panic leaves behind is seen by the other hooks, as it is by other threads.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(hook)) {
            forget(payload);
            report(name, "a hook at the end of this process panicked");
            // Relaxed: as for the load.
            HOOKS.get(Hooks::default).has_panicked.store(true, Ordering::Relaxed);
        }
    }
}

/// The drop of what a panic carried may panic, and nobody is left to catch that.
fn forget(payload: Box<dyn Any + Send>) {
    std::mem::forget(payload);
}

/// Apart, so that the lock is free while the hook runs.
fn pop() -> Option<Hook> {
    locked(&HOOKS.existing()?.waiting).pop()
}

/// Joins the threads of this process that are no daemons.
fn join_threads() {
    if sys::thread::is_only() {
        return; // nor is there one that joins this
    }
    thread::join_at_end();
}

fn end_daemons() {
    let mut daemons: Vec<Process> = active_children();
    daemons.retain(Process::is_daemon);
    if daemons.is_empty() {
        return; // and the clock is not asked, whose first answer takes a process some time
    }
    for daemon in &daemons {
        // One that cannot be signalled is waited for in vain, and dies with this process.
        let _ = daemon.terminate();
    }
    let grace = Deadline::after(DAEMON_GRACE).start();
    daemons.retain(|daemon| daemon.join(grace).is_err());
    for daemon in &daemons {
        let _ = daemon.kill(); // as above
    }
    let teardown = Deadline::after(KILLED_LIMIT).start();
    daemons.retain(|daemon| daemon.join(teardown).is_err());
}

fn join_children() {
    let mut lost: Vec<Process> = Vec::new();
    let is_next = |lost: &[Process], child: &Process| !child.is_daemon() && !lost.contains(child);
    // Ends when none is left that can be waited for, also of those that threads start meanwhile.
    while let Some(child) = active_children().into_iter().find(|child| is_next(&lost, child)) {
        if child.join(None).is_err() {
            lost.push(child); // foreign code closed our descriptor: nobody can tell any more
        }
    }
}

fn locked(hooks: &Mutex<Vec<Hook>>) -> MutexGuard<'_, Vec<Hook>> {
    hooks.lock().unwrap_or_else(PoisonError::into_inner)
}
