//! The thread that takes answers, and hands out what comes next.

use std::time::Instant;

use purlin_sync::Deadline;

use super::Office;
use super::hub::Hub;
use crate::limits::{BRISK_COUNT, NAP, SLICE};
use crate::outcome::wait_until;
use crate::sys::watch::pause;

impl Office {
    /// Collects what is done until the pool is over.
    pub(super) fn clerk(&self) {
        while self.wait_for_work() {
            match self.tell(Hub::collect) {
                0 => {}
                BRISK_COUNT.. => {
                    pause(NAP); // more is done meanwhile, and nobody wakes anybody
                    continue;
                }
                _ => continue,
            }
            let key = self.bell.prepare();
            if self.tell(Hub::collect) == 0 {
                self.bell.sleep(key, SLICE);
            }
        }
    }

    /// Sleeps while nothing is in a worker's hands, or somebody else takes the answers; false when
    /// nothing will be.
    fn wait_for_work(&self) -> bool {
        let is_due = |hub: &Hub| hub.has_handed() && !self.has_helpers();
        let is_so = |hub: &Hub| is_due(hub) || hub.is_over();
        let mut hub = self.lock();
        if !is_so(&hub) {
            hub.clerk_waits = true;
            hub = wait_until(&self.work, hub, Deadline::never(), is_so);
            hub.clerk_waits = false;
        }
        is_due(&hub) || !hub.is_over()
    }
}

/// Which of the two is earlier, if there is any.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
