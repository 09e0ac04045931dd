//! Every number of this crate, with its unit and its reason.

/// Bodies above this are copied outside of the locks: up to it a copy takes a few microseconds, in
/// which others would rather wait than be told apart.
pub const LARGE_BYTES: usize = 1 << 14;

/// How long a spin for a message or for room lasts at least: about ten small messages.
pub(crate) const SPIN_FIRST_ITERATIONS: u32 = 32;

/// How long it lasts at most, in six moments: somewhat longer than it takes to wake one who sleeps,
/// about 13 us where a turn is 26 ns. Two of whom each falls asleep before the other is awake would
/// do so for every ring of messages.
pub(crate) const SPIN_LIMIT_ITERATIONS: u32 = 31 * SPIN_FIRST_ITERATIONS;

/// So many sleeps in a row, with a spin before each, show that spinning is in vain.
pub(crate) const SPIN_VAIN_COUNT: u32 = 4;

/// Of so many sleeps one has a spin before it nevertheless: what was in vain may not be any more.
pub(crate) const SPIN_TRY_COUNT: u32 = 1024;
const _: () = assert!(SPIN_VAIN_COUNT < SPIN_TRY_COUNT);

/// What a receive that waits has ready for the message, unless all are shorter: one that is longer
/// has it come back for more room.
pub(crate) const RECV_BYTES: usize = 1 << 12;

/// What an unbounded queue takes and gives back at a time, in bytes: some thousand small messages,
/// beside which the system calls are cheap.
pub(crate) const PAGES_CHUNK_BYTES: u64 = 1 << 18;

/// A ring whose pages are taken begins at a multiple of this: the largest pages that are common.
pub(crate) const PAGES_ALIGN_BYTES: u64 = 1 << 16;
const _: () = assert!(PAGES_CHUNK_BYTES.is_multiple_of(PAGES_ALIGN_BYTES));

/// So many spins before one of a queue of one to one sleeps: some ten microseconds in all, about
/// what it takes to wake one who sleeps.
pub(crate) const SPSC_SPIN_COUNT: u32 = 66;

/// How many turns each of them has at most, some 200 ns: as long as some ten messages take, so that
/// neither the other is disturbed at each of its own, nor the ring runs dry.
pub(crate) const SPSC_SPIN_ITERATIONS: u32 = 8;

/// How much may be inside a simple queue, in bytes: of address space, and of memory where there is
/// as much.
pub(crate) const SIMPLE_LIMIT_BYTES: usize = 1 << 30;

/// The most messages of a queue: what its words can count.
pub const QUEUE_COUNT_MAX: u32 = crate::words::queue::COUNT_MAX;

/// The largest ring, in bytes: with what stands before it, an object of at most 4 GiB.
pub const QUEUE_RING_MAX_BYTES: u64 = 1 << 31;
