//! What a mailbox stands on when it is modelled: the words of `purlin-sync`, as they are modelled.

pub(super) use crate::cell::{AtomicU32, AtomicU64, Deadline, Error, Ordering, fence};
pub(super) use crate::event_count::EventCount;
pub(super) use crate::wait::Wait;

/// Nothing, as there.
pub(super) const fn spin() {}

/// So many that both sides come round.
pub(super) const SLOT_COUNT: usize = 2;
