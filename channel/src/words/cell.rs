//! What the words stand on when they are shipped. `purlin-models` may have another body for each
//! name.

pub(super) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, compiler_fence, fence};

pub(super) use purlin_shm::{Attachment, is_issued};
pub(super) use purlin_sync::Deadline;
pub(super) use purlin_sync::parts::{EventCount, InnerWord, Wait, enter, leave};

pub(super) use crate::error::Error;
pub(super) use crate::limits::{LARGE_BYTES, PAGES_CHUNK_BYTES, RECV_BYTES};
pub(super) use crate::sys::{barrier, prefetch};

/// How many turns each of so many spins takes: twice as many as the one before, up to `most`.
pub(super) fn spin_turns(count: u32, most: u32) -> impl Iterator<Item = u32> {
    (0..count).map(move |nth| 1_u32.checked_shl(nth).map_or(most, |turns| turns.min(most)))
}
