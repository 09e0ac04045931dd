//! What an adapter leaves behind: its orphans, which this process adopts, kills and collects.
//!
//! A process that left the adapter's group, by `setsid(2)` say, is not reached by a signal to that
//! group. But when its parent has ended it becomes a child of the nearest ancestor that is a
//! *subreaper*, see `prctl(2)`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitid,
};

use super::is_readable;
use crate::evidence;
use crate::limits::{LOOK_APART, grace, patience};

/// From now on every orphan among the descendants of this process becomes its child, and each
/// session ends with the end of all children.
///
/// For a program that starts nothing but adapters, and has one session at a time: whatever else
/// it started would be taken for an orphan, and killed. Nothing changes in a process that has
/// children already, left to it by whoever executed this program, nor in the first process of a
/// container: there orphans may be a stranger's, and an adapter's cannot be told from them.
pub fn adopt_orphans() {
    let may_be_a_strangers = has_children() || getpid() == Pid::INIT;
    if !may_be_a_strangers && set_child_subreaper(Some(getpid())).is_ok() {
        // Relaxed: it guards no data, and is set before the first session.
        ADOPTS.store(true, Ordering::Relaxed);
    }
}

static ADOPTS: AtomicBool = AtomicBool::new(false);

/// Collects a process that has ended, if it is an orphan that this process has adopted; whoever
/// else is its parent collects it otherwise.
pub(crate) fn collect_one(pid: i32) {
    // Relaxed: see above.
    if ADOPTS.load(Ordering::Relaxed)
        && let Some(pid) = Pid::from_raw(pid)
    {
        let _ = waitid(WaitId::Pid(pid), ENDED);
    }
}

/// Waits, for the time of grace, for the end of those that have left the group of this adapter,
/// which has ended, and gives those that live on. None where this process adopts nobody.
pub(super) fn let_end(adapter: Pid) -> Vec<Pid> {
    let deadline = Instant::now() + grace();
    loop {
        let left = adopted(adapter);
        match left.first() {
            Some(first) if Instant::now() < deadline => {
                if let Ok(pidfd) = pidfd_open(*first, PidfdFlags::empty()) {
                    is_readable(&pidfd, LOOK_APART);
                }
            }
            _ => return left,
        }
    }
}

/// The living children of this process but for its adapter, as far as they are younger: numbers
/// that have begun anew hide one, which is killed all the same.
fn adopted(adapter: Pid) -> Vec<Pid> {
    // Relaxed: see above.
    if !ADOPTS.load(Ordering::Relaxed) {
        return Vec::new();
    }
    let own = getpid().as_raw_pid();
    let children = evidence::children_above(own, adapter.as_raw_pid()).into_iter();
    children.filter(|pid| !evidence::has_ended(*pid)).filter_map(Pid::from_raw).collect()
}

/// Kills and collects what is left of an adapter that has ended, whose id is that of its `group`.
pub(super) fn collect(group: Pid) {
    let deadline = Instant::now() + patience();
    // Killed with the group, but not gone yet; or adopted already when it was killed.
    collect_group(group, deadline);
    // Relaxed: see above. Whose parent is killed here is adopted next, hence the loop.
    while ADOPTS.load(Ordering::Relaxed) && has_children() && Instant::now() < deadline {
        let children = evidence::children(getpid().as_raw_pid());
        if children.is_empty() {
            return; // There are some, but no `/proc` that would name them.
        }
        for child in children.into_iter().filter_map(Pid::from_raw) {
            end(child, deadline);
        }
    }
}

/// Ends all that this process has started, and all that they have: whose parent is killed is
/// adopted and killed next. Other threads may collect some of it meanwhile. Nothing where this
/// process adopts nobody: what it has not adopted may be a stranger's.
pub(crate) fn end_all() {
    let deadline = Instant::now() + patience();
    let own = getpid().as_raw_pid();
    // Relaxed: see above.
    while ADOPTS.load(Ordering::Relaxed) && has_children() && Instant::now() < deadline {
        for child in evidence::children(own) {
            let Some(pid) = Pid::from_raw(child) else { continue };
            let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
            // Collected by another thread, its number may have begun anew before it was opened.
            if evidence::children(own).contains(&child) {
                let _ = pidfd_send_signal(&pidfd, Signal::KILL);
                is_readable(&pidfd, LOOK_APART);
                let _ = waitid(WaitId::Pid(pid), ENDED);
            }
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

const ENDED: WaitIdOptions = WaitIdOptions::EXITED.union(WaitIdOptions::NOHANG);
