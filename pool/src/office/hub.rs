//! What the owner knows of its jobs and workers.

use std::collections::VecDeque;
use std::time::Instant;

use purlin_process::ExitStatus;

use super::Answer;
use super::desk::{Desk, Refused, Worker};
use super::functions::Functions;
use crate::engine;
use crate::error::Error;
use crate::limits::{UNBEGUN, UNREADY_MAX};
use crate::words::Mailbox;

pub(super) type Deliver = engine::Deliver<Answer>;

/// Those whose jobs have come to an end, and what became of them. It is told outside of the lock.
pub(super) type Due = Vec<(Deliver, Result<Answer, Error>)>;

/// What a worker is to run: the place of a trampoline, and what it is given.
pub struct Task {
    pub(crate) offset: u64,
    pub(crate) input: Vec<u8>,
}

/// A job that no worker has begun, as far as is known.
pub(super) struct Queued {
    pub(super) function: u32,
    pub(super) input: Vec<u8>,
    pub(super) deliver: Deliver,
}

pub(super) struct Hub {
    queue: VecDeque<Queued>,
    pub(super) desks: Vec<Desk>,
    functions: Functions,
    job_max: Option<u64>,
    phase: Phase,
    /// How many threads are telling what has come of jobs.
    pub(super) telling_count: usize,
    /// A thread of this process sees to the workers, or is about to.
    pub(super) has_keeper: bool,
    /// The clerk sleeps for want of work.
    pub(super) clerk_waits: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Phase {
    Open,
    Closed,
    Terminated,
    /// Workers ended at once, again and again.
    Failed(Error),
}

impl Hub {
    pub(super) fn new(mailboxes: Vec<Mailbox>, job_max: Option<u64>) -> Self {
        Self {
            queue: VecDeque::new(),
            desks: mailboxes.into_iter().map(Desk::new).collect(),
            functions: Functions::default(),
            job_max,
            phase: Phase::Open,
            telling_count: 0,
            has_keeper: false,
            clerk_waits: false,
        }
    }

    pub(super) fn check_running(&self) -> Result<(), Error> {
        match &self.phase {
            Phase::Open => Ok(()),
            Phase::Closed | Phase::Terminated => Err(Error::PoolNotRunning),
            Phase::Failed(error) => Err(error.clone()),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether jobs are still run.
    pub(super) fn is_working(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closed)
    }

    /// Whether it is closed or ended, nobody is left, and everybody has been told.
    pub(super) fn is_over(&self) -> bool {
        self.is_deserted() && !self.has_keeper && self.telling_count == 0
    }

    /// Whether nobody sits anywhere, and nobody will.
    pub(super) fn is_deserted(&self) -> bool {
        !self.is_open() && !self.is_staffed() && (!self.is_working() || !self.has_work())
    }

    /// Whether somebody has to see to the workers, and nobody does.
    pub(super) fn is_unkept(&self) -> bool {
        !self.has_keeper && !self.is_deserted()
    }

    /// The same. If so, the caller sees to them from here on, or a thread that it starts.
    pub(super) fn begins_keeping(&mut self) -> bool {
        let is_unkept = self.is_unkept();
        self.has_keeper |= is_unkept;
        is_unkept
    }

    /// Whether some job is not done.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.desks.iter().any(|desk| desk.handed_count() > 0)
    }

    /// Whether somebody sits anywhere.
    pub(super) fn is_staffed(&self) -> bool {
        self.desks.iter().any(|desk| desk.worker.is_some())
    }

    /// Whether some job is in a worker's hands.
    pub(super) fn has_handed(&self) -> bool {
        self.desks.iter().any(|desk| desk.handed_count() > 0)
    }

    pub(super) fn push(&mut self, task: Task, deliver: Deliver) {
        let function = self.functions.number(task.offset);
        self.queue.push_back(Queued { function, input: task.input, deliver });
    }

    /// Hands out what can be: first to those who have nothing, then to those who have one.
    pub(super) fn hand_out(&mut self) -> Due {
        let mut due = Due::new();
        let mut refusing = Vec::new();
        // Ends: each turn takes a job off the queue, or a desk out of those that are asked.
        while let Some(place) = self.next_desk(&refusing) {
            self.take_back_for(place);
            let Some(queued) = self.queue.pop_front() else { break };
            match self.desks[place].hand(queued, &self.functions) {
                Ok(()) => self.retire(place),
                Err(Refused::Ever(deliver, error)) => due.push((deliver, Err(error))),
                Err(Refused::Now(queued)) => {
                    self.queue.push_front(queued);
                    refusing.push(place);
                }
            }
        }
        due
    }

    /// The desk with the fewest jobs that takes one more.
    fn next_desk(&self, refusing: &[usize]) -> Option<usize> {
        let takes = |place: &usize| self.desks[*place].takes() && !refusing.contains(place);
        let places = (0..self.desks.len()).filter(takes);
        let place = places.min_by_key(|place| self.desks[*place].handed_count())?;
        let is_idle = self.desks[place].handed_count() == 0;
        (!self.queue.is_empty() || is_idle).then_some(place)
    }

    /// Where nothing waits, who is idle gets what waits in another's mailbox.
    fn take_back_for(&mut self, idle: usize) {
        if !self.queue.is_empty() || self.desks[idle].handed_count() > 0 {
            return;
        }
        if !self.desks.iter().any(Desk::may_give_back) {
            return; // without a look at the clock
        }
        let now = Instant::now();
        let unbegun = now.checked_sub(UNBEGUN).unwrap_or(now);
        let others = self.desks.iter_mut().enumerate().filter(|(place, _)| *place != idle);
        let taken = others.filter_map(|(_, desk)| desk.take_back(unbegun)).next();
        self.queue.extend(taken);
    }

    /// Tells a worker to end that has been handed as many jobs as it may be.
    fn retire(&mut self, place: usize) {
        let desk = &mut self.desks[place];
        if let (Some(worker), Some(max)) = (&mut desk.worker, self.job_max)
            && worker.handed_count >= max
        {
            worker.is_leaving = true;
            desk.mailbox.end();
        }
    }

    /// Takes off what is done, and hands out more.
    pub(super) fn collect(&mut self) -> Due {
        let mut due = Due::new();
        for desk in &mut self.desks {
            desk.collect(|deliver, answer| due.push((deliver, answer)));
        }
        due.extend(self.hand_out());
        self.dismiss();
        due
    }

    /// Of a closed pool with nothing left to do: tells all workers to end.
    pub(super) fn dismiss(&mut self) {
        if self.phase != Phase::Closed || self.has_work() {
            return;
        }
        for desk in &mut self.desks {
            if let Some(worker) = desk.worker.as_mut().filter(|worker| !worker.is_leaving) {
                worker.is_leaving = true;
                desk.mailbox.end();
            }
        }
    }

    pub(super) fn close(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Closed;
        }
        self.dismiss();
    }

    pub(super) fn terminate(&mut self) -> Due {
        if self.is_working() {
            self.phase = Phase::Terminated;
            return self.abandon(&Error::Cancelled);
        }
        Due::new()
    }

    /// Takes off all jobs.
    fn abandon(&mut self, error: &Error) -> Due {
        let handed = self.desks.iter_mut().flat_map(Desk::abandon);
        let all = handed.chain(self.queue.drain(..));
        all.map(|queued| (queued.deliver, Err(error.clone()))).collect()
    }

    pub(super) fn seat(&mut self, place: usize, worker: Worker) -> Due {
        self.desks[place].worker = Some(worker);
        let due = self.hand_out();
        self.dismiss();
        due
    }

    /// After a worker has ended: its job is lost, and what it had not begun is as it was.
    pub(super) fn bury(&mut self, place: usize, status: ExitStatus) -> Due {
        let mut due = self.collect_of(place);
        let desk = &mut self.desks[place];
        let Some(mut worker) = desk.worker.take() else { return due };
        let has_begun = desk.has_begun();
        desk.count_end(&worker, has_begun);
        // Who took tasks has said nothing else.
        let message = if desk.mailbox.is_ready() { String::new() } else { worker.last_words() };
        let (begun, unbegun) = desk.clear();
        let lost = begun.into_iter();
        due.extend(lost.map(|lost| (lost.deliver, Err(Error::WorkerLost(status)))));
        unbegun.into_iter().rev().for_each(|queued| self.queue.push_front(queued));
        due.extend(self.give_up(&Error::WorkersFail { message, status }));
        due.extend(self.hand_out());
        self.dismiss(); // the lost job may have been the last of a closed pool
        due
    }

    /// After a start that failed.
    pub(super) fn count_failed_start(&mut self, place: usize, error: &Error) -> Due {
        self.desks[place].count_failed_start();
        self.give_up(error)
    }

    /// Ends the pool if at each desk workers have ended before they took tasks, again and again.
    fn give_up(&mut self, error: &Error) -> Due {
        let is_lost = |desk: &Desk| desk.unready_count >= UNREADY_MAX && !desk.is_ready();
        if !self.is_working() || !self.desks.iter().all(is_lost) {
            return Due::new();
        }
        self.phase = Phase::Failed(error.clone());
        self.abandon(error)
    }

    fn collect_of(&mut self, place: usize) -> Due {
        let mut due = Due::new();
        self.desks[place].collect(|deliver, answer| due.push((deliver, answer)));
        due
    }

    /// The desks that wait for a worker, and when the first of the others may have one.
    pub(super) fn vacancies(&self) -> (Vec<usize>, Option<Instant>) {
        if !self.is_working() || (self.phase == Phase::Closed && !self.has_work()) {
            return (Vec::new(), None);
        }
        let now = Instant::now();
        let vacant = |place: &usize| self.desks[*place].worker.is_none();
        let is_due = |place: &usize| self.desks[*place].start_at.is_none_or(|at| at <= now);
        let (due, later): (Vec<usize>, Vec<usize>) =
            (0..self.desks.len()).filter(vacant).partition(is_due);
        (due, later.into_iter().filter_map(|place| self.desks[place].start_at).min())
    }
}
