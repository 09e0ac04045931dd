//! What was done of a queue's messages: a count of marks, beside the tail's count of messages.
//!
//! The count and the end of the last record that was skipped are in one word, so that a record is
//! counted once, whoever dies where: the place tells the next one. The numbers of the steps are
//! those of ARCHITECTURE.md.

use super::cell::{
    Deadline, Error,
    Ordering::{Acquire, Relaxed, SeqCst},
    Wait,
};
use super::position::{COUNT_MAX, Position};
use super::queue::View;
use super::queue_put::is_over;

impl View<'_> {
    /// J1 to J3: one message more is done.
    ///
    /// # Errors
    /// * [`Error::TaskDoneTooOften`] when all are.
    /// * [`Error::Damaged`] when the count is none that a step has left.
    pub(crate) fn mark(self) -> Result<(), Error> {
        let done = &self.words.face.done;
        // Ends: another mark or a skipped record has come in between, each time.
        loop {
            let (seen, tail) = self.done_and_tail(); // J1
            check_done(seen)?;
            if tail.count_from(seen) == 0 {
                return Err(Error::TaskDoneTooOften);
            }
            // J2, the commit. SeqCst: before the look at the tail, and at the flag.
            if done.compare_exchange(seen.0, seen.past(0).0, SeqCst, Relaxed).is_ok() {
                self.tell_if_all_done(); // J3. Killed before: within a slice
                return Ok(());
            }
        }
    }

    /// How many messages are not done: those inside, and those that were taken and not marked.
    pub(crate) fn unfinished(self) -> u32 {
        let (done, tail) = self.done_and_tail();
        tail.count_from(done)
    }

    /// W1: waits until all messages are done. `deadline` begins with the first wait.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::Damaged`] as [`mark`](Self::mark).
    pub(crate) fn join(self, deadline: &mut Deadline) -> Result<(), Error> {
        if self.is_all_done()? {
            return Ok(());
        }
        *deadline = deadline.start();
        let mut wait = Wait::new(0, *deadline);
        let mut slices = 0;
        // Ends: when all is done, with an error, or at the deadline, which is looked at before
        // every sleep; each sleep is a slice at most.
        loop {
            if wait.spins() {
                if self.is_all_done()? {
                    return Ok(());
                }
                continue;
            }
            let key = self.words.face.all_done.prepare();
            self.sweep(deadline, slices)?; // what nothing will come of is nothing to wait for
            if self.is_all_done()? {
                return Ok(());
            }
            if is_over(&wait) {
                return Err(Error::TimedOut);
            }
            self.words.face.all_done.sleep(key, &mut wait)?;
            slices += 1;
        }
    }

    /// K1, under the head's lock: a record that the head is about to pass, up to `end`, counts as
    /// done. Killed before the head moves: the next one sees that it was counted.
    pub(super) fn count_skipped(self, end: Position) {
        if !self.shape.face.is_joinable {
            return;
        }
        let done = &self.words.face.done;
        // Ends: a mark has come in between, each time; there is one for each message at most.
        loop {
            let (seen, tail) = self.done_and_tail();
            if seen.place() == end.place() {
                return;
            }
            let next = if tail.count_from(seen) == 0 { seen } else { seen.past(0) };
            // SeqCst: as J2.
            let exchange = done.compare_exchange(seen.0, next.at_place_of(end).0, SeqCst, Relaxed);
            if exchange.is_ok() {
                return;
            }
        }
    }

    /// J3, K2: whoever joins is told, if there is nothing more to do. After a `SeqCst` exchange, or
    /// fence.
    pub(super) fn tell_if_all_done(self) {
        if self.shape.face.is_joinable && self.unfinished() == 0 {
            self.words.face.all_done.notify(u32::MAX);
        }
    }

    /// R5: whoever joins looks again. After a `SeqCst` fence.
    pub(super) fn tell_joiners(self) {
        let joiners = &self.words.face.all_done;
        if self.shape.face.is_joinable {
            joiners.notify(u32::MAX);
        }
    }

    /// P3, under the tail's lock.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when no more can be counted.
    /// * [`Error::Damaged`] as [`mark`](Self::mark).
    pub(super) fn may_count_one_more(self, tail: Position) -> Result<(), Error> {
        if !self.shape.face.is_joinable {
            return Ok(());
        }
        // Acquire: as in `done_and_tail`; what is not done can only have become less.
        let done = Position(self.words.face.done.load(Acquire));
        check_done(done)?;
        if tail.count_from(done) == COUNT_MAX { Err(Error::OutOfResources) } else { Ok(()) }
    }

    fn is_all_done(self) -> Result<bool, Error> {
        let (done, tail) = self.done_and_tail();
        check_done(done)?;
        Ok(tail.count_from(done) == 0)
    }

    /// Both, in this order: they were so far apart when the tail was loaded, or farther.
    fn done_and_tail(self) -> (Position, Position) {
        // SeqCst, both: after the flag of who is about to sleep, or the change of who notifies.
        let done = Position(self.words.face.done.load(SeqCst));
        (done, Position(self.words.tail.load(SeqCst)))
    }
}

/// The count is never shut: only the tail is. All else may be: how many are done, nobody else says.
const fn check_done(done: Position) -> Result<(), Error> {
    if done.is_shut() { Err(Error::Damaged) } else { Ok(()) }
}
