//! Every number of this crate, with its unit and its reason.

use core::time::Duration;

/// What two fields that are written by different processes keep between them: two cache lines on
/// x86-64 (its prefetcher takes them in pairs) and one on the larger aarch64 parts.
pub const LINE_BYTES: u64 = 128;

/// Processes that can be attached to one segment at a time: ten bits of a token.
pub const SLOT_COUNT: u32 = 1 << SLOT_BITS;
pub(crate) const SLOT_BITS: u32 = 10;

/// The last generation that is issued. The field has 20 bits; 0 and the highest value are never
/// given out, so that a word can hold something that is surely no token.
pub(crate) const GENERATION_MAX: u32 = (1 << GENERATION_BITS) - 2;
pub(crate) const GENERATION_BITS: u32 = 20;
const _: () = assert!(GENERATION_BITS + SLOT_BITS == 30); // two bits of a word are left for flags

/// Where the byte locks begin that tell who is alive: beyond every byte that holds data.
pub(crate) const LOCK_BYTES_START: u64 = 1 << 40;

/// The largest segment.
pub const SEGMENT_MAX_BYTES: u64 = LOCK_BYTES_START;

/// The pages of a segment are reserved in pieces of this size: a millisecond or two each, so that a
/// timer's signal interrupts one and not all.
pub(crate) const RESERVE_STEP_BYTES: u64 = 4 << 20;

/// Requests below this are not held against the machine's free memory: looking that up costs more
/// than reserving them, and no OOM killer comes for so little.
pub(crate) const MEMORY_LOOKUP_BYTES: u64 = 1 << 20;

/// A large request leaves the machine one part in so many of what it has free: reserving the rest
/// to the last page would bring the OOM killer on others.
pub(crate) const MEMORY_KEPT_FRACTION: u64 = 16;

/// Objects in one of the segments that `new()` draws on: a thousand locks take 32 descriptors.
pub(crate) const CHUNK_OBJECT_COUNT: u64 = 64;

/// The largest of those segments, for objects with long rows: their pages are reserved at once, and
/// most of them would be for nobody.
pub(crate) const CHUNK_MAX_BYTES: u64 = 1 << 18;

/// Standard input, output and error: a segment's descriptor never has the number of one of them,
/// also in a process that was started without.
pub(crate) const STANDARD_FD_COUNT: i32 = 3;

/// Private descriptors get numbers from here on, if the process may have so many: out of the way
/// of code that expects to be given small ones, or closes a range of them.
pub(crate) const PRIVATE_FD_MIN: i32 = 500;

/// The longest name of a segment: with the prefix and some room, what a file name may have.
pub const NAME_MAX_BYTES: usize = 200;

/// What may be carried to another process at once: what two messages of `SCM_RIGHTS` hold
/// (253 descriptors each, `unix(7)`), and more objects than anybody means to.
pub(crate) const LUGGAGE_DESCRIPTOR_MAX: usize = 500;
pub(crate) const LUGGAGE_ITEM_MAX: usize = 1 << 16;

/// Who may use a named segment unless told otherwise: its owner, and nobody else.
pub(crate) const MODE_DEFAULT: u32 = 0o600;
/// What the owner must be able to do, also to attach once more.
pub(crate) const MODE_OWNER: u32 = 0o600;

/// How long a call waits for another process that is amid taking a name away: that takes some
/// microseconds, so that a second is a process that was stopped.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
/// The distance between two tries.
pub(crate) const NAP_NANOS: i64 = 200_000;
