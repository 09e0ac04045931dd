//! The queue that also counts what was done.

use core::fmt;
use core::ops::Deref;

use purlin_shm::{Carry, Luggage, Name, Place, Segment};
use purlin_sync::Deadline;

use crate::error::Error;
use crate::queue::{self, Queue};
use crate::words::face::Face;
use crate::words::queue::Shape;

/// A [`Queue`] that also counts how many of its messages were done: whoever has worked at one says
/// so, and others wait until nothing is left to do.
///
/// It is a queue in all else, and derefs to one.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use core::time::Duration;
/// use purlin_channel::{Error, JoinableQueue};
///
/// let queue = JoinableQueue::bounded(8, 64)?;
/// queue.send(b"a task", None)?;
/// assert_eq!(queue.join(Duration::from_millis(1)), Err(Error::TimedOut));
/// assert_eq!(queue.recv(None)?, b"a task");
/// assert_eq!(queue.unfinished(), 1); // taken is not done
/// queue.task_done()?;
/// queue.join(None)?;
/// assert_eq!(queue.task_done(), Err(Error::TaskDoneTooOften));
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Those of [`Queue`].
/// * Death: of one that had received a message and not yet said that it is done: it stays
///   unfinished, for nobody did it. Whoever knows of it may say so in its place. What dies with its
///   sender, or with the one who had reserved its place, is never waited for.
/// * A stream that never ends: `join` returns when it finds nothing unfinished; if messages come
///   faster than it looks, it may miss that moment.
/// * Which message is meant is not said: marks are counted, also those of messages that are still
///   inside.
#[derive(Clone)]
pub struct JoinableQueue {
    queue: Queue,
}

const JOINABLE: Face = Face { is_joinable: true, limit_units: 0, start_bytes: 0 };

impl JoinableQueue {
    /// Makes one of `count` messages of up to `size` bytes each, as [`Queue::bounded`].
    ///
    /// # Errors
    /// * As [`Queue::bounded`].
    pub fn bounded(count: usize, size: usize) -> Result<Self, Error> {
        Queue::make(Self::shape(count, size)?).map(Self::of)
    }

    /// Makes one without a bound, as [`Queue::unbounded`].
    ///
    /// # Errors
    /// * As [`Queue::unbounded`].
    pub fn unbounded(limit: usize) -> Result<Self, Error> {
        Queue::make(Shape::unbounded(limit as u64)?.joinable()).map(Self::of)
    }

    /// Makes such a queue in `segment`, as [`Queue::bounded_in`].
    ///
    /// # Errors
    /// * As [`Queue::bounded_in`].
    pub fn bounded_in(segment: &Segment, count: usize, size: usize) -> Result<Self, Error> {
        Queue::make_in(segment, Self::shape(count, size)?).map(Self::of)
    }

    /// Makes one that has a name, as [`Queue::create`].
    ///
    /// # Errors
    /// * As [`Queue::create`].
    pub fn create(name: &Name, count: usize, size: usize) -> Result<Self, Error> {
        Queue::make_with_name(name, Self::shape(count, size)?).map(Self::of)
    }

    /// Opens the one that stands at `offset` of `segment`, as [`Queue::open`].
    ///
    /// # Errors
    /// * As [`Queue::open`]; [`Error::Incompatible`] also for a queue that does not count.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Queue::of(Place::open(segment, offset)?, JOINABLE).map(Self::of)
    }

    /// Opens the one that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * As [`Queue::open_named`]; [`Error::Incompatible`] also for a queue that does not count.
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Queue::of(Place::open_named(name)?, JOINABLE).map(Self::of)
    }

    /// Says that one message more is done. It may be said by anybody, also by one that has
    /// [closed](Queue::close) its handle meanwhile.
    ///
    /// # Errors
    /// * [`Error::TaskDoneTooOften`] when as many were done as were sent; nothing changed.
    /// * [`Error::Damaged`] when a peer has overwritten what stands in the segment.
    pub fn task_done(&self) -> Result<(), Error> {
        self.queue.open_view().mark()
    }

    /// Waits until all messages that were sent are done, or until `deadline`. What is sent while it
    /// waits has to be done, too.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::Damaged`] when a peer has overwritten what stands in the segment.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it.
    pub fn join(&self, deadline: impl Into<Deadline>) -> Result<(), Error> {
        self.queue.open_view().join(&mut deadline.into())
    }

    /// How many messages are not done: those inside, and those that were received and not marked. A
    /// hint, which may be another number by now.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.queue.open_view().unfinished() as usize
    }

    const fn of(queue: Queue) -> Self {
        Self { queue }
    }

    fn shape(count: usize, size: usize) -> Result<Shape, Error> {
        Ok(Shape::new(count, size)?.joinable())
    }
}

impl Deref for JoinableQueue {
    type Target = Queue;

    #[inline]
    fn deref(&self) -> &Queue {
        &self.queue
    }
}

impl Carry for JoinableQueue {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.queue.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        queue::unpack(luggage, JOINABLE).map(Self::of)
    }
}

impl fmt::Debug for JoinableQueue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("JoinableQueue")
            .field("queue", &self.queue)
            .field("unfinished", &self.unfinished())
            .finish()
    }
}
