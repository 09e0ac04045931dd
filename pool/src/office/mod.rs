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
#[cfg(test)]
mod tests;
mod view;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use purlin_process::parts::{Manner, Origin, watch_forks};
use purlin_sync::Deadline;

pub(crate) use crew::Crew;
pub(crate) use help::Attending;
use hub::Hub;
pub(crate) use hub::Task;
pub(crate) use start::{Starter, by_fork, by_spawn};

use crate::engine::Deliver;
use crate::error::Error;
use crate::limits::CHUNK_MAX_BYTES;
use crate::looks::look_count;
use crate::outcome::wait_until;
use crate::sys::watch::Watch;
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
    /// The keeper is there from the start, and not from the first task on.
    pub(crate) is_kept_at_once: bool,
}

/// A pool of processes, as its owner has it.
pub(crate) struct Office {
    hub: Mutex<Hub>,
    /// How many threads wait for answers and take them meanwhile.
    helper_count: AtomicUsize,
    /// The pool is over.
    over: Condvar,
    /// There is something for the clerk, who alone sleeps here, or the pool is over.
    work: Condvar,
    bell: Bell,
    /// Those of the desks, for whoever is started.
    mailboxes: Vec<Mailbox>,
    /// How often who waits for an answer looks before it sleeps.
    look_count: u32,
    /// Where the keeper sleeps, or who keeps the pool in place of one.
    watch: Watch,
    /// How the thread goes on that made the pool: workers that replace others are as the first.
    manner: Manner,
    starter: Starter,
    pub(crate) worker_count: usize,
    /// How many bytes a chunk whose length is chosen is given: of what comes of them, more may
    /// have room.
    pub(crate) chunk_max_bytes: usize,
    /// The process that made it.
    pub(crate) owner: Origin,
}

impl Office {
    /// Starts all workers, and the thread that sees to them where the plan says so.
    ///
    /// # Errors
    /// * Those of a start; those that were started before have ended.
    pub(crate) fn open(plan: Plan) -> Result<(Arc<Self>, Crew), Error> {
        watch_forks()?;
        let (mailboxes, bell) = Mailbox::all(plan.worker_count, plan.body_max_bytes)?;
        let office = Arc::new(Self {
            hub: Mutex::new(Hub::new(mailboxes.clone(), plan.job_max)),
            helper_count: AtomicUsize::new(0),
            over: Condvar::new(),
            work: Condvar::new(),
            bell,
            mailboxes,
            look_count: look_count(),
            watch: Watch::new()?,
            manner: Manner::current(),
            starter: plan.starter,
            worker_count: plan.worker_count,
            chunk_max_bytes: (plan.body_max_bytes / 2).min(CHUNK_MAX_BYTES),
            owner: Origin::current(),
        });
        office.start_all()?;
        let crew = Crew::default();
        if plan.is_kept_at_once
            && let Err(error) = crew.see_to_keeper(&office)
        {
            office.end_all();
            return Err(error);
        }
        Ok((office, crew))
    }

    /// Starts the clerk.
    fn hire_clerk(self: &Arc<Self>) -> Result<JoinHandle<()>, Error> {
        self.hire("pool-clerk", Self::clerk)
    }

    /// Starts the keeper, unless somebody keeps the pool, or nobody has to.
    fn hire_keeper(self: &Arc<Self>) -> Result<Option<JoinHandle<()>>, Error> {
        if !self.lock().begins_keeping() {
            return Ok(None);
        }
        let keeper = self.hire("pool-keeper", |office| {
            office.manner.take_on();
            office.keep(Deadline::never());
        });
        if keeper.is_err() {
            self.leave(self.lock());
        }
        keeper.map(Some)
    }

    /// Starts a thread of the pool's.
    fn hire(
        self: &Arc<Self>,
        name: &str,
        work: impl FnOnce(&Self) + Send + 'static,
    ) -> Result<JoinHandle<()>, Error> {
        let this = Arc::clone(self);
        Ok(thread::Builder::new().name(name.into()).spawn(move || work(&this))?)
    }

    /// # Errors
    /// * [`Error::NotTheOwner`] in a forked child, which has copies of locks that nobody leaves.
    pub(crate) fn check_owner(&self) -> Result<(), Error> {
        if self.owner.is_current() { Ok(()) } else { Err(Error::NotTheOwner) }
    }

    pub(crate) fn check_running(&self) -> Result<(), Error> {
        // A system call is a part of what a task costs.
        if !self.owner.is_unforked() {
            return Err(Error::NotTheOwner);
        }
        self.lock().check_running()
    }

    pub(crate) fn submit(
        &self,
        mut jobs: impl Iterator<Item = (Task, Deliver<Answer>)>,
    ) -> Result<(), Error> {
        let mut answer = Ok(());
        self.tell(|hub| {
            answer = hub.check_running();
            if answer.is_err() {
                return Vec::new();
            }
            // What is not taken is the user's, and is dropped outside of the lock.
            jobs.by_ref().for_each(|(task, deliver)| hub.push(task, deliver));
            hub.hand_out()
        });
        answer
    }

    pub(crate) fn close(&self) -> Result<(), Error> {
        self.check_owner()?;
        let mut hub = self.lock();
        hub.close();
        let is_staffed = hub.is_staffed(); // then the keeper sees the last one end
        self.rouse(hub);
        if !is_staffed {
            self.watch.call();
        }
        Ok(())
    }

    pub(crate) fn terminate(&self) -> Result<(), Error> {
        self.check_owner()?;
        self.tell(|hub| {
            let due = hub.terminate();
            hub.end_some(); // whether anybody keeps it or not
            due
        });
        self.watch.call();
        Ok(())
    }

    /// Whether its workers were asked to end, in the process that made it.
    pub(crate) fn is_ending(&self) -> bool {
        self.owner.is_current() && !self.lock().is_working()
    }

    /// Keeps the pool meanwhile, if nobody does.
    pub(crate) fn join(&self, deadline: Deadline) -> Result<(), Error> {
        self.check_owner()?;
        let mut hub = self.lock();
        if hub.is_open() {
            return Err(Error::StillRunning);
        }
        // Ends: when it is over, or at the deadline.
        loop {
            if hub.begins_keeping() {
                drop(hub);
                self.keep(deadline);
                hub = self.lock();
            }
            let is_news = |hub: &Hub| hub.is_over() || hub.is_unkept();
            hub = wait_until(&self.over, hub, deadline, is_news);
            if hub.is_over() {
                return Ok(());
            }
            if deadline.remaining().is_some_and(|left| left.is_zero()) {
                return Err(Error::TimedOut);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
