//! How a message is taken.

use core::time::Duration;

use super::cell::{
    Deadline, Error, LARGE_BYTES,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    RECV_BYTES, Wait, enter, fence, leave,
};
use super::position::Position;
use super::queue::{Look, View};
use super::queue_put::{is_over, is_passed};
use super::record::{self, State, header};

/// What came of one try.
enum Got {
    Message { len: usize },
    Empty { is_in_the_way: bool },
}

const EMPTY: Got = Got::Empty { is_in_the_way: false };

/// For how long a call that may not wait waits for another's that is amid its steps.
const PATIENCE: Duration = Duration::from_nanos(purlin_sync::INNER_PATIENCE_NANOS);

impl View<'_> {
    /// Takes the oldest message into `body`, waiting for one until `deadline`; its length.
    ///
    /// # Errors
    /// * [`Error::Empty`] when the deadline came first.
    /// * [`Error::Closed`] when the queue is shut, and nothing is left inside.
    /// * [`Error::MessageTooLarge`] when it does not fit; it stays where it is.
    /// * [`Error::Damaged`] when the words hold what no step has left.
    pub(crate) fn get(self, body: &mut [u8], deadline: Deadline) -> Result<usize, Error> {
        match self.get_once(body, deadline, 0)? {
            Got::Message { len } => Ok(len),
            Got::Empty { is_in_the_way: false } if is_passed(deadline) => Err(Error::Empty),
            Got::Empty { .. } => self.get_slow(body, deadline),
        }
    }

    /// The length of the message that `get` would take now, or 0: a hint.
    pub(crate) fn next_len(self) -> usize {
        if self.shape.face.is_unbounded() {
            // Nobody looks there without the lock: the page may have been given back.
            return RECV_BYTES.min(self.shape.size_max as usize);
        }
        // Relaxed, both: a hint, by which nothing is read.
        let head = Position(self.words.head.load(Relaxed));
        let first = self.ring.unit(head.place()).load(Relaxed);
        match record::state(first) {
            Some(State::Ready) => record::len(first).min(self.shape.size_max) as usize,
            _ => 0,
        }
    }

    #[cold]
    fn get_slow(self, body: &mut [u8], deadline: Deadline) -> Result<usize, Error> {
        let mut wait = Wait::new(0, deadline);
        let (mut has_slept, mut is_patient, mut slices) = (false, false, 0);
        // Ends: with a message, with an error, or at the deadline, which is looked at before every
        // sleep; each sleep is a slice at most. Once, a second is given to a call in the way.
        loop {
            // Who was woken says that it may sleep before it looks again: the wake took the flag
            // away, and there may be others, whom a wake that is passed on has to find.
            let is_spin = !has_slept && wait.spins();
            if is_spin && !self.may_have_news() {
                continue;
            }
            let key = if is_spin { None } else { Some(self.words.not_empty.prepare()) };
            let is_in_the_way = match self.get_once(body, deadline, slices) {
                Ok(Got::Empty { is_in_the_way }) => is_in_the_way,
                other => return self.leave_after(has_slept, other),
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
            self.words.not_empty.sleep(key, &mut wait)?;
            has_slept = true;
            slices += 1;
        }
    }

    /// G9: who may have used up another's wake passes it on, if there is anything to be told.
    fn leave_after(self, has_slept: bool, came: Result<Got, Error>) -> Result<usize, Error> {
        if has_slept {
            self.pass_on();
        }
        match came? {
            Got::Message { len } => Ok(len),
            Got::Empty { .. } => Err(Error::Empty),
        }
    }

    fn pass_on(self) {
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
    fn get_once(self, body: &mut [u8], deadline: Deadline, slices: u32) -> Result<Got, Error> {
        let words = self.words;
        match enter(&words.head_lock, self.at, deadline) {
            Err(purlin_sync::Error::TimedOut) => return Ok(EMPTY),
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
        let len = record::len(first);
        let Some(body) = body.get_mut(..len as usize) else {
            leave(&words.head_lock, self.at); // G4
            self.tell_moved(has_moved);
            return Err(Error::MessageTooLarge { len: len as usize });
        };
        if body.len() > LARGE_BYTES || record::state(first) != Some(State::Ready) {
            return self.get_large(head, first, body, deadline, has_moved);
        }
        self.ring.read(head.place() + 1, body); // G5. Killed until here: the next one gets it
        self.move_head(head, len); // G6 to G8
        Ok(Got::Message { len: body.len() })
    }

    /// G6 to G8: moves the head past a record, leaves its lock, and tells those who wait for room.
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
        head: Position,
        first: u64,
        body: &mut [u8],
        deadline: Deadline,
        has_moved: bool,
    ) -> Result<Got, Error> {
        let (words, len) = (self.words, record::len(first));
        let unit = self.ring.unit(head.place());
        let mine = header(State::Taken { token: self.at.token() }, len);
        // M1. AcqRel: Acquire as in `look`; Release, for who takes it over reads it as we do. When
        // it fails its dead taker had given it back, and it is a message again.
        let is_mine = unit.compare_exchange(first, mine, AcqRel, Relaxed).is_ok();
        leave(&words.head_lock, self.at);
        self.tell_moved(has_moved);
        if !is_mine {
            return Ok(Got::Empty { is_in_the_way: true });
        }
        self.ring.read(head.place() + 1, body); // M2. Killed until here: the next one takes it over
        match enter(&words.head_lock, self.at, deadline) {
            Ok(_) => {}
            Err(error) => {
                // Whoever has the lock is stopped. Release: as M1. It fails for nobody but a peer
                // that has spoiled the word.
                let given = header(State::Ready, len);
                let _ = unit.compare_exchange(mine, given, Release, Relaxed);
                fence(SeqCst); // as in `finish`
                words.not_empty.notify(1);
                return if error == purlin_sync::Error::TimedOut {
                    Ok(EMPTY)
                } else {
                    Err(error.into())
                };
            }
        }
        // M3. Acquire: as G2.
        if words.head.load(Acquire) != head.0 {
            leave(&words.head_lock, self.at);
            return Err(Error::Closed); // an immediate shutdown has dropped it
        }
        self.move_head(head, len);
        self.pass_on(); // G9: who came meanwhile could not have what stands behind
        Ok(Got::Message { len: body.len() })
    }
}

fn nothing_of(looked: Result<Look, Error>) -> Result<Got, Error> {
    match looked? {
        Look::Nothing { is_shut: true } => Err(Error::Closed),
        Look::Anothers { is_in_the_way } => Ok(Got::Empty { is_in_the_way }),
        Look::Nothing { .. } | Look::Record { .. } => Ok(EMPTY),
    }
}
