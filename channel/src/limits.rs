//! Every number of this crate, with its unit and its reason.

/// Bodies above this are copied outside of the locks: up to it a copy takes a few microseconds, in
/// which others would rather wait than be told apart.
pub const LARGE_BYTES: usize = 1 << 14;

/// What a receive that waits has ready for the message, unless all are shorter: one that is longer
/// has it come back for more room.
pub(crate) const RECV_BYTES: usize = 1 << 12;

/// The most messages of a queue: what its words can count.
pub const QUEUE_COUNT_MAX: u32 = crate::words::queue::COUNT_MAX;

/// The largest ring, in bytes: with what stands before it, an object of at most 4 GiB.
pub const QUEUE_RING_MAX_BYTES: u64 = 1 << 31;

/// Shared elements that take more have a segment of their own with their lock: smaller ones share
/// some with others.
pub(crate) const OWN_SEGMENT_BYTES: u64 = 1 << 15;
