//! What stands at the start of a segment: written once at creation, checked at every attach before
//! anything is followed.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::os::fd::BorrowedFd;

use crate::error::Error;
use crate::limits::{LINE_BYTES, SEGMENT_MAX_BYTES, SLOT_COUNT};
use crate::mapping::{Mapping, Shared};
use crate::slot::SlotTable;
use crate::sys::{folder, memory};

/// The version of every layout in a segment. It changes with any assert on a layout in this crate.
pub const LAYOUT_VERSION: u32 = 2;

/// `purlin` and a zero byte; the eighth byte is a letter that no text file begins with.
const MAGIC: u64 = u64::from_le_bytes(*b"purlin\0\xb1");

/// The first 256 bytes of a segment, little endian.
//
//  0      8        12      16     24     32     40      48     128    136     144    256
//  | magic| layout | slots | size | arena| check| origin| zeros| next | cursor| zeros| slots …
//
// The first line is fixed at creation; the second is written by whoever allocates or registers.
#[repr(C, align(128))]
pub(crate) struct Header {
    magic: AtomicU64,
    layout: AtomicU32,
    slot_count: AtomicU32,
    size_bytes: AtomicU64,
    arena_offset: AtomicU64,
    check: AtomicU64,
    origin: AtomicU64,
    reserved: [AtomicU64; 10],
    /// Where the arena's free space begins; it only grows.
    pub(crate) next: AtomicU64,
    /// Where the next registration starts to look for a slot; it rotates.
    pub(crate) cursor: AtomicU32,
    reserved_too: [AtomicU32; 29],
}

const _: () = assert!(size_of::<Header>() as u64 == 2 * LINE_BYTES);
const _: () = assert!(core::mem::offset_of!(Header, check) == 32);
const _: () = assert!(core::mem::offset_of!(Header, next) as u64 == LINE_BYTES); // its own line
const _: () = assert!(core::mem::offset_of!(Header, cursor) == 136);

// SAFETY: `repr(C)`, atomics only; zeros and any other bits are valid values of them.
#[expect(unsafe_code, reason = "a promise about this layout, argued above")]
unsafe impl Shared for Header {}

/// Where the slot table begins, in bytes.
pub(crate) const SLOTS_OFFSET: u64 = size_of::<Header>() as u64;

/// Where the arena begins, in bytes.
pub(crate) const ARENA_OFFSET: u64 = SLOTS_OFFSET + size_of::<SlotTable>() as u64;
const _: () = assert!(ARENA_OFFSET.is_multiple_of(LINE_BYTES));

/// What the header says and what was checked: kept privately, and never read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) size_bytes: u64,
    pub(crate) origin: Origin,
}

/// How a segment came to be, and so what its file can promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A memory file that is sealed: its size never changes.
    Anonymous,
    /// A file that has, or had, a name, and that its users must not truncate.
    Named,
    /// A memory file that is sealed, of which not all pages are there.
    Sparse,
}

/// What the fields of the first line take, in bytes.
const FIELDS_BYTES: usize = 48;

impl Shape {
    /// The shape of a new segment whose arena has room for `capacity_bytes`.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when it is zero, or more than any segment can have.
    pub(crate) fn with_capacity(capacity_bytes: u64, origin: Origin) -> Result<Self, Error> {
        if capacity_bytes == 0 || capacity_bytes > SEGMENT_MAX_BYTES - 2 * ARENA_OFFSET {
            return Err(Error::InvalidArgument);
        }
        let size_bytes = (ARENA_OFFSET + capacity_bytes).next_multiple_of(memory::page_bytes());
        Ok(Self { size_bytes, origin })
    }

    /// Reads and checks the header of a file that claims to be a segment.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] for a file that is none of ours, or of another layout.
    /// * [`Error::Damaged`] when it is one, but says what cannot be.
    pub(crate) fn read(file: BorrowedFd<'_>) -> Result<Self, Error> {
        // Nothing else is even read: a memory file alone carries seals, and one with a name lies in
        // the folder of such.
        let is_sealed = memory::is_sealed(file);
        if !is_sealed && !folder::is_memory(file)? {
            return Err(Error::Incompatible);
        }
        let fields = Fields::read(file)?;
        if fields.magic != MAGIC || fields.layout != LAYOUT_VERSION {
            return Err(Error::Incompatible);
        }
        if fields.check != fields.expected_check() {
            return Err(Error::Damaged);
        }
        let origin = Origin::of_number(fields.origin).ok_or(Error::Damaged)?;
        // One that says it was never named and has no seals could shrink under a mapping.
        if fields.slot_count != SLOT_COUNT || (origin != Origin::Named && !is_sealed) {
            return Err(Error::Incompatible);
        }
        let is_possible = fields.arena_offset == ARENA_OFFSET
            && fields.size_bytes > ARENA_OFFSET
            && fields.size_bytes <= SEGMENT_MAX_BYTES
            && fields.size_bytes == memory::size_bytes(file)?
            && memory::has_pages(file, origin.pages_bytes(fields.size_bytes))?;
        if !is_possible {
            return Err(Error::Damaged);
        }
        Ok(Self { size_bytes: fields.size_bytes, origin })
    }

    /// Whether the file begins as a segment of this layout, whatever has become of the rest.
    pub(crate) fn is_of_this_layout(file: BorrowedFd<'_>) -> Result<bool, Error> {
        let fields = Fields::read(file)?;
        let is_ours = fields.magic == MAGIC && fields.layout == LAYOUT_VERSION;
        Ok(is_ours && fields.check == fields.expected_check())
    }

    /// Writes the header of a new segment. Nobody else has the file yet.
    pub(crate) fn write(self, mapping: &Mapping) -> Result<(), Error> {
        let header = mapping.view::<Header>(0)?;
        let fields = Fields {
            magic: MAGIC,
            layout: LAYOUT_VERSION,
            slot_count: SLOT_COUNT,
            size_bytes: self.size_bytes,
            arena_offset: ARENA_OFFSET,
            check: 0,
            origin: self.origin.number(),
        };
        // Relaxed, all of them: the descriptor has not left this function's caller, and whatever
        // hands it to another process (a fork, a message) orders these stores before its looks.
        header.next.store(ARENA_OFFSET, Relaxed);
        header.layout.store(fields.layout, Relaxed);
        header.slot_count.store(fields.slot_count, Relaxed);
        header.size_bytes.store(fields.size_bytes, Relaxed);
        header.arena_offset.store(fields.arena_offset, Relaxed);
        header.origin.store(fields.origin, Relaxed);
        header.check.store(fields.expected_check(), Relaxed);
        header.magic.store(fields.magic, Relaxed); // last, as above
        Ok(())
    }
}

impl Origin {
    const fn number(self) -> u64 {
        match self {
            Self::Anonymous => 0,
            Self::Named => 1,
            Self::Sparse => 2,
        }
    }

    /// How many bytes of so many must be there.
    const fn pages_bytes(self, size_bytes: u64) -> u64 {
        match self {
            Self::Anonymous | Self::Named => size_bytes,
            Self::Sparse => ARENA_OFFSET,
        }
    }

    const fn of_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Anonymous),
            1 => Some(Self::Named),
            2 => Some(Self::Sparse),
            _ => None,
        }
    }
}

/// The fixed line, as values.
struct Fields {
    magic: u64,
    layout: u32,
    slot_count: u32,
    size_bytes: u64,
    arena_offset: u64,
    check: u64,
    origin: u64,
}

impl Fields {
    fn read(file: BorrowedFd<'_>) -> Result<Self, Error> {
        let mut start = [0; FIELDS_BYTES];
        memory::read_at(file, &mut start, 0)?;
        Ok(Self::decode(&start))
    }

    fn decode(bytes: &[u8; FIELDS_BYTES]) -> Self {
        let u64_at =
            |at: usize| u64::from_le_bytes(core::array::from_fn(|index| bytes[at + index]));
        let pair = u64_at(8);
        Self {
            magic: u64_at(0),
            layout: pair as u32,
            slot_count: (pair >> 32) as u32,
            size_bytes: u64_at(16),
            arena_offset: u64_at(24),
            check: u64_at(32),
            origin: u64_at(40),
        }
    }

    const fn expected_check(&self) -> u64 {
        let counts = (self.layout as u64) | ((self.slot_count as u64) << 32);
        let sizes = mix(mix(mix(self.magic, counts), self.size_bytes), self.arena_offset);
        mix(sizes, self.origin)
    }
}

/// Folds `value` into `state` so that a change of any bit changes about half of the result
/// (the finalizer of splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014). It guards against accidents, not against intent.
pub(crate) const fn mix(state: u64, value: u64) -> u64 {
    let mut word = (state.rotate_left(23) ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
