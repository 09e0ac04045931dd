//! Functions that are called when a task has ended, one after the other, in a thread of their own.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use purlin_sync::Deadline;

use crate::error::Error;
use crate::outcome::wait_until;
use crate::worker::quietly;

/// What is called when a task of the background has ended, in the owner's process and in a thread
/// of the pool's. When it has returned, the result is ready.
///
/// ```
/// # fn main() -> Result<(), purlin_pool::Error> {
/// use std::sync::mpsc::channel;
/// use purlin_pool::{Callbacks, ThreadPool};
///
/// let (tell, told) = channel();
/// let pool = ThreadPool::new(1)?;
/// let callbacks = Callbacks::new().value(move |sum: &u32| tell.send(*sum).unwrap());
/// pool.apply_async_with(|n: u32| n + 1, 41, callbacks)?;
/// assert_eq!(told.recv(), Ok(42));
/// # Ok(()) }
/// ```
///
/// Of a map, how far it has come can be told, too:
///
/// ```
/// # fn main() -> Result<(), purlin_pool::Error> {
/// use std::sync::mpsc::channel;
/// use purlin_pool::{Callbacks, ThreadPool};
///
/// let (tell, told) = channel();
/// let pool = ThreadPool::new(2)?;
/// let callbacks = Callbacks::new().progress(move |progress| tell.send(progress).unwrap());
/// pool.map_async_with(|n: u32| 12 / n, [3, 0, 2, 1], 1, callbacks)?.wait(None);
/// let last = told.iter().last().unwrap();
/// assert_eq!((last.done_count, last.failed_count, last.total_count), (4, 1, 4));
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * They are called one after the other: one that waits holds back those after it, and what they
///   belong to is not ready before. It may ask for other results that have no callback.
/// * A panic in one is printed by the panic hook, and does nothing else.
pub struct Callbacks<T> {
    value: Option<Callback<T>>,
    error: Option<Callback<Error>>,
    progress: Option<Tell>,
}

type Callback<T> = Box<dyn FnOnce(&T) + Send>;
pub(crate) type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// How far a task, or a map, has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many of the arguments something has come of, a value or a failure.
    pub done_count: usize,
    /// How many of these have failed, were lost or cancelled.
    pub failed_count: usize,
    /// How many there are.
    pub total_count: usize,
}

impl<T> Callbacks<T> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self { value: None, error: None, progress: None }
    }

    /// Calls this once with what the task returned.
    #[must_use]
    pub fn value(mut self, callback: impl FnOnce(&T) + Send + 'static) -> Self {
        self.value = Some(Box::new(callback));
        self
    }

    /// Calls this once with what became of a task that returned nothing: also of one that was lost
    /// or cancelled.
    #[must_use]
    pub fn error(mut self, callback: impl FnOnce(&Error) + Send + 'static) -> Self {
        self.error = Some(Box::new(callback));
        self
    }

    /// Calls this after each chunk of a map that has ended, and after a task alone. It is called
    /// before the others are.
    #[must_use]
    pub fn progress(mut self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(callback));
        self
    }

    /// What is to be told how far a map has come.
    pub(crate) fn take_progress(&mut self) -> Option<Tell> {
        self.progress.take()
    }

    pub(crate) fn are_none(&self) -> bool {
        self.value.is_none() && self.error.is_none() && self.progress.is_none()
    }

    pub(crate) fn call(self, outcome: &Result<T, Error>) {
        let failed_count = usize::from(outcome.is_err());
        let progress = Progress { done_count: 1, failed_count, total_count: 1 };
        call(self.progress.map(|tell| move || tell(progress)));
        match outcome {
            Ok(value) => call(self.value.map(|callback| || callback(value))),
            Err(error) => call(self.error.map(|callback| || callback(error))),
        }
    }
}

impl<T> Default for Callbacks<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Calls it, if there is one. The panic hook has printed what it panics with.
fn call(callback: Option<impl FnOnce()>) {
    let _ = callback.map(quietly);
}

/// Tells how far a map has come.
#[derive(Clone)]
pub(crate) struct Teller {
    pub(crate) caller: Arc<Caller>,
    pub(crate) tell: Option<Tell>,
}

impl Teller {
    /// Tells it after what was to be told before. It may be called under a lock; when it is false,
    /// [`Teller::tell_here`] is owed behind that.
    pub(crate) fn queue(&self, progress: Progress) -> bool {
        let Some(tell) = self.tell.clone() else { return true };
        self.caller.queue(Box::new(move || drop(quietly(|| tell(progress)))))
    }

    pub(crate) fn tell_here(&self) {
        self.caller.work();
    }
}

type Errand = Box<dyn FnOnce() + Send>;

/// The thread of a pool's callbacks, which is started with the first of them.
#[derive(Default)]
pub(crate) struct Caller {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    errands: VecDeque<Errand>,
    /// The thread, while there is one: it ends when it finds nothing to do.
    thread: Option<ThreadId>,
}

impl Caller {
    /// Has it run, after those that were given before.
    pub(crate) fn run(self: &Arc<Self>, errand: Errand) {
        if !self.queue(errand) {
            self.work();
        }
    }

    /// The same, where nothing may run: whether somebody will. If not, [`work`](Self::work) is
    /// owed.
    fn queue(self: &Arc<Self>, errand: Errand) -> bool {
        let mut state = self.lock();
        state.errands.push_back(errand);
        if state.thread.is_some() {
            return true;
        }
        let this = Arc::clone(self);
        let started = thread::Builder::new().name("pool-callbacks".into()).spawn(move || {
            this.work();
        });
        state.thread = started.ok().map(|handle| handle.thread().id());
        state.thread.is_some() // without a thread of their own they run where they are owed
    }

    fn work(&self) {
        // Ends: when there is none left; who brings the next one starts another thread.
        loop {
            let mut state = self.lock();
            let Some(errand) = state.errands.pop_front() else {
                state.thread = None;
                self.changed.notify_all();
                return;
            };
            drop(state);
            let _ = quietly(errand); // the drop of a value is the user's, and may panic
        }
    }

    /// Waits until all that were given have run, unless one of them asks; whether they have.
    pub(crate) fn settle(&self, deadline: Deadline) -> bool {
        let own = thread::current().id();
        let is_settled = |state: &State| state.thread.is_none() || state.thread == Some(own);
        is_settled(&wait_until(&self.changed, self.lock(), deadline, is_settled))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
