//! The thread that sees to the workers: buries who has ended, starts others, ends those that are to
//! end.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use purlin_process::Process;

use super::Office;
use super::clerk::earlier;
use super::hub::Hub;
use crate::limits::{GRACE, SLICE, TRACED_PAUSE};
use crate::sys::watch::{Watch, pause};

impl Office {
    /// Keeps the pool until it is over.
    pub(super) fn keep(&self, watch: &Watch) {
        loop {
            self.fill_vacancies();
            let (seated, wake_at) = {
                let mut hub = self.lock();
                let asked_until = hub.end_some();
                let seated = hub.seated();
                if hub.is_deserted() {
                    hub.has_keeper = false;
                    self.rouse(hub);
                    return;
                }
                (seated, earlier(asked_until, hub.vacancies().1))
            };
            let limit = wake_at.map_or(SLICE, |at| at.saturating_duration_since(Instant::now()));
            // A descriptor of ours that foreign code closed: the others are looked at every slice.
            let (watched, sentinels): (Vec<_>, Vec<BorrowedFd<'_>>) =
                seated.iter().filter_map(|one| Some((one, one.1.sentinel().ok()?))).unzip();
            let heard = watch.wait(&sentinels, limit.min(SLICE));
            let ended = heard.as_deref().unwrap_or_default().iter().zip(watched);
            let ended: Vec<_> =
                ended.filter_map(|(has_ended, one)| has_ended.then_some(one)).collect();
            let is_quiet = heard.is_ok() && ended.is_empty();
            let is_any =
                if ended.is_empty() { self.bury_all(&seated) } else { self.bury_all(ended) };
            if !is_any && !is_quiet {
                pause(TRACED_PAUSE); // a tracer holds an end back, or nothing can be watched
            }
        }
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

    /// Whether nobody sits anywhere, and nobody will.
    fn is_deserted(&self) -> bool {
        !self.is_open() && !self.is_staffed() && (!self.is_working() || !self.has_work())
    }

    /// Of a pool that was terminated: asks its workers to end, and kills who was asked long ago.
    /// When the next one is to be killed.
    fn end_some(&mut self) -> Option<Instant> {
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
