//! The byte locks that say who is alive: open-file-description locks, `fcntl(2)` `F_OFD_*`.
//!
//! Such a lock belongs to the open file description. The kernel drops it when the last descriptor
//! of that description is closed, hence when its process has ended, and not a moment before the
//! process's last instruction.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use std::os::fd::RawFd;

use rustix::io::Errno;

use crate::error::Error;
use crate::limits::LOCK_BYTES_START;

/// Takes the byte of `slot` for the description behind `fd`. False when another one has it.
pub(crate) fn take(fd: RawFd, slot: u32) -> Result<bool, Error> {
    let mut request = write_lock(slot);
    match control(fd, libc::F_OFD_SETLK, &mut request) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// Whether any description but the one behind `fd` has the byte of `slot`.
pub(crate) fn is_taken(fd: RawFd, slot: u32) -> Result<bool, Error> {
    let mut request = write_lock(slot);
    control(fd, libc::F_OFD_GETLK, &mut request)?;
    Ok(i32::from(request.l_type) != libc::F_UNLCK)
}

fn write_lock(slot: u32) -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: (LOCK_BYTES_START + u64::from(slot)).cast_signed(),
        l_len: 1,
        l_pid: 0, // asked for by the F_OFD_ commands
    }
}

fn control(fd: RawFd, command: libc::c_int, request: &mut libc::flock) -> Result<(), Errno> {
    loop {
        // SAFETY: The third argument of both commands is a valid flock structure that outlives the
        // call. A number that is no descriptor of ours makes the call fail, or asks about, or locks
        // a byte of, another file: no memory of ours is touched either way.
        let answer = unsafe { libc::fcntl(fd, command, &raw mut *request) };
        if answer != -1 {
            return Ok(());
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) => {}
            errno => return Err(Errno::from_raw_os_error(errno.unwrap_or(libc::EIO))),
        }
    }
}
