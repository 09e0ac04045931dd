//! Where the calling thread may run.

use rustix::thread::sched_getaffinity;

/// Whether it has more than one processor to run on. Where nobody says it has one.
pub(crate) fn are_several() -> bool {
    sched_getaffinity(None).is_ok_and(|processors| processors.count() > 1)
}
