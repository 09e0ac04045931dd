//! How a message is put.

use super::cell::{
    Deadline, Error, LARGE_BYTES,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    Wait, enter, fence, leave,
};
use super::position::Position;
use super::queue::View;
use super::record::{self, State, header};

/// What came of one try.
#[derive(PartialEq, Eq)]
enum Put {
    Done,
    Full,
}

impl View<'_> {
    /// Puts a message, waiting for room until `deadline`.
    ///
    /// # Errors
    /// * [`Error::Full`] when the deadline came first.
    /// * [`Error::Closed`] when the queue is shut.
    /// * [`Error::MessageTooLarge`] when it could never fit.
    /// * [`Error::Damaged`] when the words hold what no step has left.
    pub(crate) fn put(self, body: &[u8], deadline: Deadline) -> Result<(), Error> {
        match u32::try_from(body.len()) {
            Ok(len) if len <= self.shape.size_max => {}
            _ => return Err(Error::MessageTooLarge { len: body.len() }),
        }
        match self.put_once(body, deadline, 0)? {
            Put::Done => Ok(()),
            Put::Full if is_passed(deadline) => Err(Error::Full),
            Put::Full => self.put_slow(body, deadline),
        }
    }

    #[cold]
    fn put_slow(self, body: &[u8], deadline: Deadline) -> Result<(), Error> {
        let mut wait = Wait::new(0, deadline);
        let mut slices = 0;
        // Ends: with the message put, with an error, or at the deadline, which is looked at before
        // every sleep; each sleep is a slice at most.
        loop {
            if wait.spins() {
                if self.may_have_room(body) && self.put_once(body, deadline, slices)? == Put::Done {
                    return Ok(());
                }
                continue;
            }
            let key = self.words.not_full.prepare();
            if self.put_once(body, deadline, slices)? == Put::Done {
                return Ok(());
            }
            // A wake for room is one for all, so that nobody swallows another's.
            if is_over(&wait) {
                return Err(Error::Full);
            }
            self.words.not_full.sleep(key, &mut wait)?;
            slices += 1;
        }
    }

    /// P1 to P7.
    fn put_once(self, body: &[u8], deadline: Deadline, slices: u32) -> Result<Put, Error> {
        let len = body.len() as u32; // checked by the caller
        let Some(tail) = self.room(len, deadline, slices)? else { return Ok(Put::Full) };
        if body.len() > LARGE_BYTES {
            self.put_large(tail, body);
            return Ok(Put::Done);
        }
        // P4. Relaxed: published by P5. Killed before P5: garbage beyond the tail.
        self.ring.unit(tail.place()).store(header(State::Ready, len), Relaxed);
        self.ring.write(tail.place() + 1, body);
        self.move_tail(tail, len); // P5, the commit
        fence(SeqCst); // SeqCst: between the commit and the look at the flag, see `EventCount`
        self.words.not_empty.notify(1); // P7. Killed before: sleepers look within a slice
        Ok(Put::Done)
    }

    /// L1 to L3, with the tail's lock, which is left.
    fn put_large(self, tail: Position, body: &[u8]) {
        let (len, token) = (body.len() as u32, self.at.token());
        // L1. Relaxed: published by P5.
        self.ring.unit(tail.place()).store(header(State::Filling { token }, len), Relaxed);
        self.move_tail(tail, len);
        self.ring.write(tail.place() + 1, body); // killed until here: skipped
        self.finish(tail.place(), State::Ready, len);
    }

    /// P5 and P6: moves the tail past a record, and leaves its lock.
    fn move_tail(self, tail: Position, len: u32) {
        // Release pairs with the Acquire in `look`: the header is seen, and a small body.
        self.words.tail.store(tail.past(record::units(len)).0, Release);
        leave(&self.words.tail_lock, self.at);
    }

    /// P1 to P3: takes the tail's lock, and keeps it if there is room for so many bytes.
    fn room(self, len: u32, deadline: Deadline, slices: u32) -> Result<Option<Position>, Error> {
        let words = self.words;
        for is_last in [false, true] {
            match enter(&words.tail_lock, self.at, deadline) {
                Err(purlin_sync::Error::TimedOut) => return Ok(None),
                other => other?,
            }; // P1
            let found = self.find_room(len).and_then(|found| self.with_pages(found, len));
            if matches!(found, Ok(Some(_))) {
                return found;
            }
            leave(&words.tail_lock, self.at);
            if found.is_err() || is_last || !self.sweep(deadline, slices)? {
                return found;
            }
        }
        Ok(None)
    }

    /// P2 and P3, under the tail's lock.
    fn find_room(self, len: u32) -> Result<Option<Position>, Error> {
        // P2. Relaxed: written under the lock that we have.
        let tail = Position(self.words.tail.load(Relaxed));
        if tail.is_shut() {
            return Err(Error::Closed);
        }
        // P3. Acquire pairs with the Release of the store that moved the head: whoever took what
        // stood there has read it.
        let head = Position(self.words.head.load(Acquire));
        let used = tail.units_from(head);
        if used > self.ring.unit_count() {
            return Err(Error::Damaged);
        }
        let fits = used + record::units(len) <= self.ring.unit_count()
            && tail.count_from(head) < self.shape.count_max;
        self.may_count_one_more(tail)?;
        Ok(fits.then_some(tail))
    }

    /// Whether it is worth to take the lock: a look without it.
    fn may_have_room(self, body: &[u8]) -> bool {
        !matches!(self.find_room(body.len() as u32), Ok(None))
    }

    /// H1 to H3: skips what nothing will come of at the head, where perhaps nobody takes anything.
    /// Whether the head has moved, by whomever.
    pub(super) fn sweep(self, deadline: Deadline, slices: u32) -> Result<bool, Error> {
        let words = self.words;
        let head = Position(words.head.load(Relaxed)); // Relaxed: a look; the lock decides
        if !self.shape.face.is_unbounded() && self.is_ready(head) {
            return Ok(false); // the common case: somebody has to take it
        }
        match enter(&words.head_lock, self.at, deadline) {
            Err(purlin_sync::Error::TimedOut) => return Ok(false),
            other => other?,
        }; // H1
        let mut has_moved = false;
        let looked = self.look(slices, &mut has_moved); // H2
        let now = words.head.load(Relaxed); // Relaxed: under its lock
        let has_given = self.give_pages(Position(now)); // one may have died before it did
        leave(&words.head_lock, self.at); // H3
        self.tell_moved(has_moved);
        looked?;
        Ok(now != head.0 || has_given)
    }

    /// Whether a finished message stands at the head, by a look without the lock.
    fn is_ready(self, head: Position) -> bool {
        // Relaxed, both: the lock decides.
        let first = self.ring.unit(head.place()).load(Relaxed);
        let is_ready = record::state(first) == Some(State::Ready);
        is_ready && self.words.head.load(Relaxed) == head.0
    }
}

/// Whether a call with this deadline tries once.
pub(super) fn is_passed(deadline: Deadline) -> bool {
    deadline.remaining().is_some_and(|left| left.is_zero())
}

/// Whether there is no time left.
pub(super) fn is_over(wait: &Wait) -> bool {
    wait.left().is_some_and(|left| left.is_zero())
}
