//! What the kernel tells of a process: whether it is there, asleep, and in which system call.

use std::fs;

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
