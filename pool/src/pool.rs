//! The pool: its calls, whoever works for it.

use std::sync::{Arc, Weak};

use purlin_sync::Deadline;

use crate::callbacks::{Callbacks, Caller, Teller};
use crate::engine::{Job, Runs, Workers};
use crate::error::Error;
use crate::imap::{Imap, ImapUnordered};
use crate::map::{Gather, chunk_len};
use crate::office::WorkerView;
use crate::outcome::{AsyncResult, Cell};
use crate::outcomes::Outcomes;
use crate::processes::Processes;
use crate::spread::{RunsSpread, Spread};
use crate::worker::quietly;

/// Workers that run tasks: a function and what it is given, each task in one of them.
///
/// By processes: `Pool`, made by [`Pool::fork`], [`Pool::spawn`], or a
/// [`Builder`](crate::Builder). By threads: [`ThreadPool`](crate::ThreadPool), with the same calls.
///
/// Tasks are begun in the order in which they were given. One that panics is a failure, and its
/// worker goes on. One whose worker dies is lost, and told so; it is not run again, and another
/// worker is started. A task is begun once or never.
///
/// ```standalone_crate
/// use purlin_pool::{Error, Pool};
///
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// fn main() -> Result<(), Error> {
///     let pool = Pool::fork(2)?;
///     assert_eq!(pool.apply(square, 7)?, 49);
///     assert_eq!(pool.map(square, 0..5, None)?, [0, 1, 4, 9, 16]);
///     let later = pool.apply_async(|text: String| text.len(), "four".to_owned())?;
///     assert_eq!(later.get(None), Ok(&4));
///     assert_eq!(pool.apply(|n: i32| 1 / n, 0).unwrap_err().kind(), "task-failed");
///     pool.close()?;
///     pool.join(None)
/// }
/// ```
///
/// Dropping it terminates it, and waits for the end of its workers.
///
/// # Weak points
/// * Functions of processes capture nothing, which is checked when they are compiled, and belong to
///   the main program; what they are given and return has a serial form.
/// * Threads: a pool of processes has one in its owner from the first task on, or from the first
///   look at its workers, or from its termination without a [`join`](Self::join), or from the start
///   where they have something to run first; one more from the first task in the background on,
///   maps included, and one more while callbacks are called. Workers by fork that replace others
///   are forked beside them: see the weak points of
///   [`Process::fork`](purlin_process::Process::fork). They block the signals and use the
///   processors that the thread did which made the pool. Before the first of these threads a worker
///   that ends is not replaced, and one of a closed pool is a zombie until somebody joins.
/// * Fork: a forked child has no use of its parent's pool: each call says so. In a child by a raw
///   `clone(2)`, which runs no fork handlers, it may wait for ever.
/// * A task that leaves a lock of shared memory held keeps it, until its worker ends.
/// * Panics: the first pool of processes by fork sets a panic hook in its process, which passes on
///   to the one that was there; in workers alone it notes the panic for the owner. It waits for the
///   end of those that run. Where the program sets another one afterwards, that one runs in the
///   workers by fork, too, and a failure is told without its place.
/// * Memory: of what tasks are given and return, each worker keeps up to 4 MiB both ways while it
///   is idle, and until its next task as much as the last one took.
/// * Order: two tasks are in a worker's mailbox at a time where more wait than there are workers.
///   One that has not been begun when another worker has nothing to do goes there.
pub struct Pool<W: Workers = Processes> {
    pub(crate) workers: W,
    pub(crate) caller: Arc<Caller>,
}

impl<W: Workers> Pool<W> {
    pub(crate) fn of(workers: W) -> Self {
        Self { workers, caller: Arc::default() }
    }

    /// How many workers it has.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        self.workers.worker_count()
    }

    /// Runs a task, and waits for what it returns.
    ///
    /// # Errors
    /// * [`Error::PoolNotRunning`], [`Error::NotTheOwner`], [`Error::WorkersFail`], or
    ///   [`Error::OutOfResources`] where the pool gets no thread: it was not run.
    /// * Those of [`AsyncResult::get`].
    pub fn apply<F, A, R>(&self, function: F, argument: A) -> Result<R, Error>
    where
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        self.workers.check_running()?;
        let cell = Cell::new(self.workers.owner());
        let job = self.single(function, argument, &cell, Callbacks::new());
        // From here on this thread takes the answers; what is the user's, and may be slow, is done.
        let attending = self.workers.attend();
        self.workers.submit(job.into_iter().collect(), attending.is_some())?;
        if let Some(attending) = &attending {
            attending.help(Deadline::never(), &|| cell.is_ready());
        }
        AsyncResult::of(cell, self.workers.helped()).into_value(None)
    }

    /// Has a task run in the background.
    ///
    /// # Errors
    /// * [`Error::PoolNotRunning`], [`Error::NotTheOwner`], [`Error::WorkersFail`], or
    ///   [`Error::OutOfResources`] where the pool gets no thread: it is not run.
    pub fn apply_async<F, A, R>(&self, function: F, argument: A) -> Result<AsyncResult<R>, Error>
    where
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        self.apply_async_with(function, argument, Callbacks::new())
    }

    /// As [`apply_async`](Self::apply_async), with functions that are called at its end.
    ///
    /// # Errors
    /// * As [`apply_async`](Self::apply_async); then none of them is called.
    pub fn apply_async_with<F, A, R>(
        &self,
        function: F,
        argument: A,
        callbacks: Callbacks<R>,
    ) -> Result<AsyncResult<R>, Error>
    where
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        self.workers.check_running()?;
        let cell = Cell::new(self.workers.owner());
        let job = self.single(function, argument, &cell, callbacks);
        self.workers.submit(job.into_iter().collect(), false)?;
        Ok(AsyncResult::of(cell, self.workers.helped()))
    }

    /// Runs a function on each of `arguments`, and waits for what it returns: in their order.
    /// `chunk` of them are run one after the other in one worker; by itself it makes about four
    /// chunks a worker, of no more than 2048 arguments, and of no more than a MiB that is
    /// carried, or half the longest message where that is less; one argument always fits.
    /// A worker's death costs all arguments of the chunk that it runs, those that it was done with
    /// included.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for chunks of none; [`Error::PoolNotRunning`],
    ///   [`Error::NotTheOwner`], [`Error::WorkersFail`], [`Error::OutOfResources`] as for
    ///   [`apply`](Self::apply): none was run.
    /// * What became of the first that returned nothing, once all have ended.
    pub fn map<F, A, R>(
        &self,
        function: F,
        arguments: impl IntoIterator<Item = A>,
        chunk: impl Into<Option<usize>>,
    ) -> Result<Vec<R>, Error>
    where
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        self.map_async(function, arguments, chunk)?.into_value(None)
    }

    /// As [`map`](Self::map), in the background.
    ///
    /// ```standalone_crate
    /// # use purlin_pool::{Error, Pool};
    /// # fn main() -> Result<(), Error> {
    /// let pool = Pool::fork(2)?;
    /// let lengths = pool.map_async(|text: String| text.len(), ["a", "bc"].map(String::from), 1)?;
    /// assert_eq!(lengths.into_value(None)?, [1, 2]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for chunks of none; [`Error::PoolNotRunning`],
    ///   [`Error::NotTheOwner`], [`Error::WorkersFail`], [`Error::OutOfResources`] as for
    ///   [`apply`](Self::apply): none is run.
    pub fn map_async<F, A, R>(
        &self,
        function: F,
        arguments: impl IntoIterator<Item = A>,
        chunk: impl Into<Option<usize>>,
    ) -> Result<AsyncResult<Vec<R>>, Error>
    where
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        self.map_async_with(function, arguments, chunk, Callbacks::new())
    }

    /// As [`map_async`](Self::map_async), with functions that are called when all have ended.
    ///
    /// # Errors
    /// * As [`map_async`](Self::map_async); then none of them is called.
    pub fn map_async_with<F, A, R>(
        &self,
        function: F,
        arguments: impl IntoIterator<Item = A>,
        chunk: impl Into<Option<usize>>,
        mut callbacks: Callbacks<Vec<R>>,
    ) -> Result<AsyncResult<Vec<R>>, Error>
    where
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        let chunk = chunk.into();
        if chunk == Some(0) {
            return Err(Error::InvalidArgument);
        }
        self.workers.check_running()?;
        let arguments: Vec<A> = arguments.into_iter().collect();
        let len = chunk.unwrap_or_else(|| chunk_len(arguments.len(), self.worker_count()));
        let cell = Cell::new(self.workers.owner());
        let teller = Teller { caller: Arc::clone(&self.caller), tell: callbacks.take_progress() };
        let finish = self.finish(&cell, callbacks);
        let is_chosen = chunk.is_none();
        let max_bytes = if is_chosen { self.workers.chunk_max_bytes() } else { usize::MAX };
        let total_count = arguments.len();
        let parts = cut::<W, F, A, R>(&Arc::new(function), arguments, len, max_bytes);
        let gather = Gather::new(total_count, parts.len(), finish);
        let jobs = (0..).zip(parts).filter_map(|(place, (count, call))| {
            let (to, teller) = (Arc::clone(&gather), teller.clone());
            job::<W, F, A, R>(call, count, move |outcomes| to.put(place, outcomes, &teller))
        });
        self.workers.submit(jobs.collect(), false)?;
        Ok(AsyncResult::of(cell, self.workers.helped()))
    }

    /// As [`map`](Self::map), of a function of several arguments, which are tuples.
    ///
    /// ```standalone_crate
    /// # use purlin_pool::{Error, Pool};
    /// # fn main() -> Result<(), Error> {
    /// let pool = Pool::fork(2)?;
    /// let products = pool.starmap(|a: u32, b: u32| a * b, [(2, 3), (4, 5)], None)?;
    /// assert_eq!(products, [6, 20]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * As [`map`](Self::map).
    pub fn starmap<F, T>(
        &self,
        function: F,
        arguments: impl IntoIterator<Item = T>,
        chunk: impl Into<Option<usize>>,
    ) -> Result<Vec<F::Returned>, Error>
    where
        F: Spread<T, Returned: Send + 'static>,
        W: RunsSpread<F, T>,
    {
        W::starmap(self, function, arguments, chunk.into())?.into_value(None)
    }

    /// As [`starmap`](Self::starmap), in the background.
    ///
    /// # Errors
    /// * As [`map_async`](Self::map_async).
    pub fn starmap_async<F, T>(
        &self,
        function: F,
        arguments: impl IntoIterator<Item = T>,
        chunk: impl Into<Option<usize>>,
    ) -> Result<AsyncResult<Vec<F::Returned>>, Error>
    where
        F: Spread<T, Returned: Send + 'static>,
        W: RunsSpread<F, T>,
    {
        W::starmap(self, function, arguments, chunk.into())
    }

    /// Runs a function on each of `arguments` in the background, and gives what it returns in their
    /// order, each as soon as it and all before it are there.
    ///
    /// The arguments are read as what comes of them is taken, a bounded number ahead: two chunks a
    /// worker. A worker's death costs all arguments of the chunk that it runs.
    ///
    /// ```standalone_crate
    /// # use purlin_pool::{Error, Pool};
    /// # fn main() -> Result<(), Error> {
    /// let pool = Pool::fork(2)?;
    /// let squares = pool.imap(|n: u64| n * n, 1.., 10)?; // of a source without an end
    /// assert_eq!(squares.take(4).collect::<Result<Vec<_>, _>>()?, [1, 4, 9, 16]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for chunks of none; [`Error::PoolNotRunning`],
    ///   [`Error::NotTheOwner`], [`Error::WorkersFail`], [`Error::OutOfResources`] as for
    ///   [`apply`](Self::apply): none is run.
    pub fn imap<F, A, R, I>(
        &self,
        function: F,
        arguments: I,
        chunk: usize,
    ) -> Result<Imap<'_, W, F, I::IntoIter, R>, Error>
    where
        I: IntoIterator<Item = A>,
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        Imap::new(self, function, arguments.into_iter(), chunk)
    }

    /// As [`imap`](Self::imap), and gives each as soon as it is there.
    ///
    /// ```standalone_crate
    /// # use purlin_pool::{Error, Pool};
    /// # fn main() -> Result<(), Error> {
    /// let pool = Pool::fork(2)?;
    /// let sum: Result<u64, Error> = pool.imap_unordered(|n: u64| n * n, 1..4, 1)?.sum();
    /// assert_eq!(sum, Ok(14));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * As [`imap`](Self::imap).
    pub fn imap_unordered<F, A, R, I>(
        &self,
        function: F,
        arguments: I,
        chunk: usize,
    ) -> Result<ImapUnordered<'_, W, F, I::IntoIter, R>, Error>
    where
        I: IntoIterator<Item = A>,
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        ImapUnordered::new(self, function, arguments.into_iter(), chunk)
    }

    /// Takes no more tasks. Those that were given are run; then the workers end. Does nothing to a
    /// pool that is closed or terminated.
    ///
    /// ```
    /// # fn main() -> Result<(), purlin_pool::Error> {
    /// use purlin_pool::{Error, ThreadPool};
    ///
    /// let pool = ThreadPool::new(2)?;
    /// let later = pool.apply_async(|n: u32| n + 1, 41)?;
    /// pool.close()?;
    /// assert_eq!(pool.apply(|n: u32| n, 1), Err(Error::PoolNotRunning));
    /// pool.join(None)?;
    /// assert_eq!(later.get(None), Ok(&42));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::NotTheOwner`] in any process but the one that made it.
    pub fn close(&self) -> Result<(), Error> {
        self.workers.close()
    }

    /// Ends the workers (`SIGTERM`, and after half a second `SIGKILL`) and drops all tasks, also
    /// those of a closed pool: what has not ended is cancelled. Threads end after the task that
    /// they run. Does nothing to a pool that is terminated.
    ///
    /// ```standalone_crate
    /// # use purlin_pool::{Error, Pool};
    /// # fn main() -> Result<(), Error> {
    /// let pool = Pool::fork(1)?;
    /// fn endless(_: u32) {
    ///     loop {
    ///         std::thread::park();
    ///     }
    /// }
    ///
    /// let result = pool.apply_async(endless, 1)?;
    /// pool.terminate()?;
    /// assert_eq!(result.into_value(None), Err(Error::Cancelled));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::NotTheOwner`] in any process but the one that made it.
    pub fn terminate(&self) -> Result<(), Error> {
        self.workers.terminate(false)
    }

    /// Waits until all workers have ended, and all callbacks have returned, of a pool that was
    /// closed or terminated. In a task of a pool of threads: for those of its workers that do not
    /// wait so themselves; what is still queued runs after it.
    ///
    /// # Errors
    /// * [`Error::StillRunning`] when it was neither closed nor terminated.
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::NotTheOwner`] in any process but the one that made it.
    pub fn join(&self, deadline: impl Into<Deadline>) -> Result<(), Error> {
        let deadline = deadline.into().start();
        self.workers.join(deadline)?;
        if self.caller.settle(deadline) { Ok(()) } else { Err(Error::TimedOut) }
    }

    /// One task, and whom it is told to.
    fn single<F, A, R>(
        &self,
        function: F,
        argument: A,
        cell: &Arc<Cell<R>>,
        callbacks: Callbacks<R>,
    ) -> Option<Job<W>>
    where
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: Send + 'static,
    {
        let finish = self.finish(cell, callbacks);
        job::<W, F, A, R>(
            W::pack(&Arc::new(function), [argument].into_iter()),
            1,
            move |outcomes| {
                finish(outcomes.into_each().pop().unwrap_or(Err(Error::Damaged)));
            },
        )
    }

    /// What says that a task has ended: calls what is to be called, and then has it ready.
    fn finish<R: Send + 'static>(
        &self,
        cell: &Arc<Cell<R>>,
        callbacks: Callbacks<R>,
    ) -> impl FnOnce(Result<R, Error>) + Send + 'static {
        let (cell, caller) = (Arc::clone(cell), Arc::clone(&self.caller));
        let helped = self.workers.helped();
        move |outcome| {
            if callbacks.are_none() {
                return cell.set(outcome);
            }
            caller.run(Box::new(move || {
                // What is not called is dropped, which is the user's, and may panic.
                let _ = quietly(|| callbacks.call(&outcome));
                cell.set(outcome);
                // Whoever waits for it sleeps where answers come, and this is none.
                if let Some(pool) = helped.as_ref().and_then(Weak::upgrade) {
                    pool.call_helpers();
                }
            }));
        }
    }

    /// Has a function run on each of these in one worker.
    pub(crate) fn submit<F, A, R>(
        &self,
        function: &Arc<F>,
        arguments: Vec<A>,
        to: impl FnOnce(Outcomes<R>) + Send + 'static,
    ) -> Result<(), Error>
    where
        F: Fn(A) -> R,
        W: Runs<F, A, R>,
        R: 'static,
    {
        self.workers.check_running()?;
        let count = arguments.len();
        let job = job::<W, F, A, R>(W::pack(function, arguments.into_iter()), count, to);
        self.workers.submit(job.into_iter().collect(), false)
    }
}

/// What has a call of so many arguments run in one worker. What cannot be carried is told as what
/// came of them, at once.
fn job<W, F, A, R>(
    call: Result<W::Call, Error>,
    count: usize,
    to: impl FnOnce(Outcomes<R>) + Send + 'static,
) -> Option<Job<W>>
where
    F: Fn(A) -> R,
    W: Runs<F, A, R>,
    R: 'static,
{
    let call = match call {
        Ok(call) => call,
        Err(error) => {
            to(Outcomes::failed(&error, count));
            return None;
        }
    };
    let deliver = Box::new(move |answer: Result<W::Answer, Error>| {
        // How a value is read back is the user's, and may panic: that is a failure, too.
        let outcomes = quietly(|| answer.and_then(|answer| W::unpack(answer, count)));
        let outcomes = outcomes
            .unwrap_or_else(|message| Err(Error::TaskFailed { message, trace: String::new() }));
        to(outcomes.unwrap_or_else(|error| Outcomes::failed(&error, count)));
    });
    Some(Job { call, deliver })
}

/// Calls of a function on so many arguments each, or on fewer of so many bytes; what cannot be
/// carried in place of such.
fn cut<W, F, A, R>(
    function: &Arc<F>,
    arguments: Vec<A>,
    chunk: usize,
    max_bytes: usize,
) -> Vec<(usize, Result<W::Call, Error>)>
where
    F: Fn(A) -> R,
    W: Runs<F, A, R>,
{
    let mut calls = Vec::new();
    let mut arguments = arguments.into_iter();
    while arguments.len() > 0 {
        let count = chunk.min(arguments.len());
        let mut part = arguments.by_ref().take(count);
        match W::cut(function, &mut part, max_bytes) {
            Ok(some) => calls.extend(some.into_iter().map(|(count, call)| (count, Ok(call)))),
            Err(error) => {
                part.for_each(drop); // what follows them is not theirs
                calls.push((count, Err(error)));
            }
        }
    }
    calls
}

impl Pool {
    /// Who works for it at this moment, for people who look for what goes on.
    ///
    /// ```standalone_crate
    /// # use purlin_pool::{Error, Pool};
    /// # fn main() -> Result<(), Error> {
    /// let pool = Pool::fork(1)?;
    /// let pid = pool.apply(|()| std::process::id(), ())?;
    /// let worker = &pool.workers()?[0];
    /// assert_eq!((worker.pid as u32, worker.done_count, worker.busy_for), (pid, 1, None));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::NotTheOwner`] in any process but the one that made it.
    /// * [`Error::OutOfResources`] when the system refuses a thread that sees to them.
    pub fn workers(&self) -> Result<Vec<WorkerView>, Error> {
        self.workers.views()
    }
}

impl<W: Workers> Drop for Pool<W> {
    fn drop(&mut self) {
        // In a forked copy both fail and do nothing, as they should. Who joins sees to the workers.
        if self.workers.terminate(true).is_ok() {
            let _ = self.join(None);
        }
    }
}
