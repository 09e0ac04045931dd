//! What the kernel tells of a process: whether it is there, asleep, and in which system call.

use std::fs;
use std::time::Duration;

use crate::limits::{GLANCE, PLACES_LIMIT};
use crate::sys::clock;
use crate::sys::process::pause;

/// Looks until `is_there` or for a good while. Says whether it came.
#[must_use]
pub fn comes_to_be(is_there: impl Fn() -> bool) -> bool {
    comes_within(PLACES_LIMIT, is_there)
}

/// Looks until `is_there` or `limit` is over. Says whether it came.
pub(crate) fn comes_within(limit: Duration, is_there: impl Fn() -> bool) -> bool {
    let began = clock::now();
    loop {
        if is_there() {
            return true;
        }
        if clock::now().saturating_sub(began) >= limit {
            return false;
        }
        pause(GLANCE);
    }
}

/// Whether the process is gone, or is only waited for by its parent.
#[must_use]
pub fn is_gone(pid: i32) -> bool {
    matches!(state(pid), None | Some('Z' | 'X'))
}

/// Whether the process sleeps in a futex.
#[must_use]
pub fn is_asleep_on_futex(pid: i32) -> bool {
    system_call(pid) == Some(libc::SYS_futex.unsigned_abs())
}

/// How often the process has gone to sleep by itself.
#[must_use]
pub fn sleep_count(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let count = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// Whether the process sleeps, be it where it will.
pub(crate) fn is_asleep(pid: i32) -> bool {
    matches!(state(pid), Some('S' | 'D'))
}

/// The letter of the process's state, as in `proc_pid_stat(5)`.
pub(crate) fn state(pid: i32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, parentheses too.
    text.rsplit_once(") ")?.1.chars().next()
}

/// The number of the system call that the process sleeps in.
fn system_call(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}
