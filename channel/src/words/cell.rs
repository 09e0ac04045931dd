//! What the words stand on when they are shipped. `purlin-models` may have another body for each
//! name.

pub(super) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

pub(super) use purlin_shm::Attachment;
pub(super) use purlin_sync::Deadline;
pub(super) use purlin_sync::parts::{EventCount, InnerWord, Wait, enter, leave};

pub(super) use crate::error::Error;
pub(super) use crate::limits::{LARGE_BYTES, PAGES_CHUNK_BYTES, RECV_BYTES};
