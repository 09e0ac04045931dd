//! Memory that is shared with whoever is forked, and that nobody gives back: a robust mutex stays
//! in the list of the thread that holds it, which the kernel walks, so its memory must stay.
#![expect(unsafe_code, reason = "a mapping is reached through a pointer")]

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

/// Room for objects, given out one after the other and never taken back.
pub(super) struct Arena {
    memory: OwnedFd,
    start: NonNull<u8>,
}

// SAFETY: The mapping stays for as long as the process does. Its first word is an atomic; all that
// is behind it is reached by calls of the C library that any thread may make.
unsafe impl Send for Arena {}
// SAFETY: As above.
unsafe impl Sync for Arena {}

/// Where an object is, in this process and in all that are forked from it.
pub(super) struct Shared<T> {
    at: NonNull<T>,
    offset: usize,
    of: PhantomData<T>,
}

// SAFETY: An address in an arena's mapping; what is there is made to be used by many threads.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: As above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<T> {}

/// A cache line for each object, so that none disturbs its neighbour.
const ROOM_BYTES: usize = 64;

/// Room for more than the five thousand objects that a script asks for.
const LEN_BYTES: usize = 16_384 * ROOM_BYTES;

impl Arena {
    /// # Errors
    /// * What the system refused.
    pub(super) fn new() -> io::Result<Self> {
        let memory = memfd_create("posix", MemfdFlags::CLOEXEC)?;
        ftruncate(&memory, LEN_BYTES as u64)?;
        let start = map(&memory)?;
        let arena = Self { memory, start };
        // Relaxed: nobody shares it yet.
        arena.used().store(ROOM_BYTES, Relaxed);
        Ok(arena)
    }

    /// The next room, all zeros. None when it is full.
    pub(super) fn place<T>(&self) -> Option<Shared<T>> {
        // Relaxed: the number is all that is passed on; a room is written by who got it.
        let offset = self.used().fetch_add(ROOM_BYTES, Relaxed);
        (offset <= LEN_BYTES - ROOM_BYTES).then(|| at(self.start, offset))
    }

    /// The same object in another mapping of the memory, hence at another address.
    ///
    /// # Errors
    /// * What the system refused.
    pub(super) fn again<T>(&self, original: Shared<T>) -> io::Result<Shared<T>> {
        Ok(at(map(&self.memory)?, original.offset))
    }

    /// How much is given out; also by processes that were forked meanwhile.
    fn used(&self) -> &AtomicUsize {
        // SAFETY: Mapped for as long as the process lives, page-aligned, and reached as an atomic
        // alone.
        unsafe { self.start.cast().as_ref() }
    }
}

impl<T> Shared<T> {
    /// For the calls of the C library. It stays valid for as long as the process lives.
    pub(super) const fn get(self) -> *mut T {
        self.at.as_ptr()
    }
}

fn at<T>(start: NonNull<u8>, offset: usize) -> Shared<T> {
    const { assert!(size_of::<T>() <= ROOM_BYTES && align_of::<T>() <= ROOM_BYTES) };
    // SAFETY: The offset is of a room of the arena, and all of it is mapped behind `start`.
    let at = unsafe { start.add(offset) }.cast();
    Shared { at, offset, of: PhantomData }
}

fn map(memory: &OwnedFd) -> io::Result<NonNull<u8>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: A new range at an address of the kernel's choice, which nothing else refers to.
    let range = unsafe {
        libc::mmap(ptr::null_mut(), LEN_BYTES, access, libc::MAP_SHARED, memory.as_raw_fd(), 0)
    };
    if range == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(range.cast()).ok_or_else(|| io::Error::other("mapped at 0"))
}
