//! Workers that are threads of the owner's process.

use std::any::Any;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use purlin_process::parts::{Origin, watch_forks};
use purlin_process::thread;
use purlin_sync::Deadline;

use crate::engine::{Engine, Job, Runs, Workers};
use crate::error::Error;
use crate::office::Attending;
use crate::outcome::{Help, wait_until};
use crate::outcomes::Outcomes;
use crate::worker::{Initialize, quietly};

/// Workers that are threads: they see the owner's objects themselves, and need nothing carried.
pub struct Threads {
    shared: Arc<Shared>,
    /// The process that made it.
    owner: Origin,
}

/// How threads are to work.
pub(crate) struct Plan {
    pub(crate) worker_count: usize,
    /// After so many jobs one makes way for a new one.
    pub(crate) job_max: Option<u64>,
    /// What each runs first.
    pub(crate) initialize: Option<Arc<Initialize>>,
}

struct Shared {
    plan: Plan,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    jobs: VecDeque<Job<Threads>>,
    phase: Phase,
    living_count: usize,
    /// How many of these wait for the end of the others.
    joining_count: usize,
    /// What the last one that could not begin said.
    failure: Option<Error>,
}

#[derive(Clone, PartialEq, Eq)]
enum Phase {
    Open,
    Closed,
    Terminated,
    /// Every worker failed before its first job.
    Failed(Error),
}

thread_local! {
    /// Where the pool is whose worker this thread is, if it is one.
    static OWN: Cell<usize> = const { Cell::new(0) };
}

impl Threads {
    /// Starts them all.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the system refuses one; those before it have ended.
    pub(crate) fn start(plan: Plan) -> Result<Self, Error> {
        watch_forks()?;
        let worker_count = plan.worker_count;
        let state = State {
            jobs: VecDeque::new(),
            phase: Phase::Open,
            living_count: worker_count, // or one that fails at once could be the last
            joining_count: 0,
            failure: None,
        };
        let shared = Arc::new(Shared { plan, state: Mutex::new(state), changed: Condvar::new() });
        let made = Self { shared, owner: Origin::current() };
        for number in 0..worker_count {
            if let Err(error) = made.shared.start(number) {
                made.shared.lock().living_count -= worker_count - number;
                made.terminate(true)?;
                made.join(Deadline::never())?;
                return Err(error);
            }
        }
        Ok(made)
    }

    fn check_owner(&self) -> Result<(), Error> {
        if self.owner.is_current() { Ok(()) } else { Err(Error::NotTheOwner) }
    }

    fn end(&self, phase: Phase) -> VecDeque<Job<Self>> {
        let mut state = self.shared.lock();
        let is_open = state.phase == Phase::Open;
        let drops = phase == Phase::Terminated;
        if is_open || (drops && state.phase == Phase::Closed) {
            state.phase = phase;
        }
        self.shared.changed.notify_all();
        if drops { core::mem::take(&mut state.jobs) } else { VecDeque::new() }
    }
}

impl Shared {
    /// Starts one in the place of another.
    fn replace(self: &Arc<Self>, number: usize) -> Result<(), Error> {
        self.lock().living_count += 1;
        let started = self.start(number);
        if started.is_err() {
            self.leave(None);
        }
        started
    }

    /// Starts one that is counted.
    fn start(self: &Arc<Self>, number: usize) -> Result<(), Error> {
        let shared = Arc::clone(self);
        // A daemon, so that whoever forgets the pool does not wait for it at the end.
        let builder = thread::Builder::new().name(format!("pool-worker-{number}")).daemon(true);
        Ok(builder.start(move || shared.work(number)).map(drop)?)
    }

    fn work(self: &Arc<Self>, number: usize) {
        OWN.set(self.address());
        let first = self.plan.initialize.as_ref();
        let begun = first.map_or(Ok(()), |initialize| run(|| initialize()).flatten());
        if begun.is_ok() {
            self.take_jobs(number);
        }
        self.leave(begun.err());
    }

    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    fn take_jobs(self: &Arc<Self>, number: usize) {
        let mut left = self.plan.job_max.unwrap_or(u64::MAX);
        while let Some(job) = self.next() {
            // The drop of a value that nobody wants is the user's, and may panic.
            let _ = quietly(|| (job.deliver)(Ok((job.call)())));
            left -= 1;
            // Who is not replaced goes on.
            if left == 0 && self.replace(number).is_ok() {
                return;
            }
            left = left.max(1);
        }
    }

    /// The next job, or `None` when there will be none.
    fn next(&self) -> Option<Job<Threads>> {
        let is_so = |state: &State| !state.jobs.is_empty() || state.phase != Phase::Open;
        wait_until(&self.changed, self.lock(), Deadline::never(), is_so).jobs.pop_front()
    }

    /// A worker ends, which perhaps could not begin. When it is the last one, and any could not,
    /// nobody runs the jobs: they are told so, before it is gone.
    fn leave(&self, failed: Option<Error>) {
        let mut state = self.lock();
        state.failure = failed.or(state.failure.take());
        if state.living_count == 1
            && let Some(error) = state.failure.clone()
        {
            let jobs = core::mem::take(&mut state.jobs);
            if state.phase == Phase::Open {
                state.phase = Phase::Failed(error.clone());
            }
            drop(state);
            // With the job as a whole: what it was given is dropped in there, and may panic.
            let tell = |job: Job<Threads>| (job.deliver)(Err(error.clone()));
            jobs.into_iter().for_each(|job| drop(quietly(|| tell(job))));
            state = self.lock();
        }
        state.living_count -= 1;
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Threads {
    type Call = Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>;
    type Answer = Box<dyn Any + Send>;

    fn worker_count(&self) -> usize {
        self.shared.plan.worker_count
    }

    fn check_running(&self) -> Result<(), Error> {
        if !self.owner.is_unforked() {
            return Err(Error::NotTheOwner);
        }
        match &self.shared.lock().phase {
            Phase::Open => Ok(()),
            Phase::Closed | Phase::Terminated => Err(Error::PoolNotRunning),
            Phase::Failed(error) => Err(error.clone()),
        }
    }

    fn chunk_max_bytes(&self) -> usize {
        usize::MAX
    }

    fn owner(&self) -> Origin {
        self.owner
    }

    fn submit(&self, jobs: Vec<Job<Self>>, _is_attended: bool) -> Result<(), Error> {
        let mut state = self.shared.lock();
        match &state.phase {
            Phase::Open => {}
            Phase::Closed | Phase::Terminated => return Err(Error::PoolNotRunning),
            Phase::Failed(error) => return Err(error.clone()),
        }
        state.jobs.extend(jobs);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn helped(&self) -> Option<Weak<dyn Help>> {
        None // a thread says itself what has come of its job
    }

    fn attend(&self) -> Option<Attending<'_>> {
        None
    }

    fn close(&self) -> Result<(), Error> {
        self.check_owner()?;
        self.end(Phase::Closed);
        Ok(())
    }

    fn terminate(&self, _is_joined: bool) -> Result<(), Error> {
        self.check_owner()?;
        let dropped = self.end(Phase::Terminated);
        let tell = |job: Job<Self>| (job.deliver)(Err(Error::Cancelled));
        dropped.into_iter().for_each(|job| drop(quietly(|| tell(job))));
        Ok(())
    }

    fn join(&self, deadline: Deadline) -> Result<(), Error> {
        self.check_owner()?;
        let mut state = self.shared.lock();
        if state.phase == Phase::Open {
            return Err(Error::StillRunning);
        }
        // A task that waits for its own pool waits for those that do not.
        let is_own = OWN.get() == self.shared.address();
        if is_own {
            state.joining_count += 1;
            self.shared.changed.notify_all();
        }
        let is_over =
            |state: &State| state.living_count <= if is_own { state.joining_count } else { 0 };
        let mut state = wait_until(&self.shared.changed, state, deadline, is_over);
        let is_over = is_over(&state);
        state.joining_count -= usize::from(is_own);
        if is_over { Ok(()) } else { Err(Error::TimedOut) }
    }
}

impl Workers for Threads {}

impl<F, A, R> Runs<F, A, R> for Threads
where
    F: Fn(A) -> R + Send + Sync + 'static,
    A: Send + 'static,
    R: Send + 'static,
{
    fn pack(
        function: &Arc<F>,
        arguments: impl ExactSizeIterator<Item = A>,
    ) -> Result<Self::Call, Error> {
        let (function, arguments) = (Arc::clone(function), Vec::from_iter(arguments));
        Ok(Box::new(move || {
            let outcomes = arguments.into_iter().map(|argument| run(|| function(argument)));
            let outcomes: Vec<Result<R, Error>> = outcomes.collect();
            // What it captured is the user's, and may panic as it is dropped.
            let _ = quietly(|| drop(function));
            Box::new(outcomes)
        }))
    }

    fn unpack(answer: Self::Answer, _count: usize) -> Result<Outcomes<R>, Error> {
        answer.downcast().map(|each| Outcomes::Each(*each)).map_err(|_| Error::Damaged)
    }
}

/// Runs it; a panic, which the panic hook has printed, is a failure.
fn run<R>(function: impl FnOnce() -> R) -> Result<R, Error> {
    quietly(function).map_err(|message| Error::TaskFailed { message, trace: String::new() })
}
