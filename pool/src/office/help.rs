//! Who waits for an answer takes those that come meanwhile: then no thread has to be woken that
//! would only pass it on.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering::SeqCst;

use purlin_sync::Deadline;

use super::Office;
use super::hub::{Due, Hub};
use crate::limits::{BRISK_COUNT, NAP, SLICE};
use crate::looks::spin;
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

    pub(super) fn has_helpers(&self) -> bool {
        self.has_helpers_beside(0)
    }

    /// Whether more help than so many.
    fn has_helpers_beside(&self, count: usize) -> bool {
        self.helper_count.load(SeqCst) > count // SeqCst: as in `attend`
    }

    /// Wakes the threads of this process that sleep for something that is so now: the clerk, for
    /// work that nobody else does; and at the end all.
    pub(super) fn rouse(&self, hub: MutexGuard<'_, Hub>) {
        let is_over = hub.is_over();
        let is_due = hub.clerk_waits && hub.has_handed() && !self.has_helpers();
        drop(hub);
        if is_over || is_due {
            self.work.notify_all();
        }
        if is_over {
            self.over.notify_all();
        }
    }

    /// Tells those whose jobs have come to an end, as `take` finds; and wakes those who wait for an
    /// answer that this thread has taken. How many there were.
    pub(super) fn tell(&self, take: impl FnOnce(&mut Hub) -> Due) -> usize {
        self.tell_beside(0, take)
    }

    /// The same by a thread that is so many of the helpers.
    fn tell_beside(&self, own: usize, take: impl FnOnce(&mut Hub) -> Due) -> usize {
        let mut hub = self.lock();
        let due = take(&mut hub);
        if due.is_empty() {
            self.rouse(hub);
            return 0;
        }
        hub.telling_count += 1; // the pool is not over before they have been told
        drop(hub);
        let due_count = due.len();
        // The drop of a value that nobody wants is the user's, and may panic.
        due.into_iter().for_each(|(deliver, outcome)| drop(quietly(|| deliver(outcome))));
        let mut hub = self.lock();
        hub.telling_count -= 1;
        self.rouse(hub);
        if self.has_helpers_beside(own) {
            self.bell.ring();
        }
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
        self.attend().help(deadline, is_so);
    }
}

impl Attending<'_> {
    /// Takes answers until it is so, or until the deadline. This thread is one of those who help,
    /// and wakes the others only.
    pub(crate) fn help(&self, deadline: Deadline, is_so: &dyn Fn() -> bool) {
        let office = self.0;
        let mut looks_left = office.look_count;
        // Ends: when it is so, or at the deadline, which is looked at before every sleep.
        while !is_so() {
            let key = if looks_left > 0 { None } else { Some(office.bell.prepare()) };
            let told_count = office.tell_beside(1, Hub::collect);
            let is_idle = told_count == 0;
            if is_idle && looks_left > 0 {
                looks_left -= 1;
                spin();
            }
            if told_count >= BRISK_COUNT && !is_so() {
                pause(NAP); // as the clerk does
            }
            let Some(key) = key.filter(|_| is_idle && !is_so()) else { continue };
            let left = deadline.remaining().unwrap_or(SLICE);
            if left.is_zero() {
                break;
            }
            office.bell.sleep(key, left.min(SLICE));
        }
    }
}

impl Drop for Attending<'_> {
    fn drop(&mut self) {
        // The last one leaves what is still out to the clerk.
        // SeqCst: as in `attend`.
        if self.0.helper_count.fetch_sub(1, SeqCst) == 1 {
            self.0.rouse(self.0.lock());
        }
    }
}
