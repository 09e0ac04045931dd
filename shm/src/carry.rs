//! What can be carried to a process that did not inherit it.

use std::os::fd::{AsFd, OwnedFd};

use crate::arena::Object;
use crate::error::Error;
use crate::header::LAYOUT_VERSION;
use crate::luggage::{Item, KIND_DESCRIPTOR, KIND_LIST, Luggage};
use crate::place::Place;
use crate::segment::Segment;

/// A handle that can be carried to another process, which then has one of the same object.
///
/// Every handle is, and so are descriptors, `()`, tuples of up to six such, lists and options. A
/// hold is never carried: the other process is a stranger that waits like anyone else.
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

impl Carry for Segment {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), Error> {
        let place = luggage.place_of(self)?;
        luggage.push_item(0, place, 0)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, Error> {
        let item = luggage.item_of(0)?;
        luggage.segment(item.descriptor)
    }
}

/// A descriptor arrives as another number of the same file description, closed on exec.
impl Carry for OwnedFd {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), Error> {
        let place = luggage.push_descriptor(self.as_fd())?;
        luggage.push_item(KIND_DESCRIPTOR, place, 0)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, Error> {
        let item = luggage.item_of(KIND_DESCRIPTOR)?;
        luggage.descriptor(item.descriptor)
    }
}

impl<T: Carry> Carry for Vec<T> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), Error> {
        luggage.push_item(KIND_LIST, 0, self.len() as u64)?;
        self.iter().try_for_each(|handle| handle.pack(luggage))
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, Error> {
        let len = luggage.item_of(KIND_LIST)?.offset;
        // No more than arrived: nothing is set aside for what a forged length claims.
        if len > luggage.left_count() as u64 {
            return Err(Error::Damaged);
        }
        (0..len).map(|_| T::unpack(luggage)).collect()
    }
}

impl<T: Carry> Carry for Option<T> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), Error> {
        luggage.push_item(KIND_LIST, 0, u64::from(self.is_some()))?;
        self.as_ref().map_or(Ok(()), |handle| handle.pack(luggage))
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, Error> {
        match luggage.item_of(KIND_LIST)?.offset {
            0 => Ok(None),
            1 => T::unpack(luggage).map(Some),
            _ => Err(Error::Damaged),
        }
    }
}

impl<T: Object> Carry for Place<T> {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), Error> {
        const { assert!(T::KIND != 0 && T::KIND < KIND_LIST) };
        let descriptor = luggage.place_of(&self.segment())?;
        let (layout, kind, version) = (LAYOUT_VERSION, T::KIND, T::VERSION);
        luggage.push(Item { layout, kind, version, descriptor, offset: self.offset() })
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
