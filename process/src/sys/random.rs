//! Bytes that nobody can guess.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// Fills `bytes`, waiting until the system has gathered enough to be unpredictable.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Errno> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match getrandom(&mut *rest, GetRandomFlags::empty()) {
            Ok(count) => rest = &mut rest[count..],
            Err(Errno::INTR) => {} // ends: each signal interrupts once
            Err(other) => return Err(other),
        }
    }
    Ok(())
}
