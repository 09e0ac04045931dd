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

/// The most messages of a queue: what its words can count.
pub const QUEUE_COUNT_MAX: u32 = crate::words::position::COUNT_MAX;

/// The largest ring, in bytes: with what stands before it, an object of at most 4 GiB.
pub const QUEUE_RING_MAX_BYTES: u64 = 1 << 31;
