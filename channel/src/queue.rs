//! The queue of messages.

use core::fmt;
use core::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::Arc;

use purlin_shm::{Carry, Luggage, Name, Object, Place, Segment, Shared};
use purlin_sync::Deadline;

use crate::error::Error;
use crate::limits::{PAGES_ALIGN_BYTES, QUEUE_COUNT_MAX, QUEUE_RING_MAX_BYTES, RECV_BYTES};
use crate::memory;
use crate::words::face::Face;
use crate::words::pages::{limit_units, message_max_bytes};
use crate::words::queue::{Own, QueueWords, Shape, View, units};

/// A queue of messages, for all processes and threads that share it: each is a row of bytes, sent
/// whole or not at all, and received by one.
///
/// What was sent before is received before: by one sender always, by several when the one call had
/// returned before the other began. When a send has returned the message is inside, for everybody,
/// also if the sender is killed at that moment.
///
/// A clone is a handle of the same queue, in the same process; a forked child has copies of all.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use core::time::Duration;
/// use purlin_channel::{Error, Queue};
///
/// let queue = Queue::bounded(2, 8)?;
/// queue.send(b"one", None)?;
/// queue.send(b"", None)?; // as good a message as any
/// assert_eq!(queue.try_send(b"three"), Err(Error::Full));
/// assert_eq!(queue.recv(None)?, b"one");
/// assert_eq!(queue.recv(None)?, b"");
/// assert_eq!(queue.recv(Duration::from_millis(1)), Err(Error::Empty));
/// assert_eq!(queue.send(b"nine bytes", None), Err(Error::MessageTooLarge { len: 10 }));
/// # Ok(()) }
/// ```
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: no call is async-signal-safe, for each may wait for its own thread.
/// * Fork: the child has copies of all handles, closed ones as closed.
/// * Death: of a sender amid a send: nothing was sent. Of a receiver amid a receive: the message is
///   still there, unless the call was about to return. What a receiver had got dies with it.
/// * Standing still: who is stopped in the few microseconds in which a message is copied keeps
///   others waiting: those that may not wait are told full or empty after a second. A message of
///   more than [`LARGE_BYTES`](crate::LARGE_BYTES) is waited for where it stands: those behind it
///   are received after it.
/// * Cost: who has received wakes all that wait for room, since messages differ in size.
pub struct Queue {
    place: Place<QueueWords>,
    shape: Shape,
    /// What it and its clones have in this process.
    own: Arc<Handle>,
}

#[derive(Debug, Default)]
struct Handle {
    is_closed: AtomicBool,
    own: Own,
}

const _: () = assert!(size_of::<QueueWords>() == 880 && align_of::<QueueWords>() == 8);

#[expect(unsafe_code, reason = "a promise about the layout, argued here")]
// SAFETY: `repr(C)`, of atomics, and of words that are `repr(C)` or `repr(transparent)` and one
// atomic each; zeros and any other bits are valid values of them.
unsafe impl Shared for QueueWords {}

impl Object for QueueWords {
    const KIND: u16 = 16;
    const VERSION: u16 = 2;
    type Row = AtomicU64;
}

impl Shape {
    /// # Errors
    /// * [`Error::InvalidArgument`] for no messages, or more than can be counted or stored.
    pub(crate) fn new(count: usize, size: usize) -> Result<Self, Error> {
        let count_max = u32::try_from(count).ok().filter(|count| *count <= QUEUE_COUNT_MAX);
        let shape = match (count_max, u32::try_from(size)) {
            (Some(count_max), Ok(size_max)) if count_max > 0 => {
                Self { count_max, size_max, face: Face::PLAIN }
            }
            _ => return Err(Error::InvalidArgument),
        };
        if shape.ring_units() * 8 > QUEUE_RING_MAX_BYTES {
            return Err(Error::InvalidArgument);
        }
        Ok(shape)
    }

    /// Of a queue that takes pages as it needs them, up to so many bytes.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for none, or more than a ring can have.
    pub(crate) fn unbounded(limit_bytes: u64) -> Result<Self, Error> {
        if limit_bytes > QUEUE_RING_MAX_BYTES {
            return Err(Error::InvalidArgument);
        }
        let limit_units = limit_units(limit_bytes).ok_or(Error::InvalidArgument)?;
        let size_max = message_max_bytes(limit_units) as u32; // below the ring's
        let face = Face { limit_units, ..Face::PLAIN };
        Ok(Self { count_max: QUEUE_COUNT_MAX, size_max, face })
    }

    /// The same of a queue that counts what was done.
    pub(crate) const fn joinable(self) -> Self {
        Self { face: Face { is_joinable: true, ..self.face }, ..self }
    }

    /// Room for so many messages of the largest size, whatever has passed through before; or for
    /// the limit.
    const fn ring_units(self) -> u64 {
        if self.face.is_unbounded() {
            return self.face.limit_units.next_power_of_two();
        }
        (self.count_max as u64 * units(self.size_max)).next_power_of_two()
    }

    /// The ring, and what moves it to the start of a page.
    fn row_len(self) -> Result<usize, Error> {
        let before = if self.face.is_unbounded() { PAGES_ALIGN_BYTES / 8 } else { 0 };
        usize::try_from(before + self.ring_units()).map_err(|_| Error::InvalidArgument)
    }

    fn fill(self, words: &QueueWords) {
        // Relaxed, both: nobody has the object yet, and its check orders them.
        words.count_max.store(self.count_max, Relaxed);
        words.size_max.store(self.size_max, Relaxed);
        self.face.fill(&words.face);
    }
}

impl Queue {
    /// Makes a queue of `count` messages of up to `size` bytes each, in a segment that this process
    /// keeps for such objects. It takes exactly so many, whatever their sizes.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for no messages, more than
    ///   [`QUEUE_COUNT_MAX`], or a ring of more than [`QUEUE_RING_MAX_BYTES`].
    /// * [`Error::OutOfResources`] when memory, descriptors or the file size limit do not allow it.
    /// * [`Error::Unsupported`] when `/proc` is not mounted.
    pub fn bounded(count: usize, size: usize) -> Result<Self, Error> {
        Self::make(Shape::new(count, size)?)
    }

    /// Makes such a queue in `segment`.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] as [`bounded`](Self::bounded).
    /// * [`Error::OutOfResources`] when the segment has not room enough: 896 bytes, and a ring of
    ///   eight bytes more a message than its sizes rounded up to eight, rounded up to a power of
    ///   two.
    /// * [`Error::Damaged`] when it was overwritten.
    pub fn bounded_in(segment: &Segment, count: usize, size: usize) -> Result<Self, Error> {
        Self::make_in(segment, Shape::new(count, size)?)
    }

    /// Makes a queue without a bound: it takes messages as long as there is memory, and gives that
    /// back when they are received. All of them together, with eight bytes each, take up to
    /// `limit` bytes, which is an amount of address space; it is rounded up to 256 KiB, and to four
    /// times that. A message may have 768 KiB less than the limit.
    ///
    /// It is alone in a segment of its own, which costs each process two descriptors.
    ///
    /// ```
    /// # fn main() -> Result<(), purlin_channel::Error> {
    /// use purlin_channel::{Error, Queue};
    ///
    /// let queue = Queue::unbounded(1 << 30)?; // a gigabyte, none of it taken yet
    /// for number in 0..10_000_u32 {
    ///     queue.try_send(&number.to_le_bytes())?;
    /// }
    /// assert_eq!((queue.len(), queue.is_full()), (Ok(10_000), Ok(false)));
    /// assert_eq!(Queue::unbounded(0).err(), Some(Error::InvalidArgument));
    /// # Ok(()) }
    /// ```
    ///
    /// A send to it is [`Error::OutOfResources`] when memory ends or the file size limit is
    /// reached; the queue stays as it was. At its own limit it waits for room, as others do.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for a limit of none, or of more than [`QUEUE_RING_MAX_BYTES`].
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] as [`bounded`](Self::bounded).
    pub fn unbounded(limit: usize) -> Result<Self, Error> {
        Self::make(Shape::unbounded(limit as u64)?)
    }

    /// Opens the queue that stands at `offset` of `segment`, as [`offset`](Self::offset) told.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when another kind of object stands there.
    /// * [`Error::Damaged`] when none does, or it was overwritten.
    pub fn open(segment: &Segment, offset: u64) -> Result<Self, Error> {
        Self::of(Place::open(segment, offset)?, Face::PLAIN)
    }

    /// Makes a queue that has a name, by which processes of this user find it that are no
    /// relatives. The name stays when all have gone, until it is [unlinked] or [collected].
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * Those of [`bounded`](Self::bounded); [`Error::Unsupported`] also where the machine has no
    ///   `/dev/shm`.
    ///
    /// [unlinked]: purlin_shm::Name::unlink
    /// [collected]: purlin_shm::collect
    pub fn create(name: &Name, count: usize, size: usize) -> Result<Self, Error> {
        Self::make_with_name(name, Shape::new(count, size)?)
    }

    /// Opens the queue that [`create`](Self::create) made under this name.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when there is none; [`Error::PermissionDenied`] when it is another
    ///   user's.
    /// * [`Error::Incompatible`] when the name leads to something else than a queue,
    ///   [`Error::Damaged`] when it was truncated or overwritten.
    /// * [`Error::TimedOut`] when for a second the name was always just being taken away.
    pub fn open_named(name: &Name) -> Result<Self, Error> {
        Self::of(Place::open_named(name)?, Face::PLAIN)
    }

    /// Puts `message` at the end, waiting for room until `deadline`. When it returns, the message
    /// is inside: nothing that happens to this process takes it out again.
    ///
    /// # Errors
    /// * [`Error::Full`] when the deadline came first.
    /// * [`Error::Closed`] after [`close`](Self::close) of this handle, or a
    ///   [`shutdown`](Self::shutdown) by anybody.
    /// * [`Error::MessageTooLarge`] when it is larger than the queue was made for.
    /// * [`Error::Damaged`] when a peer has overwritten what stands in the segment.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it; the former also where memory ends for an
    ///   [unbounded](Self::unbounded) one.
    #[inline]
    pub fn send(&self, message: &[u8], deadline: impl Into<Deadline>) -> Result<(), Error> {
        if self.put_now(message) { Ok(()) } else { self.view()?.put(message, &mut deadline.into()) }
    }

    /// [`send`](Self::send) that never waits for room.
    ///
    /// # Errors
    /// * As [`send`](Self::send).
    #[inline]
    pub fn try_send(&self, message: &[u8]) -> Result<(), Error> {
        self.send(message, Deadline::passed())
    }

    /// Takes the oldest message, waiting for one until `deadline`.
    ///
    /// # Errors
    /// * [`Error::Empty`] when the deadline came first.
    /// * [`Error::Closed`] after [`close`](Self::close) of this handle; and after a
    ///   [`shutdown`](Self::shutdown) by anybody, once nothing is left inside.
    /// * [`Error::OutOfResources`] also without memory for it; it is still there.
    /// * The others as [`send`](Self::send).
    pub fn recv(&self, deadline: impl Into<Deadline>) -> Result<Vec<u8>, Error> {
        let view = self.view()?;
        let mut message = memory::zeros(view.next_len())?;
        if let Some(len) = view.get_now(&mut message) {
            return Ok(memory::fitted(message, len));
        }
        let mut deadline = deadline.into().start();
        let mut room = message.len().max(RECV_BYTES.min(self.message_max_bytes()));
        // Ends: a message that does not fit says how long it is, and room for the largest is room
        // for all.
        loop {
            if message.len() != room {
                message = memory::zeros(room)?;
            }
            match view.get(&mut message, &mut deadline) {
                Ok(len) => return Ok(memory::fitted(message, len)),
                Err(Error::MessageTooLarge { len }) if len > room => room = len,
                Err(other) => return Err(other),
            }
        }
    }

    /// [`recv`](Self::recv) that never waits for a message.
    ///
    /// # Errors
    /// * As [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<Vec<u8>, Error> {
        self.recv(Deadline::passed())
    }

    /// Takes the oldest message into `buffer`; how many bytes it had.
    ///
    /// # Errors
    /// * [`Error::MessageTooLarge`] when it has more bytes than the buffer; it is still there.
    /// * The others as [`recv`](Self::recv).
    #[inline]
    pub fn recv_into(
        &self,
        buffer: &mut [u8],
        deadline: impl Into<Deadline>,
    ) -> Result<usize, Error> {
        match self.get_now(buffer) {
            Some(len) => Ok(len),
            None => self.view()?.get(buffer, &mut deadline.into()),
        }
    }

    /// How many messages are inside: a hint, which may be another number by now. Those are counted
    /// that somebody is just receiving.
    ///
    /// # Errors
    /// * [`Error::Closed`] after [`close`](Self::close) of this handle.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(self.view()?.len() as usize)
    }

    /// Whether nothing is inside: a hint.
    ///
    /// # Errors
    /// * [`Error::Closed`] after [`close`](Self::close) of this handle.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Whether as many messages are inside as the queue was made for: a hint. An unbounded one is
    /// never full.
    ///
    /// # Errors
    /// * [`Error::Closed`] after [`close`](Self::close) of this handle.
    pub fn is_full(&self) -> Result<bool, Error> {
        Ok(self.len()? == self.capacity() && !self.shape.face.is_unbounded())
    }

    /// How many messages it takes; an unbounded one, how many it can count.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.shape.count_max as usize
    }

    /// How many bytes a message may have.
    #[must_use]
    pub const fn message_max_bytes(&self) -> usize {
        self.shape.size_max as usize
    }

    /// Closes this handle and its clones in this process: their calls are refused from now on.
    /// Those that wait already go on. What was sent stays, and nothing changes for anybody else. To
    /// close it again does nothing.
    pub fn close(&self) {
        // SeqCst: in one order with what the caller does beside.
        self.own.is_closed.store(true, SeqCst);
    }

    /// Shuts the queue down for everybody: sends are refused, also those that wait; receives take
    /// what is left, and are told closed then. To shut it down again does nothing.
    ///
    /// # Errors
    /// * [`Error::Closed`] after [`close`](Self::close) of this handle.
    /// * [`Error::Damaged`], [`Error::OutOfResources`], [`Error::Unsupported`] as
    ///   [`send`](Self::send).
    pub fn shutdown(&self) -> Result<(), Error> {
        self.view()?.shut()
    }

    /// [`shutdown`](Self::shutdown) that also drops what is inside: receives are told closed at
    /// once. A message that is just being received may be either.
    ///
    /// # Errors
    /// * As [`shutdown`](Self::shutdown).
    /// * [`Error::Unsupported`] for one that counts what was done: of what is dropped it could not.
    pub fn shutdown_now(&self) -> Result<(), Error> {
        if self.shape.face.is_joinable {
            return Err(Error::Unsupported);
        }
        self.view()?.shut_and_drop()
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

    /// The makers of what all queues are, whatever they are besides.
    pub(crate) fn make(shape: Shape) -> Result<Self, Error> {
        let fill = |words: &QueueWords, _: &[AtomicU64]| shape.fill(words);
        if shape.face.is_unbounded() {
            return Self::of(Place::new_sparse_with(shape.row_len()?, fill)?, shape.face);
        }
        Self::of(Place::new_with(shape.row_len()?, fill)?, shape.face)
    }

    pub(crate) fn make_in(segment: &Segment, shape: Shape) -> Result<Self, Error> {
        let fill = |words: &QueueWords, _: &[AtomicU64]| shape.fill(words);
        Self::of(Place::new_in_with(segment, shape.row_len()?, fill)?, shape.face)
    }

    pub(crate) fn make_with_name(name: &Name, shape: Shape) -> Result<Self, Error> {
        let fill = |words: &QueueWords, _: &[AtomicU64]| shape.fill(words);
        Self::of(Place::create_with(name, shape.row_len()?, fill)?, shape.face)
    }

    /// A handle of what stands there, once it has been looked at: a queue of such a face.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when it is of another; [`Error::Damaged`] when it is none.
    pub(crate) fn of(place: Place<QueueWords>, wanted: Face) -> Result<Self, Error> {
        let shape = read(&place)?;
        if shape.face.is_joinable != wanted.is_joinable {
            return Err(Error::Incompatible);
        }
        if shape.row_len()? != place.row().len() {
            return Err(Error::Damaged);
        }
        Ok(Self { place, shape, own: Arc::default() })
    }

    /// What most sends are: all in one function, with nothing between it and the words.
    fn put_now(&self, message: &[u8]) -> bool {
        self.view().is_ok_and(|view| view.put_now(message))
    }

    /// What most receives are, as [`put_now`](Self::put_now).
    fn get_now(&self, buffer: &mut [u8]) -> Option<usize> {
        self.view().ok()?.get_now(buffer)
    }

    #[inline]
    pub(crate) fn view(&self) -> Result<View<'_>, Error> {
        // SeqCst: as in `close`.
        if self.own.is_closed.load(SeqCst) { Err(Error::Closed) } else { Ok(self.open_view()) }
    }

    /// The same, be this handle closed: for what was begun before.
    #[inline]
    pub(crate) fn open_view(&self) -> View<'_> {
        let (place, own) = (&self.place, &self.own.own);
        View::new(place, self.ring(), place.attachment(), self.shape, own)
    }

    #[inline]
    fn ring(&self) -> &[AtomicU64] {
        let row = self.place.row();
        if !self.shape.face.is_unbounded() {
            return row;
        }
        let before = (self.shape.face.start_bytes - self.place.row_offset()) as usize / 8;
        &row[before..][..self.shape.ring_units() as usize]
    }

    /// This process's token in the queue's segment; 0 in a forked child before its first operation.
    pub(crate) fn token(&self) -> u32 {
        self.place.attachment().token()
    }
}

impl Carry for Queue {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        unpack(luggage, Face::PLAIN)
    }
}

/// What stands in a queue's words, once it has been held against each other.
fn read(place: &Place<QueueWords>) -> Result<Shape, Error> {
    let start_bytes = place.row_offset().next_multiple_of(PAGES_ALIGN_BYTES);
    let face = Face::read(&place.face, start_bytes).ok_or(Error::Damaged)?;
    // Relaxed, both: written before the object's check, whose load came before.
    let (count_max, size_max) = (place.count_max.load(Relaxed), place.size_max.load(Relaxed));
    let limit_bytes = face.limit_units.checked_mul(8).ok_or(Error::Damaged)?;
    let made = match face.is_unbounded() {
        true => Shape::unbounded(limit_bytes),
        false => Shape::new(count_max as usize, size_max as usize),
    };
    let shape = made.map_err(|_| Error::Damaged)?;
    let is_so = (shape.count_max, shape.size_max) == (count_max, size_max)
        && shape.face.limit_units == face.limit_units;
    if is_so { Ok(Shape { face, ..shape }) } else { Err(Error::Damaged) }
}

/// A queue of such a face, as it arrived.
pub(crate) fn unpack(luggage: &mut Luggage, wanted: Face) -> Result<Queue, purlin_shm::Error> {
    Queue::of(Place::unpack(luggage)?, wanted).map_err(|error| match error {
        Error::Incompatible => purlin_shm::Error::Incompatible,
        _ => purlin_shm::Error::Damaged,
    })
}

impl Clone for Queue {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), shape: self.shape, own: Arc::clone(&self.own) }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Queue")
            .field("offset", &self.offset())
            .field("capacity", &self.capacity())
            .field("len", &self.len().ok())
            .finish_non_exhaustive()
    }
}
