//! Every number of this crate, with its unit and its reason.

use core::time::Duration;

/// Bodies above this are copied outside of the locks: up to it a copy takes a few microseconds, in
/// which others would rather wait than be told apart.
pub const LARGE_BYTES: usize = 1 << 14;

/// How many bytes of several messages, headers included, are copied at most while a lock is held,
/// but for a first message that has more: as many as of one.
pub(crate) const RUN_BYTES: usize = LARGE_BYTES;

/// How long a spin for a message or for room lasts at least: about ten small messages.
pub(crate) const SPIN_FIRST_ITERATIONS: u32 = 32;

/// How long it lasts at most, in five moments: somewhat longer than it takes to wake one who
/// sleeps, about 13 us where a turn is 26 ns. Two of whom each falls asleep before the other is
/// awake would do so for every ring of messages.
pub(crate) const SPIN_LIMIT_ITERATIONS: u32 = 31 * SPIN_FIRST_ITERATIONS;

/// So many sleeps in a row, with a spin before each, show that spinning is in vain.
pub(crate) const SPIN_VAIN_COUNT: u32 = 4;

/// Of so many sleeps one has a spin before it nevertheless: what was in vain may not be any more.
pub(crate) const SPIN_TRY_COUNT: u32 = 1024;
const _: () = assert!(SPIN_VAIN_COUNT < SPIN_TRY_COUNT);

/// What a receive that waits has ready for the message, unless all are shorter: one that is longer
/// has it come back for more room.
pub(crate) const RECV_BYTES: usize = 1 << 12;

/// A large message of a pipe is held against the machine's free memory from this size on: to look
/// that up takes up to a millisecond, and no OOM killer comes for less.
pub(crate) const LOOKUP_BYTES: usize = 16 << 20;

/// What a message may leave unused of what was set aside for it, beside as much as it has: less
/// than a copy is worth.
pub(crate) const SPARE_BYTES: usize = 64;

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

/// A look at the other end of a queue that brings less than this was too early.
pub(crate) const PACE_FEW_COUNT: u32 = 8;

/// How many turns who looks too early waits before the next look: about what twenty messages take.
pub(crate) const PACE_ITERATIONS: u32 = 16;

/// After so many such in vain, one after the other, there are none...
pub(crate) const PACE_VAIN_COUNT: i32 = 4;

/// ...at so many looks.
pub(crate) const PACE_REST_COUNT: i32 = 1024;

/// How much may be inside a simple queue, in bytes: of address space, and of memory where there is
/// as much.
pub(crate) const SIMPLE_LIMIT_BYTES: usize = 1 << 30;

/// The most messages of a queue: what its words can count.
pub const QUEUE_COUNT_MAX: u32 = crate::words::position::COUNT_MAX;

/// The largest ring, in bytes: with what stands before it, an object of at most 4 GiB.
pub const QUEUE_RING_MAX_BYTES: u64 = 1 << 31;

/// Shared elements that take more have a segment of their own with their lock: smaller ones share
/// some with others.
pub(crate) const OWN_SEGMENT_BYTES: u64 = 1 << 15;

/// Standard input, output and error: an end of a pipe never has the number of one of them.
pub(crate) const STANDARD_FD_COUNT: i32 = 3;

/// The longest sleep in a call of a pipe, before it looks whether its end was closed meanwhile.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// The distance between two tries of a send while too many descriptors of this user are on their
/// way: nothing tells when fewer are.
pub(crate) const FLIGHT_PAUSE: Duration = Duration::from_millis(2);

/// The most that a message of a pipe has in the socket; the rest lies in a file. Up to it, to copy
/// it into the socket and out is quicker than to make a file.
pub(crate) const INLINE_MAX_BYTES: usize = 48 << 10;

/// How many such pieces the socket's room is for, at least: the bound on messages in flight.
pub(crate) const IN_FLIGHT_COUNT: usize = 4;

/// Frames of a pipe up to this length are put together on the stack.
pub(crate) const COPIED_FRAME_BYTES: usize = 4096;

/// And of these so little that the rest is not cleared for nothing.
pub(crate) const SHORT_FRAME_BYTES: usize = 256;

/// The longest message of a pipe.
pub const PIPE_MESSAGE_MAX_BYTES: u64 = 1 << 32;

/// The most descriptors that come with one message, `unix(7)`.
pub(crate) const DESCRIPTORS_MAX: usize = 253;

/// The longest sleep of who waits for descriptors and for words: no call of the system sleeps on
/// both.
pub(crate) const MIXED_SLICE: Duration = Duration::from_millis(5);
