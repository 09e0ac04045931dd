//! The group of a process.
#![expect(unsafe_code, reason = "rustix takes it that every group has a number here")]

use std::io;

/// The number of the group that a process is in; 0 for one whose leader is not to be seen in this
/// namespace of processes.
///
/// # Errors
/// * When there is no such process, or this one may not ask.
pub(crate) fn group_of(pid: libc::pid_t) -> io::Result<libc::pid_t> {
    // SAFETY: `getpgid` takes a number and asks for nothing.
    match unsafe { libc::getpgid(pid) } {
        -1 => Err(io::Error::last_os_error()),
        group => Ok(group),
    }
}
