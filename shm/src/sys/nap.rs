//! A short rest between two tries at what another process is about to give back.

use rustix::event::{Timespec, poll};

use crate::limits::NAP_NANOS;

/// Rests, for less when a signal comes. It orders nothing: whoever rested looks again.
pub(crate) fn nap() {
    let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: NAP_NANOS }));
}
