//! What a thread hands on to the threads and the processes that it starts.
#![expect(unsafe_code, reason = "rustix has no masks")]

use core::mem::MaybeUninit;
use core::ptr;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The signals that a thread blocks, and the processors that it may use: for another thread that
/// is to do what this one would have done.
///
/// Its priority and its scheduling class are not noted: to take them on may need a right.
pub struct Manner {
    blocked: libc::sigset_t,
    processors: Option<CpuSet>,
}

impl Manner {
    /// The calling thread's.
    #[must_use]
    pub fn current() -> Self {
        let mut blocked = MaybeUninit::uninit();
        // SAFETY: A null pointer changes nothing, and the call fills the set, since its arguments
        // are right.
        let blocked = unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), blocked.as_mut_ptr());
            blocked.assume_init()
        };
        // Refused where there are more processors than a set has.
        Self { blocked, processors: sched_getaffinity(None).ok() }
    }

    /// Has the calling thread go on so.
    pub fn take_on(&self) {
        if let Some(processors) = &self.processors {
            // Refused when none of them is there any more; then it uses what it may.
            let _ = sched_setaffinity(None, processors);
        }
        // SAFETY: The set is one that the kernel gave; null asks for nothing.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.blocked, ptr::null_mut())
        };
    }
}
