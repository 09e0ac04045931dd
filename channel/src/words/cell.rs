//! What the words stand on when they are shipped. `purlin-models` may have another body for each
//! name.

pub(super) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, compiler_fence, fence};

/// What keeps fields apart.
pub(super) type Padding = AtomicU32;

pub(super) use purlin_shm::{Attachment, is_issued};
pub(super) use purlin_sync::parts::{EventCount, InnerWord, Wait, enter, enter_now, leave};
pub(super) use purlin_sync::{Deadline, Error as LockError, INNER_PATIENCE_NANOS};

pub(super) use crate::error::Error;
pub(super) use crate::limits::{
    LARGE_BYTES, PACE_FEW_COUNT, PACE_ITERATIONS, PACE_REST_COUNT, PACE_VAIN_COUNT,
    PAGES_CHUNK_BYTES, RECV_BYTES, RUN_BYTES, SPIN_FIRST_ITERATIONS, SPIN_LIMIT_ITERATIONS,
    SPIN_TRY_COUNT, SPIN_VAIN_COUNT, SPSC_SPIN_COUNT, SPSC_SPIN_ITERATIONS,
};
pub(super) use crate::sys::{barrier, bulk, prefetch};

/// How many turns each of so many spins takes: twice as many as the one before, up to `most`.
pub(super) fn spin_turns(count: u32, most: u32) -> impl Iterator<Item = u32> {
    (0..count).map(move |nth| 1_u32.checked_shl(nth).map_or(most, |turns| turns.min(most)))
}

/// Lets so many turns of a spin pass.
#[inline]
pub(super) fn spin(turns: u32) {
    (0..turns).for_each(|_| core::hint::spin_loop());
}

/// A full fence, by who has just left an inner lock. On x86-64 leaving it was one: a locked
/// exchange, successful or not, orders all stores before it before all loads behind it (AMD64
/// Architecture Programmer's Manual, volume 2, 7.4.2), and the compiler is told to keep it so.
/// Elsewhere the exchange is a release, which a later load may overtake.
#[inline]
pub(super) fn fence_after_leave() {
    // SeqCst, both: for the picture of `EventCount`.
    if cfg!(target_arch = "x86_64") {
        compiler_fence(Ordering::SeqCst) // as above
    } else {
        fence(Ordering::SeqCst) // as above
    }
}
