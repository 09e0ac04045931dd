//! A segment as this process is attached to it: its own token, and who else is alive.
#![expect(unsafe_code, reason = "the token is read through a pointer kept beside its owner")]

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed},
};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::error::Error;
use crate::header::{Header, Origin, SLOTS_OFFSET, Shape};
use crate::mapping::Mapping;
use crate::registry::Registration;
use crate::slot::SlotTable;

/// This process in one segment: its token, and the answer to "is that other one alive?". The
/// operations of words take it; handles carry it.
///
/// ```
/// # fn main() -> Result<(), purlin_shm::Error> {
/// let segment = purlin_shm::Segment::anonymous(4096)?;
/// let at = segment.attachment();
/// assert_eq!(at.token_or_register()?, at.token());
/// assert_eq!(at.is_dead(at.token(), 0), Ok(false)); // itself
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fork: the child has no token until its first operation, and none of its parent's holds.
/// * Foreign handlers of `pthread_atfork(3)`: one that takes a lock under which the program also
///   calls purlin may wait for purlin's registry, and a fork then for both. The registry is held
///   across a fork.
/// * A raw `clone` of a program with several threads may leave its child with the registry held by
///   a thread that it does not have; a child that shares its parent's descriptors (`CLONE_FILES`),
///   or its memory, must not use purlin before exec.
/// * A forked child whose copy of the segment's descriptor was closed by foreign code before its
///   first operation can never register: it is told so each time.
/// * Foreign code that closes descriptors it did not open (daemonizing does) makes this process
///   look dead to the others while it lives. Attach afterwards.
/// * A child that foreign code makes by a raw `clone` keeps this process's place taken; its death
///   is then noticed a slice later, and only within its pid namespace.
#[derive(Clone)]
pub struct Attachment {
    /// Into the page of the registration that `inner` owns: the fast path's only load.
    token: NonNull<AtomicU32>,
    pub(crate) inner: Arc<Inner>,
}

/// What all handles into one mapping share.
pub(crate) struct Inner {
    pub(crate) mapping: Mapping,
    pub(crate) registration: Arc<Registration>,
    /// How the segment came to be, as checked at the attach.
    origin: Origin,
}

impl Attachment {
    /// Registers this process in the segment behind `segment`, which it has mapped.
    pub(crate) fn new(segment: OwnedFd, mapping: Mapping, shape: Shape) -> Result<Self, Error> {
        let attachment = Self::unregistered(segment, mapping, shape)?;
        attachment.inner.registration.register(&attachment.inner.mapping)?;
        Ok(attachment)
    }

    /// The same without a registration: as a forked child, this process gets its token when
    /// something asks for it.
    pub(crate) fn unregistered(
        segment: OwnedFd,
        mapping: Mapping,
        shape: Shape,
    ) -> Result<Self, Error> {
        let registration = Registration::join(segment, mapping.size_bytes())?;
        Ok(Self::from(Arc::new(Inner { mapping, registration, origin: shape.origin })))
    }

    /// This process's token in the segment, or 0 in a forked child that has not asked for one yet:
    /// one load, no system call.
    #[inline]
    #[must_use]
    pub fn token(&self) -> u32 {
        // SAFETY: The pointer leads into the page that `inner.registration` owns and that is
        // unmapped only after `inner` is dropped; it is aligned, and accessed as an atomic only.
        let token = unsafe { self.token.as_ref() };
        // Relaxed: a number that says who we are; nothing is read by its means.
        token.load(Relaxed)
    }

    /// This process's token, registering it first where a forked child has none.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when no slot or no descriptor is left.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    #[cold]
    pub fn token_or_register(&self) -> Result<u32, Error> {
        // Acquire pairs with the Release in `register` (S5): by the token goes the number of the
        // private descriptor, which another thread may just have opened.
        match self.inner.registration.token().load(Acquire) {
            0 => self.inner.registration.register(&self.inner.mapping),
            token => Ok(token),
        }
    }

    /// Whether the process that `token` names is proven dead; every doubt answers false. `slices`
    /// says how often the caller has slept on this very token: from 1 on a second opinion is asked
    /// for. What is dead stays dead: a token comes back only
    /// when its slot has been taken a million times since.
    ///
    /// # Errors
    /// * [`Error::System`] when foreign code closed the descriptor that such looks are made with.
    /// * Those of [`token_or_register`](Self::token_or_register) in a forked child that has not.
    pub fn is_dead(&self, token: u32, slices: u32) -> Result<bool, Error> {
        if token == self.token_or_register()? {
            return Ok(false); // L0
        }
        let slots = self.inner.mapping.view::<SlotTable>(SLOTS_OFFSET)?;
        slots.is_dead(token, slices, self.inner.registration.probe())
    }

    /// Whether both are this process in the same segment, be it mapped twice.
    #[must_use]
    pub fn is_in_same_segment(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner.registration, &other.inner.registration)
    }

    /// The first lines of the segment.
    pub(crate) fn header(&self) -> Result<&Header, Error> {
        self.inner.mapping.view(0)
    }

    /// Whether it was made without its pages.
    pub(crate) fn is_sparse(&self) -> bool {
        self.inner.origin == Origin::Sparse
    }

    /// The segment's size in bytes, as checked at the attach.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.inner.mapping.size_bytes()
    }
}

impl From<Arc<Inner>> for Attachment {
    fn from(inner: Arc<Inner>) -> Self {
        Self { token: inner.registration.page().token(), inner }
    }
}

// SAFETY: All that the pointer is used for is an atomic load, which any thread may do; what it
// points into is kept alive by `inner`, which is itself `Send` and `Sync`.
unsafe impl Send for Attachment {}
// SAFETY: As for `Send`.
unsafe impl Sync for Attachment {}

impl fmt::Debug for Attachment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Attachment").field("token", &self.token()).finish_non_exhaustive()
    }
}
