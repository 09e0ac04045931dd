//! A thread about to be started.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::handle::{End, Thread};
use super::list::threads;
use super::own;
use crate::limits::STACK_MIN_BYTES;
use crate::outcome::Outcome;
use crate::sys::origin::{self, Origin};
use crate::sys::{stdio, thread as system};
use crate::{Error, Run};

/// What a thread is to be, before it is started.
///
/// ```
/// use purlin_process::thread::{Builder, End};
///
/// let thread = Builder::new().name("ticker").daemon(true).start(|| ())?;
/// assert!(thread.is_daemon());
/// assert_eq!(thread.join(None)?, End::Returned);
/// # Ok::<(), purlin_process::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    name: String,
    is_daemon: Option<bool>,
    stack_bytes: Option<usize>,
}

impl Builder {
    /// A thread with a numbered name, that is a daemon if its maker is one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name. An empty one is replaced by `Thread-N`; one name may be that of several.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Says whether the end of the process is not to wait for this thread.
    #[must_use]
    pub fn daemon(mut self, is_daemon: bool) -> Self {
        self.is_daemon = Some(is_daemon);
        self
    }

    /// Sets the size of the stack in bytes, rounded up to pages; without, it is std's 2 MiB.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_bytes = Some(bytes);
        self
    }

    /// Starts the thread, which runs `function` beside the caller; returns without waiting for it.
    ///
    /// A panic ends this thread alone: the panic hook prints it with the thread's name, and a join
    /// tells it. An error is printed behind the name, and a join tells it. An
    /// [`ExitCode`](crate::ExitCode) is for processes, and means nothing here.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the system refuses one more thread; nothing is left of it.
    /// * [`Error::InvalidArgument`] for a zero byte in the name, and for a stack below 16 KiB.
    ///
    /// # Weak points
    /// * A program that is built to abort on a panic aborts.
    /// * The panic hook knows the name that the thread was started with, not one that it was given
    ///   later, which is printed behind.
    /// * In a forked child the thread is none of std's, which has a lock there that a fork may have
    ///   copied as held: `std::thread::current()` has no name, the panic hook neither, and a stack
    ///   that overflows ends the process by `SIGSEGV` without a message.
    pub fn start<F, R>(self, function: F) -> Result<Thread, Error>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Outcome,
    {
        let is_small = self.stack_bytes.is_some_and(|bytes| bytes < STACK_MIN_BYTES);
        if is_small || self.name.contains('\0') {
            return Err(Error::InvalidArgument);
        }
        if self.stack_bytes.is_some_and(|bytes| isize::try_from(bytes).is_err()) {
            return Err(Error::OutOfResources); // and nobody rounds it up beyond the last number
        }
        origin::watch_forks()?;
        let is_daemon = self.is_daemon.unwrap_or_else(|| own::current().is_daemon());
        let thread = Thread::planned(self.name, is_daemon);
        let theirs = thread.clone();
        // Listed before it runs, so that it finds itself there, and nobody takes it for ended.
        threads().add(thread.clone());
        let started = begin(thread.name(), self.stack_bytes, move || run(theirs, function));
        if started.is_err() {
            threads().remove(&thread);
        }
        started.map(|()| thread)
    }

    /// [`start`](Self::start) of a value that has a run step and a state of its own.
    ///
    /// ```
    /// use purlin_process::Run;
    /// use purlin_process::thread::{Builder, End};
    ///
    /// struct Greeting(String);
    ///
    /// impl Run for Greeting {
    ///     type Outcome = ();
    ///     fn run(self) {
    ///         println!("hello, {}", self.0);
    ///     }
    /// }
    ///
    /// let thread = Builder::new().start_run(Greeting("world".to_owned()))?;
    /// assert_eq!(thread.join(None)?, End::Returned);
    /// # Ok::<(), purlin_process::Error>(())
    /// ```
    ///
    /// # Errors
    /// * As [`start`](Self::start).
    pub fn start_run(self, value: impl Run + Send + 'static) -> Result<Thread, Error> {
        self.start(move || value.run())
    }
}

/// Has the system start it. Nobody has to join it: it tells its end by itself.
fn begin(
    name: String,
    stack_bytes: Option<usize>,
    life: impl FnOnce() + Send + 'static,
) -> Result<(), Error> {
    if Origin::current().is_forked() {
        return system::start_bare(stack_bytes, Box::new(life));
    }
    let mut builder = std::thread::Builder::new().name(name);
    if let Some(bytes) = stack_bytes {
        builder = builder.stack_size(bytes);
    }
    builder.spawn(life).map(drop).map_err(|_| Error::OutOfResources)
}

/// The whole life of a thread.
fn run<F, R>(thread: Thread, function: F)
where
    F: FnOnce() -> R,
    R: Outcome,
{
    own::begin(&thread);
    // Everything of the user's runs inside, the drops of what was captured included. What a panic
    // leaves half done is in shared memory, whose owners know of panics, as with any thread.
    let end = catch_unwind(AssertUnwindSafe(|| match function().into_status() {
        Ok(_) => End::Returned,
        Err(message) => {
            stdio::print_error(&format!("{}: {message}\n", thread.name()));
            End::Failed(message)
        }
    }));
    let end = end.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        // The drop of a payload may panic; there is no use in a third try.
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(another);
        }
        let text = text.unwrap_or_default();
        // The hook has printed what std knows.
        if std::thread::current().name() != Some(&thread.name()) {
            let name = thread.name();
            stdio::print_error(&format!("{name}: the function of this thread panicked: {text}\n"));
        }
        End::Panicked(text)
    });
    thread.end_here(end);
}
