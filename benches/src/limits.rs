//! Every number of this crate, with its unit and its reason.

/// Rounds of a table: odd, so that the median is a measured one, and enough that a neighbour who
/// disturbs a few of them does not move it.
pub const ROUND_COUNT: u32 = 15;
const _: () = assert!(ROUND_COUNT % 2 == 1);

/// One turn of one contender: long beside a scheduler's tick of 1 to 4 ms, short enough that a
/// whole round sees the same machine.
pub const TURN_NANOS: u64 = 20_000_000;

/// One turn with rivals: they take some milliseconds to settle into their rhythm.
pub(crate) const CONTENDED_TURN_NANOS: u64 = 60_000_000;
const _: () = assert!(CONTENDED_TURN_NANOS >= TURN_NANOS);

/// One turn of a glance: whether it runs at all, in a time that nobody notices.
pub(crate) const GLANCE_NANOS: u64 = 1_000_000;

/// Operations of the first try at calibration; it doubles from there.
pub(crate) const FIRST_ITERATIONS: u64 = 64;

/// Operations of a turn at most, for one that costs nothing at all.
pub(crate) const MAX_ITERATIONS: u64 = 1 << 32;
const _: () = assert!(FIRST_ITERATIONS < MAX_ITERATIONS);

/// Pairs between two looks at the clock in a turn with rivals: a look costs about as much as one
/// pair, so that this hides it.
pub(crate) const PAIRS_BETWEEN_LOOKS: u64 = 64;

/// Rivals for one pair: the fewest that there can be, so that two processors are enough.
pub const RIVAL_COUNT: u32 = 2;

/// Many rivals for one pair: most of them sleep, or wait for a processor, where there are fewer.
pub const RIVALS_MAX_COUNT: u32 = 8;
const _: () = assert!(RIVAL_COUNT <= RIVALS_MAX_COUNT);

/// Kills of each scenario: enough that the 99th percentile is not the maximum.
pub const KILL_COUNT: u32 = 200;
const _: () = assert!(KILL_COUNT >= 200);

/// Kills of each scenario in a glance.
pub(crate) const GLANCE_KILL_COUNT: u32 = 2;

/// The longest wait for anything that this crate started, before it is called hung and killed: far
/// beyond every turn and every slice.
pub const WAIT_LIMIT_NANOS: u64 = 30_000_000_000;
const _: () = assert!(WAIT_LIMIT_NANOS > 100 * CONTENDED_TURN_NANOS);
