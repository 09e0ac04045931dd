//! What the words stand on when they are shipped. `purlin-models` has another body for each name.

pub(super) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

pub(super) use purlin_shm::{Attachment, is_issued};

pub(super) use crate::deadline::Deadline;
pub(super) use crate::error::Error;
pub(super) use crate::limits::SEMAPHORE_VALUE_MAX;
pub(super) use crate::limits::{
    DEATH_UNSEEN_NANOS, INNER_PATIENCE_NANOS, NAP_NANOS, RLOCK_DEPTH_MAX_COUNT,
    SPIN_AGAIN_ITERATIONS, SPIN_LIMIT_ITERATIONS, WATCH_COUNT,
};
pub(super) use crate::sys::clock::now_nanos;
pub(super) use crate::sys::futex::{
    slice, wait, wait_lower, wake_all, wake_many, wake_one, wake_one_lower,
};
pub(super) use crate::thread::number as thread_number;

/// Lets so many turns of a spin pass.
#[inline]
pub(super) fn spin(turns: u32) {
    (0..turns).for_each(|_| core::hint::spin_loop());
}

/// What stands between two accesses that are both `SeqCst`: nothing, for all of those have one
/// order. The models put a fence there, since loom takes such accesses for weaker ones.
#[inline]
pub(super) const fn between_accesses() {}

/// A full fence, by who is about to sleep and looks once more. The models put theirs there, which
/// is no step.
#[inline]
pub(super) fn fence_after_prepare() {
    fence(Ordering::SeqCst); // SeqCst: for the picture of `EventCount`
}
