//! The segments that `new()` draws on: small ones, made as they are needed. The process keeps no
//! handle of its own into them, so a chunk goes with the last object in it that anybody here uses.

use std::sync::Arc;

use crate::arena::{Object, footprint_bytes};
use crate::attachment::Attachment;
use crate::error::Error;
use crate::limits::{CHUNK_MAX_BYTES, CHUNK_OBJECT_COUNT};
use crate::place::Place;
use crate::registry;
use crate::segment::Segment;

/// Makes a `T` in the current chunk, or in a new one when that is full or gone. A large one gets a
/// segment of its own.
///
/// # Errors
/// * [`Error::InvalidArgument`] for a row that it cannot have.
/// * As [`Segment::anonymous`].
pub(crate) fn allocate<T: Object>(
    row_len: usize,
    fill: impl Fn(&T, &[T::Row]),
) -> Result<Place<T>, Error> {
    let footprint_bytes = footprint_bytes::<T>(row_len)?;
    if let Some(chunk) = current()
        && let Ok(place) = Place::new_in_with(&chunk, row_len, &fill)
    {
        return Ok(place);
    }
    let several_bytes = (CHUNK_OBJECT_COUNT * footprint_bytes).min(CHUNK_MAX_BYTES);
    let chunk = Segment::anonymous(several_bytes.max(footprint_bytes))?;
    let place = Place::new_in_with(&chunk, row_len, &fill)?;
    if several_bytes > footprint_bytes {
        registry::lock().chunk = Arc::downgrade(&chunk.attachment().inner);
    }
    Ok(place)
}

/// The current chunk, unless its last object has gone.
fn current() -> Option<Segment> {
    // The lock is given back before the segment can be dropped: that drop takes it too.
    let inner = registry::lock().chunk.upgrade();
    inner.map(|inner| Segment::from(Attachment::from(inner)))
}
