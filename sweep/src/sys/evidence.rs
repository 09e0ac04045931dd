//! What the kernel tells of a process: whether it is there, asleep, and in which system call.

use std::fs;
use std::time::Duration;

use crate::limits::{GLANCE, PAUSE_MIN, PLACES_LIMIT};
use crate::sys::clock;
use crate::sys::process::pause;

/// Looks until `is_there` or for a good while. Says whether it came.
#[must_use]
pub fn comes_to_be(is_there: impl Fn() -> bool) -> bool {
    comes_within(PLACES_LIMIT, is_there)
}

/// Looks until `is_there` or `limit` is over. Says whether it came.
pub(crate) fn comes_within(limit: Duration, is_there: impl Fn() -> bool) -> bool {
    let (mut waited, mut last_look) = (Duration::ZERO, clock::now());
    loop {
        if is_there() {
            return true;
        }
        if waited >= limit {
            return false;
        }
        pause(GLANCE);
        let now = clock::now();
        // A pause of the machine counts for little, however long it was.
        waited += now.saturating_sub(last_look).min(PAUSE_MIN);
        last_look = now;
    }
}

/// Whether the process, which has one thread, runs no instruction of its own any more: it is gone,
/// waits for its parent to reap it, or is on its way there inside the kernel. On that way its files
/// are closed, and so its locks are free, a moment before its state says Z.
#[must_use]
pub fn is_gone(pid: i32) -> bool {
    let Some(fields) = fields(pid) else { return true };
    let mut words = fields.split_ascii_whitespace();
    let state = words.next();
    let flags: u64 = words.nth(5).and_then(|flags| flags.parse().ok()).unwrap_or(0);
    matches!(state, Some("Z" | "X")) || flags & PF_EXITING != 0
}

/// The flag of the kernel's that a process has from the start of its exit on: the ninth field of
/// `proc_pid_stat(5)`.
const PF_EXITING: u64 = 4;

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
    fields(pid)?.chars().next()
}

/// What `proc_pid_stat(5)` says, from the third field on.
fn fields(pid: i32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, parentheses too.
    Some(text.rsplit_once(") ")?.1.to_owned())
}

/// The number of the system call that the process sleeps in.
fn system_call(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}
