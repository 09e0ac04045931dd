//! How a message is written, or read, in its place.

use super::cell::{
    Deadline, Error,
    Ordering::{AcqRel, Relaxed, SeqCst},
    fence,
};
use super::position::Position;
use super::queue::View;
use super::queue_get::Found;
use super::record::{State, header};

impl View<'_> {
    /// R2: makes a message of a place that `reserve` has put for the process with this token.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when it is not its any more: a peer has overwritten it, or took this
    ///   process for dead.
    pub(crate) fn commit(self, place: Position, len: usize, token: u32) -> Result<(), Error> {
        let is_committed = self.settle(place, len, token, State::Ready);
        self.words.not_empty.notify(1); // R3. Killed before: sleepers look within a slice
        if is_committed { Ok(()) } else { Err(Error::Damaged) }
    }

    /// R4: nothing will come of it. Whoever meets it skips it.
    pub(crate) fn abandon(self, place: Position, len: usize, token: u32) {
        let _ = self.settle(place, len, token, State::Abandoned); // what is not ours needs nothing
        // R5: one that waits for a message finds those behind it, and passes the wake on; all that
        // wait for room, or for the end of all, may sweep it away.
        self.words.not_empty.notify(1);
        self.words.not_full.notify(u32::MAX);
        self.tell_joiners();
    }

    fn settle(self, place: Position, len: usize, token: u32, state: State) -> bool {
        let (unit, len) = (self.ring.unit(place.place()), len as u32);
        let ours = header(State::Reserved { token }, len);
        // R2 or R4, the commit. An exchange and not a store: of somebody who was taken for dead the
        // place may be another's. AcqRel: Release pairs with the Acquire in `look`.
        let is_settled = unit.compare_exchange(ours, header(state, len), AcqRel, Relaxed).is_ok();
        fence(SeqCst); // SeqCst: between the commit and the look at the flag, see `EventCount`
        is_settled
    }

    /// B3: takes what `borrow` has found for the process with this token.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when another call that is amid its steps is stopped: it is a message
    ///   again.
    /// * [`Error::Closed`] when an immediate shutdown has dropped it.
    /// * Those of the lock; it is a message again.
    pub(crate) fn finish_borrow(self, found: Found, token: u32) -> Result<(), Error> {
        // A passed deadline: a second, and no more.
        match self.finish_taken(found, State::Borrowed { token }, &mut Deadline::passed())? {
            true => Ok(()),
            false => Err(Error::TimedOut),
        }
    }

    /// Makes it a message again.
    pub(crate) fn end_borrow(self, found: Found, token: u32) {
        self.give_back(found, State::Borrowed { token });
    }

    /// The bytes behind a header, if they do not go round the end of the ring: their start.
    pub(crate) fn bytes_at(self, place: Position, len: usize) -> Option<*mut u8> {
        self.ring.contiguous(place.place() + 1, len)
    }

    /// Copies them in.
    pub(crate) fn write_at(self, place: Position, bytes: &[u8]) {
        self.ring.write(place.place() + 1, bytes);
    }

    /// Copies them out.
    pub(crate) fn read_at(self, place: Position, bytes: &mut [u8]) {
        self.ring.read(place.place() + 1, bytes);
    }
}

impl Found {
    /// Where it stands.
    pub(crate) const fn place(self) -> Position {
        self.head
    }
}
