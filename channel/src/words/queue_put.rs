//! How a message is put.

use super::cell::{
    Deadline, Error, LARGE_BYTES, LockError,
    Ordering::{Acquire, Relaxed, Release},
    Wait, enter_now, fence_after_leave, leave, prefetch,
};
use super::position::Position;
use super::queue::View;
use super::record::{self, State, header};

/// How far ahead of the tail a line is sent for: some ten small messages, about as long as it takes
/// to come from another processor.
const AHEAD_UNITS: u64 = 32;

/// What came of one try.
enum Put {
    /// Messages, or a place for one, were put there.
    Done {
        at: Position,
        count: usize,
    },
    Full,
}

/// What is to be put.
#[derive(Clone, Copy)]
enum Order<'a> {
    Message(&'a [u8]),
    /// The first of these, and as many more as there is room for.
    Run(&'a [&'a [u8]]),
    /// A place for so many bytes.
    Place(usize),
}

impl Order<'_> {
    fn len(self) -> usize {
        match self {
            Self::Message(body) => body.len(),
            Self::Run(messages) => messages.first().map_or(0, |body| body.len()),
            Self::Place(len) => len,
        }
    }
}

impl View<'_> {
    /// Puts a message, if it is a small one, and nothing and nobody is in the way; false: nothing
    /// happened, and [`put`](Self::put) says why, or does better. P1 to P7.
    #[inline(always)]
    pub(crate) fn put_now(self, body: &[u8]) -> bool {
        let words = self.words;
        let len = body.len().min(LARGE_BYTES + 1) as u32;
        let is_small = len <= self.shape.size_max && len as usize <= LARGE_BYTES;
        if !is_small || !self.shape.face.is_plain() {
            return false;
        }
        // Relaxed, both: a guess; the lock decides.
        self.own.put_pace.wait(|| {
            let tail = Position(words.tail.load(Relaxed));
            !self.fits(tail, Position(words.head_seen.load(Relaxed)), len)
        });
        if !enter_now(&words.tail_lock, self.at) {
            return false; // P1
        }
        // P2 and P3. Relaxed, both: as in `find_room`.
        let tail = Position(words.tail.load(Relaxed));
        let seen = Position(words.head_seen.load(Relaxed));
        if tail.is_shut() || !(self.fits(tail, seen, len) || self.fits_now(tail, len)) {
            leave(&words.tail_lock, self.at);
            return false;
        }
        self.prefetch_ahead(tail, seen);
        self.put_small(tail, body, len);
        true
    }

    /// Sends for a line that is to be written soon, if it is known that nobody reads there: the
    /// stores before it would wait for it at the next locked instruction.
    #[inline]
    fn prefetch_ahead(self, tail: Position, seen: Position) {
        if tail.units_from(seen) + AHEAD_UNITS < self.ring.unit_count() {
            prefetch::for_a_store(self.ring.unit(tail.place() + AHEAD_UNITS));
        }
    }

    /// Puts a message, waiting for room until `deadline`, which begins with the first wait,
    /// whatever that is for.
    ///
    /// # Errors
    /// * [`Error::Full`] when the deadline came first.
    /// * [`Error::Closed`] when the queue is shut.
    /// * [`Error::MessageTooLarge`] when it could never fit.
    /// * [`Error::Damaged`] when the words hold what no step has left.
    pub(crate) fn put(self, body: &[u8], deadline: &mut Deadline) -> Result<(), Error> {
        self.put_order(Order::Message(body), deadline).map(drop)
    }

    /// Puts the first of these messages, of which there is one, waiting for room until `deadline`,
    /// and with it those behind it that there is room for. How many.
    ///
    /// # Errors
    /// As [`put`](Self::put), of the first.
    pub(crate) fn put_run(
        self,
        messages: &[&[u8]],
        deadline: &mut Deadline,
    ) -> Result<usize, Error> {
        self.put_order(Order::Run(messages), deadline).map(|(_, count)| count)
    }

    /// Puts a place for a message of so many bytes, waiting for room until `deadline`; where it is.
    /// Whoever receives waits for what comes of it: [`commit`](Self::commit) or
    /// [`abandon`](Self::abandon).
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn reserve(self, len: usize, deadline: &mut Deadline) -> Result<Position, Error> {
        self.put_order(Order::Place(len), deadline).map(|(at, _)| at)
    }

    fn put_order(
        self,
        order: Order<'_>,
        deadline: &mut Deadline,
    ) -> Result<(Position, usize), Error> {
        match u32::try_from(order.len()) {
            Ok(len) if len <= self.shape.size_max => {}
            _ => return Err(Error::MessageTooLarge { len: order.len() }),
        }
        match self.put_once(order, deadline, 0)? {
            Put::Done { at, count } => Ok((at, count)),
            Put::Full if is_passed(*deadline) => Err(Error::Full),
            Put::Full => self.put_slow(order, deadline),
        }
    }

    #[cold]
    fn put_slow(
        self,
        order: Order<'_>,
        deadline: &mut Deadline,
    ) -> Result<(Position, usize), Error> {
        *deadline = deadline.start();
        let mut wait = Wait::new(0, *deadline);
        let mut slices = 0;
        let mut spinning = self.own.put_spins.begin();
        // Ends: with the message put, with an error, or at the deadline, which is looked at before
        // every sleep; each sleep is a slice at most.
        loop {
            if spinning.goes_on() {
                if self.may_have_room(order.len())
                    && let Put::Done { at, count } = self.put_once(order, deadline, slices)?
                {
                    spinning.has_brought_it();
                    return Ok((at, count));
                }
                continue;
            }
            let key = self.words.not_full.prepare();
            if let Put::Done { at, count } = self.put_once(order, deadline, slices)? {
                return Ok((at, count));
            }
            // A wake for room is one for all, so that nobody swallows another's.
            if is_over(&wait) {
                return Err(Error::Full);
            }
            spinning.was_in_vain();
            self.words.not_full.sleep(key, &mut wait)?;
            slices += 1;
        }
    }

    /// P1 to P7.
    fn put_once(
        self,
        order: Order<'_>,
        deadline: &mut Deadline,
        slices: u32,
    ) -> Result<Put, Error> {
        let len = order.len() as u32; // checked by the caller
        let Some(tail) = self.room(len, deadline, slices)? else { return Ok(Put::Full) };
        let mut count = 1;
        match order {
            Order::Run([body, ..]) if body.len() > LARGE_BYTES => self.put_large(tail, body),
            Order::Run(messages) => count = self.put_small_run(tail, messages),
            Order::Message(body) if body.len() > LARGE_BYTES => self.put_large(tail, body),
            Order::Message(body) => self.put_small(tail, body, len),
            Order::Place(_) => {
                self.put_place(tail, State::Reserved { token: self.at.token() }, len);
            }
        }
        Ok(if count > 0 { Put::Done { at: tail, count } } else { Put::Full })
    }

    /// P4 to P7, with the tail's lock, which is left.
    #[inline]
    fn put_small(self, tail: Position, body: &[u8], len: u32) {
        // P4. Relaxed: published by P5. Killed before P5: garbage beyond the tail.
        self.ring.unit(tail.place()).store(header(State::Ready, len), Relaxed);
        self.ring.write(tail.place() + 1, body);
        self.move_tail(tail, len); // P5, the commit
        fence_after_leave(); // between the commit and the look at the flag, see `EventCount`
        self.words.not_empty.notify(1); // P7. Killed before: sleepers look within a slice
    }

    /// L1 to L3, with the tail's lock, which is left.
    fn put_large(self, tail: Position, body: &[u8]) {
        let (len, token) = (body.len() as u32, self.at.token());
        self.put_place(tail, State::Filling { token }, len);
        self.ring.write(tail.place() + 1, body); // killed until here: skipped
        self.finish(tail.place(), State::Ready, len);
    }

    /// L1, P5 and P6: a record that is not a message yet, with the tail's lock, which is left.
    fn put_place(self, tail: Position, state: State, len: u32) {
        // L1. Relaxed: published by P5.
        self.ring.unit(tail.place()).store(header(state, len), Relaxed);
        self.move_tail(tail, len);
    }

    /// P5 and P6: moves the tail past a record, and leaves its lock.
    #[inline]
    fn move_tail(self, tail: Position, len: u32) {
        // Release pairs with the Acquire in `look`: the header is seen, and a small body.
        self.words.tail.store(tail.past(record::units(len)).0, Release);
        leave(&self.words.tail_lock, self.at);
    }

    /// P1 to P3: takes the tail's lock, and keeps it if there is room for so many bytes.
    fn room(
        self,
        len: u32,
        deadline: &mut Deadline,
        slices: u32,
    ) -> Result<Option<Position>, Error> {
        let words = self.words;
        for is_last in [false, true] {
            match self.enter_within(&words.tail_lock, deadline) {
                Err(LockError::TimedOut) => return Ok(None),
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
        self.may_count_one_more(tail)?;
        // P3, by where the head was when it was last looked at. Relaxed: whoever wrote it under
        // this lock had loaded the head by an Acquire, and the lock has ordered that before us.
        let seen = Position(self.words.head_seen.load(Relaxed));
        if self.fits(tail, seen, len) || self.fits_now(tail, len) {
            return Ok(Some(tail));
        }
        // Relaxed: for what it is not, nothing is done.
        let used = tail.units_from(Position(self.words.head.load(Relaxed)));
        if used > self.ring.unit_count() { Err(Error::Damaged) } else { Ok(None) }
    }

    /// P3, by where the head is now. Under the tail's lock.
    pub(super) fn fits_now(self, tail: Position, len: u32) -> bool {
        // Acquire pairs with the Release of the store that moved the head: whoever took what stood
        // there has read it.
        let head = Position(self.words.head.load(Acquire));
        // Relaxed: the lock orders it, and all that the Acquire has, before who reads it.
        self.words.head_seen.store(head.0, Relaxed);
        self.own.put_pace.note(self.shape.count_max.saturating_sub(tail.count_from(head)));
        self.fits(tail, head, len)
    }

    /// Whether so many bytes fit between a tail and a head. A head that is behind makes it less.
    #[inline]
    pub(super) fn fits(self, tail: Position, head: Position, len: u32) -> bool {
        let used = tail.units_from(head);
        used <= self.ring.unit_count()
            && used + record::units(len) <= self.ring.unit_count()
            && tail.count_from(head) < self.shape.count_max
    }

    /// Whether it is worth to take the lock: a look without it.
    fn may_have_room(self, len: usize) -> bool {
        // Relaxed, both: the lock decides.
        let tail = Position(self.words.tail.load(Relaxed));
        let head = Position(self.words.head.load(Relaxed));
        tail.is_shut() || self.fits(tail, head, len as u32)
    }

    /// H1 to H3: skips what nothing will come of at the head, where perhaps nobody takes anything.
    /// Whether the head has moved, by whomever.
    pub(super) fn sweep(self, deadline: &mut Deadline, slices: u32) -> Result<bool, Error> {
        let words = self.words;
        let head = Position(words.head.load(Relaxed)); // Relaxed: a look; the lock decides
        if !self.shape.face.is_unbounded() && self.is_ready(head) {
            return Ok(false); // the common case: somebody has to take it
        }
        match self.enter_within(&words.head_lock, deadline) {
            Err(LockError::TimedOut) => return Ok(false),
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
