//! Named segments: how one is made, found and let go of.
//!
//! A segment with a name is a file in the machine's folder of shared memory. It is filled
//! completely while it has no name, and then linked to it: whoever finds the name finds all.
//!
//! ```text
//! create  N1  a file without a name, every page reserved, its header written
//!         N2  share the interest byte; take a slot
//!         N3  whatever the caller puts inside
//!         N4  link to the name; the name is taken: already-exists
//! open    O1  open the file of the name
//!         O2  share the interest byte; a collector has it: again from O1
//!         O3  the name leads to another file, or to none: again from O1
//!         O4  check the header, map, take a slot
//! ```
//!
//! Killed before N4: the kernel frees a file that has no name. After N4: a complete segment with
//! nobody in it, which the next collection removes. Killed anywhere in O: nothing.
//!
//! **The interest byte** says whether anybody lives in a named segment. It is shared (a read lock
//! of an open file description) by the very description that is mapped; so it is held as long as
//! any process has the segment mapped, or has its descriptor, or one is on its way in a message: a
//! forked child too that has not used it yet. A collector must have the byte alone.

use std::os::fd::{AsFd, OwnedFd};

use crate::attachment::Attachment;
use crate::error::Error;
use crate::header::{Origin, Shape};
use crate::limits::{MODE_DEFAULT, MODE_OWNER};
use crate::mapping::Mapping;
use crate::name::Name;
use crate::patience::Patience;
use crate::segment::Segment;
use crate::sys::{descriptor, folder, lock_byte, memory};

impl Segment {
    /// Makes a segment with a name, for this user alone (mode 0600). Otherwise as
    /// [`anonymous`](Self::anonymous), but for the seals, which a file with a name cannot have.
    ///
    /// The name stays until somebody takes it away: [`Name::unlink`] or a
    /// [`collect`](crate::collect) that finds nobody in the segment.
    ///
    /// ```
    /// use purlin_shm::{Error, Name, Segment};
    ///
    /// # fn main() -> Result<(), Error> {
    /// let name = Name::new(&format!("doc-create-{}", std::process::id()))?;
    /// let segment = Segment::create(&name, 4096)?;
    /// assert_eq!(Segment::create(&name, 4096).unwrap_err(), Error::AlreadyExists);
    /// assert_eq!(Segment::open(&name)?.attachment().token(), segment.attachment().token());
    /// name.unlink()?;
    /// assert_eq!(Segment::open(&name).unwrap_err(), Error::NoSuchName);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken, be it by a file that is no segment.
    /// * Those of [`anonymous`](Self::anonymous); [`Error::OutOfResources`] also when the folder is
    ///   full, [`Error::Unsupported`] also where the machine has no `/dev/shm` in memory.
    ///
    /// # Weak points
    /// * A process with the right to write may truncate the file under the others' mappings: their
    ///   next access beyond its end is a SIGBUS. What is too short at the open is `damaged`.
    pub fn create(name: &Name, capacity_bytes: u64) -> Result<Self, Error> {
        Self::create_with(name, capacity_bytes, MODE_DEFAULT, |_| Ok(()))
            .map(|(segment, ())| segment)
    }

    /// As [`create`](Self::create), with a mode and with contents: `fill` puts into the segment
    /// what it shall hold before anybody can find it. The mode is taken as it is, whatever the
    /// process's mask; its owner must be able to read and write, and other bits than the nine of
    /// `chmod(1)` are refused.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for such a mode.
    /// * What `fill` answers; then there is no segment.
    /// * Those of [`create`](Self::create).
    pub fn create_with<T, E: From<Error>>(
        name: &Name,
        capacity_bytes: u64,
        mode: u32,
        fill: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<(Self, T), E> {
        if mode & MODE_OWNER != MODE_OWNER || mode > 0o777 {
            return Err(Error::InvalidArgument.into());
        }
        let segment = nameless(capacity_bytes)?;
        let filled = fill(&segment)?;
        let file = segment.attachment().inner.registration.segment();
        folder::link(file, name, mode)?; // N4
        Ok((segment, filled))
    }

    /// Opens the segment that has this name.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when there is none.
    /// * [`Error::PermissionDenied`] when it is another user's who did not allow it.
    /// * [`Error::Incompatible`] when the name leads to what is no segment, or one of another
    ///   layout.
    /// * [`Error::Damaged`] when it was truncated or overwritten.
    /// * [`Error::TimedOut`] when for a second the name was always just being taken away; a
    ///   collector that was stopped in the middle does that.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] as for [`create`](Self::create); also
    ///   when all [`SLOT_COUNT`](crate::SLOT_COUNT) slots are taken.
    pub fn open(name: &Name) -> Result<Self, Error> {
        let mut patience = Patience::begin();
        loop {
            let file = folder::open(name)?; // O1
            if lock_byte::share_interest(&file)? && leads_here(name, &file)? {
                return Self::in_file(file); // O4
            }
            patience.nap()?;
        }
    }

    /// Opens the segment that has this name, or makes it.
    ///
    /// # Errors
    /// * Those of [`open`](Self::open) and [`create`](Self::create), but neither
    ///   [`Error::NoSuchName`] nor [`Error::AlreadyExists`].
    pub fn open_or_create(name: &Name, capacity_bytes: u64) -> Result<Self, Error> {
        let mut patience = Patience::begin();
        loop {
            match Self::open(name) {
                Err(Error::NoSuchName) => {}
                answer => return answer,
            }
            match Self::create(name, capacity_bytes) {
                Err(Error::AlreadyExists) => {} // somebody was faster, or is gone again by now
                answer => return answer,
            }
            patience.nap()?;
        }
    }

    /// O4: nothing is believed before it is checked.
    fn in_file(file: OwnedFd) -> Result<Self, Error> {
        let shape = Shape::read(file.as_fd())?;
        if shape.origin != Origin::Named {
            return Err(Error::Incompatible); // somebody copied an anonymous one into the folder
        }
        let mapping = Mapping::new(file.as_fd(), shape.size_bytes)?;
        Ok(Self::from(Attachment::new(file, mapping, shape)?))
    }
}

/// N1, N2: a complete segment that has no name yet.
fn nameless(capacity_bytes: u64) -> Result<Segment, Error> {
    let shape = Shape::with_capacity(capacity_bytes, Origin::Named)?;
    let file = memory::reserve_in(folder::nameless_file, shape.size_bytes)?;
    let mapping = Mapping::new(file.as_fd(), shape.size_bytes)?;
    shape.write(&mapping)?;
    if !lock_byte::share_interest(&file)? {
        return Err(Error::TimedOut); // unheard of: nobody else has this file
    }
    Ok(Segment::from(Attachment::new(file, mapping, shape)?))
}

/// Shares the interest byte of one that came as a descriptor, whatever has become of its name.
pub(crate) fn live_in(file: &OwnedFd) -> Result<(), Error> {
    let mut patience = Patience::begin();
    while !lock_byte::share_interest(file)? {
        patience.nap()?;
    }
    Ok(())
}

/// O3
fn leads_here(name: &Name, file: &OwnedFd) -> Result<bool, Error> {
    folder::leads_to(name, descriptor::file_id(file)?)
}
