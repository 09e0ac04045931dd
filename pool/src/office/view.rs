//! What can be seen of the workers.

use std::time::{Duration, Instant};

use super::Office;
use crate::error::Error;

/// A worker, as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerView {
    /// Its process.
    pub pid: i32,
    /// How many tasks it has ended; a chunk of a map is one.
    pub done_count: u64,
    /// For how long it has had the task that it runs, or is about to run.
    pub busy_for: Option<Duration>,
}

impl Office {
    pub(crate) fn views(&self) -> Result<Vec<WorkerView>, Error> {
        self.check_owner()?;
        let (hub, now) = (self.lock(), Instant::now());
        let seated = hub.desks.iter().filter_map(|desk| Some((desk, desk.worker.as_ref()?)));
        // Whoever has ended is not buried yet, and its number may be another's.
        let living = seated.filter(|(_, worker)| worker.process.try_join().is_err());
        let view = |(desk, worker): (&super::desk::Desk, &super::desk::Worker)| WorkerView {
            pid: worker.process.pid(),
            done_count: worker.done_count,
            busy_for: desk.busy_since().map(|since| now.saturating_duration_since(since)),
        };
        Ok(living.map(view).collect())
    }
}
