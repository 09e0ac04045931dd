//! Which named segments there are, who lives in them, and the end of those that nobody lives in.
//!
//! ```text
//! collect, for each name, with the one right to take names away (a lock on the folder):
//!   C1  open its file; no header of ours: leave it alone
//!   C2  take the interest byte alone; somebody shares it: alive, leave it alone
//!   C3  the name leads to another file by now: leave it alone
//!   C4  take the name away
//! ```
//!
//! Killed anywhere: the kernel gives both locks back, and the name stands or is gone. Between C3
//! and C4 the name cannot come to lead elsewhere: that needs somebody who takes it away, and the
//! right to do so is ours. An opener in between finds the interest byte taken, or the name gone.

use std::os::fd::{AsFd, AsRawFd};

use crate::error::Error;
use crate::header::Shape;
use crate::limits::SLOT_COUNT;
use crate::name::Name;
use crate::patience::Patience;
use crate::registry;
use crate::slot::pid_in_file;
use crate::sys::descriptor::{self, Description};
use crate::sys::{folder, lock_byte};

/// A named segment, as [`list`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: Name,
    /// The size of its file, in bytes.
    pub size_bytes: u64,
    /// The user that it belongs to, by number.
    pub owner: u32,
    /// Who may do what, as in `chmod(1)`.
    pub mode: u32,
    /// Whether any process has it, attached or not: a collection leaves it alone then.
    pub is_alive: bool,
    /// Who is attached, or why that cannot be said: `incompatible`, `damaged`.
    pub residents: Result<Vec<Resident>, Error>,
}

/// A living process that is attached to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resident {
    /// Its slot.
    pub slot: u32,
    /// Its number as it wrote it down itself, in its own pid namespace; not to be believed of a
    /// peer that means harm.
    pub pid: u32,
}

/// The named segments that this process may read, in the order of their names. A snapshot: it may
/// be history by the time it is read.
///
/// ```
/// use purlin_shm::{Error, Name, Segment};
///
/// # fn main() -> Result<(), Error> {
/// let name = Name::new(&format!("doc-list-{}", std::process::id()))?;
/// let segment = Segment::create(&name, 4096)?;
/// let listed = purlin_shm::list()?.into_iter().find(|listed| listed.name == name).unwrap();
/// assert!(listed.is_alive);
/// assert_eq!(listed.residents.unwrap()[0].pid, std::process::id());
/// assert_eq!(name.collect(), Ok(false)); // somebody lives in it
/// drop(segment);
/// assert_eq!(purlin_shm::collect(|other| *other == name)?, [name.clone()]);
/// assert_eq!(Segment::open(&name).unwrap_err(), Error::NoSuchName);
/// # Ok(()) }
/// ```
///
/// # Errors
/// * [`Error::Unsupported`] where the machine has no `/dev/shm`.
/// * [`Error::OutOfResources`] without descriptors.
pub fn list() -> Result<Vec<Listed>, Error> {
    let mut found = Vec::new();
    for name in folder::names()? {
        match look(name) {
            Ok(listed) => found.push(listed),
            Err(Error::OutOfResources) => return Err(Error::OutOfResources),
            Err(_) => {} // gone meanwhile, another user's, or no file
        }
    }
    Ok(found)
}

/// Takes away the names that are wanted, of segments that nobody lives in, and says which. What is
/// no segment of this layout, and what this process may not write or take away, is left alone.
///
/// The names are the machine's: `|_| true` takes away everybody's, also of those who mean to come
/// back to theirs.
///
/// # Errors
/// * [`Error::TimedOut`] when others took names away for a whole second, or one that does so is
///   stopped in the middle.
/// * Those of [`list`].
pub fn collect(is_wanted: impl Fn(&Name) -> bool) -> Result<Vec<Name>, Error> {
    let mut collected = Vec::new();
    for name in folder::names()?.into_iter().filter(is_wanted) {
        match name.collect() {
            Ok(true) => collected.push(name),
            Ok(false) | Err(Error::PermissionDenied | Error::Incompatible) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(collected)
}

impl Name {
    /// Takes the name away. Those who live in its segment go on with it; nobody finds it any more.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when there is none of this name.
    /// * [`Error::PermissionDenied`] when it is another user's.
    /// * [`Error::TimedOut`] as for [`collect`].
    pub fn unlink(&self) -> Result<(), Error> {
        alone(|| folder::unlink(self))
    }

    /// Takes the name away if nobody lives in its segment, and says whether it did. There is
    /// nothing to take away where no segment of this layout has the name.
    ///
    /// # Errors
    /// * [`Error::PermissionDenied`] when it is another user's, [`Error::Incompatible`] when it
    ///   leads to no plain file.
    /// * [`Error::TimedOut`] as for [`collect`].
    pub fn collect(&self) -> Result<bool, Error> {
        match alone(|| collect_one(self)) {
            Err(Error::NoSuchName) => Ok(false),
            answer => answer,
        }
    }
}

/// Does `work` with the one right to take names away. The registry's lock is held meanwhile, so
/// that no fork of this process makes a child that keeps the right, or the interest byte.
fn alone<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let mut patience = Patience::begin();
    loop {
        {
            let _registry = registry::lock();
            if let Some(_right) = folder::try_exclusive()? {
                return work();
            }
        }
        patience.nap()?;
    }
}

fn collect_one(name: &Name) -> Result<bool, Error> {
    let file = folder::open(name)?; // C1
    if !Shape::is_of_this_layout(file.as_fd())? || !lock_byte::take_interest(&file)? {
        return Ok(false); // C2
    }
    let is_same = folder::leads_to(name, descriptor::file_id(&file)?)?; // C3
    if is_same {
        folder::unlink(name)?; // C4
    }
    Ok(is_same)
}

fn look(name: Name) -> Result<Listed, Error> {
    let file = folder::open_to_read(&name)?;
    let Description { size_bytes, owner, mode } = descriptor::describe(&file)?;
    Ok(Listed {
        name,
        size_bytes,
        owner,
        mode,
        is_alive: lock_byte::is_of_interest(&file)?,
        residents: Shape::read(file.as_fd()).and_then(|_| residents(&file)),
    })
}

fn residents(file: &impl AsFd) -> Result<Vec<Resident>, Error> {
    let file = file.as_fd();
    let mut residents = Vec::new();
    for slot in 0..SLOT_COUNT {
        if lock_byte::is_taken(file.as_raw_fd(), slot)? {
            residents.push(Resident { slot, pid: pid_in_file(file, slot)? });
        }
    }
    Ok(residents)
}
