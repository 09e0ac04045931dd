//! Every number of the suite that is not a 0 or a 1, with its unit and its reason.

use std::env;
use std::time::Duration;

/// The version of the protocol that the runner and `serve()` speak.
pub const PROTOCOL_VERSION: u32 = 1;

/// The longest line that the runner takes from an adapter; what is longer is no reply but rubbish.
pub const LINE_MAX_BYTES: usize = 64 * 1024;

/// The longest line that an actor writes: `PIPE_BUF` of Linux, up to which a write to a pipe is
/// never torn, not even by a kill (pipe(7)).
pub const ACTOR_LINE_MAX_BYTES: usize = 4096;

/// How much of what an adapter said is kept for the report.
pub const QUOTE_MAX_BYTES: usize = 400;

/// How much of an adapter's standard error is kept; the rest is read and thrown away, so that the
/// adapter never waits for the runner.
pub const STDERR_KEPT_BYTES: usize = 4096;

/// The distance between two looks at a thread that seems to sleep.
pub const LOOK_APART: Duration = Duration::from_micros(1500);

/// The distance between two looks at somebody who spins.
pub const SPIN_LOOK_APART: Duration = Duration::from_millis(10);

/// The silence that stands for a wait where the kernel's account does not show one.
pub const SILENCE: Duration = Duration::from_millis(50);

/// The processor time that a caller which never sleeps must have used during its silence, so that
/// one that was merely not scheduled is not taken for one that waits.
pub const SPIN_NANOS: u64 = 5_000_000;

/// The processor time that the caller itself must have used before it is said never to sleep: many
/// times what the largest argument of a case takes to be made and copied.
pub const SPIN_ALONE_NANOS: u64 = 300_000_000;

/// How long a subject must lie still, with nobody left to wake anybody, until a call that waits
/// is said to hang.
pub const STILL: Duration = Duration::from_millis(1000);

/// The distance between two looks at a subject that lies still: ten of them in `STILL`.
pub const STILL_LOOK_APART: Duration = Duration::from_millis(100);

/// Measured waits may be this much shorter than asked for: clocks of two reads, rounded.
pub const CLOCK_SLACK_NANOS: u64 = 1_000_000;

/// How many times patience a subject is waited for that visibly runs, or wants to.
pub const PATIENCE_TIMES_MAX: u32 = 12;

/// So many looks at least decide that patience is over: a runner that was not scheduled itself has
/// seen nothing.
pub const PATIENCE_LOOKS_MIN: u32 = 3;

/// How long what an adapter leaves behind may take to end by itself, times `PURLIN_PATIENCE`:
/// Python's resource tracker then removes names that nobody else would.
const GRACE: Duration = Duration::from_secs(2);

/// The shortest and the longest time before a kill at random: a system call, and a slow call that
/// sleeps. Times in between are drawn so that each power of two is as likely.
pub const RANDOM_MIN_NANOS: u64 = 4_000;
/// The longest.
pub const RANDOM_MAX_NANOS: u64 = 4_000_000;

/// Rounds that start actors are so many times fewer for a subject that starts them slowly.
pub const SLOW_PACE_DIVISOR: u64 = 10;

/// So many empty lines in a row are no way of saying nothing any more.
pub const EMPTY_LINES_MAX_COUNT: usize = 100_000;

/// With so many questions or more they are asked side by side: a few are over before the
/// processes that would ask them have begun.
pub(crate) const SIDE_BY_SIDE_COUNT: usize = 20;

/// How many are asked side by side, unless the command line says it: cases sleep most of the time,
/// and none has so many actors awake that two processors could not do them justice.
pub const JOBS_COUNT: usize = 8;

/// More would be more processes than a machine starts gladly.
pub const JOBS_MAX_COUNT: usize = 64;

/// More runs in one would keep all that came of each in memory for days.
pub const REPEAT_MAX_COUNT: u64 = 1000;

/// After so many cases of a group in a row in which the adapter died the rest of it is not asked.
pub const DEATHS_IN_A_ROW_COUNT: usize = 3;

/// What random times are drawn from unless a run says otherwise, so that runs repeat.
pub const SEED: u64 = 1;

/// How deep blocks, scopes and lists of a script are nested: more than anybody would read aloud,
/// and little enough for the stack.
pub const NESTING_MAX_COUNT: usize = 16;

/// More rounds than any case needs, also of a `repeat` in another, and few enough to come to an
/// end: a call of each round is bounded, their number would not be.
pub const ROUNDS_MAX_COUNT: u64 = 100_000;
/// The longest file of cases, or of what is known of a subject, that is read: many times the
/// longest that there is, and far from all memory.
pub const FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// After so many rounds the actors of a block must stand as after an earlier round. Each `one of`
/// of a round takes one of its actors away, so what is longer has more actors than this.
pub const ROUNDS_READ_MAX_COUNT: u64 = 64;

/// What the runner waits for a reply, times `PURLIN_PATIENCE` from the environment. It decides
/// only what nothing better could decide.
pub fn patience() -> Duration {
    PATIENCE.mul_f64(patience_factor().unwrap_or(1.0))
}

/// What the runner waits at most, also for a subject that goes on and on.
pub(crate) fn longest_patience() -> Duration {
    patience() * PATIENCE_TIMES_MAX
}

/// How long what is left of an adapter may take to end by itself.
pub(crate) fn grace() -> Duration {
    GRACE.mul_f64(patience_factor().unwrap_or(1.0))
}

/// The factor in the environment, 1 without one.
///
/// # Errors
/// * What is wrong with it; [`patience`] then uses 1, so the program asks here first.
pub fn patience_factor() -> Result<f64, String> {
    let Some(text) = env::var_os(PATIENCE_VARIABLE) else { return Ok(1.0) };
    let factor = text.to_str().and_then(|text| text.parse::<f64>().ok());
    let is_in_range = |factor: &f64| (PATIENCE_FACTOR_MIN..=PATIENCE_FACTOR_MAX).contains(factor);
    factor.filter(is_in_range).ok_or_else(|| {
        let (least, most) = (PATIENCE_FACTOR_MIN, PATIENCE_FACTOR_MAX);
        format!("{PATIENCE_VARIABLE} is {text:?}, not a number from {least} to {most}")
    })
}

/// The variable with the factor.
pub const PATIENCE_VARIABLE: &str = "PURLIN_PATIENCE";

const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_FACTOR_MIN: f64 = 0.05;
const PATIENCE_FACTOR_MAX: f64 = 1000.0;
