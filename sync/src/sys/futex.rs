//! `futex(2)`: sleep and wake on a word that several processes map. Never the private kind, which
//! does not meet a sleeper in another process; never without a limit.
#![expect(unsafe_code, reason = "half of a word is a futex of its own")]

use core::sync::atomic::{AtomicU32, AtomicU64};
use core::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex;

use crate::error::Error;
use crate::limits::{SLICE_DOUBLINGS_COUNT, SLICE_FIRST_NANOS, SLICE_NANOS};

// A slice fits the nanoseconds of a time.
const _: () = assert!(SLICE_NANOS < 1_000_000_000);

/// Not private: the flag for words that only threads of one process see is left out.
const SHARED: futex::Flags = futex::Flags::empty();

/// Sleeps while the word is `seen`, until a wake, a signal or `limit` is over, and never longer
/// than the longest slice. The caller looks again in each case, so they are not told apart.
///
/// # Errors
/// * [`Error::System`] when the kernel refuses, which it has no reason to.
pub(crate) fn wait(word: &AtomicU32, seen: u32, limit: Duration) -> Result<(), Error> {
    let nanos = limit.min(Duration::from_nanos(SLICE_NANOS)).subsec_nanos();
    let slice = futex::Timespec { tv_sec: 0, tv_nsec: nanos.into() };
    match futex::wait(word, SHARED, seen, Some(&slice)) {
        Ok(()) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => Ok(()),
        Err(other) => Err(Error::System { errno: other.raw_os_error() }),
    }
}

/// [`wait`] on several words: while each is as seen, until any is woken. False where the system
/// cannot, or not for so many: nobody has slept then.
///
/// # Errors
/// * [`Error::System`] when the kernel refuses, which it has no reason to.
pub(crate) fn wait_any(words: &[(&AtomicU32, u32)], limit: Duration) -> Result<bool, Error> {
    let waiters: Vec<futex::Wait> = words.iter().map(|(word, seen)| waiter(word, *seen)).collect();
    // An absolute time of the monotonic clock.
    let limit = limit.min(Duration::from_nanos(SLICE_NANOS)).as_nanos() as u64;
    let until = super::clock::now_nanos().saturating_add(limit);
    let until = futex::Timespec {
        tv_sec: (until / 1_000_000_000) as _,
        tv_nsec: (until % 1_000_000_000) as _,
    };
    let (flags, clock) = (futex::WaitvFlags::empty(), futex::ClockId::Monotonic);
    match futex::waitv(&waiters, flags, Some(&until), clock) {
        Ok(_) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => Ok(true),
        // Too old, forbidden by a filter, or more words than it takes.
        Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => Ok(false),
        Err(other) => Err(Error::System { errno: other.raw_os_error() }),
    }
}

fn waiter(word: &AtomicU32, seen: u32) -> futex::Wait {
    let mut waiter = futex::Wait::new();
    waiter.val = seen.into();
    waiter.uaddr = futex::WaitPtr::new(word.as_ptr().cast());
    waiter.flags = futex::WaitFlags::SIZE_U32; // shared between processes
    waiter
}

/// How long a call that has slept `sleeps` times may sleep before it looks again.
pub(crate) fn slice(sleeps: u32) -> Duration {
    let nanos = SLICE_FIRST_NANOS << sleeps.min(SLICE_DOUBLINGS_COUNT);
    Duration::from_nanos(nanos.min(SLICE_NANOS))
}

/// Wakes one sleeper, if there is any. A wake-up is a hint: whoever sleeps looks by itself within a
/// slice, so that a failure, which the kernel has no reason for, delays and does no more.
pub(crate) fn wake_one(word: &AtomicU32) {
    let _ = futex::wake(word, SHARED, 1);
}

/// [`wake_one`] of so many of those who sleep, or all if they are fewer.
pub(crate) fn wake_many(word: &AtomicU32, count: u32) {
    let _ = futex::wake(word, SHARED, count.min(i32::MAX.unsigned_abs()));
}

/// [`wake_one`] of all who sleep.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake_many(word, u32::MAX);
}

/// [`wait`] on the lower half of a word.
pub(crate) fn wait_lower(word: &AtomicU64, seen: u32, limit: Duration) -> Result<(), Error> {
    wait(lower_half(word), seen, limit)
}

/// [`wake_one`] on the lower half of a word.
pub(crate) fn wake_one_lower(word: &AtomicU64) {
    wake_one(lower_half(word));
}

// The lower half is where the futex is looked for.
const _: () = assert!(cfg!(target_endian = "little"));

/// The lower half of a word, as the kernel sees it. No access in this program goes by it.
fn lower_half(word: &AtomicU64) -> &AtomicU32 {
    let half = core::ptr::from_ref(word).cast::<AtomicU32>();
    // SAFETY: The lower half of a word that lives as long as the reference, aligned like it, and
    // an atomic integer of which any bits are valid. It is handed to the kernel only.
    unsafe { &*half }
}
