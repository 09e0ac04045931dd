//! The one clock.

use core::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since some point in the past, the same in every process of the machine.
pub(crate) fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    // Neither field of this clock is ever negative, and nanoseconds stay below a second.
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}
