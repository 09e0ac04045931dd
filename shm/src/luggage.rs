//! What handles become on their way to a process that did not inherit them: some bytes and some
//! descriptors.
//!
//! A handle is *packed* where it is, and *unpacked* where it arrives. In between it is an item:
//! what kind of object stands at which offset of which descriptor's segment. Whoever unpacks
//! believes nothing before it is checked: the segment, the object's kind and version, its bounds.
//!
//! How the two travel is not this crate's business: by inheritance, over a socket that passes
//! descriptors (`SCM_RIGHTS`), or both parts apart.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::error::Error;
use crate::header::LAYOUT_VERSION;
use crate::limits::{LUGGAGE_DESCRIPTOR_MAX, LUGGAGE_ITEM_MAX};
use crate::segment::Segment;
use crate::sys::descriptor::{self, FileId};

/// Handles on their way. See [`Carry`](crate::Carry).
#[derive(Debug, Default)]
pub struct Luggage {
    items: Vec<Item>,
    /// How many of the items have been unpacked.
    next: usize,
    descriptors: Vec<OwnedFd>,
    /// The segments' files and the places of their descriptors, so that each travels once.
    files: Vec<(FileId, u32)>,
    /// The segments that were attached so far, by the place of their descriptor.
    segments: Vec<Option<Segment>>,
}

/// One packed handle.
//
// 0      4      6         8            12     16       24
// | layout| kind | version | descriptor | zero | offset |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) layout: u32,
    /// An object's; or 0 for a whole segment, and one of the last two of all for what is neither.
    pub(crate) kind: u16,
    pub(crate) version: u16,
    /// The place of its segment's descriptor.
    pub(crate) descriptor: u32,
    pub(crate) offset: u64,
}

const ITEM_BYTES: usize = 24;

/// A descriptor that leads to no segment of ours, or need not.
pub(crate) const KIND_DESCRIPTOR: u16 = u16::MAX;
/// How many more follow: the length of a list stands in the place of an offset.
pub(crate) const KIND_LIST: u16 = u16::MAX - 1;

impl Luggage {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to send: some bytes, and descriptors in their order.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<OwnedFd>) {
        let bytes = self.items.iter().flat_map(|item| item.encode()).collect();
        (bytes, self.descriptors)
    }

    /// What arrived. Only its form is checked here.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for bytes that are no items, or too many of either.
    pub fn from_parts(bytes: &[u8], descriptors: Vec<OwnedFd>) -> Result<Self, Error> {
        let (items, rest) = bytes.as_chunks::<ITEM_BYTES>();
        let is_fit = rest.is_empty()
            && items.len() <= LUGGAGE_ITEM_MAX
            && descriptors.len() <= LUGGAGE_DESCRIPTOR_MAX;
        if !is_fit {
            return Err(Error::Damaged);
        }
        let items = items.iter().map(Item::decode).collect();
        let segments = descriptors.iter().map(|_| None).collect();
        Ok(Self { items, next: 0, descriptors, files: Vec::new(), segments })
    }

    /// Says that all has been unpacked.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when something is left: another type packed than unpacked.
    pub fn finish(self) -> Result<(), Error> {
        if self.next == self.items.len() { Ok(()) } else { Err(Error::Incompatible) }
    }

    pub(crate) fn push(&mut self, item: Item) -> Result<(), Error> {
        if self.items.len() >= LUGGAGE_ITEM_MAX {
            return Err(Error::OutOfResources);
        }
        self.items.push(item);
        Ok(())
    }

    pub(crate) fn push_item(
        &mut self,
        kind: u16,
        descriptor: u32,
        offset: u64,
    ) -> Result<(), Error> {
        self.push(Item { layout: LAYOUT_VERSION, kind, version: 0, descriptor, offset })
    }

    /// How many items have not been unpacked yet.
    pub(crate) fn left_count(&self) -> usize {
        self.items.len() - self.next
    }

    /// One more descriptor of what arrived in this place.
    pub(crate) fn descriptor(&self, place: u32) -> Result<OwnedFd, Error> {
        let place = usize::try_from(place).map_err(|_| Error::Damaged)?;
        descriptor::duplicate(self.descriptors.get(place).ok_or(Error::Damaged)?.as_fd())
    }

    pub(crate) fn item_of(&mut self, kind: u16) -> Result<Item, Error> {
        let item = self.next_item()?;
        if (item.kind, item.version) == (kind, 0) { Ok(item) } else { Err(Error::Incompatible) }
    }

    pub(crate) fn place_of(&mut self, segment: &Segment) -> Result<u32, Error> {
        let file = descriptor::file_id(segment.descriptor())?;
        if let Some((_, place)) = self.files.iter().find(|(known, _)| *known == file) {
            return Ok(*place);
        }
        let place = self.push_descriptor(segment.descriptor())?;
        self.files.push((file, place));
        Ok(place)
    }

    pub(crate) fn push_descriptor(&mut self, file: BorrowedFd<'_>) -> Result<u32, Error> {
        if self.descriptors.len() >= LUGGAGE_DESCRIPTOR_MAX {
            return Err(Error::OutOfResources);
        }
        self.descriptors.push(descriptor::duplicate(file)?);
        Ok(self.descriptors.len() as u32 - 1)
    }

    pub(crate) fn next_item(&mut self) -> Result<Item, Error> {
        let item = *self.items.get(self.next).ok_or(Error::Damaged)?;
        self.next += 1;
        if item.layout == LAYOUT_VERSION { Ok(item) } else { Err(Error::Incompatible) }
    }

    /// The segment of an item, attached once however many items lie in it.
    pub(crate) fn segment(&mut self, place: u32) -> Result<Segment, Error> {
        let place = usize::try_from(place).map_err(|_| Error::Damaged)?;
        let known = self.segments.get_mut(place).ok_or(Error::Damaged)?;
        if let Some(segment) = known {
            return Ok(segment.clone());
        }
        let descriptor = descriptor::duplicate(self.descriptors[place].as_fd())?;
        Ok(known.insert(Segment::from_descriptor(descriptor)?).clone())
    }
}

impl Item {
    fn encode(&self) -> [u8; ITEM_BYTES] {
        let mut bytes = [0; ITEM_BYTES];
        bytes[0..4].copy_from_slice(&self.layout.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.kind.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.version.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.descriptor.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.offset.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; ITEM_BYTES]) -> Self {
        let low = u64::from_le_bytes(core::array::from_fn(|at| bytes[at]));
        Self {
            layout: low as u32,
            kind: (low >> 32) as u16,
            version: (low >> 48) as u16,
            descriptor: u32::from_le_bytes(core::array::from_fn(|at| bytes[8 + at])),
            offset: u64::from_le_bytes(core::array::from_fn(|at| bytes[16 + at])),
        }
    }
}
