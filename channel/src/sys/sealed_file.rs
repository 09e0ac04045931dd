//! Files in memory that nobody can change any more: what a large message travels in.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use purlin_shm::parts::free_memory_bytes;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Resource, getrlimit};

use crate::error::Error;
use crate::limits::LOOKUP_BYTES;

/// What a file of ours is sealed with, and what one that came is asked for: its size and its bytes
/// stay as they are.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::WRITE);

/// The unit of `st_blocks`, in bytes.
const BLOCK_BYTES: u64 = 512;

/// A sealed file with these bytes.
///
/// # Errors
/// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
pub(crate) fn make(parts: &[&[u8]]) -> Result<OwnedFd, Error> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    // Both are looked at first: a write beyond the limit would be answered by a signal, and one
    // beyond the free memory by the OOM killer.
    let limit_bytes = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
    let is_looked_up = len >= LOOKUP_BYTES;
    let free_bytes = if is_looked_up { free_memory_bytes(len as u64) } else { u64::MAX };
    if len as u64 > limit_bytes.min(free_bytes) {
        return Err(Error::OutOfResources);
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = rustix::fs::memfd_create(c"purlin-message", flags)?;
    for part in parts {
        write_all(file.as_fd(), part)?;
    }
    rustix::fs::fcntl_add_seals(&file, SEALS | SealFlags::SEAL)?;
    Ok(file)
}

fn write_all(file: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), Error> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = retry_on_intr(|| rustix::io::write(file, rest))?;
        rest = &rest[written..];
    }
    Ok(())
}

/// Looks whether what came is a file of this size that nobody can change any more.
///
/// # Errors
/// * [`Error::Damaged`] when it is not; also when there are holes in it, by which a peer could
///   claim more than it has paid for.
pub(crate) fn check(file: BorrowedFd<'_>, len: u64) -> Result<(), Error> {
    // No other file than one in memory has seals: so no read of it waits for anybody.
    let seals = rustix::fs::fcntl_get_seals(file).map_err(|_| Error::Damaged)?;
    let stat = rustix::fs::fstat(file)?;
    let is_as_made = seals.contains(SEALS)
        && stat.st_size.unsigned_abs() == len
        && stat.st_blocks.unsigned_abs().saturating_mul(BLOCK_BYTES) >= len;
    if is_as_made { Ok(()) } else { Err(Error::Damaged) }
}

/// Reads as many bytes as there is room for, from `offset` on. Never by a mapping: what a peer does
/// to its file is an error here, and no signal.
///
/// # Errors
/// * [`Error::Damaged`] when there are not so many.
pub(crate) fn read_exactly(
    file: BorrowedFd<'_>,
    offset: u64,
    into: &mut [u8],
) -> Result<(), Error> {
    let mut done = 0;
    while done < into.len() {
        let at = offset + done as u64;
        match retry_on_intr(|| rustix::io::pread(file, &mut into[done..], at)) {
            Ok(0) | Err(Errno::INVAL | Errno::SPIPE | Errno::BADF) => return Err(Error::Damaged),
            Ok(count) => done += count,
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}
