//! Every number of this crate, with its unit and its reason.

/// Bodies above this are copied outside of the locks: up to it a copy takes a few microseconds, in
/// which others would rather wait than be told apart.
pub const LARGE_BYTES: usize = 1 << 14;

/// What a receive that waits has ready for the message, unless all are shorter: one that is longer
/// has it come back for more room.
pub(crate) const RECV_BYTES: usize = 1 << 12;

/// What an unbounded queue takes and gives back at a time, in bytes: some thousand small messages,
/// beside which the system calls are cheap.
pub(crate) const PAGES_CHUNK_BYTES: u64 = 1 << 18;

/// A ring whose pages are taken begins at a multiple of this: the largest pages that are common.
pub(crate) const PAGES_ALIGN_BYTES: u64 = 1 << 16;
const _: () = assert!(PAGES_CHUNK_BYTES.is_multiple_of(PAGES_ALIGN_BYTES));

/// How much may be inside a simple queue, in bytes: of address space, and of memory where there is
/// as much.
pub(crate) const SIMPLE_LIMIT_BYTES: usize = 1 << 30;

/// The most messages of a queue: what its words can count.
pub const QUEUE_COUNT_MAX: u32 = crate::words::queue::COUNT_MAX;

/// The largest ring, in bytes: with what stands before it, an object of at most 4 GiB.
pub const QUEUE_RING_MAX_BYTES: u64 = 1 << 31;
