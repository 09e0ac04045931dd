//! Segments: memory that several processes map.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::attachment::Attachment;
use crate::error::Error;
use crate::header::{ARENA_OFFSET, Origin, Shape};
use crate::mapping::Mapping;
use crate::named;
use crate::sys::memory;

/// Memory that several processes map, with room for objects and a table of who is attached.
///
/// Forked children simply have it. It lives as long as anybody maps it or has its descriptor, and
/// leaves nothing behind: an anonymous segment has no name.
///
/// ```
/// # fn main() -> Result<(), purlin_shm::Error> {
/// use purlin_shm::Segment;
///
/// let segment = Segment::anonymous(1 << 16)?;
/// let descriptor = segment.descriptor().try_clone_to_owned().unwrap(); // say, sent to somebody
/// let again = Segment::from_descriptor(descriptor)?;
/// assert_eq!(again.attachment().token(), segment.attachment().token()); // one process, one token
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Death: an object that its maker did not finish is lost space, and is never seen by anybody.
/// * Fork: the child is a stranger to the segment until its first operation, which may fail for
///   want of descriptors.
/// * Trust: a peer with write access can spoil what is inside, and can make the living look dead.
///   It cannot make others read outside the segment.
/// * Each segment costs a process two descriptors.
#[derive(Clone, Debug)]
pub struct Segment {
    attachment: Attachment,
}

impl Segment {
    /// Makes a segment with room for `capacity_bytes` of objects, zeroed, sealed against any change
    /// of its size, every page reserved: no later access can fail for lack of memory. An object
    /// takes its size and 16 bytes more, rounded up to 128.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when the capacity is zero or beyond
    ///   [`SEGMENT_MAX_BYTES`](crate::SEGMENT_MAX_BYTES).
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    ///   They are asked before anything is reserved.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn anonymous(capacity_bytes: u64) -> Result<Self, Error> {
        let shape = Shape::with_capacity(capacity_bytes, Origin::Anonymous)?;
        let file = memory::reserve(shape.size_bytes)?;
        let mapping = Mapping::new(file.as_fd(), shape.size_bytes)?;
        shape.write(&mapping)?;
        Ok(Self { attachment: Attachment::new(file, mapping, shape)? })
    }

    /// Attaches to the segment behind a descriptor that came from elsewhere. Nothing is believed
    /// before it is checked.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when it is no segment of ours, has another layout, or is neither
    ///   sealed nor one that was made with a name.
    /// * [`Error::Damaged`] when it is one, but was truncated or overwritten.
    /// * [`Error::PermissionDenied`] when it may not be written through the descriptor.
    /// * [`Error::TimedOut`] as for [`open`](Self::open), of one with a name.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] as for [`anonymous`](Self::anonymous);
    ///   also when all [`SLOT_COUNT`](crate::SLOT_COUNT) slots are taken.
    pub fn from_descriptor(descriptor: OwnedFd) -> Result<Self, Error> {
        let shape = Shape::read(descriptor.as_fd())?;
        if shape.origin == Origin::Named {
            named::live_in(&descriptor)?;
        }
        let mapping = Mapping::new(descriptor.as_fd(), shape.size_bytes)?;
        Ok(Self { attachment: Attachment::new(descriptor, mapping, shape)? })
    }

    /// The descriptor to hand to another process. It is closed on exec.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.attachment.inner.registration.segment().as_fd()
    }

    /// This process's place in the segment.
    #[must_use]
    pub const fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// The room for objects that the segment was made with, in bytes, rounded up to whole pages.
    #[must_use]
    pub fn capacity_bytes(&self) -> u64 {
        self.attachment.size_bytes() - ARENA_OFFSET
    }
}

impl From<Attachment> for Segment {
    fn from(attachment: Attachment) -> Self {
        Self { attachment }
    }
}
