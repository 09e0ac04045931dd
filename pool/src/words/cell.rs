//! What the words of a mailbox stand on. Their models bring one of their own.

pub(super) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

pub(super) use purlin_sync::Deadline;
pub(super) use purlin_sync::parts::{EventCount, Wait};

pub(super) use crate::error::Error;
pub(super) use crate::limits::SLOT_COUNT;
pub(super) use crate::looks::spin;
