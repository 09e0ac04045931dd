//! Threads with the face of [`Process`](crate::Process): named, joined with a deadline and by
//! anybody, asked how they ended, listed, daemons or not.
//!
//! ```text
//!   Thread::start ──┬────────────── join ──────► End
//!                   └─► function ─► its end ───────┘
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use std::time::Duration;
//!
//! use purlin_process::thread::{self, End, Thread};
//!
//! let shared = Arc::new(AtomicU32::new(1));
//! let theirs = Arc::clone(&shared);
//! let worker = Thread::start("worker", move || {
//!     assert_eq!(thread::current().name(), "worker");
//!     theirs.store(2, Ordering::Release);
//! })?;
//! assert_eq!(worker.join(Duration::from_secs(60))?, End::Returned);
//! assert_eq!(shared.load(Ordering::Acquire), 2); // threads share memory
//! # Ok::<(), purlin_process::Error>(())
//! ```
//!
//! # Threads or processes, and which
//!
//! | | thread | [fork] | [spawn] | [other program][command] |
//! |---|---|---|---|---|
//! | its memory is | the caller's | a copy from its start on | its own | its own |
//! | it is given | a closure, `Send` | any closure | arguments, handles | arguments, streams |
//! | a crash ends | the whole process | it alone | it alone | it alone |
//! | can be killed | no | [yes][kill] | [yes][kill] | [yes](crate::command::Program::kill) |
//! | a lock it held then | stays held | is told to the next | is told to the next | – |
//! | beside other threads | safe | risky: their locks stay held | safe | safe |
//!
//! * A **thread** is for work that shares data in memory and is trusted as much as the caller.
//!   It costs least.
//! * A **fork** is for work that starts from what the caller has, and may crash, be killed, or
//!   spoil its memory. Start it before there are other threads. It costs the more, the more memory
//!   the caller has.
//! * A **spawn** is for the same in a program with many threads: it begins with a clean memory, and
//!   costs the execution of the program.
//! * A **program** is for what is not a function of this program.
//!
//! The locks, semaphores, events, conditions and barriers of `purlin-sync` work between all of them
//! alike. What dies is seen a process at a time: a thread that ends while it holds a lock of its
//! living process has left it held.
//!
//! # What this module does not do
//! * End a thread from outside: nobody could say what it leaves behind. Tell it by an event.
//! * Return the function's value: it is stored in shared memory, or sent.
//! * See threads that foreign code starts, until they ask who they are ([`current`]).
//! * Keep a process from ending: what `main` returns to ends daemons and others alike, unless
//!   [`join_all`] is called there.
//!
//! [fork]: crate::Process::fork
//! [spawn]: crate::Process::spawn
//! [command]: crate::command
//! [kill]: crate::Process::kill

mod builder;
mod handle;
mod list;
mod own;

use purlin_sync::Deadline;

pub use builder::Builder;
pub use handle::{End, Thread};

use crate::Error;

/// The calling thread. One that was not started by this module is told apart from then on, named
/// as std names it; it is no daemon, and nobody waits for it.
///
/// ```
/// use purlin_process::thread;
///
/// assert!(thread::current().is_alive());
/// ```
#[must_use]
pub fn current() -> Thread {
    own::current()
}

/// The first thread of this process. In a forked child that is the one that forked, under the name
/// that it had.
///
/// Its end is not seen before [`join_all`] is called there: until then it is alive.
#[must_use]
pub fn main() -> Thread {
    list::threads().main()
}

/// The threads that have been started and have not ended, those of this module and those of others
/// that asked who they are; the first one among them.
///
/// ```
/// use purlin_process::thread::{self, Thread};
///
/// let (release, until) = std::sync::mpsc::channel::<()>();
/// let waiting = Thread::start("waiting", move || drop(until.recv()))?;
/// assert!(thread::active().contains(&waiting));
/// drop(release);
/// waiting.join(None)?;
/// assert!(!thread::active().contains(&waiting));
/// # Ok::<(), purlin_process::Error>(())
/// ```
#[must_use]
pub fn active() -> Vec<Thread> {
    list::threads().living()
}

/// Waits for all threads of this module that are no daemons, those included that are started
/// meanwhile, and not for the calling one. For the end of `main`.
///
/// Called by the first thread it says that this has come to its end: whoever joins it goes on.
///
/// # Errors
/// * [`Error::TimedOut`] when the deadline came first.
///
/// # Example
/// ```
/// use purlin_process::thread::{Builder, Thread, join_all};
///
/// Thread::start("brief", || println!("late"))?;
/// Builder::new().daemon(true).start(|| loop { std::thread::park() } as ())?;
/// join_all(std::time::Duration::from_secs(60))?; // after "late", and not for the daemon
/// # Ok::<(), purlin_process::Error>(())
/// ```
pub fn join_all(deadline: impl Into<Deadline>) -> Result<(), Error> {
    join_others(deadline.into().start(), |_| true)
}

/// The same at the end of the process, which several threads may be at: those that wait here for
/// each other go on.
pub(crate) fn join_at_end() {
    let own = current();
    list::threads().begin_ending(&own);
    let is_in_turn = |thread: &Thread| !(own.is_awaited() && thread.is_ending());
    // Without a deadline none passes.
    let _ = join_others(Deadline::never(), is_in_turn);
    own.note_ending(false);
}

fn join_others(deadline: Deadline, is_in_turn: impl Fn(&Thread) -> bool) -> Result<(), Error> {
    let own = current();
    if own == main() {
        own.end_here(End::Returned);
    }
    // Ends when no thread is left that is waited for, or at the deadline.
    loop {
        let is_next = |thread: &Thread| thread.is_awaited() && *thread != own && is_in_turn(thread);
        match active().into_iter().find(is_next) {
            Some(thread) => thread.join(deadline).map(drop)?,
            None => return Ok(()),
        }
    }
}
