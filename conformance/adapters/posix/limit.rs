//! A limit of time as the C library takes it: a moment, on a clock.

use purlin_conformance::serve::{Arguments, CallResult};
use rustix::time::{ClockId, clock_gettime};

/// The moment at which the argument `timeout` is over, the only argument there is; none without.
///
/// # Errors
/// * What to answer instead of the call. A `timespec` has no infinity, and holds 64 bits of
///   seconds; what it cannot express is unsupported. What is no number cannot even be meant.
pub(super) fn moment(
    args: &Arguments,
    clock: ClockId,
) -> Result<Option<libc::timespec>, CallResult> {
    if args.keys().any(|name| name != "timeout") {
        return Err(CallResult::Unsupported);
    }
    let Some(timeout) = args.get("timeout") else { return Ok(None) };
    if timeout == "nan" {
        return Err(CallResult::Prevented("a timespec is always a number".to_owned()));
    }
    let after = timeout.as_f64().and_then(|seconds| after(seconds, clock));
    after.map(Some).ok_or(CallResult::Unsupported)
}

/// A moment that is over on any clock: a limit for what never waits.
pub(super) const fn past() -> libc::timespec {
    libc::timespec { tv_sec: 0, tv_nsec: 0 }
}

fn after(seconds: f64, clock: ClockId) -> Option<libc::timespec> {
    if seconds.abs() >= SECONDS_END {
        return None;
    }
    let now = clock_gettime(clock);
    let whole = seconds.floor();
    let nanos = now.tv_nsec + ((seconds - whole) * 1e9) as i64;
    let tv_sec = now.tv_sec.checked_add(whole as i64)?.checked_add(nanos / NANOS)?;
    Some(libc::timespec { tv_sec, tv_nsec: nanos % NANOS })
}

/// 2^63, the first number of seconds that is too large.
const SECONDS_END: f64 = 9_223_372_036_854_775_808.0;

const NANOS: i64 = 1_000_000_000;
