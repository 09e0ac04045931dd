//! Memory that processes share: a sealed `memfd_create(2)`, every page of it reserved.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use std::fs;
use std::os::fd::{AsFd, OwnedFd};

use memmap2::MmapRaw;
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::io::retry_on_intr;
use rustix::mm::{Advice, madvise};
use rustix::process::{Resource, getrlimit};

use crate::error::Error;
use crate::limits::{MEMORY_KEPT_FRACTION, MEMORY_LOOKUP_BYTES};

/// The seals of a segment: it can neither shrink under a mapping (SIGBUS) nor grow, for good.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// Makes an anonymous, zeroed, sealed file of `size_bytes`, all pages reserved, so that no later
/// store can fault for lack of memory.
///
/// # Errors
/// * [`Error::OutOfResources`] beyond the file size limit, the free memory or the descriptors.
pub(crate) fn reserve(size_bytes: u64) -> Result<OwnedFd, Error> {
    // Both are looked at first: fallocate(2) beyond the file size limit raises SIGXFSZ, and beyond
    // the free memory it calls the OOM killer.
    if size_bytes > file_limit_bytes() || size_bytes > free_memory_bytes(size_bytes) {
        return Err(Error::OutOfResources);
    }
    let file =
        rustix::fs::memfd_create(c"purlin", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    retry_on_intr(|| rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, size_bytes))?;
    rustix::fs::fcntl_add_seals(&file, SEALS)?;
    Ok(file)
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

/// Reads the first bytes of the file; what the file is too short for stays zero.
pub(crate) fn read_start(file: impl AsFd, bytes: &mut [u8]) -> Result<(), Error> {
    retry_on_intr(|| rustix::io::pread(&file, &mut *bytes, 0))?;
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

/// What the machine says it can still give, and the limit of our control group, where a large
/// request asks for it.
fn free_memory_bytes(wanted_bytes: u64) -> u64 {
    if wanted_bytes < MEMORY_LOOKUP_BYTES {
        return u64::MAX;
    }
    let bytes = available_bytes().unwrap_or_else(unused_bytes);
    let machine_bytes = bytes - bytes / MEMORY_KEPT_FRACTION;
    machine_bytes.min(group_limit_bytes().unwrap_or(u64::MAX))
}

/// What is unused or can be had back from caches.
fn available_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Where the better figure cannot be read: what is unused, caches apart.
fn unused_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    u64::from(info.mem_unit).saturating_mul(info.freeram)
}

fn group_limit_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/cgroup").ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    let limit = fs::read_to_string(format!("/sys/fs/cgroup{path}/memory.max")).ok()?;
    limit.trim().parse().ok()
}
