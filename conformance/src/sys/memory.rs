//! One number in memory that processes share.
#![expect(unsafe_code, reason = "a mapping is reached through a pointer")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicI64;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

/// A number in a page of its own, shared with every process that inherits or opens it.
#[derive(Debug)]
pub(crate) struct SharedNumber {
    memory: OwnedFd,
    number: NonNull<AtomicI64>,
}

// SAFETY: What it points to is an atomic in a mapping that lives as long as this value does.
unsafe impl Send for SharedNumber {}
// SAFETY: As above.
unsafe impl Sync for SharedNumber {}

const LEN_BYTES: usize = size_of::<AtomicI64>();

impl SharedNumber {
    /// Makes one, zero.
    ///
    /// # Errors
    /// * What the system refused.
    pub(crate) fn new() -> io::Result<Self> {
        let memory = memfd_create("cell", MemfdFlags::CLOEXEC)?;
        ftruncate(&memory, LEN_BYTES as u64)?;
        Self::open(memory)
    }

    /// Reaches the one behind a descriptor that [`new`](Self::new) made, maybe in another process.
    ///
    /// # Errors
    /// * What the system refused.
    pub(crate) fn open(memory: OwnedFd) -> io::Result<Self> {
        // SAFETY: A new range at an address of the kernel's choice, which nothing else refers to.
        let range = unsafe {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let shared = libc::MAP_SHARED;
            libc::mmap(ptr::null_mut(), LEN_BYTES, access, shared, memory.as_raw_fd(), 0)
        };
        if range == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let number = NonNull::new(range.cast()).ok_or_else(|| io::Error::other("mapped at 0"))?;
        Ok(Self { memory, number })
    }

    pub(crate) fn get(&self) -> &AtomicI64 {
        // SAFETY: Mapped, page-aligned and as long as an atomic for as long as `self` lives. Any
        // bits are a valid number, and every process reaches it by atomics only.
        unsafe { self.number.as_ref() }
    }

    pub(crate) fn memory(&self) -> std::os::fd::BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

impl Drop for SharedNumber {
    fn drop(&mut self) {
        // SAFETY: The range that `open` mapped; no reference into it outlives `self`.
        unsafe { libc::munmap(self.number.as_ptr().cast(), LEN_BYTES) };
    }
}
