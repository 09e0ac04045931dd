//! Two connected ends that carry whole messages.

mod ends;
mod frame;
mod transfer;
mod unfit;

use core::fmt;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::sync::Arc;

use purlin_shm::{Carry, Luggage};
use purlin_sync::Deadline;

use crate::error::Error;
use crate::limits::SLICE;
use crate::sys::socket::Received;
use crate::sys::{descriptor, socket};
use ends::End;
pub(crate) use ends::Use;
use frame::{Frame, LONG_HEADER_BYTES};
use transfer::{Incoming, Outgoing};
pub use unfit::RecvIntoError;

/// One end of a pipe, which carries messages between processes and threads: rows of bytes of any
/// length, and handles and descriptors with them. Each arrives whole, once and at one receiver,
/// whoever is killed; what a killed process had sent arrives.
///
/// A pipe made by [`duplex`](Self::duplex) carries messages both ways, one made by
/// [`simplex`](Self::simplex) from its second end to its first. When every end that could send has
/// been closed or has ended with its process, receivers get what is left, and are told
/// end-of-file; when every end that could receive has, senders are told broken-pipe.
///
/// That only works if nobody has copies of an end without knowing. So an end goes where it is sent:
/// * A program that is executed has none, and a child that is spawned has those that it was
///   [given](Carry).
/// * A forked child has those that were [handed over](Self::hand_over) for this fork. The others
///   are closed there, and say so.
///
/// A clone is a handle of the same end, in the same process.
///
/// ```
/// # fn main() -> Result<(), purlin_channel::Error> {
/// use purlin_channel::{Error, Pipe};
///
/// let (ours, theirs) = Pipe::duplex()?;
/// std::thread::scope(|scope| {
///     // Or in a child, after `theirs.hand_over()`.
///     scope.spawn(|| {
///         let request = theirs.recv(None)?;
///         theirs.send(&[&b"re: "[..], &request].concat(), None)?;
///         theirs.close();
///         Ok::<_, Error>(())
///     });
///     ours.send(b"hello", None)?;
///     assert_eq!(ours.recv(None)?, b"re: hello");
///     assert_eq!(ours.recv(None), Err(Error::EndOfFile));
///     Ok(())
/// })
/// # }
/// ```
///
/// # Weak points
/// * Fairness: none among several that receive, or send, at one end.
/// * Signals: no call is async-signal-safe.
/// * Fork: a raw clone of foreign code has copies of all ends. Of an end that goes along with a
///   message a fork of another thread may catch a copy, in the moment in which it is packed, and in
///   that of its arrival.
/// * Death: of a sender amid a send: the message was sent or was not. Of a receiver amid a receive:
///   it is there, or was taken.
/// * Room: messages wait in the kernel, some 200 KiB of them. Of those that are larger than 48 KiB
///   at most four or five wait, the rest of each in memory of its own. Two sides that both send
///   much and receive only then wait for each other.
/// * Descriptors: a receiver that has no number left loses what came with a message, and is told
///   [`Error::OutOfResources`]; a large message needs one for a moment.
/// * Memory: a receiver sets aside as much as a peer sent; [`recv_limited`](Self::recv_limited)
///   bounds it.
/// * Closing: a call that waits in another thread learns within 50 ms that its end was closed.
#[derive(Clone)]
pub struct Pipe {
    inner: Arc<Inner>,
}

struct Inner {
    end: Arc<End>,
    can_recv: bool,
    can_send: bool,
    /// How many bytes the socket takes at once.
    inline_max: usize,
}

impl Pipe {
    /// A pipe that carries messages both ways: its two ends.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] without descriptors.
    pub fn duplex() -> Result<(Self, Self), Error> {
        Self::pair([(true, true), (true, true)])
    }

    /// A pipe that carries messages one way: the end that receives, and the one that sends.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] without descriptors.
    pub fn simplex() -> Result<(Self, Self), Error> {
        Self::pair([(true, false), (false, true)])
    }

    /// An end of a pipe of ours that came as a descriptor, by foreign means.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when it is no socket for whole messages, as [`unix(7)`] has
    ///   them, or neither sends nor receives.
    /// * [`Error::OutOfResources`] without descriptors.
    ///
    /// [`unix(7)`]: https://man7.org/linux/man-pages/man7/unix.7.html
    pub fn from_descriptor(end: OwnedFd, can_recv: bool, can_send: bool) -> Result<Self, Error> {
        if !can_recv && !can_send {
            return Err(Error::InvalidArgument);
        }
        socket::settle(end.as_fd())?;
        let [end] = End::adopt(|| Ok([descriptor::beyond_standard(end)?]))?;
        Self::settled(end, can_recv, can_send)
    }

    /// Sends a message, waiting for room until `deadline`. When it returns, the message is on its
    /// way: nothing that happens to this process takes it back.
    ///
    /// # Errors
    /// * [`Error::BrokenPipe`] when every end that could receive it is gone. There is no signal.
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::Closed`] after [`close`](Self::close) of this end, in another thread too; and in
    ///   a forked child that it was not handed to.
    /// * [`Error::WrongDirection`] when this end receives only.
    /// * [`Error::MessageTooLarge`] for more than
    ///   [`PIPE_MESSAGE_MAX_BYTES`](crate::PIPE_MESSAGE_MAX_BYTES).
    /// * [`Error::OutOfResources`] without memory, or without a descriptor for a large one.
    #[inline]
    pub fn send(&self, message: &[u8], deadline: impl Into<Deadline>) -> Result<(), Error> {
        self.check_send()?;
        Outgoing::new(self.inner.inline_max).send(self, message, deadline.into())
    }

    /// [`send`](Self::send) that never waits.
    ///
    /// # Errors
    /// * As [`send`](Self::send).
    #[inline]
    pub fn try_send(&self, message: &[u8]) -> Result<(), Error> {
        self.send(message, Deadline::passed())
    }

    /// [`send`](Self::send) of a message and of handles: of locks, queues, segments, descriptors,
    /// other pipes. Whoever receives them by [`recv_with`](Self::recv_with) has handles of the same
    /// objects; those here stay.
    ///
    /// ```
    /// # fn main() -> Result<(), purlin_channel::Error> {
    /// use purlin_channel::{Pipe, Value};
    ///
    /// let (reader, writer) = Pipe::simplex()?;
    /// let value = Value::new(7)?;
    /// writer.send_with(b"look", &(value.clone(),), None)?;
    /// let (message, (same,)) = reader.recv_with::<(Value<i32>,)>(None)?;
    /// same.set(8, None)?;
    /// assert_eq!((message, value.get(None)?), (b"look".to_vec(), 8));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] when they need more descriptors than a message takes, which is
    ///   252; and for an end of a pipe, among them, that is closed. Nothing was sent.
    /// * [`Error::OutOfResources`] without descriptors, or for too many handles.
    /// * The others as [`send`](Self::send).
    pub fn send_with(
        &self,
        message: &[u8],
        handles: &impl Carry,
        deadline: impl Into<Deadline>,
    ) -> Result<(), Error> {
        self.check_send()?;
        let mut luggage = Luggage::new();
        handles.pack(&mut luggage)?;
        let outgoing = Outgoing::with(self.inner.inline_max, luggage)?;
        outgoing.send(self, message, deadline.into())
    }

    /// Receives a message, waiting for one until `deadline`.
    ///
    /// # Errors
    /// * [`Error::EndOfFile`] when all is received and every end that could send is gone; then
    ///   always.
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::Closed`] as [`send`](Self::send).
    /// * [`Error::WrongDirection`] when this end sends only.
    /// * [`Error::Incompatible`] when handles came with the message. It is used up.
    /// * [`Error::Damaged`] when a peer has sent what no pipe sends. It is used up.
    /// * [`Error::OutOfResources`] without memory for it, or without a descriptor for what came
    ///   with it. It is used up.
    #[inline]
    pub fn recv(&self, deadline: impl Into<Deadline>) -> Result<Vec<u8>, Error> {
        self.receive(deadline.into(), |incoming| incoming.into_message())
    }

    /// [`recv`](Self::recv) that never waits.
    ///
    /// # Errors
    /// * As [`recv`](Self::recv).
    #[inline]
    pub fn try_recv(&self) -> Result<Vec<u8>, Error> {
        self.recv(Deadline::passed())
    }

    /// Receives a message into `buffer`; how many bytes it had. The rest of the buffer is left
    /// alone.
    ///
    /// One that does not fit comes with the error, for the call of the system that tells its length
    /// has taken it. Whoever wants it to stay asks for the length first, by
    /// [`next_len`](Self::next_len), which costs a call more.
    ///
    /// # Errors
    /// * [`RecvIntoError::TooLarge`] with the message, when it has more bytes than the buffer,
    ///   which is left alone.
    /// * [`RecvIntoError::Failed`] as [`recv`](Self::recv).
    #[inline(always)] // else it is one return more behind the system call
    pub fn recv_into(
        &self,
        buffer: &mut [u8],
        deadline: impl Into<Deadline>,
    ) -> Result<usize, RecvIntoError> {
        self.receive(deadline.into(), |incoming| Ok(incoming.into_buffer(buffer)))?
    }

    /// How many bytes the next message has, waiting for one until `deadline`. It takes nothing:
    /// another may be quicker, and what is received then is another one.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use purlin_channel::Pipe;
    ///
    /// let (reader, writer) = Pipe::simplex()?;
    /// writer.send(b"ten bytes.", None)?;
    /// let mut buffer = [0; 8];
    /// assert!(reader.next_len(None)? > buffer.len()); // too large: it stays for somebody else
    /// assert_eq!(reader.recv(None)?, b"ten bytes.");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::Damaged`] for what no pipe sends; it stays, and the next receive takes it.
    /// * [`Error::EndOfFile`], [`Error::TimedOut`], [`Error::Closed`], [`Error::WrongDirection`] as
    ///   [`recv`](Self::recv).
    pub fn next_len(&self, deadline: impl Into<Deadline>) -> Result<usize, Error> {
        self.check_recv()?;
        let deadline = deadline.into().start();
        let mut head = [0; LONG_HEADER_BYTES];
        // Ends: with a message, with an error, or at the deadline; each wait is a slice at most.
        loop {
            let end = self.inner.end.enter()?;
            match socket::peek(end.as_fd(), &mut head)? {
                Received::Message { len, .. } => return Frame::announced_bytes(&head, len),
                Received::End => return Err(Error::EndOfFile),
                Received::Nothing => {}
            }
            let left = deadline.remaining();
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Error::TimedOut);
            }
            socket::wait_readable(end.as_fd(), left.unwrap_or(SLICE))?;
        }
    }

    /// [`recv`](Self::recv) that refuses a message of more than `limit` bytes, before anything is
    /// set aside for it.
    ///
    /// # Errors
    /// * [`Error::MessageTooLarge`] for such a one. It is used up; the next one can be received.
    /// * The others as [`recv`](Self::recv).
    pub fn recv_limited(
        &self,
        limit: usize,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<u8>, Error> {
        self.receive(deadline.into(), |incoming| match incoming.message_bytes() {
            len if len > limit => Err(Error::MessageTooLarge { len }),
            _ => incoming.into_message(),
        })
    }

    /// Receives a message, and the handles that were sent with it.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when others were sent, or more; [`Error::Damaged`] when fewer
    ///   were, or what came contradicts itself; and what else the handles find wrong. The message
    ///   is used up.
    /// * The others as [`recv`](Self::recv).
    pub fn recv_with<C: Carry>(
        &self,
        deadline: impl Into<Deadline>,
    ) -> Result<(Vec<u8>, C), Error> {
        self.receive(deadline.into(), |incoming| {
            let (message, mut luggage) = incoming.into_parts()?;
            let handles = C::unpack(&mut luggage)?;
            luggage.finish()?;
            Ok((message, handles))
        })
    }

    /// Waits until `deadline` for something to receive, be it the end; whether there is. It takes
    /// nothing.
    ///
    /// # Errors
    /// * [`Error::Closed`], [`Error::WrongDirection`] as [`recv`](Self::recv).
    pub fn poll(&self, deadline: impl Into<Deadline>) -> Result<bool, Error> {
        self.check_recv()?;
        let deadline = deadline.into().start();
        loop {
            let end = self.inner.end.enter()?;
            let left = deadline.remaining().unwrap_or(SLICE);
            if socket::wait_readable(end.as_fd(), left)? {
                return Ok(true);
            }
            if deadline.remaining().is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
        }
    }

    /// Has the next fork of this thread keep this end in the child, too. Once: the fork after it
    /// closes it there again. The start of another program may be that fork.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use purlin_channel::{Error, Pipe};
    /// use purlin_process::Process;
    ///
    /// let (reader, writer) = Pipe::simplex()?;
    /// writer.hand_over()?;
    /// let child = Process::fork("child", move || writer.send(b"from the child", None))?;
    /// // The closure, and this process's copy of the end with it, are gone by now.
    /// assert_eq!(reader.recv(None)?, b"from the child");
    /// assert_eq!(reader.recv(None), Err(Error::EndOfFile));
    /// child.join(None)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// * [`Error::Closed`] when this end is closed.
    pub fn hand_over(&self) -> Result<(), Error> {
        self.inner.end.enter()?;
        self.inner.end.hand_over();
        Ok(())
    }

    /// Closes this end in this process, all handles of it. Calls of other threads that wait are
    /// told within 50 ms. To close it again does nothing.
    pub fn close(&self) {
        self.inner.end.close();
    }

    /// Whether it is closed here.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.end.is_closed()
    }

    /// Whether this end receives.
    #[must_use]
    pub fn can_recv(&self) -> bool {
        self.inner.can_recv
    }

    /// Whether this end sends.
    #[must_use]
    pub fn can_send(&self) -> bool {
        self.inner.can_send
    }

    /// The number of its descriptor, for the system's own calls that wait: it is readable when
    /// there is something to receive. It is worth nothing once the end is closed.
    ///
    /// # Errors
    /// * [`Error::Closed`] when it is.
    pub fn descriptor(&self) -> Result<RawFd, Error> {
        Ok(socket::number(self.inner.end.enter()?))
    }

    fn pair(ways: [(bool, bool); 2]) -> Result<(Self, Self), Error> {
        let [one, other] = End::adopt(socket::pair)?;
        let [one_way, other_way] = ways;
        let one = Self::settled(one, one_way.0, one_way.1);
        let other = Self::settled(other, other_way.0, other_way.1);
        Ok((one?, other?))
    }

    /// Of an end that was adopted.
    fn settled(end: Arc<End>, can_recv: bool, can_send: bool) -> Result<Self, Error> {
        let mut inner = Inner { end, can_recv, can_send, inline_max: 0 }; // it closes when dropped
        inner.inline_max = socket::settle(inner.end.enter()?.as_fd())?;
        Ok(Self { inner: Arc::new(inner) })
    }

    #[inline]
    fn check_send(&self) -> Result<(), Error> {
        self.check_way(self.inner.can_send)
    }

    #[inline]
    fn check_recv(&self) -> Result<(), Error> {
        self.check_way(self.inner.can_recv)
    }

    #[inline]
    fn check_way(&self, has_way: bool) -> Result<(), Error> {
        if has_way { Ok(()) } else { Err(self.refusal()) }
    }

    #[cold]
    fn refusal(&self) -> Error {
        if self.is_closed() { Error::Closed } else { Error::WrongDirection }
    }

    /// For who waits on several: this end, if something can be received by it.
    ///
    /// # Errors
    /// * [`Error::Closed`], [`Error::WrongDirection`] as [`recv`](Self::recv).
    pub(crate) fn awaited(&self) -> Result<Use<'_>, Error> {
        self.check_recv()?;
        self.inner.end.enter()
    }

    /// For who waits on several: a number that all handles of this end have, and no other end.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    #[inline(always)]
    fn receive<T>(
        &self,
        deadline: Deadline,
        take: impl FnOnce(Incoming<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check_recv()?;
        Incoming::receive(self, deadline, take)
    }
}

/// An end that arrives is one more of the same, beside those that are left where it came from.
impl Carry for Pipe {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        let ways = [self.can_recv(), self.can_send()].map(|has_way| has_way.then_some(()));
        let end = self.inner.end.enter().map_err(|_| purlin_shm::Error::InvalidArgument)?;
        let copy = descriptor::duplicate(end.as_fd());
        copy.map_err(|_| purlin_shm::Error::OutOfResources)?.pack(luggage)?;
        ways.iter().try_for_each(|way| way.pack(luggage))
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        use purlin_shm::Error as Below;
        let end = OwnedFd::unpack(luggage)?;
        let can_recv = Option::<()>::unpack(luggage)?.is_some();
        let can_send = Option::<()>::unpack(luggage)?.is_some();
        Self::from_descriptor(end, can_recv, can_send).map_err(|error| match error {
            Error::OutOfResources => Below::OutOfResources,
            Error::System { errno } => Below::System { errno },
            _ => Below::Damaged, // what it leads to is no end of a pipe
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end.close();
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pipe")
            .field("descriptor", &self.descriptor().ok())
            .field("can_recv", &self.can_recv())
            .field("can_send", &self.can_send())
            .finish_non_exhaustive()
    }
}
