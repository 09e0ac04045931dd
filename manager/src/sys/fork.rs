//! What libc's `fork` runs before and after it.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use crate::error::Error;

/// Installs three handlers: `before` and `after` in the parent, `in_child` in the child, all in the
/// thread that forks.
///
/// # Errors
/// * [`Error::OutOfResources`] when libc has no memory for them.
pub(crate) fn install(
    before: extern "C" fn(),
    after: extern "C" fn(),
    in_child: extern "C" fn(),
) -> Result<(), Error> {
    // SAFETY: The three are functions of this program, which stay where they are as long as it
    // runs. In the child they call nothing but close(2), and give back a lock that the forking
    // thread itself holds.
    let answer = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(in_child)) };
    if answer == 0 { Ok(()) } else { Err(Error::OutOfResources) }
}
