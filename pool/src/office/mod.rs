//! The owner's side of a pool of processes: jobs, desks, and who sits at them.
//!
//! ```text
//!   submit ──> queue ──> a desk: [ job | job ] ═ mailbox ═ worker
//!                          │          ▲                      │ rings
//!   results  <── deliver ──┴─ collect ┴──── clerk  <─────────┘
//!                                           keeper <── a worker has ended: bury, start another
//! ```
//!
//! All that is not in a mailbox is in this process, under one lock. Nothing of the user's runs
//! under it.

mod clerk;
mod crew;
mod desk;
mod functions;
mod help;
mod hub;
mod keeper;
mod start;
mod view;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use purlin_sync::Deadline;

pub(crate) use crew::Crew;
pub(crate) use help::Attending;
use hub::Hub;
pub(crate) use hub::Task;
pub(crate) use start::{Starter, by_fork, by_spawn};

use crate::engine::Deliver;
use crate::error::Error;
use crate::outcome::wait_until;
use crate::sys::watch::{Call, watch};
use crate::words::{Bell, Mailbox};
pub use view::WorkerView;

/// What one job of processes answers.
pub(crate) type Answer = Vec<u8>;

/// How processes are to work.
pub(crate) struct Plan {
    pub(crate) worker_count: usize,
    /// After so many jobs a worker makes way for a new one.
    pub(crate) job_max: Option<u64>,
    pub(crate) body_max_bytes: usize,
    pub(crate) starter: Starter,
}

/// A pool of processes, as its owner has it.
pub(crate) struct Office {
    hub: Mutex<Hub>,
    /// How many threads wait for answers and take them meanwhile.
    helper_count: AtomicUsize,
    /// Something changed that a thread of this process waits for.
    changed: Condvar,
    bell: Bell,
    keeper: Call,
    starter: Starter,
    pub(crate) worker_count: usize,
    /// The process that made it.
    owner: u32,
}

impl Office {
    /// Starts all workers, and the threads that see to them.
    ///
    /// # Errors
    /// * Those of a start; those that were started before have ended.
    pub(crate) fn open(plan: Plan) -> Result<(Arc<Self>, Crew), Error> {
        let bell = Bell::new()?;
        let mailbox = |_| Mailbox::new(plan.body_max_bytes);
        let mailboxes: Vec<Mailbox> =
            (0..plan.worker_count).map(mailbox).collect::<Result<_, _>>()?;
        let (keeper, watch) = watch()?;
        let office = Arc::new(Self {
            hub: Mutex::new(Hub::new(mailboxes, plan.job_max)),
            helper_count: AtomicUsize::new(0),
            changed: Condvar::new(),
            bell,
            keeper,
            starter: plan.starter,
            worker_count: plan.worker_count,
            owner: std::process::id(),
        });
        office.start_all()?;
        let crew = Crew::default();
        crew.add(office.hire("pool-clerk", Self::clerk)?);
        let keeper = office.hire("pool-keeper", move |office| office.keep(&watch));
        match keeper {
            Ok(keeper) => crew.add(keeper),
            Err(error) => {
                crew.join();
                return Err(error);
            }
        }
        Ok((office, crew))
    }

    /// Starts a thread of the pool's. When there is none left, the workers end.
    fn hire(
        self: &Arc<Self>,
        name: &str,
        work: impl FnOnce(&Self) + Send + 'static,
    ) -> Result<JoinHandle<()>, Error> {
        let this = Arc::clone(self);
        let started = thread::Builder::new().name(name.into()).spawn(move || work(&this));
        if started.is_err() {
            self.lock().desert();
            self.end_all();
            self.changed.notify_all();
        }
        Ok(started?)
    }

    /// # Errors
    /// * [`Error::NotTheOwner`] in a forked child, which has copies of locks that nobody leaves.
    pub(crate) fn check_owner(&self) -> Result<(), Error> {
        if self.owner == std::process::id() { Ok(()) } else { Err(Error::NotTheOwner) }
    }

    pub(crate) fn check_running(&self) -> Result<(), Error> {
        self.check_owner()?;
        self.lock().check_running()
    }

    pub(crate) fn submit(
        &self,
        jobs: impl Iterator<Item = (Task, Deliver<Answer>)>,
    ) -> Result<(), Error> {
        self.check_owner()?;
        let mut answer = Ok(());
        self.tell(|hub| {
            answer = hub.check_running();
            if answer.is_err() {
                return Vec::new();
            }
            jobs.for_each(|(task, deliver)| hub.push(task, deliver));
            hub.hand_out()
        });
        self.call_clerk();
        answer
    }

    pub(crate) fn close(&self) -> Result<(), Error> {
        self.check_owner()?;
        self.lock().close();
        self.keeper.call();
        Ok(())
    }

    pub(crate) fn terminate(&self) -> Result<(), Error> {
        self.check_owner()?;
        self.tell(Hub::terminate);
        self.keeper.call();
        self.changed.notify_all();
        Ok(())
    }

    pub(crate) fn join(&self, deadline: Deadline) -> Result<(), Error> {
        self.check_owner()?;
        let hub = self.lock();
        if hub.is_open() {
            return Err(Error::StillRunning);
        }
        let hub = wait_until(&self.changed, hub, deadline, Hub::is_over);
        if hub.is_over() { Ok(()) } else { Err(Error::TimedOut) }
    }

    fn lock(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
