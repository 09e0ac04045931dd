//! Memory that processes share: a sealed `memfd_create(2)`, every page of it reserved.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use core::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use memmap2::MmapRaw;
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::io::retry_on_intr;
use rustix::mm::{Advice, madvise};
use rustix::process::{Resource, getrlimit};

use crate::error::Error;
use crate::limits::{MEMORY_LOOKUP_BYTES, RESERVE_STEP_BYTES};
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
    fill(&file, 0..size_bytes)?;
    Ok(file)
}

/// Reserves the pages piece by piece: a signal may cut a call short, and on some kernels undoes
/// what it did, so that one call for all could start over for ever under a timer.
fn fill(file: &OwnedFd, range: Range<u64>) -> Result<(), Error> {
    let mut start = range.start;
    while start < range.end {
        let piece = RESERVE_STEP_BYTES.min(range.end - start);
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

/// Whether so many bytes of the file were reserved when this was asked. A page that was taken back
/// by a peer since, or never was there, is given at an access, and the access fails where memory
/// ends.
pub(crate) fn has_pages(file: impl AsFd, size_bytes: u64) -> Result<bool, Error> {
    let stat = rustix::fs::fstat(file)?;
    Ok(stat.st_blocks.unsigned_abs().saturating_mul(BLOCK_BYTES) >= size_bytes)
}

/// Makes a file as [`reserve`] does, with no more than its first bytes reserved.
///
/// # Errors
/// * As [`reserve`].
pub(crate) fn reserve_first(size_bytes: u64, first_bytes: u64) -> Result<OwnedFd, Error> {
    if size_bytes > file_limit_bytes() {
        return Err(Error::OutOfResources);
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = rustix::fs::memfd_create(c"purlin", flags)?;
    retry_on_intr(|| rustix::fs::ftruncate(&file, size_bytes))?;
    fill(&file, 0..first_bytes)?;
    rustix::fs::fcntl_add_seals(&file, SEALS)?;
    Ok(file)
}

/// Takes the pages of a range of a file, of an object that will hold so many bytes with them.
///
/// # Errors
/// * [`Error::OutOfResources`] beyond the file size limit or the free memory.
pub(crate) fn take(file: &OwnedFd, range: Range<u64>, held_bytes: u64) -> Result<(), Error> {
    // Both are looked at first, as in `reserve_in`.
    let wanted = range.end - range.start;
    let looked_up = if held_bytes < MEMORY_LOOKUP_BYTES { wanted } else { held_bytes };
    if range.end > file_limit_bytes() || wanted > free_memory_bytes(looked_up) {
        return Err(Error::OutOfResources);
    }
    fill(file, range)
}

/// Gives pages of a file back.
pub(crate) fn give(file: &OwnedFd, range: Range<u64>) -> Result<(), Error> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let len = range.end - range.start;
    retry_on_intr(|| rustix::fs::fallocate(file, flags, range.start, len))?;
    Ok(())
}

/// Gives pages of a file back by way of a mapping of it, `range` counted from its start.
pub(crate) fn punch(map: &MmapRaw, range: Range<usize>) -> Result<(), Error> {
    assert!(range.start <= range.end && range.end <= map.len());
    // SAFETY: Inside the map, as was just checked.
    let start = unsafe { map.as_mut_ptr().add(range.start) };
    // SAFETY: The range lies inside the map; what lies there is atomics, of which zero is a value,
    // and whatever else a process may find in shared memory.
    unsafe { madvise(start.cast(), range.len(), Advice::LinuxRemove) }?;
    Ok(())
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
