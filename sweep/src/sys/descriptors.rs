//! What foreign code does that closes descriptors it did not open.
#![expect(unsafe_code, reason = "descriptors that belong to others are closed, which is the point")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Closes every descriptor from `first` on, as a program does that becomes a daemon, and has the
/// number `first` lead to another file then.
pub(crate) fn close_and_take(first: i32) -> io::Result<()> {
    // SAFETY: What has a high number in a role is the library's private descriptors, which are not
    // used by us; that they are gone is what its scenario is about.
    if unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let null = File::open("/dev/null")?;
    // SAFETY: The number was just closed, and is nobody's.
    if unsafe { libc::dup2(null.as_raw_fd(), first) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
