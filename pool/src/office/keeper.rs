//! The thread that sees to the workers: buries who has ended, starts others, ends those that are to
//! end.

use std::os::fd::BorrowedFd;
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use purlin_process::Process;
use purlin_sync::Deadline;

use super::Office;
use super::clerk::earlier;
use super::hub::Hub;
use crate::limits::{GRACE, SLICE, TRACED_PAUSE};
use crate::sys::watch::pause;

impl Office {
    /// Keeps the pool until it is over, or until the deadline; then nobody keeps it.
    pub(super) fn keep(&self, deadline: Deadline) {
        let mut is_last_turn = false;
        loop {
            self.fill_vacancies();
            let (seated, wake_at) = {
                let mut hub = self.lock();
                let asked_until = hub.end_some();
                let seated = hub.seated();
                if is_last_turn || hub.is_deserted() {
                    return self.leave(hub);
                }
                (seated, earlier(asked_until, hub.vacancies().1))
            };
            let limit = wake_at.map_or(SLICE, |at| at.saturating_duration_since(Instant::now()));
            let left = deadline.remaining();
            let limit = left.map_or(limit, |left| limit.min(left));
            is_last_turn = left.is_some_and(|left| left.is_zero());
            // A descriptor of ours that foreign code closed: the others are looked at every slice.
            let (watched, sentinels): (Vec<_>, Vec<BorrowedFd<'_>>) =
                seated.iter().filter_map(|one| Some((one, one.1.sentinel().ok()?))).unzip();
            let heard = self.watch.wait(&sentinels, limit.min(SLICE));
            let ended = heard.as_deref().unwrap_or_default().iter().zip(watched);
            let ended: Vec<_> =
                ended.filter_map(|(has_ended, one)| has_ended.then_some(one)).collect();
            let is_quiet = heard.is_ok() && ended.is_empty();
            let is_any =
                if ended.is_empty() { self.bury_all(&seated) } else { self.bury_all(ended) };
            if !is_any && !is_quiet && !is_last_turn {
                pause(TRACED_PAUSE); // a tracer holds an end back, or nothing can be watched
            }
        }
    }

    /// Says that this thread keeps it no longer: others may wait for the end, or have to.
    pub(super) fn leave(&self, mut hub: MutexGuard<'_, Hub>) {
        hub.has_keeper = false;
        self.rouse(hub);
        self.over.notify_all();
    }

    /// Buries those of them that have ended; whether there were any.
    fn bury_all<'s>(&self, some: impl IntoIterator<Item = &'s (usize, Arc<Process>)>) -> bool {
        let mut is_any = false;
        for (place, process) in some {
            let Ok(status) = process.try_join() else { continue };
            is_any = true;
            self.tell(|hub| hub.bury(*place, status));
        }
        is_any
    }

    /// Starts a worker wherever one is missing.
    fn fill_vacancies(&self) {
        let vacant = self.lock().vacancies().0;
        for place in vacant {
            // Outside of the lock: a start takes its time.
            let started = self.start(place);
            self.tell(|hub| match started {
                Ok(worker) => hub.seat(place, worker),
                Err(error) => hub.count_failed_start(place, &error),
            });
        }
    }
}

impl Hub {
    /// Whoever sits somewhere.
    fn seated(&self) -> Vec<(usize, Arc<Process>)> {
        let workers = self.desks.iter().enumerate();
        let seated = workers.filter_map(|(place, desk)| Some((place, desk.worker.as_ref()?)));
        seated.map(|(place, worker)| (place, Arc::clone(&worker.process))).collect()
    }

    /// Of a pool that was terminated: asks its workers to end, and kills who was asked long ago.
    /// When the next one is to be killed.
    pub(super) fn end_some(&mut self) -> Option<Instant> {
        if self.is_working() {
            return None;
        }
        let now = Instant::now();
        let mut next = None;
        for worker in self.desks.iter_mut().filter_map(|desk| desk.worker.as_mut()) {
            // What they fail with, one that has ended, is seen by a join.
            match worker.asked {
                None => {
                    let _ = worker.process.terminate();
                    worker.asked = Some(now);
                }
                Some(asked) if asked + GRACE <= now => {
                    let _ = worker.process.kill();
                    continue;
                }
                Some(_) => {}
            }
            next = earlier(next, worker.asked.map(|asked| asked + GRACE));
        }
        next
    }
}
