//! Memory that is shared with every child that is forked later: what the peers lie in.
#![expect(unsafe_code, reason = "system calls of this crate live here")]

use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, AtomicU64};
use std::io;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// What may lie in shared memory.
///
/// # Safety
/// * All zeros is a valid value.
/// * It is changed through shared references only, in a way that other processes may join in.
/// * It has no address in it, and nothing that is to be dropped.
pub unsafe trait Shareable: Sync {}

// SAFETY: An atomic integer; zero is a value.
unsafe impl Shareable for AtomicU32 {}
// SAFETY: As above.
unsafe impl Shareable for AtomicU64 {}

/// A `T` of zeros in pages of its own, which forked children share.
#[derive(Debug)]
pub struct Shared<T: Shareable> {
    pointer: NonNull<T>,
}

impl<T: Shareable> Shared<T> {
    /// Maps the pages.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn zeroed() -> io::Result<Self> {
        let (read_write, shared) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: A new mapping at an address that the kernel chooses touches nobody's memory.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), size_of::<T>(), read_write, shared) }?;
        NonNull::new(start.cast()).map(|pointer| Self { pointer }).ok_or_else(|| {
            io::Error::other("the kernel mapped at address zero, where no reference can lead")
        })
    }

    /// Where it is, for calls of the C library.
    #[must_use]
    pub const fn as_ptr(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T: Shareable> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The mapping is as long as a `T`, page-aligned, filled with zeros at first, which
        // is a `T`, and stays until `self` is dropped. Nobody makes a `&mut` into it.
        unsafe { self.pointer.as_ref() }
    }
}

impl<T: Shareable> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: `zeroed` mapped just this, and no reference outlives `self`.
        let answer = unsafe { munmap(self.pointer.as_ptr().cast(), size_of::<T>()) };
        debug_assert!(answer.is_ok(), "a mapping of our own can be unmapped");
    }
}

// SAFETY: It owns its mapping, and gives out nothing but `&T`, of a `T` that is `Sync`.
unsafe impl<T: Shareable> Send for Shared<T> {}
// SAFETY: As for `Send`.
unsafe impl<T: Shareable> Sync for Shared<T> {}
