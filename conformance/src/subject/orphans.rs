//! What an adapter leaves behind: its orphans, which this process adopts, kills and collects.
//!
//! A process that left the adapter's group, by `setsid(2)` say, is not reached by a signal to that
//! group. But when its parent has ended it becomes a child of the nearest ancestor that is a
//! *subreaper*, see `prctl(2)`. The children that the program had before it adopted any are not
//! its own doing, and are left alone.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Instant;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitid,
};

use super::is_readable;
use crate::evidence;
use crate::limits::patience;

/// From now on every orphan among the descendants of this process becomes its child, and each
/// session ends with the end of all children but those that are there now.
///
/// For a program that starts nothing but adapters, and has one session at a time: whatever else
/// it started would be taken for an orphan, and killed.
pub fn adopt_orphans() {
    let own = evidence::children(own_pid());
    if set_child_subreaper(Some(getpid())).is_ok() {
        let _ = STRANGERS.set(own.into_iter().collect());
    }
}

/// The children that are not adopted; not set while nobody is.
static STRANGERS: OnceLock<BTreeSet<i32>> = OnceLock::new();

/// Kills and collects what is left of an adapter that has ended, whose id is that of its `group`.
pub(super) fn collect(group: Pid) {
    let deadline = Instant::now() + patience();
    // Killed with the group, but not gone yet; or adopted already when it was killed.
    collect_group(group, deadline);
    let Some(strangers) = STRANGERS.get() else { return };
    // Whose parent is killed here is adopted next, so this goes on until there is nobody.
    while has_children() && Instant::now() < deadline {
        let mut children = evidence::children(own_pid());
        children.retain(|pid| !strangers.contains(pid));
        if children.is_empty() {
            return;
        }
        for pid in children.into_iter().filter_map(Pid::from_raw) {
            end(pid, deadline);
        }
    }
}

fn collect_group(group: Pid, deadline: Instant) {
    while let Ok(found) = waitid(WaitId::Pgid(Some(group)), ENDED) {
        if found.is_none() && Instant::now() >= deadline {
            break;
        }
        if found.is_none() {
            // There is nothing to sleep on for a whole group.
            std::thread::yield_now();
        }
    }
}

/// A child keeps its number until it is collected, and only this thread collects children.
fn end(child: Pid, deadline: Instant) {
    let Ok(pidfd) = pidfd_open(child, PidfdFlags::empty()) else { return };
    // An error means that it has ended already.
    let _ = pidfd_send_signal(&pidfd, Signal::KILL);
    is_readable(&pidfd, deadline.saturating_duration_since(Instant::now()));
    let _ = waitid(WaitId::Pid(child), ENDED);
}

/// Far cheaper than a look at all processes, which only a rare adapter makes necessary.
fn has_children() -> bool {
    waitid(WaitId::All, ENDED | WaitIdOptions::NOWAIT).is_ok()
}

fn own_pid() -> i32 {
    getpid().as_raw_nonzero().get()
}

const ENDED: WaitIdOptions = WaitIdOptions::EXITED.union(WaitIdOptions::NOHANG);
