//! What a process may leave behind: children and descriptors.

use rustix::process::{WaitId, WaitIdOptions, waitid};

/// Whether the calling process has any child at all, running or ended and uncollected.
pub(crate) fn has_children() -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::All, look).is_ok()
}

/// How many descriptors the calling process has open, the one that counts them left out.
pub(crate) fn descriptor_count() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("/proc is mounted").count() - 1
}
