//! Every number of this crate, with its unit and its reason.

/// The longest sleep without a look at who is alive: the time by which a death can go unnoticed by
/// those who wait. Twenty looks a second cost a sleeper about 0.002 % of a processor.
pub const SLICE_NANOS: u64 = 50_000_000;

/// The first sleep of a call; each further one is twice as long, up to [`SLICE_NANOS`]. A caller
/// that arrives while the kernel still tears a killed holder down looks again soon. Not sooner than
/// this: a sleep that ends before the kernel's own tick (4 ms, mostly) has it set a timer of the
/// processor's and take it back, after which who is woken goes on three times as late.
pub const SLICE_FIRST_NANOS: u64 = 6_250_000;
const _: () = assert!(SLICE_FIRST_NANOS << SLICE_DOUBLINGS_COUNT >= SLICE_NANOS);

/// How often the slice doubles before it has its full length.
pub(crate) const SLICE_DOUBLINGS_COUNT: u32 = 3;

/// The greatest value of a semaphore whose units have no owners: one bit of its word is a flag.
pub const SEMAPHORE_VALUE_MAX: u32 = (1 << 31) - 1;

/// The most units of a semaphore whose units have owners: each has four bytes, and who finds none
/// free looks at all of them.
pub const TRACKED_UNITS_MAX: u32 = 4096;

/// Turns of a spin before the first sleep: about as long as a system call, so that a short hold is
/// waited out and a long one wastes no more than the sleep would cost. The looks at the word are
/// twice as far apart each time, six of them: each takes the word's cache line from whoever works
/// with it, and with a look at each turn two rivals got half as much done. (Nobody works with an
/// event's word, so its waiters look at each turn.)
pub const SPIN_LIMIT_ITERATIONS: u32 = 60;

/// Turns after each sleep: the word has just changed hands, or a slice is over.
pub const SPIN_AGAIN_ITERATIONS: u32 = 20;
const _: () = assert!(SPIN_AGAIN_ITERATIONS < SPIN_LIMIT_ITERATIONS);

/// The most levels of one hold on an RLock: more than a recursion has stack for, and few enough
/// that one without an end is told soon. The depth's field has 32 bits.
pub const RLOCK_DEPTH_MAX_COUNT: u32 = 65_535;
const _: () = assert!(RLOCK_DEPTH_MAX_COUNT < u32::MAX); // one more is not zero

/// How long a call waits for an inner lock whatever its own limit: its holder is amid a few bounded
/// steps, so that one that takes a second is stopped, and not slow.
pub const INNER_PATIENCE_NANOS: u64 = 1_000_000_000;
const _: () = assert!(INNER_PATIENCE_NANOS > SLICE_NANOS);

/// The most parties that a barrier can have: as many as processes can be attached to its segment.
pub const PARTIES_MAX: u32 = purlin_shm::SLOT_COUNT;

/// How many parties of a barrier one that sleeps there asks about at a time: a round of up to nine
/// is watched whole by each of them, and a thousand that sleep cost what they cost at a lock, eight
/// times.
pub const WATCH_COUNT: usize = 8;

/// For how long nobody can see a death, counted from the last instruction of who died: the kernel
/// takes a process's memory down before it closes the description by which deaths are seen. Of many
/// thousand deaths the quickest took 38 µs (benches/README.md, 2026-11-29); this is a quarter, for
/// machines that are faster.
pub const DEATH_UNSEEN_NANOS: u64 = 10_000;
const _: () = assert!(DEATH_UNSEEN_NANOS < SLICE_FIRST_NANOS);

/// Between two looks for a cell of a barrier that somebody has left, for those wake nobody.
pub(crate) const NAP_NANOS: u64 = 1_000_000;

/// How many can wait at once on a condition, unless it is made for others: more than the processors
/// of most machines, in little more than a kilobyte.
pub const CONDITION_WAITER_COUNT: u32 = 128;
/// The most that a condition can be made for: a notify looks at all cells that are in use, for each
/// that it notifies.
pub const CONDITION_WAITER_MAX: u32 = 4096;
const _: () = assert!(CONDITION_WAITER_COUNT <= CONDITION_WAITER_MAX);

/// Who may use a named object: its owner, and nobody else.
pub(crate) const NAMED_MODE: u32 = 0o600;
