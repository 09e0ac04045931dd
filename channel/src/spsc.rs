//! The queue of one sender and one receiver.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use purlin_shm::{Carry, Luggage, Name, Object, Place, Segment, Shared};
use purlin_sync::Deadline;

use crate::error::Error;
use crate::limits::{QUEUE_COUNT_MAX, QUEUE_RING_MAX_BYTES};
use crate::memory;
use crate::words::queue::units;
use crate::words::spsc::{SpscShape, SpscView, SpscWords};
use crate::words::spsc_ends::{Receiving, Sending};

/// A queue of messages with one sender and one receiver, each in any process: the fast road.
///
/// Whoever wants to send [claims](Self::sender) the one end, and whoever wants to receive the
/// [other](Self::receiver); an end is had by one at a time, until it is dropped or its process
/// dies. Then another may claim it, and goes on where that one was.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use core::time::Duration;
/// use purlin_channel::{Error, Spsc};
///
/// let queue = Spsc::bounded(2, 8)?;
/// let (mut sender, mut receiver) = (queue.sender(None)?, queue.receiver(None)?);
/// assert_eq!(queue.sender(Duration::ZERO).err(), Some(Error::TimedOut)); // there is one
/// sender.send(b"one", None)?;
/// sender.send(b"two", None)?;
/// assert_eq!(sender.try_send(b"three"), Err(Error::Full));
/// assert_eq!(receiver.recv(None)?, b"one");
/// drop(sender);
/// assert_eq!(receiver.recv(None)?, b"two");
/// assert_eq!(receiver.recv(None), Err(Error::EndOfFile));
/// queue.sender(None)?.send(b"goes on", None)?;
/// assert_eq!(receiver.recv(None)?, b"goes on");
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: there is nobody to be unfair to. Who waits for an end has no turn.
/// * Signals: no call is async-signal-safe.
/// * Fork: the child has copies of the ends, and is told [`Error::NotOwner`] by each call; it may
///   claim one that is free.
/// * Death: of the sender amid a send: nothing was sent. Of the receiver amid a receive: the
///   message is still there, for the next receiver. Whoever waits for a dead one is told: a
///   receiver [`Error::EndOfFile`] when nothing is left, a sender [`Error::BrokenPipe`] when there
///   is no room. What is inside stays for whoever claims the end.
/// * The process is registered with the kernel for barriers of others (`membarrier(2)`), which
///   stays. Where the kernel refuses, each message costs a fence, and who sleeps looks once a
///   millisecond.
#[derive(Clone)]
pub struct Spsc {
    place: Place<SpscWords>,
    shape: SpscShape,
}

const _: () = assert!(size_of::<SpscWords>() == 624 && align_of::<SpscWords>() == 8);

#[expect(unsafe_code, reason = "a promise about the layout, argued here")]
// SAFETY: `repr(C)`, of atomics, and of words that are `repr(transparent)` and one atomic each;
// zeros and any other bits are valid values of them.
unsafe impl Shared for SpscWords {}

impl Object for SpscWords {
    const KIND: u16 = 20;
    const VERSION: u16 = 1;
    type Row = AtomicU64;
}

impl SpscShape {
    /// # Errors
    /// * [`Error::InvalidArgument`] for no messages, or more than can be counted or stored.
    fn new(count: usize, size: usize) -> Result<Self, Error> {
        let count_max = u32::try_from(count).ok().filter(|count| *count <= QUEUE_COUNT_MAX);
        let shape = match (count_max, u32::try_from(size)) {
            (Some(count_max), Ok(size_max)) if count_max > 0 => Self { count_max, size_max },
            _ => return Err(Error::InvalidArgument),
        };
        if shape.ring_units() * 8 > QUEUE_RING_MAX_BYTES {
            return Err(Error::InvalidArgument);
        }
        Ok(shape)
    }

    fn ring_units(self) -> u64 {
        (u64::from(self.count_max) * units(self.size_max)).next_power_of_two()
    }

    fn row_len(self) -> Result<usize, Error> {
        usize::try_from(self.ring_units()).map_err(|_| Error::InvalidArgument)
    }

    fn fill(self, words: &SpscWords) {
        // Relaxed, both: nobody has the object yet, and its check orders them.
        words.count_max.store(self.count_max, Relaxed);
        words.size_max.store(self.size_max, Relaxed);
    }
}

impl Spsc {
    /// Makes one of `count` messages of up to `size` bytes each, in a segment that this process
    /// keeps for such objects. It takes exactly so many, whatever their sizes.
    ///
    /// # Errors
    /// * As [`Queue::bounded`](crate::Queue::bounded).
    pub fn bounded(count: usize, size: usize) -> Result<Self, Error> {
        let shape = SpscShape::new(count, size)?;
        Self::of(Place::new_with(shape.row_len()?, |words, _| shape.fill(words))?)
    }

    /// Makes such a queue in `segment`.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] as [`bounded`](Self::bounded).
    /// * [`Error::OutOfResources`] when the segment has not room enough: 640 bytes, and a ring of
    ///   eight bytes more a message than its sizes rounded up to eight, rounded up to a power of
    ///   two.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn bounded_in(segment: &Segment, count: usize, size: usize) -> Result<Self, Error> {
        let shape = SpscShape::new(count, size)?;
        let fill = |words: &SpscWords, _: &[AtomicU64]| shape.fill(words);
        Self::of(Place::new_in_with(segment, shape.row_len()?, fill)?)
    }

    /// Opens the one that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind of object stands there.
    /// * [`Error::Damaged`] when none does, or it was overwritten.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Self::of(Place::open(segment, offset)?)
    }

    /// Makes one that has a name, as [`Queue::create`](crate::Queue::create).
    ///
    /// # Errors
    /// * As [`Queue::create`](crate::Queue::create).
    pub fn create(name: &Name, count: usize, size: usize) -> Result<Self, Error> {
        let shape = SpscShape::new(count, size)?;
        let fill = |words: &SpscWords, _: &[AtomicU64]| shape.fill(words);
        Self::of(Place::create_with(name, shape.row_len()?, fill)?)
    }

    /// Opens the one that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * As [`Queue::open_named`](crate::Queue::open_named).
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Self::of(Place::open_named(name)?)
    }

    /// Claims the end to send by, waiting until `deadline` for whoever has it to leave it. One
    /// whose process is dead has it no more.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::Damaged`] when a peer has overwritten what stands in the segment.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it.
    pub fn sender(&self, deadline: impl Into<Deadline>) -> Result<Sender, Error> {
        let token = self.view().claim(&self.place.sender, deadline.into())?;
        Ok(Sender { queue: self.clone(), token, own: self.view().begin_to_send() })
    }

    /// Claims the end to receive by, as [`sender`](Self::sender) the other.
    ///
    /// # Errors
    /// * As [`sender`](Self::sender).
    pub fn receiver(&self, deadline: impl Into<Deadline>) -> Result<Receiver, Error> {
        let token = self.view().claim(&self.place.receiver, deadline.into())?;
        Ok(Receiver { queue: self.clone(), token, own: self.view().begin_to_receive() })
    }

    /// How many messages are inside: a hint, which may be another number by now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.view().len() as usize
    }

    /// Whether nothing is inside: a hint.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many messages it takes.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.shape.count_max as usize
    }

    /// How many bytes a message may have.
    #[must_use]
    pub const fn message_max_bytes(&self) -> usize {
        self.shape.size_max as usize
    }

    /// Where in its segment the queue is, in bytes: what another process opens it by.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.place.offset()
    }

    /// The segment that the queue is in.
    #[must_use]
    pub fn segment(&self) -> Segment {
        self.place.segment()
    }

    /// A handle of what stands there, once it has been looked at.
    fn of(place: Place<SpscWords>) -> Result<Self, Error> {
        // Relaxed, both: written before the object's check, whose load came before.
        let (count_max, size_max) = (place.count_max.load(Relaxed), place.size_max.load(Relaxed));
        let shape = SpscShape::new(count_max as usize, size_max as usize);
        let shape = shape.map_err(|_| Error::Damaged)?;
        if shape.row_len()? != place.row().len() {
            return Err(Error::Damaged);
        }
        Ok(Self { place, shape })
    }

    #[inline]
    fn view(&self) -> SpscView<'_> {
        SpscView::new(&self.place, self.place.row(), self.place.attachment(), self.shape)
    }

    /// Whether this process is who claimed an end, and no forked child of it.
    #[inline]
    fn check_is(&self, token: u32) -> Result<(), Error> {
        if self.place.attachment().token() == token { Ok(()) } else { Err(Error::NotOwner) }
    }
}

impl Carry for Spsc {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Self::of(Place::unpack(luggage)?).map_err(|_| purlin_shm::Error::Damaged)
    }
}

impl fmt::Debug for Spsc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Spsc")
            .field("offset", &self.offset())
            .field("capacity", &self.capacity())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The end of a [`Spsc`] to send by. It is left when this is dropped.
#[derive(Debug)]
pub struct Sender {
    queue: Spsc,
    token: u32,
    own: Sending,
}

impl Sender {
    /// Puts `message` at the end, waiting for room until `deadline`. When it returns, the message
    /// is inside: nothing that happens to this process takes it out again.
    ///
    /// # Errors
    /// * [`Error::Full`] when the deadline came first.
    /// * [`Error::BrokenPipe`] when there is no room, and the receiver has left or is dead.
    /// * [`Error::MessageTooLarge`] when it is larger than the queue was made for.
    /// * [`Error::NotOwner`] in a forked child of the process that claimed this end.
    /// * [`Error::Damaged`] when a peer has overwritten what stands in the segment.
    #[inline]
    pub fn send(&mut self, message: &[u8], deadline: impl Into<Deadline>) -> Result<(), Error> {
        self.queue.check_is(self.token)?;
        self.queue.view().send(&mut self.own, message, deadline.into())
    }

    /// [`send`](Self::send) that never waits for room.
    ///
    /// # Errors
    /// * As [`send`](Self::send).
    #[inline]
    pub fn try_send(&mut self, message: &[u8]) -> Result<(), Error> {
        self.send(message, Deadline::passed())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if self.queue.check_is(self.token).is_ok() {
            self.queue.view().leave(&self.queue.place.sender, self.token);
        }
    }
}

/// The end of a [`Spsc`] to receive by. It is left when this is dropped.
#[derive(Debug)]
pub struct Receiver {
    queue: Spsc,
    token: u32,
    own: Receiving,
}

impl Receiver {
    /// Takes the oldest message, waiting for one until `deadline`.
    ///
    /// # Errors
    /// * [`Error::Empty`] when the deadline came first.
    /// * [`Error::EndOfFile`] when nothing is left inside, and the sender has left or is dead. One
    ///   that comes later may still send.
    /// * [`Error::OutOfResources`] without memory for it; it is still there.
    /// * The others as [`Sender::send`].
    pub fn recv(&mut self, deadline: impl Into<Deadline>) -> Result<Vec<u8>, Error> {
        self.queue.check_is(self.token)?;
        let view = self.queue.view();
        let len = view.next_len(&mut self.own, deadline.into())?;
        let mut message = memory::zeros(len as usize)?;
        view.take(&mut self.own, &mut message);
        Ok(message)
    }

    /// [`recv`](Self::recv) that never waits for a message.
    ///
    /// # Errors
    /// * As [`recv`](Self::recv).
    pub fn try_recv(&mut self) -> Result<Vec<u8>, Error> {
        self.recv(Deadline::passed())
    }

    /// Takes the oldest message into `buffer`; how many bytes it had.
    ///
    /// # Errors
    /// * [`Error::MessageTooLarge`] when it has more bytes than the buffer; it is still there.
    /// * The others as [`recv`](Self::recv).
    #[inline]
    pub fn recv_into(
        &mut self,
        buffer: &mut [u8],
        deadline: impl Into<Deadline>,
    ) -> Result<usize, Error> {
        self.queue.check_is(self.token)?;
        let view = self.queue.view();
        let len = view.next_len(&mut self.own, deadline.into())? as usize;
        let body = buffer.get_mut(..len).ok_or(Error::MessageTooLarge { len })?; // X2
        view.take(&mut self.own, body);
        Ok(len)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if self.queue.check_is(self.token).is_ok() {
            self.queue.view().leave(&self.queue.place.receiver, self.token);
        }
    }
}
