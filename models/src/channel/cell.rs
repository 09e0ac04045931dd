//! What the words of `purlin-channel` stand on when they are modelled: the words of `purlin-sync`,
//! as they are modelled, and small numbers.

use core::convert::Infallible;

pub(super) use crate::cell::{
    AtomicU32, AtomicU64, Attachment, Deadline, Error as LockError, INNER_PATIENCE_NANOS, Ordering,
    fence, is_issued, spin,
};
pub(super) use crate::event_count::EventCount;
pub(super) use crate::inner::{InnerWord, enter, enter_now, leave};
pub(super) use crate::wait::Wait;

/// One unit of the ring: a longer message is a large one.
pub(super) const LARGE_BYTES: usize = 8;
pub(super) const RECV_BYTES: usize = 8;
/// Two messages are put or taken at once, where there are two.
pub(super) const RUN_BYTES: usize = 24;
/// A spin is a look, and so is what comes behind it.
pub(super) const SPIN_FIRST_ITERATIONS: u32 = 1;
pub(super) const SPIN_LIMIT_ITERATIONS: u32 = 0;
pub(super) const SPIN_VAIN_COUNT: u32 = 4;
pub(super) const SPIN_TRY_COUNT: u32 = 1024;
pub(super) const SPSC_SPIN_COUNT: u32 = 0;
pub(super) const SPSC_SPIN_ITERATIONS: u32 = 0;

/// Nothing has to be kept apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Padding(());

pub(super) fn spin_turns(count: u32, most: u32) -> impl Iterator<Item = u32> {
    (0..count).map(move |_| most)
}

/// What the exchange before it is on x86-64: no step, and a full fence all the same.
pub(super) fn fence_after_leave() {
    crate::cell::between_accesses();
}

/// Nobody is reached by another's barrier here, so that nobody leaves its fence out.
pub(super) fn compiler_fence(_: Ordering) {
    unreachable!("nobody has registered");
}

/// The barrier of one that is about to sleep: of the sleeper's own, it is a fence.
pub(super) mod barrier {
    pub(in crate::channel) const fn register() -> bool {
        false
    }

    pub(in crate::channel) fn reach() -> bool {
        crate::cell::between_accesses();
        true
    }
}

/// As a loop: messages that long are in no model.
pub(super) mod bulk {
    use super::{AtomicU64, Ordering::Relaxed};

    pub(in super::super) const BULK_BYTES: usize = 1 << 20;

    pub(in super::super) fn write(units: &[AtomicU64], chunks: &[[u8; 8]]) {
        for (unit, chunk) in units.iter().zip(chunks) {
            unit.store(u64::from_le_bytes(*chunk), Relaxed); // Relaxed: as where it ships
        }
    }

    pub(in super::super) fn read(units: &[AtomicU64], chunks: &mut [[u8; 8]]) {
        for (unit, chunk) in units.iter().zip(chunks) {
            *chunk = unit.load(Relaxed).to_le_bytes(); // Relaxed: as where it ships
        }
    }
}

/// Nothing.
pub(super) mod prefetch {
    use super::AtomicU64;

    pub(in crate::channel) const fn for_a_load(_: &AtomicU64) {}
    pub(in crate::channel) const fn for_a_store(_: &AtomicU64) {}
}

/// The kinds of error that a queue can answer here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Error {
    TimedOut,
    Full,
    Empty,
    Closed,
    EndOfFile,
    BrokenPipe,
    MessageTooLarge { len: usize },
    TaskDoneTooOften,
    OutOfResources,
    Damaged,
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::TimedOut => Self::TimedOut,
            LockError::Damaged => Self::Damaged,
            other => panic!("an inner lock says {other:?}"),
        }
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
