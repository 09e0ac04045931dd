//! `futex(2)`: sleep and wake on a word that several processes map. Never the private kind, which
//! does not meet a sleeper in another process; never without a limit.

use core::sync::atomic::AtomicU32;
use core::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex;

use crate::error::Error;
use crate::limits::SLICE_NANOS;

/// Sleeps while the word is `seen`, until a wake, a signal, `left` or a slice is over. The caller
/// looks again in each case, so they are not told apart.
///
/// # Errors
/// * [`Error::System`] when the kernel refuses, which it has no reason to.
pub(crate) fn wait(word: &AtomicU32, seen: u32, left: Option<Duration>) -> Result<(), Error> {
    let nanos = left.map_or(SLICE_NANOS, |left| {
        u64::try_from(left.as_nanos()).map_or(SLICE_NANOS, |left| left.min(SLICE_NANOS))
    });
    // A slice is less than a second.
    let slice = futex::Timespec { tv_sec: 0, tv_nsec: nanos.cast_signed() };
    match futex::wait(word, futex::Flags::empty(), seen, Some(&slice)) {
        Ok(()) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => Ok(()),
        Err(other) => Err(Error::System { errno: other.raw_os_error() }),
    }
}

/// Wakes one sleeper, if there is any. A wake-up is a hint: whoever sleeps looks by itself within a
/// slice, so that a failure, which the kernel has no reason for, delays and does no more.
pub(crate) fn wake_one(word: &AtomicU32) {
    let _ = futex::wake(word, futex::Flags::empty(), 1);
}
