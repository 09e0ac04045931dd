//! Where the calling thread may run.

use rustix::thread::sched_getaffinity;

/// Whether the calling thread may use more than one processor, so that others can run while it
/// spins. Where that cannot be told, it may not.
#[must_use]
pub fn has_several_processors() -> bool {
    sched_getaffinity(None).is_ok_and(|processors| processors.count() > 1)
}
