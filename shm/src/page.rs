//! Memory of one process for one segment: its token, which a fork wipes, and how many handles it
//! has on each object, which a fork copies.
#![expect(unsafe_code, reason = "pointers into the page are made here")]

use core::ptr::NonNull;
use core::sync::atomic::AtomicU32;

use memmap2::{MmapMut, MmapRaw};

use crate::error::Error;
use crate::limits::LINE_BYTES;
use crate::mapping::from_io;
use crate::sys::memory::{page_bytes, wipe_first_page_on_fork};

/// The token's page and the counters behind it, one for every line of the segment.
//
// 0        page_bytes                    page_bytes + 4 * lines
// | token  | count of line 0, line 1, …   |
//
// The kernel zeroes the first page in every forked child (MADV_WIPEONFORK), raw clones included, so
// a child never takes its parent's token for its own; nothing on the fast path asks for the pid.
pub(crate) struct ProcessPage {
    raw: MmapRaw,
}

impl ProcessPage {
    /// A page for a segment of `size_bytes`. The counters cost memory only where they are used.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when there is no address space or memory for it.
    pub(crate) fn new(size_bytes: u64) -> Result<Self, Error> {
        let len = page_bytes() + size_bytes.div_ceil(LINE_BYTES) * size_of::<AtomicU32>() as u64;
        let len = usize::try_from(len).map_err(|_| Error::OutOfResources)?;
        let raw = MmapRaw::from(MmapMut::map_anon(len).map_err(from_io)?);
        wipe_first_page_on_fork(&raw)?;
        Ok(Self { raw })
    }

    /// The token; 0 stands there until this process has one.
    pub(crate) fn first(&self) -> &AtomicU32 {
        // SAFETY: As in `handles`.
        unsafe { self.pointer(0).as_ref() }
    }

    /// Where the token is, for a handle that keeps the page alive.
    pub(crate) fn token(&self) -> NonNull<AtomicU32> {
        self.pointer(0)
    }

    /// The number of handles that this process has on the object in the line at `offset`.
    pub(crate) fn handles(&self, offset: u64) -> &AtomicU32 {
        let at = page_bytes() + offset / LINE_BYTES * size_of::<AtomicU32>() as u64;
        // SAFETY: The pointer is inside the map, which lives as long as `self`, is aligned, and is
        // only ever accessed as an atomic; anonymous memory starts as zeros.
        unsafe { self.pointer(at).as_ref() }
    }

    /// # Panics
    /// When `offset` lies outside the segment that the page was made for: a caller's bug, since
    /// every offset is checked where it enters.
    fn pointer(&self, offset: u64) -> NonNull<AtomicU32> {
        assert!(offset + size_of::<AtomicU32>() as u64 <= self.raw.len() as u64);
        // SAFETY: Inside the map, as was just checked.
        let byte = unsafe { self.raw.as_mut_ptr().add(offset as usize) };
        // SAFETY: A map never lies at address zero.
        unsafe { NonNull::new_unchecked(byte.cast()) }
    }
}
