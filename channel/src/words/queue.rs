//! A bounded queue of messages: two ends, each with a lock, and a ring.
//!
//! ```text
//!            head                      tail
//!             |                         |
//!   ...  free | header bytes | header . | free ...      a ring of units of 8 bytes
//! ```
//!
//! * A message is put by the store that moves the tail past it, and taken by the store that moves
//!   the head. Before it, nothing happened; after it, all did. Who dies in between leaves a lock,
//!   which the next one takes over, and bytes that the next one overwrites.
//! * A large message is copied outside of the locks. Its header says by whom, and another takes
//!   over from a dead one.
//! * Who finds no room, or nothing, sleeps on an event count of its own.
//!
//! The numbers of the steps are those of the kill table in ARCHITECTURE.md.

use super::cell::{
    AtomicU32, AtomicU64, Attachment, Deadline, Error, EventCount, InnerWord, LockError,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    Padding, enter, enter_now, fence, fence_after_leave, is_issued, leave,
};
use super::face::{Face, FaceWords};
use super::pace::Pace;
use super::position::Position;
pub(crate) use super::record::units;
use super::record::{self, State, header};
use super::ring::Ring;
use super::spins::Spins;

/// What stands before the ring. All zeros is an empty queue that takes nothing.
//
// 0     8          12         16        20     24         32     112
// | tail| tail lock| count max| size max| zeros| head seen| zeros| ...
// 112   120        124    128        136    240        368       496    880
// | head| head lock| zeros| tail seen| zeros| not empty| not full| face | ring
//
// Each end, and each event count, has a line of its own: an object begins 16 bytes into a line. The
// two limits are written when it is made, and kept in each handle.
//
// Beside each end stands where the other was when somebody last looked, under the lock of this end.
// It is behind, never ahead, since ends only move on; so that most messages touch one end's line.
#[repr(C)]
pub(crate) struct QueueWords {
    pub(super) tail: AtomicU64,
    pub(super) tail_lock: InnerWord,
    pub(crate) count_max: AtomicU32,
    pub(crate) size_max: AtomicU32,
    before_head_seen: Padding,
    pub(super) head_seen: AtomicU64,
    beside_tail: [Padding; 20],
    pub(super) head: AtomicU64,
    pub(super) head_lock: InnerWord,
    before_tail_seen: Padding,
    pub(super) tail_seen: AtomicU64,
    beside_head: [Padding; 26],
    pub(super) not_empty: EventCount,
    beside_not_empty: [Padding; 31],
    pub(super) not_full: EventCount,
    beside_not_full: [Padding; 31],
    pub(crate) face: FaceWords,
}

/// What a queue was made for, as a handle has read it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// So many messages at a time.
    pub(crate) count_max: u32,
    /// Of so many bytes each.
    pub(crate) size_max: u32,
    /// What it is besides.
    pub(crate) face: Face,
}

/// One call's view of a queue.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(super) words: &'a QueueWords,
    pub(super) ring: Ring<'a>,
    pub(super) at: &'a Attachment,
    pub(super) shape: Shape,
    pub(super) own: &'a Own,
}

/// What a handle and its clones have in their own process.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// What spinning for a message has brought.
    pub(super) get_spins: Spins,
    /// What spinning for room has brought.
    pub(super) put_spins: Spins,
    /// What it has brought to wait before a look at the tail.
    pub(super) get_pace: Pace,
    /// Or at the head.
    pub(super) put_pace: Pace,
}

/// What stands at the head.
pub(super) enum Look {
    /// Nothing; whether nothing more will come.
    Nothing { is_shut: bool },
    /// A message to be taken.
    Record { head: Position, header: u64 },
    /// What another works at; whether that is a call, with more behind it.
    Anothers { is_in_the_way: bool },
}

#[cfg(test)]
impl QueueWords {
    /// What zeros are, for who has no segment.
    pub(crate) fn zeroed() -> Self {
        Self {
            tail: AtomicU64::new(0),
            tail_lock: InnerWord::default(),
            count_max: AtomicU32::new(0),
            size_max: AtomicU32::new(0),
            before_head_seen: Padding::default(),
            head_seen: AtomicU64::new(0),
            beside_tail: Default::default(),
            head: AtomicU64::new(0),
            head_lock: InnerWord::default(),
            before_tail_seen: Padding::default(),
            tail_seen: AtomicU64::new(0),
            beside_head: Default::default(),
            not_empty: EventCount::default(),
            beside_not_empty: Default::default(),
            not_full: EventCount::default(),
            beside_not_full: Default::default(),
            face: FaceWords::default(),
        }
    }
}

impl<'a> View<'a> {
    #[inline]
    pub(crate) const fn new(
        words: &'a QueueWords,
        ring: &'a [AtomicU64],
        at: &'a Attachment,
        shape: Shape,
        own: &'a Own,
    ) -> Self {
        Self { words, ring: Ring(ring), at, shape, own }
    }

    /// How many messages are inside, those included that are being written or taken.
    pub(crate) fn len(self) -> u32 {
        // Acquire, both: the head is not newer than the tail that it is compared with.
        let head = Position(self.words.head.load(Acquire));
        let tail = Position(self.words.tail.load(Acquire));
        tail.count_from(head).min(self.shape.count_max)
    }

    /// C1, C2, C4: nothing is put any more; what is inside can still be taken.
    pub(crate) fn shut(self) -> Result<(), Error> {
        let words = self.words;
        enter(&words.tail_lock, self.at, Deadline::never())?; // C1
        // C2, the commit. Relaxed: the lock orders it. Release pairs with the Acquire in `look`.
        let tail = Position(words.tail.load(Relaxed)).shut();
        words.tail.store(tail.0, Release);
        leave(&words.tail_lock, self.at);
        self.tell_all();
        Ok(())
    }

    /// The same, and C3: what is inside is dropped, by one store. Killed before: it can be taken.
    pub(crate) fn shut_and_drop(self) -> Result<(), Error> {
        self.shut()?;
        let words = self.words;
        enter(&words.head_lock, self.at, Deadline::never())?;
        // Relaxed: the tail moves no more. Release: as where a message is taken.
        let tail = Position(words.tail.load(Relaxed));
        words.head.store(tail.open().0, Release);
        leave(&words.head_lock, self.at);
        self.tell_all();
        Ok(())
    }

    /// C4: everybody looks again. Killed before: within a slice.
    fn tell_all(self) {
        fence_after_leave(); // between the commit and the looks at the flags, see `EventCount`
        self.words.not_empty.notify(u32::MAX);
        self.words.not_full.notify(u32::MAX);
    }

    /// Takes one of the two locks. The deadline begins here for who finds it held, so that all
    /// waits of a call have one limit together; for who does not, no clock is read.
    ///
    /// # Errors
    /// * As [`enter`].
    pub(super) fn enter_within(
        self,
        lock: &InnerWord,
        deadline: &mut Deadline,
    ) -> Result<(), LockError> {
        if !enter_now(lock, self.at) {
            *deadline = deadline.start();
            enter(lock, self.at, *deadline)?;
        }
        Ok(())
    }

    /// G2 and G3, under the head's lock: what stands there, once all is skipped that nothing will
    /// come of. `has_moved` is set if there was such.
    pub(super) fn look(self, slices: u32, has_moved: &mut bool) -> Result<Look, Error> {
        // Ends: each turn but for a repeated one moves the head, and the tail is loaded anew only
        // then; a header is loaded again at most once for each change by who has died since.
        loop {
            // G2. Relaxed: written under the lock that we have.
            let head = Position(self.words.head.load(Relaxed));
            let tail = self.tail_beyond(head);
            let unit_count = tail.units_from(head);
            if unit_count == 0 {
                return Ok(Look::Nothing { is_shut: tail.is_shut() });
            }
            // G3. Acquire pairs with the Release in `finish`: the bytes are seen.
            let header = self.ring.unit(head.place()).load(Acquire);
            let units = self.check(header, unit_count)?;
            match record::state(header).ok_or(Error::Damaged)? {
                State::Ready => return Ok(Look::Record { head, header }),
                State::Taken { token } if self.is_dead(token, slices)? => {
                    return Ok(Look::Record { head, header });
                }
                State::Borrowed { token } if self.is_dead(token, slices)? => {
                    return Ok(Look::Record { head, header });
                }
                State::Borrowed { .. } => {
                    return Ok(Look::Anothers { is_in_the_way: false });
                }
                State::Taken { .. } => {
                    return Ok(Look::Anothers { is_in_the_way: self.has_more(head, units) });
                }
                State::Filling { token } if !self.is_dead(token, slices)? => {
                    return Ok(Look::Anothers { is_in_the_way: self.has_more(head, units) });
                }
                State::Reserved { token } if !self.is_dead(token, slices)? => {
                    return Ok(Look::Anothers { is_in_the_way: false });
                }
                // Its writer may have finished it after the first load, and died then. The proof of
                // its death came between. Acquire: as the first one.
                State::Filling { .. } | State::Reserved { .. }
                    if self.ring.unit(head.place()).load(Acquire) != header => {}
                State::Abandoned | State::Filling { .. } | State::Reserved { .. } => {
                    let past = head.past(units);
                    self.count_skipped(past); // K1
                    // Release pairs with the Acquire in `room`: nobody reads here any more.
                    self.words.head.store(past.0, Release);
                    self.give_pages(past);
                    *has_moved = true;
                }
            }
        }
    }

    /// Where the tail was when it was last looked at, or is now if nothing was between it and the
    /// head then. Under the head's lock.
    #[inline]
    pub(super) fn tail_beyond(self, head: Position) -> Position {
        // Relaxed: whoever wrote it under this lock had loaded the tail by an Acquire, and the lock
        // has ordered that before us.
        let seen = Position(self.words.tail_seen.load(Relaxed));
        // More than a ring: an immediate shutdown has moved the head past it.
        if (1..=self.ring.unit_count()).contains(&seen.units_from(head)) {
            return seen;
        }
        // Acquire pairs with the Release of the store that moved the tail: the headers are seen.
        let tail = Position(self.words.tail.load(Acquire));
        self.words.tail_seen.store(tail.0, Relaxed); // Relaxed: as above
        self.own.get_pace.note(tail.count_from(head));
        tail
    }

    /// Whether anything stands behind the record at the head.
    fn has_more(self, head: Position, units: u64) -> bool {
        // Relaxed: whoever cares looks again under the lock.
        Position(self.words.tail.load(Relaxed)).units_from(head) > units
    }

    /// How many units a record of this header takes, if it fits between the ends.
    fn check(self, header: u64, unit_count: u64) -> Result<u64, Error> {
        let len = record::len(header);
        if self.is_between(len, unit_count) { Ok(record::units(len)) } else { Err(Error::Damaged) }
    }

    /// Whether a record of so many bytes can stand in so many units between the ends.
    #[inline]
    pub(super) const fn is_between(self, len: u32, unit_count: u64) -> bool {
        len <= self.shape.size_max
            && record::units(len) <= unit_count
            && unit_count <= self.ring.unit_count()
    }

    fn is_dead(self, token: u32, slices: u32) -> Result<bool, Error> {
        if !is_issued(token) {
            return Err(Error::Damaged);
        }
        Ok(self.at.is_dead(token, slices).map_err(LockError::from)?)
    }

    /// Has what was written to a record be what `state` says, and wakes one who waits for it.
    pub(super) fn finish(self, place: u64, state: State, len: u32) {
        // L2, the commit. Release pairs with the Acquire in `look`.
        self.ring.unit(place).store(header(state, len), Release);
        fence(SeqCst); // SeqCst: between the commit and the look at the flag, see `EventCount`
        self.words.not_empty.notify(1); // L3. Killed before: sleepers look within a slice
    }

    /// After the head's lock was left: wakes those who wait for the room that skipping has made.
    #[inline]
    pub(super) fn tell_moved(self, has_moved: bool) {
        if has_moved {
            fence_after_leave(); // as in `finish`
            self.words.not_full.notify(u32::MAX);
            self.tell_if_all_done(); // K2
        }
    }
}
