//! What a pool asks of those who do its work, be they processes or threads.

use std::sync::{Arc, Weak};

use purlin_process::parts::Origin;
use purlin_sync::Deadline;

use crate::error::Error;
use crate::office::Attending;
use crate::outcome::Help;
use crate::outcomes::Outcomes;

/// Gets what came of a job, once, whatever became of it.
pub(crate) type Deliver<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;

/// Some calls of one function, one after the other, in one worker.
pub struct Job<W: Engine + ?Sized> {
    pub(crate) call: W::Call,
    pub(crate) deliver: Deliver<W::Answer>,
}

/// Workers of one kind.
pub trait Engine {
    /// What one of them is handed.
    type Call: Send;
    /// What one of them answers.
    type Answer;

    /// How many there are.
    fn worker_count(&self) -> usize;

    /// How many bytes a chunk of a map is to be given, where nobody says how long it is.
    fn chunk_max_bytes(&self) -> usize;

    /// The process that made it.
    fn owner(&self) -> Origin;

    /// Has them run, in their order, when workers are free. The caller attends, up to their end, or
    /// does not; and has seen in this thread that jobs are [taken](Self::check_running).
    ///
    /// # Errors
    /// * [`Error::PoolNotRunning`], [`Error::NotTheOwner`], [`Error::WorkersFail`],
    ///   [`Error::OutOfResources`]: all were dropped.
    fn submit(&self, jobs: Vec<Job<Self>>, is_attended: bool) -> Result<(), Error>;

    /// Whether jobs are taken.
    ///
    /// # Errors
    /// * As [`submit`](Self::submit).
    fn check_running(&self) -> Result<(), Error>;

    /// Whoever waits for an answer, and may help meanwhile.
    fn helped(&self) -> Option<Weak<dyn Help>>;

    /// Somebody is about to wait, until this is dropped.
    fn attend(&self) -> Option<Attending<'_>>;

    /// Takes no more jobs, and has the workers end after the last.
    ///
    /// # Errors
    /// * [`Error::NotTheOwner`].
    fn close(&self) -> Result<(), Error>;

    /// Drops all jobs and ends the workers. The caller joins at once, or somebody else is to see to
    /// those that do not end.
    ///
    /// # Errors
    /// * [`Error::NotTheOwner`].
    fn terminate(&self, is_joined: bool) -> Result<(), Error>;

    /// Waits for the end of the workers.
    ///
    /// # Errors
    /// * [`Error::NotTheOwner`], [`Error::StillRunning`], [`Error::TimedOut`].
    fn join(&self, deadline: Deadline) -> Result<(), Error>;
}

/// Who works for a pool: [`Processes`](crate::Processes) or [`Threads`](crate::Threads).
pub trait Workers: Engine {}

/// That workers of this kind can run functions of the type `F`, given an `A`, to an `R`.
pub trait Runs<F, A, R>: Workers {
    /// A call of the function on each of these, one after the other.
    #[doc(hidden)]
    fn pack(
        function: &Arc<F>,
        arguments: impl ExactSizeIterator<Item = A>,
    ) -> Result<Self::Call, Error>;

    /// The same as several calls, with how many arguments each has: as few as there can be of so
    /// many bytes, where they have any.
    #[doc(hidden)]
    fn cut(
        function: &Arc<F>,
        arguments: impl ExactSizeIterator<Item = A>,
        _max_bytes: usize,
    ) -> Result<Vec<(usize, Self::Call)>, Error> {
        let count = arguments.len();
        Ok(vec![(count, Self::pack(function, arguments)?)])
    }

    /// What came of so many calls.
    #[doc(hidden)]
    fn unpack(answer: Self::Answer, count: usize) -> Result<Outcomes<R>, Error>;
}
