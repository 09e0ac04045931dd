//! Memory that processes share: a sealed `memfd_create(2)`, every page of it reserved.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use std::os::fd::{AsFd, OwnedFd};

use memmap2::MmapRaw;
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::io::retry_on_intr;
use rustix::mm::{Advice, madvise};
use rustix::process::{Resource, getrlimit};

use crate::error::Error;
use crate::limits::RESERVE_STEP_BYTES;
use crate::sys::free_memory::free_memory_bytes;

/// The seals of a segment: it can neither shrink under a mapping (SIGBUS) nor grow, for good.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// What `stat(2)` counts in, whatever the file system.
const BLOCK_BYTES: u64 = 512;

/// Makes an anonymous, zeroed, sealed file of `size_bytes`, all pages reserved, so that no later
/// store can fault for lack of memory.
///
/// # Errors
/// * [`Error::OutOfResources`] beyond the file size limit, the free memory or the descriptors.
pub(crate) fn reserve(size_bytes: u64) -> Result<OwnedFd, Error> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = reserve_in(|| Ok(rustix::fs::memfd_create(c"purlin", flags)?), size_bytes)?;
    rustix::fs::fcntl_add_seals(&file, SEALS)?;
    Ok(file)
}

/// Makes a file by `make`, and reserves all its pages.
///
/// # Errors
/// * As [`reserve`], and those of `make`.
pub(crate) fn reserve_in(
    make: impl FnOnce() -> Result<OwnedFd, Error>,
    size_bytes: u64,
) -> Result<OwnedFd, Error> {
    // Both are looked at first: fallocate(2) beyond the file size limit raises SIGXFSZ, and beyond
    // the free memory it calls the OOM killer.
    if size_bytes > file_limit_bytes() || size_bytes > free_memory_bytes(size_bytes) {
        return Err(Error::OutOfResources);
    }
    let file = make()?;
    fill(&file, size_bytes)?;
    Ok(file)
}

/// Reserves the pages piece by piece: a signal may cut a call short, and on some kernels undoes
/// what it did, so that one call for all could start over for ever under a timer.
fn fill(file: &OwnedFd, size_bytes: u64) -> Result<(), Error> {
    let mut start = 0;
    while start < size_bytes {
        let piece = RESERVE_STEP_BYTES.min(size_bytes - start);
        retry_on_intr(|| rustix::fs::fallocate(file, FallocateFlags::empty(), start, piece))?;
        start += piece;
    }
    Ok(())
}

/// Whether the file carries the seals that [`reserve`] puts on. A file without them could be
/// truncated while it is mapped.
pub(crate) fn is_sealed(file: impl AsFd) -> bool {
    rustix::fs::fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SEALS))
}

/// The size in bytes of the file.
pub(crate) fn size_bytes(file: impl AsFd) -> Result<u64, Error> {
    Ok(rustix::fs::fstat(file)?.st_size.unsigned_abs())
}

/// Whether every page of the file was reserved when this was asked. One that was taken back by a
/// peer since, or never was there, is given at an access, and the access fails where memory ends.
pub(crate) fn has_all_pages(file: impl AsFd) -> Result<bool, Error> {
    let stat = rustix::fs::fstat(file)?;
    Ok(stat.st_blocks.unsigned_abs().saturating_mul(BLOCK_BYTES) >= stat.st_size.unsigned_abs())
}

/// Reads bytes of the file from `offset` on; what the file is too short for stays zero.
pub(crate) fn read_at(file: impl AsFd, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
    retry_on_intr(|| rustix::io::pread(&file, &mut *bytes, offset))?;
    Ok(())
}

/// Makes the kernel zero the first page of `map` in every child that is forked, by whatever call.
pub(crate) fn wipe_first_page_on_fork(map: &MmapRaw) -> Result<(), Error> {
    let start = map.as_mut_ptr().cast();
    let page = rustix::param::page_size().min(map.len());
    // SAFETY: The range lies inside the map, which starts at a page. The advice changes nothing in
    // this process; in a child the page holds atomics, of which zero is a value.
    unsafe { madvise(start, page, Advice::LinuxWipeOnFork) }?;
    Ok(())
}

/// The size of a page, in bytes.
pub(crate) fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

fn file_limit_bytes() -> u64 {
    getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX)
}
