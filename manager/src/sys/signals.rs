//! The signals that a server takes notice of: `signalfd(2)`.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use core::mem::MaybeUninit;
use core::ptr;
use std::os::fd::{FromRawFd, OwnedFd};

use crate::error::Error;

/// Keeps SIGINT and SIGTERM from ending the calling thread, and those that it starts. The
/// descriptor is readable once SIGTERM has come; SIGINT, which a terminal sends to all of a group,
/// is for others.
///
/// # Errors
/// * [`Error::OutOfResources`] without descriptors.
pub(crate) fn take() -> Result<OwnedFd, Error> {
    let mut both = MaybeUninit::uninit();
    let mut term = MaybeUninit::uninit();
    // SAFETY: Each set is emptied, and so written, before it is added to or read; the numbers are
    // signals; no old mask is asked for, and no old descriptor given.
    let fd = unsafe {
        libc::sigemptyset(both.as_mut_ptr());
        libc::sigaddset(both.as_mut_ptr(), libc::SIGINT);
        libc::sigaddset(both.as_mut_ptr(), libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, both.as_ptr(), ptr::null_mut());
        libc::sigemptyset(term.as_mut_ptr());
        libc::sigaddset(term.as_mut_ptr(), libc::SIGTERM);
        libc::signalfd(-1, term.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    if fd < 0 {
        return Err(Error::of_io(&std::io::Error::last_os_error()));
    }
    // SAFETY: The call has just made it, and nobody else has its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
