//! What handles become on their way to a process that did not inherit them: some bytes and some
//! descriptors.
//!
//! A handle is *packed* where it is, and *unpacked* where it arrives. In between it is an item:
//! what kind of object stands at which offset of which descriptor's segment. Whoever unpacks
//! believes nothing before it is checked: the segment, the object's kind and version, its bounds.
//!
//! How the two travel is not this crate's business: by inheritance, over a socket that passes
//! descriptors (`SCM_RIGHTS`), or both parts apart.

use std::os::fd::{AsFd, OwnedFd};

use crate::arena::Object;
use crate::error::Error;
use crate::header::LAYOUT_VERSION;
use crate::limits::{LUGGAGE_DESCRIPTOR_MAX, LUGGAGE_ITEM_MAX};
use crate::place::Place;
use crate::segment::Segment;
use crate::sys::descriptor::{self, FileId};

/// A handle that can be carried to another process, which then has one of the same object.
///
/// Every handle is, and so are `()` and tuples of up to six such. A hold is never carried:
/// the other process is a stranger that waits like anyone else.
///
/// ```
/// use purlin_shm::{Carry, Luggage, Segment};
///
/// # fn main() -> Result<(), purlin_shm::Error> {
/// let segment = Segment::anonymous(4096)?;
/// let mut packed = Luggage::new();
/// segment.pack(&mut packed)?;
/// let (bytes, descriptors) = packed.into_parts(); // say, sent to another process
///
/// let mut arrived = Luggage::from_parts(&bytes, descriptors)?;
/// let same = Segment::unpack(&mut arrived)?;
/// arrived.finish()?; // nothing is left that nobody asked for
/// assert_eq!(same.capacity_bytes(), segment.capacity_bytes());
/// # Ok(()) }
/// ```
pub trait Carry: Sized {
    /// Adds this handle to what is carried; the handle itself stays usable.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] without descriptors, or when too much is carried at once.
    fn pack(&self, luggage: &mut Luggage) -> Result<(), Error>;

    /// Takes out what the same type packed, and attaches to it.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when something else was packed, or by another layout version.
    /// * [`Error::Damaged`] when nothing is left, or what arrived contradicts itself.
    /// * [`Error::OutOfResources`], [`Error::PermissionDenied`] and [`Error::Unsupported`] as for
    ///   [`Segment::from_descriptor`].
    fn unpack(luggage: &mut Luggage) -> Result<Self, Error>;
}

/// Handles on their way. See [`Carry`].
#[derive(Debug, Default)]
pub struct Luggage {
    items: Vec<Item>,
    /// How many of the items have been unpacked.
    next: usize,
    descriptors: Vec<OwnedFd>,
    /// The files behind the descriptors, so that one segment travels once.
    files: Vec<FileId>,
    /// The segments that were attached so far, by the place of their descriptor.
    segments: Vec<Option<Segment>>,
}

/// One packed handle.
//
// 0      4      6         8            12     16       24
// | layout| kind | version | descriptor | zero | offset |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    layout: u32,
    /// 0 for a whole segment.
    kind: u16,
    version: u16,
    /// The place of its segment's descriptor.
    descriptor: u32,
    offset: u64,
}

const ITEM_BYTES: usize = 24;

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

    fn push(&mut self, segment: &Segment, item: Item) -> Result<(), Error> {
        if self.items.len() >= LUGGAGE_ITEM_MAX {
            return Err(Error::OutOfResources);
        }
        let descriptor = self.place_of(segment)?;
        self.items.push(Item { descriptor, ..item });
        Ok(())
    }

    fn place_of(&mut self, segment: &Segment) -> Result<u32, Error> {
        let file = descriptor::file_id(segment.descriptor())?;
        if let Some(place) = self.files.iter().position(|known| *known == file) {
            return Ok(place as u32);
        }
        if self.files.len() >= LUGGAGE_DESCRIPTOR_MAX {
            return Err(Error::OutOfResources);
        }
        self.descriptors.push(descriptor::duplicate(segment.descriptor().as_fd())?);
        self.files.push(file);
        Ok(self.files.len() as u32 - 1)
    }

    fn next_item(&mut self) -> Result<Item, Error> {
        let item = *self.items.get(self.next).ok_or(Error::Damaged)?;
        self.next += 1;
        if item.layout == LAYOUT_VERSION { Ok(item) } else { Err(Error::Incompatible) }
    }

    /// The segment of an item, attached once however many items lie in it.
    fn segment(&mut self, place: u32) -> Result<Segment, Error> {
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

impl Carry for Segment {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), Error> {
        let layout = LAYOUT_VERSION;
        luggage.push(self, Item { layout, kind: 0, version: 0, descriptor: 0, offset: 0 })
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, Error> {
        let item = luggage.next_item()?;
        if (item.kind, item.version) != (0, 0) {
            return Err(Error::Incompatible);
        }
        luggage.segment(item.descriptor)
    }
}

impl<T: Object> Carry for Place<T> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), Error> {
        let (layout, kind, version) = (LAYOUT_VERSION, T::KIND, T::VERSION);
        let item = Item { layout, kind, version, descriptor: 0, offset: self.offset() };
        luggage.push(&self.segment(), item)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, Error> {
        let item = luggage.next_item()?;
        if (item.kind, item.version) != (T::KIND, T::VERSION) {
            return Err(Error::Incompatible);
        }
        let segment = luggage.segment(item.descriptor)?;
        Self::open(&segment, item.offset)
    }
}

impl Carry for () {
    fn pack(&self, _: &mut Luggage) -> Result<(), Error> {
        Ok(())
    }

    fn unpack(_: &mut Luggage) -> Result<Self, Error> {
        Ok(())
    }
}

macro_rules! carry_tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Carry),+> Carry for ($($name,)+) {
            fn pack(&self, luggage: &mut Luggage) -> Result<(), Error> {
                #[expect(non_snake_case, reason = "each field is named as its type")]
                let ($($name,)+) = self;
                $($name.pack(luggage)?;)+
                Ok(())
            }

            fn unpack(luggage: &mut Luggage) -> Result<Self, Error> {
                Ok(($($name::unpack(luggage)?,)+))
            }
        }
    )+};
}

carry_tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }
