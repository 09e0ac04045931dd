//! Whether others can run while this thread does, and what comes of it for one that waits.

use rustix::thread::sched_getaffinity;

use crate::limits::{LOOK_COUNT, SPIN_ITERATIONS};

/// How often who waits looks before it sleeps: not at all where the calling thread may use one
/// processor only, for then nobody else runs meanwhile. Where that cannot be told, it looks.
pub(crate) fn look_count() -> u32 {
    let are_several = sched_getaffinity(None).map_or(true, |processors| processors.count() > 1);
    if are_several { LOOK_COUNT } else { 0 }
}

/// Lets a moment pass between two looks.
pub(crate) fn spin() {
    (0..SPIN_ITERATIONS).for_each(|_| core::hint::spin_loop());
}
