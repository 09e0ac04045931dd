//! A ring of messages from one to one: an end each, without a lock, and a word each that says whose
//! the end is.
//!
//! ```text
//!            head                      tail
//!             |  receiver's             |  sender's
//!   ...  free | length bytes | length . | free ...      a ring of units of 8 bytes
//! ```
//!
//! Whoever has an end has a copy of its position, and of how far it may go by the other's position
//! as it saw it last; so that most messages touch one shared line. A death needs no repair: the
//! position is the commit. The numbers of the steps are those of ARCHITECTURE.md.

use super::cell::{
    AtomicU32, AtomicU64, Attachment, Deadline, Error, EventCount, LockError,
    Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
    Padding, Wait, fence, is_issued,
};
use super::position::Position;
use super::ring::Ring;

/// What stands before the ring. All zeros is an empty one that takes nothing.
//
// 0     8       12         16        20     112   120       124    240        368       496
// | tail| sender| count max| size max| zeros| head| receiver| zeros| not empty| not full| roles
//
// 500    624
// | zeros| ring
//
// Each end, and each event count, has a line of its own: an object begins 16 bytes into a line.
#[repr(C)]
pub(crate) struct SpscWords {
    pub(super) tail: AtomicU64,
    pub(crate) sender: AtomicU32,
    pub(crate) count_max: AtomicU32,
    pub(crate) size_max: AtomicU32,
    beside_tail: [Padding; 23],
    pub(super) head: AtomicU64,
    pub(crate) receiver: AtomicU32,
    beside_head: [Padding; 29],
    pub(super) not_empty: EventCount,
    beside_not_empty: [Padding; 31],
    pub(super) not_full: EventCount,
    beside_not_full: [Padding; 31],
    roles: EventCount,
    beside_roles: [Padding; 31],
}

#[cfg(test)]
impl SpscWords {
    /// What zeros are, for who has no segment.
    pub(crate) fn zeroed() -> Self {
        Self {
            tail: AtomicU64::new(0),
            sender: AtomicU32::new(0),
            count_max: AtomicU32::new(0),
            size_max: AtomicU32::new(0),
            beside_tail: Default::default(),
            head: AtomicU64::new(0),
            receiver: AtomicU32::new(0),
            beside_head: Default::default(),
            not_empty: EventCount::default(),
            beside_not_empty: Default::default(),
            not_full: EventCount::default(),
            beside_not_full: Default::default(),
            roles: EventCount::default(),
            beside_roles: Default::default(),
        }
    }
}

/// Whose an end is: 0, nobody's yet; a token; or this, of one who has left.
const LEFT: u32 = 1 << 30;

/// What it was made for, as a handle has read it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpscShape {
    /// So many messages at a time.
    pub(crate) count_max: u32,
    /// Of so many bytes each.
    pub(crate) size_max: u32,
}

/// One call's view.
#[derive(Clone, Copy)]
pub(crate) struct SpscView<'a> {
    pub(super) words: &'a SpscWords,
    pub(super) ring: Ring<'a>,
    pub(super) at: &'a Attachment,
    pub(super) shape: SpscShape,
}

impl<'a> SpscView<'a> {
    #[inline]
    pub(crate) const fn new(
        words: &'a SpscWords,
        ring: &'a [AtomicU64],
        at: &'a Attachment,
        shape: SpscShape,
    ) -> Self {
        Self { words, ring: Ring(ring), at, shape }
    }

    /// How many messages are inside.
    pub(crate) fn len(self) -> u32 {
        // Acquire, both: the head is not newer than the tail that it is compared with.
        let head = Position(self.words.head.load(Acquire));
        let tail = Position(self.words.tail.load(Acquire));
        tail.count_from(head).min(self.shape.count_max)
    }

    /// R1, R2: makes an end this process's, waiting until `deadline` for a living one to leave it.
    /// Its token.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::Damaged`] when the word holds what no step has left.
    pub(crate) fn claim(self, role: &AtomicU32, deadline: Deadline) -> Result<u32, Error> {
        let me = self.at.token_or_register()?;
        let mut wait = Wait::new(0, deadline);
        let mut slices = 0;
        // Ends: with the end, with an error, or at the deadline, which is looked at before every
        // sleep; each sleep is a slice at most.
        loop {
            let key = self.words.roles.prepare();
            if self.try_claim(role, me, slices)? {
                return Ok(me);
            }
            if wait.left().is_some_and(|left| left.is_zero()) {
                return Err(Error::TimedOut);
            }
            self.words.roles.sleep(key, &mut wait)?;
            slices += 1;
        }
    }

    fn try_claim(self, role: &AtomicU32, me: u32, slices: u32) -> Result<bool, Error> {
        // R1. Acquire pairs with the Release in `leave`, and with the death of who had it: all that
        // it did is seen. SeqCst: after the flag of who is about to sleep.
        let seen = role.load(SeqCst);
        let is_free = seen == 0 || self.is_gone(seen, slices)?;
        // R2, the commit. It fails for all but one. AcqRel: as R1, and for the next one's R1.
        Ok(is_free && role.compare_exchange(seen, me, AcqRel, Relaxed).is_ok())
    }

    /// R4, R5: gives an end up that is this process's.
    pub(crate) fn leave(self, role: &AtomicU32, me: u32) {
        // R4, the commit. AcqRel: Release pairs with the loads of the word. It fails only where a
        // peer has spoiled it.
        let _ = role.compare_exchange(me, LEFT, AcqRel, Relaxed);
        fence(SeqCst); // SeqCst: between the commit and the looks at the flags
        // R5. Killed before: within a slice.
        for sleepers in [&self.words.not_empty, &self.words.not_full, &self.words.roles] {
            sleepers.notify(u32::MAX);
        }
    }

    /// Whether who has an end, by its word, has left it or is dead.
    pub(super) fn is_gone(self, role: u32, slices: u32) -> Result<bool, Error> {
        match role {
            0 => Ok(false),
            LEFT => Ok(true),
            token if is_issued(token) => {
                Ok(self.at.is_dead(token, slices).map_err(LockError::from)?)
            }
            _ => Err(Error::Damaged),
        }
    }
}
