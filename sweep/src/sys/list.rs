//! A list of numbers that grows, in memory that this process and all its children share.
#![expect(unsafe_code, reason = "a shared mapping is made and viewed here")]

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::io;

use crate::limits::LIST_MAX;

/// The first word is the count.
const BYTES: usize = (1 + LIST_MAX) * size_of::<AtomicU64>();

/// One writer at a time; read when the writer has ended. Empty at first.
#[derive(Debug)]
pub(crate) struct List {
    words: NonNull<[AtomicU64; 1 + LIST_MAX]>,
}

impl List {
    /// # Errors
    /// The system's, when it has no memory.
    pub(crate) fn new() -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // Pages come with their first use; most lists are short.
        let kind = libc::MAP_SHARED | libc::MAP_ANON | libc::MAP_NORESERVE;
        // SAFETY: A new mapping at an address of the kernel's choice disturbs no memory in use.
        let start = unsafe { libc::mmap(core::ptr::null_mut(), BYTES, access, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(start.cast())
            .map(|words| Self { words })
            .ok_or(io::ErrorKind::OutOfMemory.into())
    }

    /// What does not fit is left out.
    pub(crate) fn push(&self, number: u64) {
        let count = self.words()[0].load(SeqCst); // order: see `List`
        if let Some(word) = self.words().get(1 + count as usize) {
            word.store(number, SeqCst); // order: as above
            self.words()[0].store(count + 1, SeqCst); // order: as above
        }
    }

    pub(crate) fn clear(&self) {
        self.words()[0].store(0, SeqCst); // order: see `List`
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        let count = self.words()[0].load(SeqCst) as usize; // order: see `List`
        self.words()[1..].iter().take(count).map(|word| word.load(SeqCst)).collect() // order: same
    }

    /// Where it lies in this process, and in all that it forks.
    pub(crate) fn addresses(&self) -> Range<u64> {
        let start = self.words.as_ptr().addr() as u64;
        start..start + BYTES as u64
    }

    fn words(&self) -> &[AtomicU64; 1 + LIST_MAX] {
        // SAFETY: The mapping lives as long as `self`, is aligned to a page, holds atomics only,
        // of which zero is a value, and is never viewed as anything else.
        unsafe { self.words.as_ref() }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: The mapping is this value's own, and no view of it outlives the value.
        unsafe { libc::munmap(self.words.as_ptr().cast(), BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_there_and_what_does_not_fit_is_not() {
        let list = List::new().unwrap();
        (7..10).for_each(|number| list.push(number));
        assert_eq!(list.numbers(), [7, 8, 9]);
        list.clear();
        (0..LIST_MAX as u64 + 5).for_each(|number| list.push(number));
        assert_eq!(list.numbers().len(), LIST_MAX);
    }
}
