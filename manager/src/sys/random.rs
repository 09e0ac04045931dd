//! Bytes that nobody can guess.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::Error;

/// So many of them, once the system has gathered enough to be unpredictable.
///
/// # Errors
/// * [`Error::Unsupported`] where the system has none.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        match getrandom(&mut *rest, GetRandomFlags::empty()) {
            Ok(count) => rest = &mut rest[count..],
            Err(Errno::INTR) => {} // ends: each signal interrupts once
            Err(other) => return Err(other.into()),
        }
    }
    Ok(bytes)
}
