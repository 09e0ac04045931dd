//! How a message is taken.

use core::time::Duration;

use super::cell::{
    Deadline, Error, INNER_PATIENCE_NANOS, LARGE_BYTES, LockError,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    RECV_BYTES, Wait, enter_now, fence, leave,
};
use super::position::Position;
use super::queue::{Look, View};
use super::queue_many::Run;
use super::queue_put::{is_over, is_passed};
use super::record::{self, State, header};

/// What came of one try.
enum Got {
    /// A message, which was taken, or borrowed where it stands.
    Message(Found),
    Empty {
        is_in_the_way: bool,
    },
}

/// A message that stands, or stood, at the head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(super) head: Position,
    /// How many bytes it has: checked, and nobody's to change any more.
    pub(crate) len: usize,
}

/// What a call wants of the oldest message.
enum Want<'a> {
    /// Its bytes.
    Copy(&'a mut [u8]),
    /// Its bytes, and those of as many behind it as fit.
    Run(Run<'a>),
    /// That it stays where it is, for nobody else.
    Borrow,
}

const EMPTY: Got = Got::Empty { is_in_the_way: false };

/// For how long a call that may not wait waits for another's that is amid its steps.
const PATIENCE: Duration = Duration::from_nanos(INNER_PATIENCE_NANOS);

impl View<'_> {
    /// Takes the oldest message, if it is a small one that fits, and nobody is in the way; `None`:
    /// nothing happened, and [`get`](Self::get) says why, or does better. G1 to G8.
    #[inline(always)]
    pub(crate) fn get_now(self, body: &mut [u8]) -> Option<usize> {
        let words = self.words;
        // Relaxed, both: a guess; the lock decides.
        self.own.get_pace.wait(|| words.head.load(Relaxed) == words.tail_seen.load(Relaxed));
        // Of an unbounded one no unit is looked at before it is known to be there.
        if self.shape.face.is_unbounded() || !enter_now(&words.head_lock, self.at) {
            return None; // G1
        }
        // G2 and G3. Relaxed and Acquire: as in `look`.
        let head = Position(words.head.load(Relaxed));
        let unit_count = self.tail_beyond(head).units_from(head);
        let first = self.ring.unit(head.place()).load(Acquire);
        let len = record::len(first) as usize;
        let is_plain = self.is_plain(first, unit_count);
        let Some(body) = body.get_mut(..len).filter(|_| is_plain) else {
            leave(&words.head_lock, self.at);
            return None;
        };
        self.take_small(head, body);
        Some(body.len())
    }

    /// Whether this is the header of a small message that stands in so many units.
    #[inline]
    pub(super) const fn is_plain(self, first: u64, unit_count: u64) -> bool {
        let len = record::len(first);
        unit_count > 0
            && first == header(State::Ready, len)
            && len as usize <= LARGE_BYTES
            && self.is_between(len, unit_count)
    }

    /// G5 to G8 of a message that has the length of `body`, with the head's lock, which is left.
    #[inline]
    fn take_small(self, head: Position, body: &mut [u8]) {
        let len = body.len() as u32; // as its header has it
        self.ring.read(head.place() + 1, body); // G5. Killed until here: the next one gets it
        self.move_head(head, len); // G6 to G8
    }

    /// Takes the oldest message into `body`, waiting for one until `deadline`, which begins with
    /// the first wait, whatever that is for; its length.
    ///
    /// # Errors
    /// * [`Error::Empty`] when the deadline came first.
    /// * [`Error::Closed`] when the queue is shut, and nothing is left inside.
    /// * [`Error::MessageTooLarge`] when it does not fit; it stays where it is.
    /// * [`Error::Damaged`] when the words hold what no step has left.
    pub(crate) fn get(self, body: &mut [u8], deadline: &mut Deadline) -> Result<usize, Error> {
        self.get_wanted(Want::Copy(body), deadline).map(|found| found.len)
    }

    /// Takes the oldest message, waiting for one until `deadline`, and with it those behind it that
    /// fit.
    ///
    /// # Errors
    /// As [`get`](Self::get), of the oldest.
    pub(crate) fn get_run(self, run: Run<'_>, deadline: &mut Deadline) -> Result<Found, Error> {
        self.get_wanted(Want::Run(run), deadline)
    }

    /// Borrows the oldest message, waiting for one until `deadline`. Nobody else receives until it
    /// is [finished](Self::finish_borrow) or [given back](Self::give_back), or the caller's process
    /// is dead.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn borrow(self, deadline: &mut Deadline) -> Result<Found, Error> {
        self.get_wanted(Want::Borrow, deadline)
    }

    fn get_wanted(self, mut want: Want<'_>, deadline: &mut Deadline) -> Result<Found, Error> {
        match self.get_once(&mut want, deadline, 0)? {
            Got::Message(found) => Ok(found),
            Got::Empty { is_in_the_way: false } if is_passed(*deadline) => Err(Error::Empty),
            Got::Empty { .. } => self.get_slow(&mut want, deadline),
        }
    }

    /// The length of the message that `get` would take now, or 0: a hint.
    pub(crate) fn next_len(self) -> usize {
        if self.shape.face.is_unbounded() {
            // Nobody looks there without the lock: the page may have been given back.
            return RECV_BYTES.min(self.shape.size_max as usize);
        }
        // Relaxed, all: a hint, by which nothing is read.
        let head = Position(self.words.head.load(Relaxed));
        if head.place() == Position(self.words.tail.load(Relaxed)).place() {
            return 0; // what stands there is old, or a peer's
        }
        // Relaxed: as above.
        let first = self.ring.unit(head.place()).load(Relaxed);
        match record::state(first) {
            Some(State::Ready) => record::len(first).min(self.shape.size_max) as usize,
            _ => 0,
        }
    }

    #[cold]
    fn get_slow(self, want: &mut Want<'_>, deadline: &mut Deadline) -> Result<Found, Error> {
        *deadline = deadline.start();
        let mut wait = Wait::new(0, *deadline);
        let (mut has_slept, mut is_patient, mut slices) = (false, false, 0);
        let mut spinning = self.own.get_spins.begin();
        // Ends: with a message, with an error, or at the deadline, which is looked at before every
        // sleep; each sleep is a slice at most. Once, a second is given to a call in the way.
        loop {
            // Who was woken says that it may sleep before it looks again: the wake took the flag
            // away, and there may be others, whom a wake that is passed on has to find.
            let is_spin = !has_slept && spinning.goes_on();
            if is_spin && !self.may_have_news() {
                continue;
            }
            let key = if is_spin { None } else { Some(self.words.not_empty.prepare()) };
            let is_in_the_way = match self.get_once(want, deadline, slices) {
                Ok(Got::Empty { is_in_the_way }) => is_in_the_way,
                other => {
                    if is_spin {
                        spinning.has_brought_it();
                    }
                    return self.leave_after(has_slept, other);
                }
            };
            let Some(key) = key else { continue };
            if is_over(&wait) || (is_patient && !is_in_the_way) {
                if is_patient || !is_in_the_way {
                    return self.leave_after(has_slept, Ok(EMPTY));
                }
                is_patient = true;
                wait = Wait::new(0, PATIENCE.into());
                continue;
            }
            spinning.was_in_vain();
            self.words.not_empty.sleep(key, &mut wait)?;
            has_slept = true;
            slices += 1;
        }
    }

    /// G9: who may have used up another's wake passes it on, if there is anything to be told.
    fn leave_after(self, has_slept: bool, came: Result<Got, Error>) -> Result<Found, Error> {
        if has_slept {
            self.pass_on();
        }
        match came? {
            Got::Message(found) => Ok(found),
            Got::Empty { .. } => Err(Error::Empty),
        }
    }

    pub(super) fn pass_on(self) {
        // SeqCst, both: after whatever this call has done, before the look at the flag.
        let tail = Position(self.words.tail.load(SeqCst));
        let head = Position(self.words.head.load(SeqCst));
        if tail.units_from(head) != 0 || tail.is_shut() {
            self.words.not_empty.notify(1);
        }
    }

    /// Whether it is worth to take the lock: a look without it.
    fn may_have_news(self) -> bool {
        // Relaxed, both: the lock decides.
        let tail = Position(self.words.tail.load(Relaxed));
        tail.is_shut() || tail.units_from(Position(self.words.head.load(Relaxed))) != 0
    }

    /// G1 to G8.
    fn get_once(
        self,
        want: &mut Want<'_>,
        deadline: &mut Deadline,
        slices: u32,
    ) -> Result<Got, Error> {
        let words = self.words;
        match self.enter_within(&words.head_lock, deadline) {
            Err(LockError::TimedOut) => return Ok(EMPTY),
            other => other?,
        }; // G1
        let mut has_moved = false;
        let looked = self.look(slices, &mut has_moved); // G2, G3
        let (head, first) = match looked {
            Ok(Look::Record { head, header }) => (head, header),
            other => {
                leave(&words.head_lock, self.at);
                self.tell_moved(has_moved);
                return nothing_of(other);
            }
        };
        let found = Found { head, len: record::len(first) as usize };
        let body = match want {
            Want::Borrow => return self.borrow_found(found, first, has_moved),
            Want::Copy(body) => &mut **body,
            Want::Run(run) => {
                if self.take_run(head, run) > 0 {
                    return Ok(Got::Message(found));
                }
                &mut *run.bytes // it is large, or was a dead one's, or does not fit
            }
        };
        let Some(body) = body.get_mut(..found.len) else {
            leave(&words.head_lock, self.at); // G4
            self.tell_moved(has_moved);
            return Err(Error::MessageTooLarge { len: found.len });
        };
        if body.len() > LARGE_BYTES || record::state(first) != Some(State::Ready) {
            return self.get_large(found, first, body, deadline, has_moved);
        }
        self.take_small(head, body);
        Ok(Got::Message(found))
    }

    /// B1, with the head's lock, which is left.
    #[cold]
    fn borrow_found(self, found: Found, first: u64, has_moved: bool) -> Result<Got, Error> {
        let borrowed = State::Borrowed { token: self.at.token() };
        let is_ours = self.claim(found, first, borrowed, has_moved);
        Ok(if is_ours { Got::Message(found) } else { Got::Empty { is_in_the_way: true } })
    }

    /// M1 and B1, with the head's lock, which is left: says whose the message is. False when it is
    /// another's by now.
    fn claim(self, found: Found, first: u64, state: State, has_moved: bool) -> bool {
        let unit = self.ring.unit(found.head.place());
        // AcqRel: Acquire as in `look`; Release, for who takes it over reads it as we do. When it
        // fails its dead taker had given it back, and it is a message again.
        let ours = header(state, found.len as u32);
        let is_ours = unit.compare_exchange(first, ours, AcqRel, Relaxed).is_ok();
        leave(&self.words.head_lock, self.at);
        self.tell_moved(has_moved);
        is_ours
    }

    /// G6 to G8: moves the head past a record, leaves its lock, and tells those who wait for room.
    #[inline]
    fn move_head(self, head: Position, len: u32) {
        // G6, the commit. Release pairs with the Acquire in `find_room`: it has been read.
        let past = head.past(record::units(len));
        self.words.head.store(past.0, Release);
        self.give_pages(past); // V1 to V3
        leave(&self.words.head_lock, self.at); // G7
        self.tell_moved(true); // G8. Killed before: sleepers look within a slice
    }

    /// M1 to M3, with the head's lock, which is left.
    #[cold]
    fn get_large(
        self,
        found: Found,
        first: u64,
        body: &mut [u8],
        deadline: &mut Deadline,
        has_moved: bool,
    ) -> Result<Got, Error> {
        let taken = State::Taken { token: self.at.token() };
        if !self.claim(found, first, taken, has_moved) {
            return Ok(Got::Empty { is_in_the_way: true });
        }
        // M2. Killed until here: the next one takes it over.
        self.ring.read(found.head.place() + 1, body);
        self.finish_taken(found, taken, deadline)
            .map(|is_done| if is_done { Got::Message(found) } else { EMPTY })
    }

    /// M3: takes a message that was marked as ours. False when the lock was not to be had: it is a
    /// message again.
    ///
    /// # Errors
    /// * [`Error::Closed`] when an immediate shutdown has dropped it.
    /// * Those of the lock; it is a message again.
    pub(super) fn finish_taken(
        self,
        found: Found,
        ours: State,
        deadline: &mut Deadline,
    ) -> Result<bool, Error> {
        let words = self.words;
        if let Err(error) = self.enter_within(&words.head_lock, deadline) {
            self.give_back(found, ours); // whoever has the lock is stopped
            let is_late = error == LockError::TimedOut;
            return if is_late { Ok(false) } else { Err(error.into()) };
        }
        // Acquire: as G2.
        if words.head.load(Acquire) != found.head.0 {
            leave(&words.head_lock, self.at);
            return Err(Error::Closed);
        }
        self.move_head(found.head, found.len as u32);
        self.pass_on(); // G9: who came meanwhile could not have what stands behind
        Ok(true)
    }

    /// Makes what was marked as ours a message again, and wakes one who waits for it.
    pub(super) fn give_back(self, found: Found, ours: State) {
        let (unit, len) = (self.ring.unit(found.head.place()), found.len as u32);
        // Release: as M1. It fails for nobody but a peer that has spoiled the word.
        let _ =
            unit.compare_exchange(header(ours, len), header(State::Ready, len), Release, Relaxed);
        fence(SeqCst); // SeqCst: as in `finish`
        self.words.not_empty.notify(1);
    }
}

fn nothing_of(looked: Result<Look, Error>) -> Result<Got, Error> {
    match looked? {
        Look::Nothing { is_shut: true } => Err(Error::Closed),
        Look::Anothers { is_in_the_way } => Ok(Got::Empty { is_in_the_way }),
        Look::Nothing { .. } | Look::Record { .. } => Ok(EMPTY),
    }
}
