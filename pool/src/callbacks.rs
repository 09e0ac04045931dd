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
/// # Weak points
/// * They are called one after the other: one that waits holds back those after it, and what they
///   belong to is not ready before. It may ask for other results that have no callback.
/// * A panic in one is printed by the panic hook, and does nothing else.
pub struct Callbacks<T> {
    value: Option<Callback<T>>,
    error: Option<Callback<Error>>,
}

type Callback<T> = Box<dyn FnOnce(&T) + Send>;

impl<T> Callbacks<T> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self { value: None, error: None }
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

    pub(crate) fn are_none(&self) -> bool {
        self.value.is_none() && self.error.is_none()
    }

    pub(crate) fn call(self, outcome: &Result<T, Error>) {
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
        let mut state = self.lock();
        state.errands.push_back(errand);
        if state.thread.is_some() {
            return;
        }
        let this = Arc::clone(self);
        let started = thread::Builder::new().name("pool-callbacks".into()).spawn(move || {
            this.work();
        });
        match started {
            Ok(handle) => state.thread = Some(handle.thread().id()),
            Err(_) => {
                // Without a thread of their own they run here.
                drop(state);
                self.work();
            }
        }
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
