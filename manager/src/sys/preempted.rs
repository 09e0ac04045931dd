//! How often the calling thread lost its processor: `getrusage(2)`.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use core::mem::MaybeUninit;

/// How often another was given the processor though this thread did not sleep.
pub(crate) fn count() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: What is pointed to has the size of the record that the call writes.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: It consists of numbers, for which zeros are values, should the call have failed.
    let usage = unsafe { usage.assume_init() };
    u64::try_from(usage.ru_nivcsw).unwrap_or(0)
}
