//! The queue with as few calls as there can be.

use core::fmt;

use purlin_shm::{Carry, Luggage, Name, Segment};

use crate::error::Error;
use crate::limits::SIMPLE_LIMIT_BYTES;
use crate::queue::Queue;

/// A queue that is sent to, received from, asked whether it is empty, and closed; nothing else. No
/// call has a limit.
///
/// It is a [`Queue`] below, and one process may have it as the one while another has it as the
/// other.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use purlin_channel::{Error, SimpleQueue};
///
/// let queue = SimpleQueue::new()?;
/// assert_eq!(queue.is_empty(), Ok(true));
/// queue.send(b"hello")?;
/// assert_eq!(queue.recv()?, b"hello");
/// queue.close();
/// assert_eq!(queue.send(b"more"), Err(Error::Closed));
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Those of [`Queue`].
#[derive(Clone)]
pub struct SimpleQueue {
    queue: Queue,
}

impl SimpleQueue {
    /// Makes one without a bound, as [`Queue::unbounded`], with a limit of a gigabyte.
    ///
    /// # Errors
    /// * As [`Queue::unbounded`].
    pub fn new() -> Result<Self, Error> {
        Queue::unbounded(SIMPLE_LIMIT_BYTES).map(Self::from)
    }

    /// Makes one of `count` messages of up to `size` bytes each, as [`Queue::bounded`].
    ///
    /// # Errors
    /// * As [`Queue::bounded`].
    pub fn bounded(count: usize, size: usize) -> Result<Self, Error> {
        Queue::bounded(count, size).map(Self::from)
    }

    /// Makes such a queue in `segment`, as [`Queue::bounded_in`].
    ///
    /// # Errors
    /// * As [`Queue::bounded_in`].
    pub fn bounded_in(segment: &Segment, count: usize, size: usize) -> Result<Self, Error> {
        Queue::bounded_in(segment, count, size).map(Self::from)
    }

    /// Makes one that has a name, as [`Queue::create`].
    ///
    /// # Errors
    /// * As [`Queue::create`].
    pub fn create(name: &Name, count: usize, size: usize) -> Result<Self, Error> {
        Queue::create(name, count, size).map(Self::from)
    }

    /// Opens the one that stands at `offset` of `segment`, as [`Queue::open`].
    ///
    /// # Errors
    /// * As [`Queue::open`].
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Queue::open(segment, offset).map(Self::from)
    }

    /// Opens the one that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * As [`Queue::open_named`].
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Queue::open_named(name).map(Self::from)
    }

    /// Puts `message` at the end, waiting for room. When it returns, the message is inside,
    /// whatever becomes of this process.
    ///
    /// # Errors
    /// * As [`Queue::send`], but for [`Error::Full`].
    #[inline]
    pub fn send(&self, message: &[u8]) -> Result<(), Error> {
        self.queue.send(message, None)
    }

    /// Takes the oldest message, waiting for one.
    ///
    /// # Errors
    /// * As [`Queue::recv`], but for [`Error::Empty`].
    pub fn recv(&self) -> Result<Vec<u8>, Error> {
        self.queue.recv(None)
    }

    /// Whether nothing is inside: a hint, which may be wrong by now.
    ///
    /// # Errors
    /// * [`Error::Closed`] after [`close`](Self::close) of this handle.
    pub fn is_empty(&self) -> Result<bool, Error> {
        self.queue.is_empty()
    }

    /// Closes this handle and its clones in this process, as [`Queue::close`].
    pub fn close(&self) {
        self.queue.close();
    }

    /// Where in its segment the queue is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.queue.offset()
    }

    /// The segment that the queue is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.queue.segment()
    }
}

impl From<Queue> for SimpleQueue {
    fn from(queue: Queue) -> Self {
        Self { queue }
    }
}

impl Carry for SimpleQueue {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.queue.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Queue::unpack(luggage).map(Self::from)
    }
}

impl fmt::Debug for SimpleQueue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("SimpleQueue").field(&self.queue).finish()
    }
}
