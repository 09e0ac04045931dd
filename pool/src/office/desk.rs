//! A desk: a mailbox, whoever sits at it, and the jobs that were put there.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use purlin_process::Process;

use super::Answer;
use super::functions::Functions;
use super::hub::{Deliver, Queued};
use crate::error::Error;
use crate::limits::{AHEAD, BACK_OFF, BACK_OFF_MAX, EARLY, SHORT, SLOT_COUNT};
use crate::words::{Input, Mailbox, Seen, Space};
use crate::worker::TOLD_BYTES;

/// A place for a worker.
pub(super) struct Desk {
    pub(super) mailbox: Mailbox,
    pub(super) worker: Option<Worker>,
    /// What was handed over, oldest first.
    handed: VecDeque<Handed>,
    /// The slot of the oldest.
    first_slot: usize,
    inputs: Space,
    /// How long the last jobs took, each; and from when on the next ones are counted.
    pace: Duration,
    counted_from: Instant,
    /// How often, one after the other, a worker has ended here before it took tasks.
    pub(super) unready_count: u32,
    /// How often, one after the other, a worker has ended here at once.
    pub(super) early_count: u32,
    /// Before then no other is started.
    pub(super) start_at: Option<Instant>,
}

/// A worker, as its owner has it.
pub(super) struct Worker {
    /// Shared, for each last handle of a process looks after it.
    pub(super) process: Arc<Process>,
    /// Over which it is told where functions are.
    pub(super) functions: UnixStream,
    /// Which of these it was told of, by their numbers.
    knows: Vec<bool>,
    pub(super) started: Instant,
    pub(super) handed_count: u64,
    pub(super) done_count: u64,
    /// It was told to end.
    pub(super) is_leaving: bool,
    /// When it was asked to end by a signal.
    pub(super) asked: Option<Instant>,
}

struct Handed {
    queued: Queued,
    input: Input,
    at: Instant,
}

impl Desk {
    pub(super) fn new(mailbox: Mailbox) -> Self {
        Self {
            inputs: mailbox.input_space(),
            mailbox,
            worker: None,
            handed: VecDeque::with_capacity(SLOT_COUNT),
            first_slot: 0,
            pace: Duration::MAX,
            counted_from: Instant::now(),
            unready_count: 0,
            early_count: 0,
            start_at: None,
        }
    }

    /// Whether somebody sits here who takes jobs.
    pub(super) fn is_ready(&self) -> bool {
        self.worker.is_some() && self.mailbox.is_ready()
    }

    /// Whether the worker has begun a job that it has not done.
    pub(super) fn has_begun(&self) -> bool {
        !self.handed.is_empty() && self.mailbox.look(self.first_slot) == Seen::Begun
    }

    /// Whether the youngest job may not have been begun.
    pub(super) fn may_give_back(&self) -> bool {
        match self.handed.len() {
            0 => false,
            1 => self.mailbox.look(self.first_slot) == Seen::Unbegun,
            _ => true,
        }
    }

    pub(super) fn handed_count(&self) -> usize {
        self.handed.len()
    }

    /// Whether the worker that sits here may be handed a job: one more than it runs; many, if they
    /// are short.
    pub(super) fn takes(&self) -> bool {
        let handed_max = if self.pace < SHORT { SLOT_COUNT } else { AHEAD };
        self.handed.len() < handed_max
            && self.worker.as_ref().is_some_and(|worker| !worker.is_leaving)
    }

    /// Hands a job over. Whether it was; what it is told of it, if it never can be.
    pub(super) fn hand(&mut self, queued: Queued, functions: &Functions) -> Result<(), Refused> {
        let slot = (self.first_slot + self.handed.len()) % SLOT_COUNT;
        let Some(worker) = &mut self.worker else { return Err(Refused::Now(queued)) };
        if !worker.tell(queued.function, functions) {
            return Err(Refused::Now(queued));
        }
        let input = match self.mailbox.hand(slot, &mut self.inputs, queued.function, &queued.input)
        {
            Ok(Some(input)) => input,
            Ok(None) => return Err(Refused::Now(queued)),
            Err(error) => return Err(Refused::Ever(queued.deliver, error)),
        };
        worker.handed_count += 1;
        let at = Instant::now();
        if self.handed.is_empty() {
            self.counted_from = at;
        }
        self.handed.push_back(Handed { queued, input, at });
        Ok(())
    }

    /// Since when the worker has had the job that it runs, or is about to run.
    pub(super) fn busy_since(&self) -> Option<Instant> {
        self.handed.front().map(|handed| handed.at)
    }

    /// Takes off what is done, oldest first.
    pub(super) fn collect(&mut self, mut to: impl FnMut(Deliver, Result<Answer, Error>)) {
        let mut done_count = 0;
        while !self.handed.is_empty() && self.mailbox.look(self.first_slot) == Seen::Done {
            let slot = self.first_slot;
            let Some(done) = self.take_first() else { break };
            to(done.queued.deliver, self.mailbox.collect(slot, &mut self.inputs, done.input));
            done_count += 1;
        }
        if done_count == 0 {
            return;
        }
        if let Some(worker) = &mut self.worker {
            worker.done_count += u64::from(done_count);
        }
        (self.unready_count, self.early_count) = (0, 0);
        let now = Instant::now();
        self.pace = now.saturating_duration_since(self.counted_from) / done_count;
        self.counted_from = now;
    }

    /// Takes back the youngest job, if it has not been begun: one that waits behind another, or one
    /// that has waited since before `unbegun`.
    pub(super) fn take_back(&mut self, unbegun: Instant) -> Option<Queued> {
        let youngest = self.handed.back()?;
        if self.handed.len() == 1 && youngest.at > unbegun {
            return None;
        }
        let slot = (self.first_slot + self.handed.len() - 1) % SLOT_COUNT;
        if !self.mailbox.take_back(slot, &mut self.inputs, youngest.input) {
            return None;
        }
        if let Some(worker) = &mut self.worker {
            worker.handed_count -= 1;
        }
        self.handed.pop_back().map(|handed| handed.queued)
    }

    /// After the worker's death and a last collect: the jobs that it had begun, of which there is
    /// one at most if it was a worker of ours, and those that it had not, oldest first. The desk is
    /// free.
    pub(super) fn clear(&mut self) -> (Vec<Queued>, Vec<Queued>) {
        let (mut begun, mut unbegun) = (Vec::new(), Vec::new());
        while !self.handed.is_empty() {
            let seen = self.mailbox.look(self.first_slot);
            let Some(handed) = self.take_first() else { break };
            if seen == Seen::Begun {
                begun.push(handed.queued)
            } else {
                unbegun.push(handed.queued)
            }
        }
        self.mailbox.clear();
        self.inputs = self.mailbox.input_space();
        (self.first_slot, self.pace) = (0, Duration::MAX);
        (begun, unbegun)
    }

    /// After a worker's end: counts one that came at once, and says when the next may be started.
    pub(super) fn count_end(&mut self, worker: &Worker, had_begun: bool) {
        let is_unready = !self.mailbox.is_ready() && !worker.is_leaving;
        self.unready_count = if is_unready { self.unready_count + 1 } else { 0 };
        let is_early = !had_begun
            && worker.done_count == 0
            && !worker.is_leaving
            && worker.started.elapsed() < EARLY;
        self.early_count = if is_early { self.early_count + 1 } else { 0 };
        self.start_at = is_early.then(|| Instant::now() + pause(self.early_count));
    }

    /// After a start that failed.
    pub(super) fn count_failed_start(&mut self) {
        self.unready_count += 1;
        self.start_at = Some(Instant::now() + BACK_OFF_MAX);
    }

    /// Takes off all, whatever state it is in.
    pub(super) fn abandon(&mut self) -> impl Iterator<Item = Queued> + '_ {
        self.handed.drain(..).map(|handed| handed.queued)
    }

    fn take_first(&mut self) -> Option<Handed> {
        let first = self.handed.pop_front();
        self.first_slot = (self.first_slot + 1) % SLOT_COUNT;
        first
    }
}

/// How long after so many ends at once the next worker is started.
fn pause(early_count: u32) -> Duration {
    BACK_OFF.saturating_mul(1 << (early_count - 1).min(16)).min(BACK_OFF_MAX)
}

/// Why a job was not handed over.
pub(super) enum Refused {
    /// Not to this worker, now.
    Now(Queued),
    /// To none, ever.
    Ever(Deliver, Error),
}

impl Worker {
    pub(super) fn new(process: Process, functions: UnixStream) -> Self {
        Self {
            process: Arc::new(process),
            functions,
            knows: Vec::new(),
            started: Instant::now(),
            handed_count: 0,
            done_count: 0,
            is_leaving: false,
            asked: None,
        }
    }

    /// What one that has ended said in place of beginning: nothing, unless its initializer failed.
    pub(super) fn last_words(&mut self) -> String {
        let mut bytes = Vec::new();
        // Up to the end, or to where there is no more: who else has the other end writes nothing.
        let _ = self.functions.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Tells it of a function that it does not know; whether it could be. So no more is unread at a
    /// time than what belongs to the jobs in its mailbox.
    fn tell(&mut self, number: u32, functions: &Functions) -> bool {
        let place = number as usize;
        if self.knows.get(place) == Some(&true) {
            return true;
        }
        // Whole or not at all: a socket takes so few bytes at once.
        if !matches!((&self.functions).write(&functions.told(number)), Ok(TOLD_BYTES)) {
            return false;
        }
        self.knows.resize(self.knows.len().max(place + 1), false);
        self.knows[place] = true;
        true
    }
}
