//! What libc's `fork` runs before and after it, and the one plain `close(2)` that a child may make
//! there.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use std::os::fd::RawFd;

use crate::error::Error;

/// Installs the three handlers that libc's `fork` runs: `before` and `after` in the parent,
/// `in_child` in the child, all in the thread that forks.
///
/// # Errors
/// * [`Error::OutOfResources`] when libc has no memory for them.
pub(crate) fn install(
    before: extern "C" fn(),
    after: extern "C" fn(),
    in_child: extern "C" fn(),
) -> Result<(), Error> {
    // SAFETY: The three are functions of this program, which stay where they are as long as it
    // runs. In the child they call nothing but fstat(2) and close(2), as `AcrossFork::in_child`
    // asks of the crates above, and the release of a lock that the forking thread itself holds.
    let answer = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(in_child)) };
    if answer == 0 { Ok(()) } else { Err(Error::OutOfResources) }
}

/// Closes a descriptor by its number. An error is of no use to anybody: the number is gone.
pub(crate) fn close(fd: RawFd) {
    // SAFETY: The caller owns the number: it is a private descriptor that this crate opened, and
    // that is not used after.
    unsafe { libc::close(fd) };
}
