//! Segments whose pages are not all there: for objects that take and give pages as they need them.

use core::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use crate::arena::{BODY_OFFSET, Object, footprint_bytes};
use crate::attachment::Attachment;
use crate::error::Error;
use crate::header::{ARENA_OFFSET, Origin, Shape};
use crate::mapping::Mapping;
use crate::place::Place;
use crate::segment::Segment;
use crate::sys::memory;

impl<T: Object> Place<T> {
    /// Makes an object with a long row, alone in a segment of which only the pages up to the row
    /// are there. Whoever uses the row takes its pages first: [`Attachment::take_pages`]. `fill`
    /// must not touch the row.
    ///
    /// An access to a page that is not there takes it, and is a SIGBUS where there is no memory.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for a row of none, or of so many that the object with it takes
    ///   more than 4 GiB.
    /// * [`Error::OutOfResources`] when address space, descriptors or the file size limit do not
    ///   allow it, or memory for the first pages.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn new_sparse_with(
        row_len: usize,
        fill: impl FnOnce(&T, &[T::Row]),
    ) -> Result<Self, Error> {
        let (file, mapping, shape) = reserve::<T>(row_len)?;
        let segment = Segment::from(Attachment::new(file, mapping, shape)?);
        Self::new_in_with(&segment, row_len, fill)
    }

    /// Makes one as [`new_sparse_with`](Self::new_sparse_with), all zeros, of an object whose
    /// operations ask for nobody's token. Its maker has none in its segment before something asks
    /// for it, as a forked child has not: a descriptor and a dozen system calls less.
    ///
    /// # Errors
    /// * As [`new_sparse_with`](Self::new_sparse_with); what a registration may fail with, that
    ///   says which asks for the token.
    pub fn new_sparse_unregistered(row_len: usize) -> Result<Self, Error> {
        let (file, mapping, shape) = reserve::<T>(row_len)?;
        let segment = Segment::from(Attachment::unregistered(file, mapping, shape)?);
        Self::new_in_with(&segment, row_len, |_, _| ())
    }
}

/// A segment for an object with such a row, of which only the pages up to the row are there.
fn reserve<T: Object>(row_len: usize) -> Result<(OwnedFd, Mapping, Shape), Error> {
    let shape = Shape::with_capacity(footprint_bytes::<T>(row_len)?, Origin::Sparse)?;
    let first_bytes = ARENA_OFFSET + BODY_OFFSET + size_of::<T>() as u64;
    let file = memory::reserve_first(shape.size_bytes, first_bytes)?;
    let mapping = Mapping::new(file.as_fd(), shape.size_bytes)?;
    shape.write(&mapping)?;
    Ok((file, mapping, shape))
}

impl Attachment {
    /// Takes the pages of a range of the segment, in bytes, that was made without them. Those that
    /// are there stay as they are. `held_bytes` says how much its object will hold with them: a
    /// large one is held against the machine's free memory.
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    /// use purlin_shm::{Error, Object, Place, Segment, Shared};
    ///
    /// #[repr(C)]
    /// struct Words(AtomicU64);
    /// // SAFETY: `repr(C)`, and an atomic.
    /// unsafe impl Shared for Words {}
    /// impl Object for Words {
    ///     const KIND: u16 = 900;
    ///     const VERSION: u16 = 1;
    ///     type Row = AtomicU64;
    /// }
    ///
    /// # fn main() -> Result<(), Error> {
    /// let place = Place::<Words>::new_sparse_with(1 << 24, |_, _| ())?; // 128 MiB, not there
    /// let start = place.row_offset();
    /// place.attachment().take_pages(start..start + 4096, 4096)?;
    /// place.row()[7].store(1, Relaxed);
    /// let whole = Segment::anonymous(4096)?;
    /// assert_eq!(whole.attachment().take_pages(0..1, 1), Err(Error::InvalidArgument));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when there is no memory, or the file size limit forbids it.
    /// * [`Error::InvalidArgument`] outside of the segment, or where all pages were there from the
    ///   start.
    /// * [`Error::System`] (EBADF) when foreign code closed the segment's descriptor.
    pub fn take_pages(&self, range: Range<u64>, held_bytes: u64) -> Result<(), Error> {
        self.check_sparse(&range)?;
        memory::take(self.inner.registration.own_segment()?, range, held_bytes)
    }

    /// Gives the pages back that lie wholly in a range of the segment, in bytes. Whoever loads from
    /// there finds zeros, and takes a page.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] as [`take_pages`](Self::take_pages).
    /// * [`Error::System`] when the kernel refuses; then they are all there.
    pub fn give_pages(&self, range: Range<u64>) -> Result<(), Error> {
        self.check_sparse(&range)?;
        if self.inner.mapping.punch(range.clone()).is_ok() {
            return Ok(());
        }
        // Where the process has all its memory locked, the file is what is left.
        memory::give(self.inner.registration.own_segment()?, range)
    }

    fn check_sparse(&self, range: &Range<u64>) -> Result<(), Error> {
        let is_inside = ARENA_OFFSET <= range.start
            && range.start <= range.end
            && range.end <= self.size_bytes();
        if is_inside && self.is_sparse() { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}
