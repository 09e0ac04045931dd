//! Messages that are written and read where they stand.
#![expect(unsafe_code, reason = "bytes of a message are lent as slices")]

use core::fmt;
use core::ops::{Deref, DerefMut};

use purlin_sync::Deadline;

use crate::error::Error;
use crate::memory::zeros;
use crate::queue::Queue;
use crate::words::position::Position;
use crate::words::queue_get::Found;

/// The bytes of one message: in the ring; or, of one that goes round the ring's end, a copy.
struct Bytes {
    place: Position,
    len: usize,
    /// Into the ring, whose mapping the handle keeps that the owner of this borrows.
    start: Option<*mut u8>,
    copy: Vec<u8>,
}

impl Bytes {
    /// # Errors
    /// * [`Error::OutOfResources`] when there is no memory for a copy.
    fn at(queue: &Queue, place: Position, len: usize) -> Result<Self, Error> {
        let start = queue.open_view().bytes_at(place, len);
        let copy = if start.is_some() { Vec::new() } else { zeros(len)? };
        Ok(Self { place, len, start, copy })
    }

    fn get(&self) -> &[u8] {
        // SAFETY: `start` leads to `len` initialised bytes of the ring, inside a mapping that the
        // queue keeps, whatever its header says by now. They are atomics, hence may change behind
        // shared references; whoever keeps to the protocol does not change them, for the header
        // says that they are ours.
        self.start
            .map_or(&self.copy, |start| unsafe { core::slice::from_raw_parts(start, self.len) })
    }

    fn get_mut(&mut self) -> &mut [u8] {
        match self.start {
            // SAFETY: As in `get`; and nobody reads them before the header says that they may.
            Some(start) => unsafe { core::slice::from_raw_parts_mut(start, self.len) },
            None => &mut self.copy,
        }
    }
}

/// A place for one message at the end of a queue, to be written where it stands: it derefs to the
/// bytes. [`commit`](Self::commit) makes a message of it. Dropping it does not: then nothing comes
/// of the place, which is skipped.
///
/// Its bytes begin at a multiple of eight, and are what was there before. One that goes round the
/// end of the ring, of which there is one at most in each round, is copied there by the commit.
///
/// # Weak points
/// * Order: it has its place in the queue from the start. As long as nothing has come of it, nobody
///   receives what was put behind it: a try is told empty.
/// * Death: of the process that has it: it is skipped, and its place is free again. A thread that
///   keeps it for ever, or forgets it, keeps all that receive waiting.
/// * Fork: the child has copies of what is in it, and cannot commit.
/// * Peers: one that keeps to no protocol may change the bytes while they are looked at, and what
///   is read from them twice may differ.
#[must_use = "dropping it leaves nothing in the queue"]
pub struct Reservation<'a> {
    queue: &'a Queue,
    bytes: Bytes,
    /// Of the process that reserved.
    token: u32,
    is_over: bool,
}

/// The oldest message of a queue, lent where it stands: it derefs to the bytes. It is taken when
/// this is dropped, or by [`finish`](Self::finish), which says whether it was.
///
/// Its bytes begin at a multiple of eight. One that goes round the end of the ring, of which there
/// is one at most in each round, is a copy.
///
/// # Weak points
/// * Order: as long as it is lent, nobody else receives, by this process's other handles neither: a
///   try is told empty, and who has it and waits for another waits for itself.
/// * Death: of the process that has it: the next one gets the message.
/// * Fork: the child has a copy, and neither takes nor gives back.
/// * Peers: one that keeps to no protocol may change the bytes while they are looked at: what
///   matters is to be read once, and then checked.
#[must_use = "dropping it takes the message"]
pub struct Borrowed<'a> {
    queue: &'a Queue,
    found: Found,
    bytes: Bytes,
    /// Of the process that borrowed.
    token: u32,
    is_over: bool,
}

impl Queue {
    /// Puts a place for a message of `len` bytes at the end, to be written where it stands, waiting
    /// for room until `deadline`.
    ///
    /// Where all messages have one size, which is a power of two less eight, none goes round the
    /// end of the ring, and none is copied: 65,528 bytes, and not 65,536.
    ///
    /// ```
    /// # fn main() -> Result<(), purlin_channel::Error> {
    /// use purlin_channel::{Error, Queue};
    ///
    /// let queue = Queue::bounded(4, 64)?;
    /// let mut place = queue.reserve(5, None)?;
    /// place.copy_from_slice(b"hello");
    /// assert_eq!(queue.try_recv(), Err(Error::Empty)); // nothing has come of it yet
    /// place.commit()?;
    /// assert_eq!(*queue.recv_ref(None)?, *b"hello"); // looked at, and then taken
    /// assert_eq!(queue.is_empty(), Ok(true));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * As [`send`](Self::send).
    pub fn reserve(
        &self,
        len: usize,
        deadline: impl Into<Deadline>,
    ) -> Result<Reservation<'_>, Error> {
        let place = self.view()?.reserve(len, &mut deadline.into())?;
        let token = self.token();
        // From here on its drop sees to it.
        let bytes = Bytes { place, len, start: None, copy: Vec::new() };
        let mut reservation = Reservation { queue: self, bytes, token, is_over: false };
        reservation.bytes = Bytes::at(self, place, len)?;
        Ok(reservation)
    }

    /// Lends the oldest message where it stands, waiting for one until `deadline`.
    ///
    /// # Errors
    /// * As [`recv`](Self::recv).
    pub fn recv_ref(&self, deadline: impl Into<Deadline>) -> Result<Borrowed<'_>, Error> {
        let found = self.view()?.borrow(&mut deadline.into())?;
        let (token, place) = (self.token(), found.place());
        let bytes = Bytes { place, len: found.len, start: None, copy: Vec::new() };
        let mut borrowed = Borrowed { queue: self, found, bytes, token, is_over: false };
        match Bytes::at(self, place, found.len) {
            Ok(bytes) => borrowed.bytes = bytes,
            Err(error) => {
                borrowed.give_back();
                return Err(error);
            }
        }
        if borrowed.bytes.start.is_none() {
            self.open_view().read_at(place, &mut borrowed.bytes.copy);
        }
        Ok(borrowed)
    }
}

impl Reservation<'_> {
    /// Makes a message of what is in it. When it returns, the message is inside, as after a
    /// [`send`](Queue::send); also after a shutdown that came since it was reserved, unless that
    /// has dropped what was inside.
    ///
    /// # Errors
    /// * [`Error::Closed`] in a forked child: it is the parent's.
    /// * [`Error::Damaged`] when a peer has overwritten its place, or took this process for dead.
    pub fn commit(mut self) -> Result<(), Error> {
        self.is_over = true;
        if self.queue.token() != self.token {
            return Err(Error::Closed);
        }
        let (view, Bytes { place, len, start, copy }) = (self.queue.open_view(), &self.bytes);
        if start.is_none() {
            view.write_at(*place, copy);
        }
        view.commit(*place, *len, self.token)
    }

    /// Whether it is written where it stands, and not copied there.
    #[must_use]
    pub const fn is_in_place(&self) -> bool {
        self.bytes.start.is_some()
    }
}

impl Borrowed<'_> {
    /// Takes the message, as dropping this does, and says whether it was.
    ///
    /// # Errors
    /// * [`Error::Closed`] when a [`shutdown_now`](Queue::shutdown_now) has dropped it meanwhile;
    ///   and in a forked child: it is the parent's.
    /// * [`Error::TimedOut`] when another process was stopped for a second amid a receive: the
    ///   message is inside again.
    /// * [`Error::Damaged`], [`Error::System`] when what others must read is spoiled; likewise.
    pub fn finish(mut self) -> Result<(), Error> {
        self.finish_once()
    }

    /// Does not take the message: whoever receives next gets it.
    pub fn give_back(mut self) {
        if !core::mem::replace(&mut self.is_over, true) && self.queue.token() == self.token {
            self.queue.open_view().end_borrow(self.found, self.token);
        }
    }

    /// Whether it is lent where it stands, and not copied.
    #[must_use]
    pub const fn is_in_place(&self) -> bool {
        self.bytes.start.is_some()
    }

    fn finish_once(&mut self) -> Result<(), Error> {
        if core::mem::replace(&mut self.is_over, true) {
            return Ok(());
        }
        if self.queue.token() != self.token {
            return Err(Error::Closed);
        }
        self.queue.open_view().finish_borrow(self.found, self.token)
    }
}

impl Deref for Reservation<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get()
    }
}

impl DerefMut for Reservation<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut()
    }
}

impl Deref for Borrowed<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get()
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.is_over && self.queue.token() == self.token {
            self.queue.open_view().abandon(self.bytes.place, self.bytes.len, self.token);
        }
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let _ = self.finish_once(); // who wants to know finishes it
    }
}

impl fmt::Debug for Reservation<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reservation").field("len", &self.bytes.len).finish_non_exhaustive()
    }
}

impl fmt::Debug for Borrowed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Borrowed").field("len", &self.bytes.len).finish_non_exhaustive()
    }
}
