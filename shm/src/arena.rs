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
}

/// What stands before each object.
//
// 0      2        4        8       16
// | kind | version| size   | check | the object …
//
// `check` is written last: an object whose maker was killed has none, and cannot be opened.
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

/// What one object of `size` bytes takes.
pub(crate) const fn footprint_bytes(size: usize) -> u64 {
    (BODY_OFFSET + size as u64).next_multiple_of(LINE_BYTES)
}

/// Takes space for a `T`, which starts out as zeros, and returns its offset.
///
/// # Errors
/// * [`Error::OutOfResources`] when the segment is full.
/// * [`Error::Damaged`] when the arena's end is not where it can be.
pub(crate) fn allocate<T: Object>(at: &Attachment) -> Result<u64, Error> {
    const { assert!(align_of::<T>() as u64 <= BODY_OFFSET) };
    let offset = take(at, footprint_bytes(size_of::<T>()))?;
    // Killed here: the space is lost, and nobody can open it.
    let header = at.inner.mapping.view::<ObjectHeader>(offset)?;
    let what = describe::<T>();
    // Relaxed: the store of `check` publishes it.
    header.what.store(what, Relaxed);
    // Release pairs with the Acquire in `open`: who sees the check sees the object's first state.
    header.check.store(check_of(what, offset), Release);
    Ok(offset)
}

/// Checks that a whole `T` stands at `offset`, which came from elsewhere.
///
/// # Errors
/// * [`Error::Damaged`] when no object can begin there, or none was finished there.
/// * [`Error::Incompatible`] when it is another kind, or another layout version.
pub(crate) fn open<T: Object>(at: &Attachment, offset: u64) -> Result<(), Error> {
    let end = offset.checked_add(footprint_bytes(size_of::<T>())).ok_or(Error::Damaged)?;
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
    if what == describe::<T>() { Ok(()) } else { Err(Error::Incompatible) }
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

const fn describe<T: Object>() -> u64 {
    const { assert!(size_of::<T>() <= u32::MAX as usize && T::KIND != 0) };
    (T::KIND as u64) | ((T::VERSION as u64) << 16) | ((size_of::<T>() as u64) << 32)
}

/// Never the zero of fresh memory.
const fn check_of(what: u64, offset: u64) -> u64 {
    mix(what, offset) | 1
}
