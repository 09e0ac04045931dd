//! How messages go into the ring of one to one, and out of it.

use core::time::Duration;

use super::cell::{
    AtomicU32, Deadline, Error, EventCount,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    SPSC_SPIN_COUNT, SPSC_SPIN_ITERATIONS, Wait, barrier, compiler_fence, fence, prefetch, spin,
    spin_turns,
};
use super::position::Position;
use super::record::units;
use super::spsc::SpscView;

/// What a sender knows by itself.
#[derive(Debug)]
pub(crate) struct Sending {
    tail: Position,
    /// How many messages there was room for when the head was last looked at.
    room_count: u32,
    /// Whether sleepers of the other end reach this process, so that it needs no fence.
    is_reached: bool,
}

/// What a receiver knows by itself.
#[derive(Debug)]
pub(crate) struct Receiving {
    head: Position,
    /// How many messages there were to be taken when the tail was last looked at.
    ready_count: u32,
    /// As in [`Sending`].
    is_reached: bool,
}

/// How far ahead of an end its lines are sent for, and how many messages there have to be that they
/// are not taken from the other end, which is just at them.
const AHEAD_UNITS: u64 = 32;
const AHEAD_COUNT: u32 = 32;

/// For how long one sleeps that could not have the other end's barrier.
const BLIND: Duration = Duration::from_millis(1);

impl SpscView<'_> {
    /// R3: takes up where the last sender was.
    pub(crate) fn begin_to_send(self) -> Sending {
        // Acquire: after the claim, whoever had the end before.
        let tail = Position(self.words.tail.load(Acquire));
        Sending { tail, room_count: 0, is_reached: barrier::register() }
    }

    /// R3: takes up where the last receiver was.
    pub(crate) fn begin_to_receive(self) -> Receiving {
        let head = Position(self.words.head.load(Acquire)); // Acquire: as above
        Receiving { head, ready_count: 0, is_reached: barrier::register() }
    }

    /// Puts a message, waiting for room until `deadline`.
    ///
    /// # Errors
    /// * [`Error::Full`] when the deadline came first, [`Error::BrokenPipe`] when there is no room
    ///   and the receiver is gone.
    /// * [`Error::MessageTooLarge`] when it could never fit.
    /// * [`Error::Damaged`] when the words hold what no step has left.
    #[inline]
    pub(crate) fn send(
        self,
        own: &mut Sending,
        body: &[u8],
        deadline: Deadline,
    ) -> Result<(), Error> {
        if body.len() > self.shape.size_max as usize {
            return Err(Error::MessageTooLarge { len: body.len() });
        }
        let len = body.len() as u32; // at most `size_max`
        if own.room_count == 0 {
            self.wait_for_room(own, deadline)?; // Y1
        }
        if own.room_count > AHEAD_COUNT {
            prefetch::for_a_store(self.ring.unit(own.tail.place() + AHEAD_UNITS));
        }
        // Y2. Relaxed: published by Y3. Killed before Y3: garbage beyond the tail.
        self.ring.unit(own.tail.place()).store(len.into(), Relaxed);
        self.ring.write(own.tail.place() + 1, body);
        own.tail = own.tail.past(units(len));
        own.room_count -= 1;
        // Y3, the commit. Release pairs with the Acquire in `look_for_messages`.
        self.words.tail.store(own.tail.0, Release);
        tell(&self.words.not_empty, own.is_reached); // Y4
        Ok(())
    }

    /// How many bytes the oldest message has, waiting for one until `deadline`.
    ///
    /// # Errors
    /// * [`Error::Empty`] when the deadline came first, [`Error::EndOfFile`] when there is none and
    ///   the sender is gone.
    /// * [`Error::Damaged`] as [`send`](Self::send).
    #[inline]
    pub(crate) fn next_len(self, own: &mut Receiving, deadline: Deadline) -> Result<u32, Error> {
        if own.ready_count == 0 {
            self.wait_for_message(own, deadline)?; // X1
        }
        if own.ready_count > AHEAD_COUNT {
            prefetch::for_a_load(self.ring.unit(own.head.place() + AHEAD_UNITS));
        }
        // Relaxed: ordered by the load of the tail, an Acquire.
        let len = self.ring.unit(own.head.place()).load(Relaxed);
        if len <= self.shape.size_max.into() { Ok(len as u32) } else { Err(Error::Damaged) }
    }

    /// Takes the oldest message, of which [`next_len`](Self::next_len) has told the length.
    #[inline]
    pub(crate) fn take(self, own: &mut Receiving, body: &mut [u8]) {
        self.ring.read(own.head.place() + 1, body); // X2. Killed until here: it is still there
        own.head = own.head.past(units(body.len() as u32));
        own.ready_count -= 1;
        // X3, the commit. Release pairs with the Acquire in `look_for_room`: it has been read.
        self.words.head.store(own.head.0, Release);
        tell(&self.words.not_full, own.is_reached); // X4
    }

    /// Whether there is room for a message, by a look at the head.
    fn look_for_room(self, own: &mut Sending) -> Result<bool, Error> {
        // SeqCst: after the flag of who is about to sleep; pairs with the Release of the receiver.
        let head = Position(self.words.head.load(SeqCst));
        let used_count = self.count_between(head, own.tail)?;
        own.room_count = self.shape.count_max - used_count;
        Ok(own.room_count > 0)
    }

    /// Whether there is a message, by a look at the tail.
    fn look_for_messages(self, own: &mut Receiving) -> Result<bool, Error> {
        // SeqCst: as in `look_for_room`; pairs with the Release of the sender.
        let tail = Position(self.words.tail.load(SeqCst));
        own.ready_count = self.count_between(own.head, tail)?;
        Ok(own.ready_count > 0)
    }

    /// How many messages there are between two ends. So many have room in the ring, whatever their
    /// sizes are.
    fn count_between(self, head: Position, tail: Position) -> Result<u32, Error> {
        let (count, units) = (tail.count_from(head), tail.units_from(head));
        let is_possible = count <= self.shape.count_max
            && u64::from(count) <= units
            && units <= self.ring.unit_count();
        if is_possible { Ok(count) } else { Err(Error::Damaged) }
    }

    #[cold]
    fn wait_for_room(self, own: &mut Sending, deadline: Deadline) -> Result<(), Error> {
        let sleepers = (&self.words.not_full, &self.words.receiver);
        match self.wait(sleepers, deadline, || self.look_for_room(own))? {
            Came::Change => Ok(()),
            Came::Limit => Err(Error::Full),
            Came::End => Err(Error::BrokenPipe),
        }
    }

    #[cold]
    fn wait_for_message(self, own: &mut Receiving, deadline: Deadline) -> Result<(), Error> {
        let sleepers = (&self.words.not_empty, &self.words.sender);
        match self.wait(sleepers, deadline, || self.look_for_messages(own))? {
            Came::Change => Ok(()),
            Came::Limit => Err(Error::Empty),
            Came::End => Err(Error::EndOfFile),
        }
    }

    /// Waits until `look` finds what it looks for, the other end is gone, or the deadline has come.
    fn wait(
        self,
        (sleepers, other): (&EventCount, &AtomicU32),
        deadline: Deadline,
        mut look: impl FnMut() -> Result<bool, Error>,
    ) -> Result<Came, Error> {
        if look()? {
            return Ok(Came::Change);
        }
        let is_try = deadline.remaining().is_some_and(|left| left.is_zero());
        for turns in spin_turns(if is_try { 0 } else { SPSC_SPIN_COUNT }, SPSC_SPIN_ITERATIONS) {
            spin(turns);
            if look()? {
                return Ok(Came::Change);
            }
        }
        let mut wait = Wait::new(0, deadline);
        let mut slices = 0;
        // Ends: with what it looks for, with an error, with the other's end, or at the deadline,
        // which is looked at before every sleep; each sleep is a slice at most.
        loop {
            let key = sleepers.prepare();
            let is_seen = !is_try && barrier::reach();
            if look()? {
                return Ok(Came::Change);
            }
            // SeqCst: as the looks; pairs with the Release of who left.
            if self.is_gone(other.load(SeqCst), slices)? {
                // It may have committed after the look, and left or died then.
                return Ok(if look()? { Came::Change } else { Came::End });
            }
            let left = wait.left();
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Came::Limit);
            }
            if is_seen {
                sleepers.sleep(key, &mut wait)?;
            } else {
                let blind = left.map_or(BLIND, |left| left.min(BLIND));
                sleepers.sleep(key, &mut Wait::new(0, blind.into()))?;
            }
            slices += 1;
        }
    }
}

/// What ended a wait.
enum Came {
    Change,
    Limit,
    End,
}

/// Y4, X4: wakes who sleeps at the other end, after a commit. Killed before: it looks within a
/// slice.
#[inline]
fn tell(sleepers: &EventCount, is_reached: bool) {
    // SeqCst, between the commit and the look at the flag, see `EventCount`: or the sleeper's
    // `barrier::reach`, which comes between its flag and its look at the commit. Then this process
    // has had a full barrier before the one or behind the other, and only the compiler has to keep
    // their order.
    // SeqCst, both: as above.
    let fence = if is_reached { compiler_fence } else { fence };
    fence(SeqCst); // as above
    sleepers.notify(1);
}
