//! `Thread`: a thread from its start to its end.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use purlin_sync::Deadline;

use super::builder::Builder;
use super::list::threads;
use super::own;
use crate::Error;
use crate::limits::{REST_LIMIT, REST_LOOK_COUNT, REST_PAUSE};
use crate::outcome::Outcome;
use crate::sys::origin::Origin;
use crate::sys::{pidfd, thread as system};

/// Numbers and names of all threads, through forks, so that no two are alike in a child either.
static IDS: AtomicU64 = AtomicU64::new(1);
static NAMES: AtomicU64 = AtomicU64::new(1);

/// A thread of this process. A clone is another handle of the same thread; two are equal if they
/// are of one thread.
///
/// Dropping it does nothing to the thread.
///
/// In a forked child the thread that forked is the only one, and goes on under its number and name
/// as the first; handles of all others say that they are not alive, and a join returns at once.
///
/// # Weak points
/// * A thread that foreign code ends in the middle (`pthread_exit(3)`) aborts the process, since
///   Rust code is not unwound by others.
/// * A join also waits for the destructors of the thread's thread-local values, though at most a
///   second, and never past its deadline.
#[derive(Clone)]
pub struct Thread(Arc<Inner>);

struct Inner {
    id: NonZeroU64,
    /// As it was started, for a forked copy that cannot have the lock of the other.
    first_name: String,
    name: Mutex<String>,
    is_daemon: bool,
    is_started_here: bool,
    origin: Origin,
    /// The system's number, 0 before it has begun.
    native_id: AtomicI32,
    /// Set while it waits for all threads that the end of the process waits for.
    is_ending: AtomicBool,
    /// Set once, before the gate is opened.
    end: OnceLock<End>,
    gate: Mutex<()>,
    ended: Condvar,
}

/// How a thread ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Its function returned.
    Returned,
    /// Its function returned an error, which said this.
    Failed(String),
    /// Its function panicked with this message, empty if it is no text.
    Panicked(String),
    /// It is a thread of the process that this one was forked from, and not here.
    Gone,
}

impl Thread {
    /// Starts a thread named `name`, `Thread-N` if that is empty; see [`Builder::start`].
    ///
    /// # Errors
    /// * As [`Builder::start`].
    ///
    /// # Example
    /// ```
    /// use purlin_process::thread::{End, Thread};
    ///
    /// let failing = Thread::start("failing", || -> Result<(), String> { Err("no luck".into()) })?;
    /// assert_eq!(failing.join(None)?, End::Failed("no luck".into()));
    /// let panics = Thread::start("panics", || panic!("at the disco") as ())?;
    /// assert_eq!(panics.join(None)?, End::Panicked("at the disco".into()));
    /// # Ok::<(), purlin_process::Error>(())
    /// ```
    pub fn start<F, R>(name: impl Into<String>, function: F) -> Result<Self, Error>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Outcome,
    {
        Builder::new().name(name).start(function)
    }

    /// One that will be started, or will not.
    pub(super) fn planned(name: String, is_daemon: bool) -> Self {
        let name = if name.is_empty() { next_name() } else { name };
        Self::made(next_id(), name, is_daemon, true, 0)
    }

    /// The calling thread, which others have started.
    pub(super) fn foreign(name: String) -> Self {
        Self::made(next_id(), name, false, false, system::current_id())
    }

    /// The first thread of this process: the one that forked, if it was `forked`.
    pub(super) fn first(forked: Option<&Self>) -> Self {
        let (id, name) = match forked {
            Some(thread) => (thread.id(), thread.name()),
            None => (next_id(), "main".to_owned()),
        };
        Self::made(id, name, false, false, system::first_id())
    }

    fn made(
        id: NonZeroU64,
        name: String,
        is_daemon: bool,
        is_started_here: bool,
        native_id: i32,
    ) -> Self {
        Self(Arc::new(Inner {
            id,
            first_name: name.clone(),
            name: Mutex::new(name),
            is_daemon,
            is_started_here,
            origin: Origin::current(),
            native_id: AtomicI32::new(native_id),
            is_ending: AtomicBool::new(false),
            end: OnceLock::new(),
            gate: Mutex::new(()),
            ended: Condvar::new(),
        }))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        match self.locked(&self.0.name) {
            Some(name) => name.clone(),
            None => self.0.first_name.clone(),
        }
    }

    /// Gives it another name. The system and the panic hook keep the one that it was started with.
    pub fn set_name(&self, name: impl Into<String>) {
        let name = name.into();
        if let Some(mut kept) = self.locked(&self.0.name) {
            *kept = name;
        }
    }

    /// Its number, which no other thread of this process has or will have.
    #[must_use]
    pub fn id(&self) -> NonZeroU64 {
        self.0.id
    }

    /// The system's number, that of the process for its first thread; `None` until the thread has
    /// begun to run. After its end the number may be another's.
    #[must_use]
    pub fn native_id(&self) -> Option<i32> {
        // Relaxed: a number, and nothing else is read because of it.
        Some(self.0.native_id.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }

    /// Whether the end of the process does not wait for it. This is settled at the start.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.0.is_daemon
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.here().is_some_and(|thread| thread.0.end.get().is_none())
    }

    /// Waits until the thread has ended or `deadline` passes, and returns how it ended, the same
    /// however often and by however many threads it is asked.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first; the thread goes on.
    /// * [`Error::WouldDeadlock`] when it is the calling thread.
    pub fn join(&self, deadline: impl Into<Deadline>) -> Result<End, Error> {
        let Some(thread) = self.here() else {
            return Ok(self.0.end.get().cloned().unwrap_or(End::Gone));
        };
        if *self == own::current() {
            return Err(Error::WouldDeadlock);
        }
        let deadline = deadline.into();
        if let Some(end) = thread.0.end.get() {
            thread.await_rest(deadline);
            return Ok(end.clone());
        }
        let deadline = deadline.start();
        thread.await_end(deadline)?;
        thread.await_rest(deadline);
        Ok(thread.0.end.get().cloned().unwrap_or(End::Gone))
    }

    /// How it ended, if it has: a [`join`](Self::join) that does not wait.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] while the thread runs.
    /// * [`Error::WouldDeadlock`] when it is the calling thread.
    pub fn try_join(&self) -> Result<End, Error> {
        self.join(Deadline::passed())
    }

    pub(super) fn is_started_here(&self) -> bool {
        self.0.is_started_here
    }

    /// Whether the end of the process waits for it.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_started_here() && !self.is_daemon()
    }

    /// Whether it waits itself for those.
    pub(super) fn is_ending(&self) -> bool {
        // Relaxed: ordered by the lock of the list, see `Threads::begin_ending`.
        self.0.is_ending.load(Ordering::Relaxed)
    }

    pub(super) fn note_ending(&self, is_ending: bool) {
        // Relaxed: as above, and to find it set too long only leaves out one that goes on.
        self.0.is_ending.store(is_ending, Ordering::Relaxed);
    }

    /// Whether it belongs to the calling process, and not to one that this was forked from.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.0.origin.is_current()
    }

    /// Called by the thread itself, before its function.
    pub(super) fn begin_here(&self) {
        // Relaxed: as for the load.
        self.0.native_id.store(system::current_id(), Ordering::Relaxed);
    }

    /// Called by the thread itself: takes it from the list and lets those go who wait for its end.
    /// Its first end is kept.
    pub(super) fn end_here(&self, end: End) {
        if !self.is_of_this_process() {
            return; // the thread went on as the first of a forked child, under another handle
        }
        let _ = self.0.end.set(end);
        threads().remove(self);
        // Whoever has looked at the end before it was set, and holds the gate, sleeps by now.
        drop(locked(&self.0.gate));
        self.0.ended.notify_all();
    }

    /// The thread as it is known in this process.
    fn here(&self) -> Option<Self> {
        if self.is_of_this_process() {
            return Some(self.clone());
        }
        let first = threads().main();
        (first == *self).then_some(first)
    }

    fn await_end(&self, deadline: Deadline) -> Result<(), Error> {
        let mut gate = locked(&self.0.gate);
        // Ends with the thread or at the deadline; what wakes without cause looks again.
        while self.0.end.get().is_none() {
            gate = match deadline.remaining() {
                None => self.0.ended.wait(gate).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return Err(Error::TimedOut),
                Some(left) => {
                    let woken = self.0.ended.wait_timeout(gate, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        Ok(())
    }

    /// Waits until the system has no such thread any more, for a while: a fork after a join is to
    /// find that this process has a thread less.
    fn await_rest(&self, deadline: Deadline) {
        // The first thread stays, whatever its end: the process is its.
        let Some(id) = self.native_id().filter(|id| *id != system::first_id()) else { return };
        let limit = Deadline::after(REST_LIMIT);
        let is_over = |one: Deadline| one.remaining().is_some_and(|left| left.is_zero());
        let mut look_count = 0;
        // Ends with the thread, or at the deadline, or after a second.
        while !system::is_gone(id) && !is_over(limit) && !is_over(deadline) {
            look_count += 1;
            if look_count < REST_LOOK_COUNT {
                system::give_way();
            } else {
                pidfd::pause(REST_PAUSE);
            }
        }
    }

    /// A lock of this thread's, but for a copy that may be held by a thread that is gone.
    fn locked<'a, T>(&self, mutex: &'a Mutex<T>) -> Option<MutexGuard<'a, T>> {
        if self.is_of_this_process() { Some(locked(mutex)) } else { mutex.try_lock().ok() }
    }
}

impl PartialEq for Thread {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Thread {}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Thread");
        shown.field("name", &self.name()).field("id", &self.id());
        shown.field("is_daemon", &self.is_daemon()).field("end", &self.0.end.get()).finish()
    }
}

fn next_id() -> NonZeroU64 {
    // Relaxed: numbers need be different, not ordered with anything.
    let number = IDS.fetch_add(1, Ordering::Relaxed);
    // A start a nanosecond comes to zero after five centuries.
    NonZeroU64::new(number).unwrap_or(NonZeroU64::MAX)
}

fn next_name() -> String {
    // Relaxed: as above.
    format!("Thread-{}", NAMES.fetch_add(1, Ordering::Relaxed))
}

/// Nothing panics while it holds one of these locks, so poison would say nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
