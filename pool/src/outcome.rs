//! What comes of a task, and who waits for it.

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use purlin_process::parts::Origin;
use purlin_sync::Deadline;

use crate::error::Error;

/// What came of a task, as soon as something has.
pub(crate) struct Cell<T> {
    /// The process that waits for it. A forked child has a copy of a lock that nobody may leave.
    owner: Origin,
    inside: Mutex<Inside<T>>,
    changed: Condvar,
}

struct Inside<T> {
    state: State<T>,
    /// Somebody may sleep until it changes.
    is_awaited: bool,
}

enum State<T> {
    Waiting,
    Ready(Result<T, Error>),
    Taken,
}

impl<T> Cell<T> {
    /// For a process, which this is.
    pub(crate) fn new(owner: Origin) -> Arc<Self> {
        let inside = Mutex::new(Inside { state: State::Waiting, is_awaited: false });
        Arc::new(Self { owner, inside, changed: Condvar::new() })
    }

    /// Whether this is the process that waits for it.
    fn is_ours(&self) -> bool {
        self.owner.is_unforked()
    }

    /// Says what came of it, once.
    pub(crate) fn set(&self, outcome: Result<T, Error>) {
        let mut inside = self.lock();
        inside.state = State::Ready(outcome);
        if inside.is_awaited {
            self.changed.notify_all();
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        !matches!(self.lock().state, State::Waiting)
    }

    /// Waits until something has come; whether it has.
    pub(crate) fn wait(&self, deadline: Deadline) -> bool {
        let is_so = |inside: &Inside<T>| !matches!(inside.state, State::Waiting);
        let mut inside = self.lock();
        inside.is_awaited = true;
        is_so(&wait_until(&self.changed, inside, deadline, is_so))
    }

    /// What came, for the first who asks.
    pub(crate) fn take(&self) -> Option<Result<T, Error>> {
        let mut inside = self.lock();
        if matches!(inside.state, State::Waiting) {
            return None;
        }
        match core::mem::replace(&mut inside.state, State::Taken) {
            State::Ready(outcome) => Some(outcome),
            State::Waiting | State::Taken => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who takes answers while it waits for one: then nobody else has to be woken for it.
pub trait Help: Send + Sync {
    /// Takes answers until it is so, or until the deadline. In the process that made it.
    fn help(&self, deadline: Deadline, is_so: &dyn Fn() -> bool);

    /// Has those who help look again: what one of them waits for has come to be so, and no answer
    /// comes with it.
    fn call_helpers(&self);
}

/// Waits on a condition variable until `is_so`, or until the deadline.
pub(crate) fn wait_until<'a, S>(
    changed: &Condvar,
    mut state: MutexGuard<'a, S>,
    deadline: Deadline,
    is_so: impl Fn(&S) -> bool,
) -> MutexGuard<'a, S> {
    const LONG: Duration = Duration::from_secs(3600);
    let deadline = if is_so(&state) { deadline } else { deadline.start() };
    // Ends: when it is so, or at the deadline.
    while !is_so(&state) {
        let left = deadline.remaining().unwrap_or(LONG);
        if left.is_zero() {
            break;
        }
        let woken = changed.wait_timeout(state, left.min(LONG));
        state = woken.unwrap_or_else(PoisonError::into_inner).0;
    }
    state
}

/// What will come of a task that runs in the background.
///
/// Dropping it neither stops the task nor loses what it does. It stays good when the pool is gone.
///
/// ```
/// # fn main() -> Result<(), purlin_pool::Error> {
/// use core::time::Duration;
/// use purlin_pool::{Error, ThreadPool};
///
/// let pool = ThreadPool::new(1)?;
/// let sum = pool.apply_async(|(a, b): (u32, u32)| a + b, (40, 2))?;
/// assert_eq!(sum.get(None), Ok(&42));
/// assert_eq!(sum.is_successful(), Ok(true));
/// let (ask, asked) = std::sync::mpsc::channel::<()>();
/// let wait = |asked: std::sync::mpsc::Receiver<()>| asked.recv().is_err();
/// let late = pool.apply_async(wait, asked)?;
/// assert_eq!(late.get(Duration::ZERO), Err(Error::TimedOut));
/// drop(ask);
/// assert_eq!(late.into_value(None), Ok(true));
/// # Ok(()) }
/// ```
pub struct AsyncResult<T> {
    cell: Arc<Cell<T>>,
    /// The pool, if it can be helped and is still there.
    helped: Option<Weak<dyn Help>>,
    kept: OnceLock<Result<T, Error>>,
}

impl<T> AsyncResult<T> {
    pub(crate) fn of(cell: Arc<Cell<T>>, helped: Option<Weak<dyn Help>>) -> Self {
        Self { cell, helped, kept: OnceLock::new() }
    }

    /// What the task returned, waiting until it has ended. It may be asked again, and says the
    /// same.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first; the task goes on.
    /// * [`Error::NotTheOwner`] in a forked child, if it was not asked before the fork.
    /// * [`Error::TaskFailed`], [`Error::WorkerLost`], [`Error::Cancelled`],
    ///   [`Error::NotTransferable`], [`Error::TooLarge`], [`Error::WorkersFail`],
    ///   [`Error::OutOfResources`]: what became of the task.
    pub fn get(&self, deadline: impl Into<Deadline>) -> Result<&T, Error> {
        if !self.wait(deadline) {
            let is_ours = self.cell.is_ours();
            return Err(if is_ours { Error::TimedOut } else { Error::NotTheOwner });
        }
        // Whoever comes first takes it out of the cell; the others find it here.
        let kept = self.kept.get_or_init(|| self.cell.take().unwrap_or(Err(Error::Damaged)));
        kept.as_ref().map_err(Clone::clone)
    }

    /// As [`get`](Self::get), and gives the value away.
    ///
    /// # Errors
    /// * As [`get`](Self::get).
    pub fn into_value(self, deadline: impl Into<Deadline>) -> Result<T, Error> {
        self.get(deadline)?;
        self.kept.into_inner().unwrap_or(Err(Error::Damaged))
    }

    /// Waits until the task has ended, however, or the deadline passes; whether it has. A forked
    /// child knows only what was asked before, and does not wait.
    pub fn wait(&self, deadline: impl Into<Deadline>) -> bool {
        if self.kept.get().is_some() || !self.cell.is_ours() {
            return self.kept.get().is_some();
        }
        if self.cell.is_ready() {
            return true;
        }
        let deadline = deadline.into().start();
        if deadline.remaining().is_some_and(|left| left.is_zero()) {
            return false;
        }
        if let Some(pool) = self.helped.as_ref().and_then(Weak::upgrade) {
            pool.help(deadline, &|| self.cell.is_ready());
        }
        self.cell.wait(deadline)
    }

    /// Whether the task has ended, however.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.wait(Deadline::passed())
    }

    /// Whether the task returned a value, of one that has ended.
    ///
    /// # Errors
    /// * [`Error::NotReady`] when it has not ended yet.
    pub fn is_successful(&self) -> Result<bool, Error> {
        match self.get(Deadline::passed()) {
            Ok(_) => Ok(true),
            Err(Error::TimedOut | Error::NotTheOwner) => Err(Error::NotReady),
            Err(_) => Ok(false),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for AsyncResult<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AsyncResult").field("outcome", &self.kept.get()).finish_non_exhaustive()
    }
}
