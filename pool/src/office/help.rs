//! Who waits for an answer takes those that come meanwhile: then no thread has to be woken that
//! would only pass it on.

use std::sync::atomic::Ordering::SeqCst;

use purlin_sync::Deadline;
use purlin_sync::parts::Wait;

use super::Office;
use super::hub::{Due, Hub};
use crate::limits::{BRISK_COUNT, NAP, SLICE};
use crate::outcome::Help;
use crate::sys::watch::pause;
use crate::worker::quietly;

/// Says, until it is dropped, that its thread is about to wait for an answer.
pub struct Attending<'a>(&'a Office);

impl Office {
    pub(crate) fn attend(&self) -> Attending<'_> {
        // SeqCst: before the look for answers; `tell` looks for helpers after it has told.
        self.helper_count.fetch_add(1, SeqCst);
        Attending(self)
    }

    /// Wakes the clerk for what was handed out, unless somebody helps.
    pub(super) fn call_clerk(&self) {
        if !self.has_helpers() {
            self.changed.notify_all();
        }
    }

    pub(super) fn has_helpers(&self) -> bool {
        self.helper_count.load(SeqCst) > 0 // SeqCst: as in `attend`
    }

    /// Tells those whose jobs have come to an end, as `take` finds; and wakes those who wait for an
    /// answer that this thread has taken. How many there were.
    pub(super) fn tell(&self, take: impl FnOnce(&mut Hub) -> Due) -> usize {
        let mut hub = self.lock();
        let due = take(&mut hub);
        if due.is_empty() {
            return 0;
        }
        hub.telling_count += 1; // the pool is not over before they have been told
        drop(hub);
        let due_count = due.len();
        // The drop of a value that nobody wants is the user's, and may panic.
        due.into_iter().for_each(|(deliver, outcome)| drop(quietly(|| deliver(outcome))));
        self.lock().telling_count -= 1;
        self.changed.notify_all();
        self.call_helpers();
        due_count
    }
}

impl Help for Office {
    fn call_helpers(&self) {
        if self.has_helpers() {
            self.bell.ring();
        }
    }

    fn help(&self, deadline: Deadline, is_so: &dyn Fn() -> bool) {
        if self.check_owner().is_err() {
            return;
        }
        let _attending = self.attend();
        let mut wait = Wait::new(0, deadline);
        // Ends: when it is so, or at the deadline, which is looked at before every sleep.
        while !is_so() {
            let key = if wait.spins() { None } else { Some(self.bell.prepare()) };
            let told_count = self.tell(Hub::collect);
            let is_idle = told_count == 0;
            if told_count >= BRISK_COUNT && !is_so() {
                pause(NAP); // as the clerk does
            }
            let Some(key) = key.filter(|_| is_idle && !is_so()) else { continue };
            let left = deadline.remaining().unwrap_or(SLICE);
            if left.is_zero() {
                break;
            }
            self.bell.sleep(key, left.min(SLICE));
        }
    }
}

impl Drop for Attending<'_> {
    fn drop(&mut self) {
        // The last one leaves what is still out to the clerk.
        // SeqCst: as in `attend`.
        if self.0.helper_count.fetch_sub(1, SeqCst) == 1 {
            let hub = self.0.lock();
            if hub.has_handed() {
                self.0.changed.notify_all();
            }
        }
    }
}
