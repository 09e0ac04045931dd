//! A mapped file and its bounds: the only maker of pointers into a segment.
#![expect(unsafe_code, reason = "pointers into a segment are made here, and nowhere else")]

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64};
use std::os::fd::{AsRawFd, BorrowedFd};

use memmap2::{MmapOptions, MmapRaw};
use rustix::io::Errno;

use crate::error::Error;
use crate::sys::memory;

/// A type that may lie in memory which other processes write at any moment.
///
/// # Safety
/// * It is `repr(C)`, and each of its fields is an atomic integer or is itself `Shared`.
/// * Every pattern of bits is a valid value of it, all zeros among them.
///
/// Not asked: that the bits make sense. Whoever reads them checks them, copy first.
pub unsafe trait Shared: Sized + Sync {}

// SAFETY: An atomic integer, of which any bits are a valid value.
unsafe impl Shared for AtomicU32 {}
// SAFETY: As above.
unsafe impl Shared for AtomicU64 {}
// SAFETY: Nothing is in it.
unsafe impl Shared for () {}

/// The bytes of a segment as this process sees them.
pub(crate) struct Mapping {
    raw: MmapRaw,
}

impl Mapping {
    /// Maps the first `size_bytes` of the file, which must be that long and sealed so.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when there is no address space or memory for it.
    /// * [`Error::PermissionDenied`] when the descriptor may not be written through.
    pub(crate) fn new(file: BorrowedFd<'_>, size_bytes: u64) -> Result<Self, Error> {
        let len = usize::try_from(size_bytes).map_err(|_| Error::OutOfResources)?;
        let raw = MmapOptions::new().len(len).map_raw(file.as_raw_fd()).map_err(from_io)?;
        Ok(Self { raw })
    }

    /// Gives the pages of a range back, which the caller has checked to be inside.
    ///
    /// # Errors
    /// * [`Error::System`] when the kernel refuses.
    pub(crate) fn punch(&self, range: Range<u64>) -> Result<(), Error> {
        memory::punch(&self.raw, range.start as usize..range.end as usize)
    }

    /// The size of the mapping, in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.raw.len() as u64
    }

    /// A pointer to a `T` that begins `offset` bytes into the segment.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when it would not lie wholly inside, or is not aligned: offsets come
    ///   out of shared memory, or from other processes.
    pub(crate) fn pointer<T: Shared>(&self, offset: u64) -> Result<NonNull<T>, Error> {
        self.row_pointer::<T>(offset, 1).map(NonNull::cast)
    }

    /// A pointer to `len` of `T`, one behind the other, that begin `offset` bytes into the segment.
    ///
    /// # Errors
    /// * [`Error::Damaged`] as [`pointer`](Self::pointer).
    pub(crate) fn row_pointer<T: Shared>(
        &self,
        offset: u64,
        len: usize,
    ) -> Result<NonNull<[T]>, Error> {
        let bytes = (len as u64).checked_mul(size_of::<T>() as u64).ok_or(Error::Damaged)?;
        let end = offset.checked_add(bytes).ok_or(Error::Damaged)?;
        if end > self.size_bytes() || !offset.is_multiple_of(align_of::<T>() as u64) {
            return Err(Error::Damaged);
        }
        // SAFETY: `offset` lies inside the mapping, as was just checked, hence inside one
        // allocation; it fits an usize, since the mapping's length does.
        let byte = unsafe { self.raw.as_mut_ptr().add(offset as usize) };
        let first = NonNull::new(byte.cast::<T>()).ok_or(Error::Damaged)?;
        Ok(NonNull::slice_from_raw_parts(first, len))
    }

    /// A reference to a `T` that begins `offset` bytes into the segment.
    ///
    /// # Errors
    /// * [`Error::Damaged`] as [`pointer`](Self::pointer).
    pub(crate) fn view<T: Shared>(&self, offset: u64) -> Result<&T, Error> {
        self.row(offset, 1).map(|row| &row[0])
    }

    /// A reference to `len` of `T` that begin `offset` bytes into the segment.
    ///
    /// # Errors
    /// * [`Error::Damaged`] as [`pointer`](Self::pointer).
    pub(crate) fn row<T: Shared>(&self, offset: u64, len: usize) -> Result<&[T], Error> {
        let pointer = self.row_pointer::<T>(offset, len)?;
        // SAFETY: The pointer is aligned and inside the mapping, which lives as long as `self`, of
        // a file that is sealed against shrinking. Its pages were all there at the attach; a peer
        // that punches one out makes the next access take a new one, or end this process by SIGBUS
        // where there is no memory, and never go elsewhere. `T: Shared` consists of atomics and
        // takes any bits, so that other processes may write it meanwhile; nobody makes a `&mut`
        // into a segment.
        Ok(unsafe { pointer.as_ref() })
    }
}

/// memmap2 speaks `std::io::Error`; the number in it is the system's.
pub(crate) fn from_io(error: std::io::Error) -> Error {
    match error.raw_os_error() {
        Some(errno) => Errno::from_raw_os_error(errno).into(),
        None => Error::OutOfResources,
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_pointer_lies_wholly_inside_and_is_aligned_or_is_not_made() {
        let page = memory::page_bytes();
        let file = memory::reserve(page).unwrap();
        let mapping = Mapping::new(file.as_fd(), page).unwrap();
        for inside in [0, 8, page - 8] {
            assert!(mapping.pointer::<AtomicU64>(inside).is_ok(), "{inside}");
        }
        for outside in [page - 7, page - 4, page, page + 8, 1, 4, u64::MAX - 7, u64::MAX] {
            assert_eq!(mapping.pointer::<AtomicU64>(outside), Err(Error::Damaged), "{outside}");
        }
    }

    #[test]
    fn a_row_lies_wholly_inside_or_is_not_made() {
        let page = memory::page_bytes();
        let file = memory::reserve(page).unwrap();
        let mapping = Mapping::new(file.as_fd(), page).unwrap();
        let most = page as usize / 8;
        for (offset, len) in [(0, most), (8, most - 1), (page - 8, 1), (page, 0)] {
            let row = mapping.row::<AtomicU64>(offset, len);
            assert_eq!(row.map(<[_]>::len), Ok(len), "{len} at {offset}");
        }
        let huge = [(0, most + 1), (8, most), (8, usize::MAX), (0, usize::MAX / 8 + 2)];
        for (offset, len) in huge.into_iter().chain([(page + 8, 0), (4, 1), (u64::MAX - 7, 1)]) {
            let row = mapping.row_pointer::<AtomicU64>(offset, len);
            assert_eq!(row, Err(Error::Damaged), "{len} at {offset}");
        }
    }
}
