//! A rack of mailboxes: the words of some workers and of the pool's bell, and the rings of their
//! inputs and outputs, in one segment. Several share one, since each costs what a fork costs.
#![expect(unsafe_code, reason = "promises about the layout, argued here")]

use core::ops::Range;
use core::sync::atomic::{AtomicU32, AtomicU64};

use purlin_shm::{Object, Place, Shared};
use purlin_sync::parts::EventCount;

use super::bodies::UNIT_BYTES;
use super::slots::MailboxWords;
use crate::error::Error;
use crate::limits::{RACK_COUNT, SLOT_COUNT};

/// All zeros is one whose mailboxes are empty.
//
// 0      4       8             8 + 1304 a mailbox
// | bell | zeros | mailboxes | inputs | outputs | inputs | outputs | ...
#[repr(C)]
pub(crate) struct RackWords {
    /// Of the first rack of a pool: what the owner sleeps on for answers.
    pub(super) answers: EventCount,
    zeros: AtomicU32,
    pub(super) mailboxes: [MailboxWords; RACK_COUNT],
}

const _: () = assert!(size_of::<MailboxWords>() == 24 + 40 * SLOT_COUNT);
const _: () = assert!(size_of::<RackWords>() == 8 + 1304 * RACK_COUNT);
const _: () = assert!(align_of::<RackWords>() == 8);

// SAFETY: `repr(C)`, of atomics and of words that are one atomic each, as are the mailboxes; zeros
// and any other bits are valid values of them.
unsafe impl Shared for RackWords {}

impl Object for RackWords {
    const KIND: u16 = 41;
    const VERSION: u16 = 2;
    type Row = AtomicU64;
}

/// Which mailbox of a rack of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) index: usize,
    pub(crate) count: usize,
}

impl Spot {
    /// The units of the inputs and of the outputs in a row of so many.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a spot in no rack.
    pub(super) fn units(self, row_len: usize) -> Result<(Range<usize>, Range<usize>), Error> {
        if self.index >= self.count || self.count > RACK_COUNT {
            return Err(Error::Damaged);
        }
        let body_units = row_len / (2 * self.count);
        let start = 2 * self.index * body_units;
        let (middle, end) = (start + body_units, start + 2 * body_units);
        Ok((start..middle, middle..end))
    }
}

/// Racks for so many mailboxes, whose inputs, and whose outputs, have so many bytes at most each,
/// rounded up to a page.
///
/// # Errors
/// * [`Error::OutOfResources`] without memory, descriptors or address space, or where a file may
///   not be so large.
pub(super) fn racks(
    count: usize,
    body_max_bytes: usize,
) -> Result<Vec<(Place<RackWords>, Spot)>, Error> {
    let body_units = body_max_bytes.next_multiple_of(4096) / UNIT_BYTES;
    let most = (u32::MAX as usize - size_of::<RackWords>()) / (2 * body_units * UNIT_BYTES);
    // Where files may not be so large, one a rack may do.
    let several = some_racks(count, most.clamp(1, RACK_COUNT), body_units);
    several.or_else(|_| some_racks(count, 1, body_units))
}

fn some_racks(
    count: usize,
    each: usize,
    body_units: usize,
) -> Result<Vec<(Place<RackWords>, Spot)>, Error> {
    let mut spots = Vec::with_capacity(count);
    while spots.len() < count {
        let count = each.min(count - spots.len());
        let place = Place::<RackWords>::new_sparse_unregistered(2 * count * body_units)?;
        spots.extend((0..count).map(|index| (place.clone(), Spot { index, count })));
    }
    Ok(spots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rings_of_a_rack_lie_side_by_side() {
        let spot = |index, count| Spot { index, count };
        assert_eq!(spot(0, 1).units(20), Ok((0..10, 10..20)));
        assert_eq!(spot(1, 2).units(40), Ok((20..30, 30..40)));
        assert_eq!(spot(2, 2).units(40), Err(Error::Damaged));
        assert_eq!(spot(0, RACK_COUNT + 1).units(40), Err(Error::Damaged));
        assert_eq!(spot(0, 0).units(40), Err(Error::Damaged));
    }

    #[test]
    fn mailboxes_share_racks_as_far_as_those_can_be_so_large() {
        let spots = |count, bytes| -> Vec<Spot> {
            racks(count, bytes).unwrap().into_iter().map(|(_, spot)| spot).collect()
        };
        let small = spots(RACK_COUNT + 1, 4096);
        assert_eq!(small[RACK_COUNT - 1], Spot { index: RACK_COUNT - 1, count: RACK_COUNT });
        assert_eq!(small[RACK_COUNT], Spot { index: 0, count: 1 });
        assert_eq!(spots(2, 1 << 30), [Spot { index: 0, count: 1 }; 2]);
    }
}
