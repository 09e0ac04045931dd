//! How a pool is to be made.

use std::sync::Arc;

use purlin_process::usable_cpu_count;
use purlin_shm::Carry;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ThreadPool;
use crate::error::Error;
use crate::function::conjure;
use crate::limits::{BODY_LIMIT_BYTES, BODY_MAX_BYTES, WORKER_MAX};
use crate::office::{Office, Plan, Starter, by_fork, by_spawn};
use crate::pool::Pool;
use crate::processes::Processes;
use crate::threads::{self, Threads};
use crate::worker::Initialize;

/// A pool that was described and is not made: how many workers, what they run first.
///
/// ```standalone_crate
/// use purlin_pool::{Builder, Error};
/// use std::sync::OnceLock;
///
/// static NAME: OnceLock<String> = OnceLock::new();
///
/// fn main() -> Result<(), Error> {
///     let keep = |name: String, ()| drop(NAME.set(name));
///     let pool = Builder::new().workers(2).initializer(keep, "jo".to_owned(), ())?.fork()?;
///     assert_eq!(pool.apply(|()| NAME.get().cloned(), ())?, Some("jo".to_owned()));
///     Ok(())
/// }
/// ```
#[must_use = "nothing is started before it is made"]
pub struct Builder {
    worker_count: Option<usize>,
    job_max: Option<u64>,
    body_max_bytes: usize,
    first: Option<First>,
}

/// What each worker runs first.
struct First {
    here: Arc<Initialize>,
    by_spawn: Starter,
}

impl Builder {
    /// One with as many workers as there are processors that this process may use.
    pub fn new() -> Self {
        Self { worker_count: None, job_max: None, body_max_bytes: BODY_MAX_BYTES, first: None }
    }

    /// Gives it so many workers.
    pub fn workers(mut self, count: usize) -> Self {
        self.worker_count = Some(count);
        self
    }

    /// Has each worker make way for a new one after so many tasks at most; a chunk of a map is one.
    pub fn tasks_per_worker(mut self, count: u64) -> Self {
        self.job_max = Some(count);
        self
    }

    /// Sets how many bytes a task may be given, and may return, in serial form: 256 MiB unless this
    /// is called. So much address space is taken twice a worker; memory only for what is used.
    pub fn message_max_bytes(mut self, bytes: usize) -> Self {
        self.body_max_bytes = bytes;
        self
    }

    /// Has each worker, also one that replaces another, first run `function`, with a copy of
    /// `argument` and handles of the same objects as `carried`. When it panics the worker ends; if
    /// that happens again and again the pool fails.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] for an argument that has no serial form.
    pub fn initializer<F, A, C>(
        mut self,
        _function: F,
        argument: A,
        carried: C,
    ) -> Result<Self, Error>
    where
        F: Fn(A, C) + Copy + Send + Sync + 'static,
        A: Serialize + DeserializeOwned + 'static,
        C: Carry + Clone + Send + Sync + 'static,
    {
        let bytes = postcard::to_stdvec(&argument).map_err(|_| Error::NotTransferable)?;
        let by_spawn = by_spawn::<F, A, C>(bytes.clone(), carried.clone());
        let here = Arc::new(move || {
            let argument = postcard::from_bytes(&bytes).map_err(|_| Error::NotTransferable)?;
            conjure::<F>()(argument, carried.clone());
            Ok(())
        });
        self.first = Some(First { here, by_spawn });
        Ok(self)
    }

    /// Makes it, of processes by fork, and starts all its workers.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for no workers or more than [`WORKER_MAX`], for no tasks a
    ///   worker, or for messages of more than [`BODY_LIMIT_BYTES`].
    /// * [`Error::DaemonMayNotHaveChildren`] in a daemon, which other pools' workers are.
    /// * [`Error::OutOfResources`] and what else a start may fail with; no worker is left.
    pub fn fork(self) -> Result<Pool, Error> {
        let starter = by_fork(self.first.as_ref().map(|first| Arc::clone(&first.here)));
        let has_first = self.first.is_some();
        self.processes(starter, has_first)
    }

    /// Makes it, of processes by spawn: the program must call
    /// [`init`](purlin_process::init) first thing in `main`.
    ///
    /// # Errors
    /// * As [`fork`](Self::fork), and [`Error::Unsupported`] when `init` is not called.
    pub fn spawn(mut self) -> Result<Pool, Error> {
        let first = self.first.take();
        let has_first = first.is_some();
        let starter = match first {
            Some(first) => first.by_spawn,
            None => nothing_first(|(), ()| ()),
        };
        self.processes(starter, has_first)
    }

    /// Makes it, of threads. The initializer is run in each.
    ///
    /// # Errors
    /// * As [`fork`](Self::fork).
    pub fn threads(self) -> Result<ThreadPool, Error> {
        let worker_count = self.check()?;
        let initialize = self.first.map(|first| first.here);
        let plan = threads::Plan { worker_count, job_max: self.job_max, initialize };
        Ok(Pool::of(Threads::start(plan)?))
    }

    fn processes(self, starter: Starter, has_first: bool) -> Result<Pool, Error> {
        let worker_count = self.check()?;
        let plan = Plan {
            worker_count,
            job_max: self.job_max,
            body_max_bytes: self.body_max_bytes,
            starter,
            is_kept_at_once: has_first,
        };
        let (office, crew) = Office::open(plan)?;
        Ok(Pool::of(Processes { office, crew }))
    }

    /// How many workers it will have.
    fn check(&self) -> Result<usize, Error> {
        let count = self.worker_count.map_or_else(usable_cpu_count, Ok)?;
        let is_fit = (1..=WORKER_MAX).contains(&count)
            && self.job_max != Some(0)
            && (1..=BODY_LIMIT_BYTES).contains(&self.body_max_bytes);
        if is_fit { Ok(count) } else { Err(Error::InvalidArgument) }
    }
}

/// Starts workers that run nothing first.
fn nothing_first<F>(_function: F) -> Starter
where
    F: Fn((), ()) + Copy + 'static,
{
    by_spawn::<F, (), ()>(Vec::new(), ())
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool {
    /// A pool of so many processes by fork: short for a [`Builder`].
    ///
    /// # Errors
    /// * As [`Builder::fork`].
    pub fn fork(worker_count: usize) -> Result<Self, Error> {
        Builder::new().workers(worker_count).fork()
    }

    /// A pool of so many processes by spawn: short for a [`Builder`].
    ///
    /// # Errors
    /// * As [`Builder::spawn`].
    pub fn spawn(worker_count: usize) -> Result<Self, Error> {
        Builder::new().workers(worker_count).spawn()
    }
}

impl ThreadPool {
    /// A pool of so many threads: short for a [`Builder`].
    ///
    /// # Errors
    /// * As [`Builder::threads`].
    pub fn new(worker_count: usize) -> Result<Self, Error> {
        Builder::new().workers(worker_count).threads()
    }
}
