//! Numbers that were chosen, and why.

use core::time::Duration;

/// A message takes so many bytes at most, a list in one piece included. Memory is taken as the
/// bytes come, never for a length that was only announced.
pub const MESSAGE_MAX_BYTES: usize = 1 << 30;

/// What is less would not hold an error with its message.
pub const MESSAGE_MIN_BYTES: usize = 1 << 10;

/// So many connections at once. A client has one, and one more for each call that it makes at the
/// same time.
pub const CONNECTION_MAX: usize = 8192;

/// So many of them may be strangers, who have not proved yet that they have the key; one more, and
/// the one that has been silent for longest is dropped.
pub const STRANGER_MAX: usize = 1024;

/// How long a stranger has to prove that it has the key.
pub const PROOF_LIMIT: Duration = Duration::from_secs(10);

/// How long a reference counts that was given back, when its holder may have given it to a process
/// that has not asked for it yet: a forked child, or who reads a message.
pub const LINGER: Duration = Duration::from_secs(60);

/// How long after a call's limit its caller waits for a server that should have answered, but was
/// stopped, or gets no processor.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// How long a manager waits for its server's end, before it kills it.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(5);

/// How long a server that has no descriptors left stops to listen.
pub(crate) const LISTEN_PAUSE: Duration = Duration::from_millis(100);

/// How long to wait before asking a server again whose queue of connections is full.
pub(crate) const CONNECT_PAUSE: Duration = Duration::from_millis(2);

/// Bytes that are read at once; what is larger is read in several pieces.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// A buffer that has grown beyond this is given back when it is empty.
pub(crate) const BUFFER_KEPT_BYTES: usize = 256 << 10;

/// Connections that wait to be accepted.
pub(crate) const BACKLOG_COUNT: i32 = 1024;

/// So many connections are accepted before others have their turn.
pub(crate) const ACCEPT_COUNT: usize = 16;

/// How long a server waits for others that begin in the same folder.
pub(crate) const FOLDER_LIMIT: Duration = Duration::from_secs(1);

/// How long a reference that is given back waits for a connection of its own, where all are busy.
pub(crate) const RELEASE_LIMIT: Duration = Duration::from_secs(1);

/// So many idle connections are kept by a client.
pub(crate) const IDLE_MAX: usize = 64;

/// So many calls of one connection may wait at once. Ours make one at a time.
pub(crate) const WAITING_MAX: usize = 1024;

/// So many elements a list may come to by repetition, with the objects that they refer to: a small
/// request makes them all.
pub(crate) const ELEMENT_MAX: u64 = 1 << 24;

/// How long who waits for the other side looks before it sleeps: longer than it takes to wake one
/// who sleeps, so that of two neither sleeps while the other is about to come.
pub(crate) const SPIN_LIMIT: Duration = Duration::from_micros(50);

/// Turns between two of these looks, some 300 ns: each takes the socket's locks.
pub(crate) const SPIN_PAUSE_TURNS: u32 = 8;

/// So many sleeps in a row, with a spin before each, show that spinning is in vain.
pub(crate) const SPIN_VAIN_COUNT: u32 = 4;

/// Of so many sleeps one has a spin before it nevertheless: what was in vain may not be any more.
pub(crate) const SPIN_TRY_COUNT: u32 = 1024;

/// After so many spins that paid, who spins asks how often it lost its processor meanwhile.
pub(crate) const SPIN_PAID_COUNT: u32 = 32;

/// So often is too often: mostly, what was waited for came from the same processor.
pub(crate) const SPIN_LOST_COUNT: u64 = 16;

/// Of so many looks of a server's spin one is at all its connections, the others are at the one
/// that asked last.
pub(crate) const LOOK_AROUND_COUNT: u32 = 4;

/// What is ready at once; the rest comes with the next look.
pub(crate) const READY_COUNT: usize = 256;

const _: () = assert!(STRANGER_MAX < CONNECTION_MAX && READ_BYTES < BUFFER_KEPT_BYTES);
const _: () = assert!(SPIN_LOST_COUNT < SPIN_PAID_COUNT as u64);
const _: () = assert!(SPIN_VAIN_COUNT.is_power_of_two() && SPIN_VAIN_COUNT < SPIN_TRY_COUNT);
const _: () = assert!(MESSAGE_MAX_BYTES < u32::MAX as usize); // the length's field
