//! What a queue is besides: the words that stand behind a plain queue's, and what is read of them
//! when a handle is made.

use super::cell::{AtomicU32, AtomicU64, EventCount, Ordering::Relaxed, Padding};

const JOINABLE: u32 = 1 << 0; // bit 0: what was done of its messages is counted
const KNOWN: u32 = JOINABLE; // all other bits are zeros

/// The part behind a queue's words. All zeros is a plain queue's.
//
// 0      4      8      16     24     128     136    256   264       268    384
// | face | zeros| limit| taken| zeros| given | zeros| done| all done| zeros|
//
// `taken` is written by who puts, `given` by who takes, `done` by who marks: a line for each. The
// first two are fixed when the queue is made.
#[derive(Default)]
#[repr(C)]
pub(crate) struct FaceWords {
    face: AtomicU32,
    zeros: Padding,
    limit: AtomicU64,
    pub(super) taken: AtomicU64,
    beside_taken: [Padding; 26],
    pub(super) given: AtomicU64,
    beside_given: [Padding; 30],
    pub(super) done: AtomicU64,
    pub(super) all_done: EventCount,
    beside_done: [Padding; 29],
}

/// What a queue is besides, as a handle has read it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Face {
    /// Whether there is a count of what was done.
    pub(crate) is_joinable: bool,
    /// How many units of pages it may have, if it takes and gives them; 0 if all are there.
    pub(crate) limit_units: u64,
    /// Where the ring begins in the segment, in bytes. No matter where all pages are there.
    pub(crate) start_bytes: u64,
}

impl Face {
    /// Nothing besides.
    pub(crate) const PLAIN: Self = Self { is_joinable: false, limit_units: 0, start_bytes: 0 };

    /// Writes it down, in words that nobody else has yet.
    pub(crate) fn fill(self, words: &FaceWords) {
        let face = if self.is_joinable { JOINABLE } else { 0 };
        // Relaxed, both: the object's check orders them.
        words.face.store(face, Relaxed);
        words.limit.store(self.limit_units, Relaxed);
    }

    /// Reads it, of a ring that would begin at `start_bytes`; `None` for what no maker writes.
    pub(crate) fn read(words: &FaceWords, start_bytes: u64) -> Option<Self> {
        // Relaxed, both: written before the object's check.
        let face = words.face.load(Relaxed);
        let limit_units = words.limit.load(Relaxed);
        let is_joinable = face & JOINABLE != 0;
        (face & !KNOWN == 0).then_some(Self { is_joinable, limit_units, start_bytes })
    }

    /// Whether it is nothing besides.
    #[inline]
    pub(crate) const fn is_plain(self) -> bool {
        !self.is_joinable && !self.is_unbounded()
    }

    /// Whether pages are taken and given.
    #[inline]
    pub(crate) const fn is_unbounded(self) -> bool {
        self.limit_units != 0
    }
}
