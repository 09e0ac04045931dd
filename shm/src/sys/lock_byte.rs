//! The byte locks that say who is alive: open-file-description locks, `fcntl(2)` `F_OFD_*`.
//!
//! Such a lock belongs to the open file description. The kernel drops it when the last descriptor
//! of that description is closed, hence when its process has ended, and not a moment before the
//! process's last instruction.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::io::Errno;

use crate::error::Error;
use crate::limits::{LOCK_BYTES_START, SLOT_COUNT};

/// Takes the byte of `slot` for the description behind `fd`. False when another one has it.
pub(crate) fn take(fd: RawFd, slot: u32) -> Result<bool, Error> {
    try_lock(fd, libc::F_WRLCK, slot_byte(slot))
}

/// Whether any description but the one behind `fd` has the byte of `slot`.
pub(crate) fn is_taken(fd: RawFd, slot: u32) -> Result<bool, Error> {
    is_locked(fd, slot_byte(slot))
}

/// Shares the interest byte of a named segment: somebody lives in it, as long as this description
/// is open or mapped anywhere. False when a collector has the byte for itself.
pub(crate) fn share_interest(file: &OwnedFd) -> Result<bool, Error> {
    try_lock(file.as_raw_fd(), libc::F_RDLCK, INTEREST_BYTE)
}

/// Takes the interest byte alone. False when anybody shares it.
pub(crate) fn take_interest(file: &OwnedFd) -> Result<bool, Error> {
    try_lock(file.as_raw_fd(), libc::F_WRLCK, INTEREST_BYTE)
}

/// Whether anybody else shares the interest byte, or has it alone.
pub(crate) fn is_of_interest(file: &OwnedFd) -> Result<bool, Error> {
    is_locked(file.as_raw_fd(), INTEREST_BYTE)
}

/// Behind the bytes of the slots.
const INTEREST_BYTE: u64 = LOCK_BYTES_START + SLOT_COUNT as u64;

fn slot_byte(slot: u32) -> u64 {
    LOCK_BYTES_START + u64::from(slot)
}

fn try_lock(fd: RawFd, kind: libc::c_int, byte: u64) -> Result<bool, Error> {
    let mut request = lock_of(kind, byte);
    match control(fd, libc::F_OFD_SETLK, &mut request) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

fn is_locked(fd: RawFd, byte: u64) -> Result<bool, Error> {
    let mut request = lock_of(libc::F_WRLCK, byte);
    control(fd, libc::F_OFD_GETLK, &mut request)?;
    Ok(i32::from(request.l_type) != libc::F_UNLCK)
}

fn lock_of(kind: libc::c_int, byte: u64) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: byte.cast_signed(),
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
