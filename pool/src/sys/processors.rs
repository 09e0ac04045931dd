//! Whether others can run while this thread does.

use rustix::thread::sched_getaffinity;

/// Whether the calling thread may use several processors. Where that cannot be told, it may.
pub(crate) fn are_several() -> bool {
    sched_getaffinity(None).map_or(true, |processors| processors.count() > 1)
}
