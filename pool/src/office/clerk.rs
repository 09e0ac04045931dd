//! The thread that takes answers, and hands out what comes next.

use std::time::Instant;

use purlin_sync::Deadline;

use super::Office;
use super::hub::Hub;
use crate::limits::SLICE;
use crate::outcome::wait_until;

impl Office {
    /// Collects what is done until the pool is over.
    pub(super) fn clerk(&self) {
        loop {
            if !self.wait_for_work() {
                return;
            }
            let key = self.bell.prepare();
            let due = self.lock().collect();
            if due.is_empty() {
                self.bell.sleep(key, SLICE);
                continue;
            }
            self.see_to(due);
        }
    }

    /// Sleeps while nothing is in a worker's hands; false when nothing will be.
    fn wait_for_work(&self) -> bool {
        let is_so = |hub: &Hub| hub.has_handed() || hub.is_over();
        let hub = wait_until(&self.changed, self.lock(), Deadline::never(), is_so);
        hub.has_handed() || !hub.is_over()
    }
}

/// Which of the two is earlier, if there is any.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
