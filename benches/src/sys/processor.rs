//! Which processor a thread runs on.

use std::fs;
use std::io;
use std::sync::OnceLock;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Ties the calling thread to one of the processors that it may use: the `nth` of them, counted
/// round. Threads with different numbers run at the same time then, where there are enough; left to
/// the scheduler they may share one for as long as they never sleep. It may use what it might
/// before the first such tie of its process, or of the one that it was forked from.
///
/// # Errors
/// What sched_getaffinity(2) or sched_setaffinity(2) answers.
pub fn tie_to_processor(nth: u32) -> io::Result<()> {
    let allowed = before()?;
    let count = allowed.count().max(1);
    let mine =
        (0..CpuSet::MAX_CPU).filter(|&index| allowed.is_set(index)).nth((nth % count) as usize);
    let mut tied = CpuSet::new();
    tied.set(mine.unwrap_or(0));
    Ok(sched_setaffinity(None, &tied)?)
}

/// The processors that it might use before the first tie.
fn before() -> io::Result<&'static CpuSet> {
    static BEFORE: OnceLock<CpuSet> = OnceLock::new();
    let now = sched_getaffinity(None)?;
    Ok(BEFORE.get_or_init(|| now))
}

/// Does `start` while the calling thread may use what it might before it was tied: what is started
/// there may as well.
///
/// # Errors
/// What sched_getaffinity(2) or sched_setaffinity(2) answers, and `start`.
pub fn untied<T>(start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let now = sched_getaffinity(None)?;
    sched_setaffinity(None, before()?)?;
    let started = start();
    sched_setaffinity(None, &now)?;
    started
}

/// Whether this process runs until it sleeps, whoever else wants to: under a real-time policy, as
/// `chrt -f` gives it. Where that cannot be told, it does not.
#[must_use]
pub fn is_real_time() -> bool {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    stat.rsplit(')').next().and_then(policy_in).is_some_and(|policy| policy != 0)
}

/// The policy in what stands behind the name in a `stat` file: its 41st field, of which two stand
/// before.
fn policy_in(fields: &str) -> Option<u32> {
    fields.split_whitespace().nth(41 - 3)?.parse().ok()
}
