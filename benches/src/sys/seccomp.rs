//! `seccomp(2)` in its strict mode: from here on a system call is death.

use std::io;

use rustix::thread::{SecureComputingMode, set_secure_computing_mode};

/// Makes every later system call of this thread end its process by SIGKILL, but for read(2),
/// write(2) and the `exit` of [`leave_thread`](super::leave_thread).
///
/// # Errors
/// What prctl(2) answers: kind `InvalidInput` where the kernel has no seccomp, or is told to
/// forbid it.
pub fn forbid_system_calls() -> io::Result<()> {
    Ok(set_secure_computing_mode(SecureComputingMode::Strict)?)
}
