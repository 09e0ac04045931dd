//! What a queue is besides: the words that stand behind a plain queue's, and what is read of them
//! when a handle is made.

use super::cell::{AtomicU32, AtomicU64, EventCount, Ordering::Relaxed};

const JOINABLE: u32 = 1 << 0; // bit 0: what was done of its messages is counted
const KNOWN: u32 = JOINABLE; // all other bits are zeros

/// The part behind a queue's words. All zeros is a plain queue's.
//
// 0      4      8      16     24     128     136    256   264       268    384
// | face | zeros| limit| taken| zeros| given | zeros| done| all done| zeros|
//
// `taken` is written by who puts, `given` by who takes, `done` by who marks: a line for each. The
// first two are fixed when the queue is made.
#[repr(C)]
pub(crate) struct FaceWords {
    face: AtomicU32,
    zeros: AtomicU32,
    limit: AtomicU64,
    pub(super) taken: AtomicU64,
    beside_taken: [AtomicU64; 13],
    pub(super) given: AtomicU64,
    beside_given: [AtomicU64; 15],
    pub(super) done: AtomicU64,
    pub(super) all_done: EventCount,
    beside_done: [AtomicU32; 29],
}

/// What a queue is besides, as a handle has read it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Face {
    /// Whether there is a count of what was done.
    pub(crate) is_joinable: bool,
}

impl Face {
    /// Writes it down, in words that nobody else has yet.
    pub(crate) fn fill(self, words: &FaceWords) {
        let face = if self.is_joinable { JOINABLE } else { 0 };
        words.face.store(face, Relaxed); // Relaxed: the object's check orders it
    }

    /// Reads it; `None` for what no maker writes.
    pub(crate) fn read(words: &FaceWords) -> Option<Self> {
        let face = words.face.load(Relaxed); // Relaxed: written before the object's check
        (face & !KNOWN == 0).then_some(Self { is_joinable: face & JOINABLE != 0 })
    }
}
