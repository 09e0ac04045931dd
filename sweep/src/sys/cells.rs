//! Plain shared cells: where roles journal what they intend and what they have done. They are no
//! part of any segment, so that nothing under test has a hand in them.
#![expect(unsafe_code, reason = "a shared mapping is made and viewed here")]

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::io;

/// How many cells there are: one page of them.
const CELL_COUNT: usize = 512;

/// A page of numbers that this process and all its children share. Zeros at first.
///
/// Every access is sequentially consistent, and pairs with every other access to any cell, by any
/// process: the journal is to be beyond doubt, not fast.
#[derive(Debug)]
pub struct Cells {
    start: NonNull<[AtomicU64; CELL_COUNT]>,
}

// SAFETY: All that the pointer is used for is atomic accesses, which any thread may make, to a
// mapping that lives as long as the value.
unsafe impl Sync for Cells {}
// SAFETY: As above; and any thread may unmap what is mapped.
unsafe impl Send for Cells {}

impl Cells {
    /// Makes a page of cells.
    ///
    /// # Errors
    /// The system's, when it has no memory.
    pub fn new() -> io::Result<Self> {
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANON);
        // SAFETY: A new mapping at an address of the kernel's choice disturbs no memory in use.
        let start = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                size_of::<[AtomicU64; CELL_COUNT]>(),
                access,
                kind,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start })
    }

    /// The number in a cell.
    #[must_use]
    pub fn get(&self, index: usize) -> u64 {
        self.cell(index).load(SeqCst) // order: see `Cells`
    }

    /// Puts a number into a cell.
    pub fn set(&self, index: usize, value: u64) {
        self.cell(index).store(value, SeqCst); // order: see `Cells`
    }

    /// Puts a number into a cell and returns what was there, in one step.
    pub fn swap(&self, index: usize, value: u64) -> u64 {
        self.cell(index).swap(value, SeqCst) // order: see `Cells`
    }

    /// Adds to a cell in one step.
    pub fn add(&self, index: usize, value: u64) {
        self.cell(index).fetch_add(value, SeqCst); // order: see `Cells`
    }

    /// Puts zeros into all cells.
    pub(crate) fn clear(&self) {
        (0..CELL_COUNT).for_each(|index| self.set(index, 0));
    }

    /// Where they lie in this process, and in all that it forks.
    pub(crate) fn addresses(&self) -> Range<u64> {
        let start = self.start.as_ptr().addr() as u64;
        start..start + size_of::<[AtomicU64; CELL_COUNT]>() as u64
    }

    fn cell(&self, index: usize) -> &AtomicU64 {
        // SAFETY: The mapping lives as long as `self`, is aligned to a page, holds atomics only,
        // of which zero is a value, and is never viewed as anything else.
        let cells = unsafe { self.start.as_ref() };
        &cells[index]
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        // SAFETY: The mapping is this value's own, and no view of it outlives the value.
        unsafe { libc::munmap(self.start.as_ptr().cast(), size_of::<[AtomicU64; CELL_COUNT]>()) };
    }
}
