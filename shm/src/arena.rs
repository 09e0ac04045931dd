//! Space inside a segment. It only grows: one exchange of `next` is the whole of an allocation, and
//! a death loses at most what it asked for. Space returns with its segment.

use core::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::attachment::Attachment;
use crate::error::Error;
use crate::header::{ARENA_OFFSET, mix};
use crate::limits::LINE_BYTES;
use crate::mapping::Shared;

/// A type of object that has a place of its own in a segment.
pub trait Object: Shared {
    /// Which kind of object it is. Never 0, and never given to another.
    const KIND: u16;
    /// The version of its layout. It changes with any assert on its fields.
    const VERSION: u16;
    /// What stands behind it, in a row of one length or another; `()` when nothing does.
    type Row: Shared;
}

/// What stands before each object.
//
// 0      2        4        8       16
// | kind | version| size   | check | the object …
//
// `check` is written last: an object whose maker was killed has none, and cannot be opened. `size`
// is the object's with its row, from which the row's length follows.
#[repr(C)]
struct ObjectHeader {
    what: AtomicU64,
    check: AtomicU64,
}

const _: () = assert!(size_of::<ObjectHeader>() == 16);

// SAFETY: `repr(C)`, atomics only; zeros and any other bits are valid values of them.
#[expect(unsafe_code, reason = "a promise about this layout, argued above")]
unsafe impl Shared for ObjectHeader {}

/// From the start of an object's line to the object.
pub(crate) const BODY_OFFSET: u64 = size_of::<ObjectHeader>() as u64;

/// Where the row begins, in bytes from the start of the object.
const fn row_offset<T: Object>() -> usize {
    const { assert!(align_of::<T>() as u64 <= BODY_OFFSET) };
    const { assert!(align_of::<T::Row>() as u64 <= BODY_OFFSET) };
    size_of::<T>().next_multiple_of(align_of::<T::Row>())
}

/// Where the row of the object at `offset` begins in the segment, in bytes.
pub(crate) const fn row_start<T: Object>(offset: u64) -> u64 {
    offset + BODY_OFFSET + row_offset::<T>() as u64
}

/// The size of an object with its row, in bytes.
///
/// # Errors
/// * [`Error::InvalidArgument`] when it has a row of none, has none of which some are asked for, or
///   would be larger than can be written down.
fn size_with_row<T: Object>(row_len: usize) -> Result<u32, Error> {
    if (row_len == 0) != (size_of::<T::Row>() == 0) {
        return Err(Error::InvalidArgument);
    }
    let row_bytes = row_len.checked_mul(size_of::<T::Row>());
    let size = row_bytes.and_then(|bytes| bytes.checked_add(row_offset::<T>()));
    size.and_then(|size| u32::try_from(size).ok()).ok_or(Error::InvalidArgument)
}

/// The length of the row of an object that claims to have this size with it.
///
/// # Errors
/// * [`Error::Incompatible`] when it has none, and should be of another size.
/// * [`Error::Damaged`] when no row is as long as the rest.
fn row_len<T: Object>(size: u32) -> Result<usize, Error> {
    if size_of::<T::Row>() == 0 {
        return if size as usize == size_of::<T>() { Ok(0) } else { Err(Error::Incompatible) };
    }
    let rest = (size as usize).checked_sub(row_offset::<T>()).ok_or(Error::Damaged)?;
    let is_possible = rest > 0 && rest.is_multiple_of(size_of::<T::Row>());
    if is_possible { Ok(rest / size_of::<T::Row>()) } else { Err(Error::Damaged) }
}

/// What an object with a row of this length takes in the arena, in bytes.
///
/// # Errors
/// * [`Error::InvalidArgument`] for a row that it cannot have.
pub(crate) fn footprint_bytes<T: Object>(row_len: usize) -> Result<u64, Error> {
    let size = u64::from(size_with_row::<T>(row_len)?);
    Ok((BODY_OFFSET + size).next_multiple_of(LINE_BYTES))
}

/// Takes space for a `T` with a row, all zeros, has them filled, and returns the offset.
///
/// # Errors
/// * [`Error::InvalidArgument`] for a row that it cannot have.
/// * [`Error::OutOfResources`] when the segment is full.
/// * [`Error::Damaged`] when the arena's end is not where it can be.
pub(crate) fn allocate<T: Object>(
    at: &Attachment,
    row_len: usize,
    fill: impl FnOnce(&T, &[T::Row]),
) -> Result<u64, Error> {
    let what = describe::<T>(size_with_row::<T>(row_len)?);
    let offset = take(at, footprint_bytes::<T>(row_len)?)?;
    let mapping = &at.inner.mapping;
    // Killed from here on: the space is lost, and nobody can open it.
    fill(mapping.view(offset + BODY_OFFSET)?, mapping.row(row_start::<T>(offset), row_len)?);
    let header = mapping.view::<ObjectHeader>(offset)?;
    // Relaxed: the store of `check` publishes it.
    header.what.store(what, Relaxed);
    // Release pairs with the Acquire in `open`: who sees the check sees the object's first state.
    header.check.store(check_of(what, offset), Release);
    Ok(offset)
}

/// Checks that a whole `T` stands at `offset`, which came from elsewhere, and returns the length of
/// its row. Whether all of it lies in the segment is checked where a pointer is made.
///
/// # Errors
/// * [`Error::Damaged`] when no object can begin there, or none was finished there.
/// * [`Error::Incompatible`] when it is another kind, or another layout version.
pub(crate) fn open<T: Object>(at: &Attachment, offset: u64) -> Result<usize, Error> {
    let end = offset.checked_add(LINE_BYTES).ok_or(Error::Damaged)?;
    let is_inside = offset >= ARENA_OFFSET && end <= at.size_bytes();
    if !is_inside || !offset.is_multiple_of(LINE_BYTES) {
        return Err(Error::Damaged);
    }
    let header = at.inner.mapping.view::<ObjectHeader>(offset)?;
    // Acquire pairs with the Release in `allocate`.
    let check = header.check.load(Acquire);
    // Relaxed: `check` was read before it, and vouches for it.
    let what = header.what.load(Relaxed);
    if check != check_of(what, offset) {
        return Err(Error::Damaged);
    }
    let size = (what >> SIZE_SHIFT) as u32;
    if what == describe::<T>(size) { row_len::<T>(size) } else { Err(Error::Incompatible) }
}

/// Moves the end of the used space up by `bytes`, and returns where it was.
fn take(at: &Attachment, bytes: u64) -> Result<u64, Error> {
    let next = &at.header()?.next;
    // Relaxed, also below: `next` guards no data; what is in the space is published by its check.
    let mut seen = next.load(Relaxed);
    // Ends: each failed exchange means that another allocation has succeeded, and the space is
    // finite. A peer that moves `next` about without end harms itself alike.
    loop {
        if seen < ARENA_OFFSET || !seen.is_multiple_of(LINE_BYTES) || seen > at.size_bytes() {
            return Err(Error::Damaged);
        }
        let end = seen + bytes;
        if end > at.size_bytes() {
            return Err(Error::OutOfResources);
        }
        match next.compare_exchange_weak(seen, end, Relaxed, Relaxed) {
            Ok(_) => return Ok(seen),
            Err(newer) => seen = newer,
        }
    }
}

const SIZE_SHIFT: u32 = 32;

const fn describe<T: Object>(size: u32) -> u64 {
    const { assert!(T::KIND != 0) };
    (T::KIND as u64) | ((T::VERSION as u64) << 16) | ((size as u64) << SIZE_SHIFT)
}

/// Never the zero of fresh memory.
const fn check_of(what: u64, offset: u64) -> u64 {
    mix(what, offset) | 1
}
