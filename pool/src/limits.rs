//! Numbers that were chosen, and why.

use core::time::Duration;

/// A pool has so many workers at most.
pub const WORKER_MAX: usize = 4096;

/// What a task is given, and what it returns, takes so many bytes at most, unless the pool was told
/// otherwise. Only what is used is memory.
pub const BODY_MAX_BYTES: usize = 256 << 20;

/// The most that a pool can be told: two such make a worker's segment, and the words before them.
pub const BODY_LIMIT_BYTES: usize = 1 << 30;

/// So much memory of each of a worker's bodies is kept for the next ones; what a larger one took is
/// given back.
pub(crate) const BODY_KEPT_BYTES: u64 = 4 << 20;

/// Pages are taken for so many bytes at a time.
pub(crate) const BODY_STEP_BYTES: u64 = 64 << 10;

/// A worker that ends before it has lived so long, and with nothing done, has ended at once.
pub(crate) const EARLY: Duration = Duration::from_secs(1);

/// So many workers may end at each desk before they took tasks, or fail to start, one after the
/// other, before no more are started.
pub(crate) const UNREADY_MAX: u32 = 4;

/// How long after a worker that ended at once the next one is started: twice as long each time, up
/// to the limit.
pub(crate) const BACK_OFF: Duration = Duration::from_millis(2);
pub(crate) const BACK_OFF_MAX: Duration = Duration::from_millis(500);

/// Of what an initializer fails with so many characters are told, at up to four bytes each: what a
/// socket that nobody reads takes at once, by far.
pub(crate) const FIRST_WORDS_MAX_COUNT: usize = 4096;

/// A worker that is asked to end by a terminate has so long until it is killed.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// A task that nobody has begun is given to another worker after so long: the first one has been
/// stopped, or gets no processor.
pub(crate) const UNBEGUN: Duration = Duration::from_millis(200);

/// How long the owner's threads sleep at most before they look again.
pub(crate) const SLICE: Duration = Duration::from_millis(250);

/// A map without a chunk size is cut into so many chunks a worker.
pub(crate) const CHUNKS_PER_WORKER: usize = 4;

/// Of so many arguments at most, and of so many bytes: more gain nothing, but cost the caches, and
/// have the workers end at different times.
pub(crate) const CHUNK_MAX_COUNT: usize = 2048;
pub(crate) const CHUNK_MAX_BYTES: usize = 1 << 20;

/// An iterator reads so many chunks a worker ahead of what was taken.
pub(crate) const AHEAD_PER_WORKER: usize = 2;

/// How long the keeper sleeps when a worker has ended and a tracer holds its end back.
pub(crate) const TRACED_PAUSE: Duration = Duration::from_millis(10);

/// How many tasks a worker may have been handed, at the most.
pub(crate) const SLOT_COUNT: usize = 32;

/// So many mailboxes share a segment, if their inputs and outputs fit: a segment costs its maker a
/// quarter of a fork, and each fork of its maker a little.
pub(crate) const RACK_COUNT: usize = 4;

/// A worker has so many tasks in its mailbox at most, the one that it runs included; unless they
/// take less than `SHORT` each.
pub(crate) const AHEAD: usize = 2;
pub(crate) const SHORT: Duration = Duration::from_micros(200);

/// Who waits looks so often before it sleeps, so many turns apart: some 10 us, what it takes to
/// wake somebody on another processor.
pub(crate) const LOOK_COUNT: u32 = 32;
pub(crate) const SPIN_ITERATIONS: u32 = 16;

/// Where so many tasks were done at once the owner does not have itself woken for the next ones: it
/// looks again after a nap.
pub(crate) const BRISK_COUNT: usize = 4;
pub(crate) const NAP: Duration = Duration::from_micros(20);
