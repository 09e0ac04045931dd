//! A handle's hold on one object in a segment.
#![expect(unsafe_code, reason = "an object is reached through a pointer kept beside its mapping")]

use core::fmt;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{AcqRel, Relaxed};

use crate::arena::{self, BODY_OFFSET, Object, footprint_bytes, row_start};
use crate::attachment::Attachment;
use crate::chunk;
use crate::error::Error;
use crate::header::ARENA_OFFSET;
use crate::limits::MODE_DEFAULT;
use crate::name::Name;
use crate::registry;
use crate::segment::Segment;

/// One object in a segment, and what a handle needs to reach it. Handles of other crates are built
/// of it; it derefs to the object.
///
/// A process's places of one object are counted, so that its last handle can give up what the
/// process holds by it: see [`leave`](Self::leave).
///
/// # Weak points
/// * Fork: a child's count includes the handles of threads that it does not have, if its parent had
///   several. What those would have given up, stays.
pub struct Place<T: Object> {
    pointer: NonNull<T>,
    row: NonNull<[T::Row]>,
    attachment: Attachment,
    offset: u64,
    has_left: bool,
}

impl<T: Object> Place<T> {
    /// Makes an object, all zeros, in a segment that this process keeps for such objects. A
    /// thousand of them do not cost a thousand descriptors.
    ///
    /// # Errors
    /// * As [`Segment::anonymous`].
    pub fn new() -> Result<Self, Error> {
        Self::new_with(0, |_, _| ())
    }

    /// As [`new`](Self::new), with so many in the [row](Self::row) behind it and with contents:
    /// `fill` gets the object and its row, all zeros, before anybody can open it. It may be called
    /// twice, for another place each time.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for a row of none, or of so many that the object with it takes
    ///   more than 4 GiB; for an object that has no row: of any.
    /// * As [`Segment::anonymous`].
    pub fn new_with(row_len: usize, fill: impl Fn(&T, &[T::Row])) -> Result<Self, Error> {
        chunk::allocate(row_len, fill)
    }

    /// Makes an object, all zeros, in `segment`.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when the segment is full.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in(segment: &Segment) -> Result<Self, Error> {
        Self::new_in_with(segment, 0, |_, _| ())
    }

    /// As [`new_in`](Self::new_in), with a row and with contents, as [`new_with`](Self::new_with).
    /// The object takes the size of both and 16 bytes more, rounded up to 128.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] as for [`new_with`](Self::new_with).
    /// * [`Error::OutOfResources`] when the segment has less room than that.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn new_in_with(
        segment: &Segment,
        row_len: usize,
        fill: impl FnOnce(&T, &[T::Row]),
    ) -> Result<Self, Error> {
        let attachment = segment.attachment();
        let offset = arena::allocate(attachment, row_len, fill)?;
        Self::at(attachment, offset, row_len)
    }

    /// Reaches the object that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind or version of object stands there.
    /// * [`Error::Damaged`] when none does, or one whose row is longer than the segment, or ends in
    ///   the middle of an element.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        let row_len = arena::open::<T>(segment.attachment(), offset)?;
        Self::at(segment.attachment(), offset, row_len)
    }

    /// Makes an object, all zeros, alone in a segment that has this name, for this user. Whoever
    /// finds the name finds the object.
    ///
    /// # Errors
    /// * As [`Segment::create`].
    pub fn create(name: &Name) -> Result<Self, Error> {
        Self::create_with(name, 0, |_, _| ())
    }

    /// As [`create`](Self::create), with a row and with contents, as [`new_with`](Self::new_with).
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] as for [`new_with`](Self::new_with).
    /// * As [`Segment::create`].
    pub fn create_with(
        name: &Name,
        row_len: usize,
        fill: impl FnOnce(&T, &[T::Row]),
    ) -> Result<Self, Error> {
        let capacity_bytes = footprint_bytes::<T>(row_len)?;
        let inside = |segment: &Segment| Self::new_in_with(segment, row_len, fill);
        Segment::create_with(name, capacity_bytes, MODE_DEFAULT, inside).map(|(_, new)| new)
    }

    /// Reaches the first object of the segment that has this name: the one that
    /// [`create`](Self::create) made.
    ///
    /// # Errors
    /// * As [`Segment::open`] and [`open`](Self::open).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Self::open(&Segment::open(name)?, ARENA_OFFSET)
    }

    /// What stands behind the object, as many as it was made with. How many was read once, when
    /// this handle's first ancestor was made: a peer cannot change it any more.
    #[inline]
    #[must_use]
    pub const fn row(&self) -> &[T::Row] {
        // SAFETY: The mapping made the pointer: all of them are inside, aligned, and of a `Shared`
        // type. `attachment` keeps the mapping, and nobody makes a `&mut` into it.
        unsafe { self.row.as_ref() }
    }

    /// Where in its segment the object is, in bytes; the same in every process.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Where in its segment the [row](Self::row) begins, in bytes.
    #[must_use]
    pub const fn row_offset(&self) -> u64 {
        row_start::<T>(self.offset)
    }

    /// The segment that the object is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        Segment::from(self.attachment.clone())
    }

    /// This process in the object's segment.
    #[inline]
    #[must_use]
    pub const fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// Ends this handle's share in the count, once. If it was this process's last, `give_up` is
    /// called, and no thread of this process gets a new handle of the object before it returns:
    /// what another thread acquires by a handle of its own is not given up by this one. A handle's
    /// `Drop` asks; the place's own `Drop` sees to it that nobody forgets. Returns whether it was
    /// the last.
    ///
    /// `give_up` runs under a lock of this crate: it must neither make nor drop handles or
    /// segments, nor wait for anybody who does.
    pub fn leave(&mut self, give_up: impl FnOnce(&T, &Attachment)) -> bool {
        self.leave_with_row(|object, _, at| give_up(object, at))
    }

    /// [`leave`](Self::leave) of an object that has a [row](Self::row), which `give_up` gets, too.
    pub fn leave_with_row(&mut self, give_up: impl FnOnce(&T, &[T::Row], &Attachment)) -> bool {
        if core::mem::replace(&mut self.has_left, true) {
            return false;
        }
        let handles = self.attachment.inner.registration.page().handles(self.offset);
        // AcqRel, here and below: of two threads that leave at once the later one is told, and sees
        // all that the other did with the object before. Relaxed when it fails: the lock follows.
        let is_one_of_several = |count: u32| (count > 1).then(|| count - 1);
        if handles.fetch_update(AcqRel, Relaxed, is_one_of_several).is_ok() {
            return false;
        }
        let _registry = registry::lock();
        let is_last = handles.fetch_sub(1, AcqRel) == 1; // an open may have come in between
        if is_last {
            give_up(self, self.row(), &self.attachment);
        }
        is_last
    }

    fn at(attachment: &Attachment, offset: u64, row_len: usize) -> Result<Self, Error> {
        let mapping = &attachment.inner.mapping;
        let pointer = mapping.pointer(offset + BODY_OFFSET)?;
        let row = mapping.row_pointer(row_start::<T>(offset), row_len)?;
        let _registry = registry::lock(); // not amid a `give_up`; a clone has a handle already
        Ok(Self::counted(pointer, row, attachment.clone(), offset))
    }

    fn counted(
        pointer: NonNull<T>,
        row: NonNull<[T::Row]>,
        attachment: Attachment,
        offset: u64,
    ) -> Self {
        // Relaxed: whoever adds to the count has a handle, or the right to make one.
        attachment.inner.registration.page().handles(offset).fetch_add(1, Relaxed);
        Self { pointer, row, attachment, offset, has_left: false }
    }
}

impl<T: Object> Deref for Place<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The mapping made the pointer: inside, aligned, to a `Shared` type. `attachment`
        // keeps the mapping, and nobody makes a `&mut` into it.
        unsafe { self.pointer.as_ref() }
    }
}

impl<T: Object> Clone for Place<T> {
    fn clone(&self) -> Self {
        Self::counted(self.pointer, self.row, self.attachment.clone(), self.offset)
    }
}

impl<T: Object> Drop for Place<T> {
    fn drop(&mut self) {
        self.leave(|_, _| ());
    }
}

// SAFETY: A place is an attachment, which is `Send` and `Sync`, and pointers to a `T: Sync` and its
// `T::Row: Sync` in memory that the attachment keeps; it gives out nothing but references.
unsafe impl<T: Object> Send for Place<T> {}
// SAFETY: As for `Send`.
unsafe impl<T: Object> Sync for Place<T> {}

impl<T: Object> fmt::Debug for Place<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Place").field("offset", &self.offset).finish_non_exhaustive()
    }
}
