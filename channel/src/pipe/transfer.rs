//! One message on its way out, or in.
//!
//! What a message is made of is made first, and freed by the kernel if its maker dies. One system
//! call sends it: that is the commit. One receives it, and it is the receiver's.

use core::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use purlin_shm::Luggage;
use purlin_sync::Deadline;

use super::Pipe;
use super::ends::Along;
use super::frame::{FRAME_MAX_BYTES, Frame, PLAIN, PLAIN_HEADER_BYTES, long_header};
use super::unfit::RecvIntoError;
use crate::error::Error;
use crate::limits::{
    COPIED_FRAME_BYTES, DESCRIPTORS_MAX, FLIGHT_PAUSE, PIPE_MESSAGE_MAX_BYTES, SHORT_FRAME_BYTES,
    SLICE,
};
use crate::sys::socket::{Received, Sent};
use crate::sys::{sealed_file, socket};

/// What goes with a message.
pub(super) struct Outgoing {
    inline_max: usize,
    luggage: Vec<u8>,
    along: Along,
}

impl Outgoing {
    pub(super) fn new(inline_max: usize) -> Self {
        Self { inline_max, luggage: Vec::new(), along: Along::default() }
    }

    /// With handles.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for more descriptors than a message takes.
    /// * [`Error::OutOfResources`].
    pub(super) fn with(inline_max: usize, luggage: Luggage) -> Result<Self, Error> {
        let (luggage, descriptors) = luggage.into_parts();
        if descriptors.len() >= DESCRIPTORS_MAX || u32::try_from(luggage.len()).is_err() {
            return Err(Error::InvalidArgument); // one is left for the rest of the message
        }
        Ok(Self { inline_max, luggage, along: Along::adopt(descriptors)? })
    }

    /// # Errors
    /// * As [`Pipe::send`].
    #[inline(always)] // each return behind a system call costs, the first of them most
    pub(super) fn send(self, pipe: &Pipe, message: &[u8], deadline: Deadline) -> Result<(), Error> {
        if !self.luggage.is_empty() || message.len() > self.inline_max {
            return self.send_long(pipe, message, deadline);
        }
        let frame_bytes = PLAIN_HEADER_BYTES + message.len();
        if frame_bytes <= SHORT_FRAME_BYTES {
            send_copied::<SHORT_FRAME_BYTES>(pipe, message, deadline)
        } else if frame_bytes <= COPIED_FRAME_BYTES {
            send_copied::<COPIED_FRAME_BYTES>(pipe, message, deadline)
        } else {
            send_frame(pipe, &[&[PLAIN], message], &[], deadline)
        }
    }

    #[cold]
    fn send_long(self, pipe: &Pipe, message: &[u8], deadline: Deadline) -> Result<(), Error> {
        let Self { inline_max, luggage, along } = self;
        if message.len() as u64 > PIPE_MESSAGE_MAX_BYTES {
            return Err(Error::MessageTooLarge { len: message.len() });
        }
        let header = long_header(luggage.len() as u32, (luggage.len() + message.len()) as u64);
        // As much as the socket takes goes in it: so what is on its way has a bound.
        let (luggage_in, luggage_out) = luggage.split_at(luggage.len().min(inline_max));
        let (message_in, message_out) =
            message.split_at(message.len().min(inline_max - luggage_in.len()));
        let rest = match luggage_out.len() + message_out.len() {
            0 => None,
            _ => Some(sealed_file::make(&[luggage_out, message_out])?),
        };
        let along = along.enter()?;
        let descriptors: Vec<BorrowedFd<'_>> =
            rest.iter().map(AsFd::as_fd).chain(along.iter().map(AsFd::as_fd)).collect();
        send_frame(pipe, &[&header, luggage_in, message_in], &descriptors, deadline)
    }
}

/// In one piece: a copy costs less than to tell the kernel of two.
#[inline(always)]
fn send_copied<const MAX_BYTES: usize>(
    pipe: &Pipe,
    message: &[u8],
    deadline: Deadline,
) -> Result<(), Error> {
    let mut frame = [PLAIN; MAX_BYTES];
    let frame = &mut frame[..PLAIN_HEADER_BYTES + message.len()];
    frame[PLAIN_HEADER_BYTES..].copy_from_slice(message);
    let end = pipe.inner.end.enter()?;
    match socket::send_one(end.as_fd(), frame, deadline.remaining().is_none())? {
        Sent::Done => Ok(()), // that was the commit
        _ => send_frame(pipe, &[frame], &[], deadline),
    }
}

#[cold]
fn send_frame(
    pipe: &Pipe,
    parts: &[&[u8]],
    descriptors: &[BorrowedFd<'_>],
    deadline: Deadline,
) -> Result<(), Error> {
    let deadline = deadline.start(); // one that the clock cannot hold is none
    let is_endless = deadline.remaining().is_none();
    // Ends: sent, with an error, or at the deadline; each wait is a slice at most.
    loop {
        let end = pipe.inner.end.enter()?;
        let begin = Instant::now();
        let sent = socket::send(end.as_fd(), parts, descriptors, is_endless)?; // the commit
        if matches!(sent, Sent::Done) {
            return Ok(());
        }
        if end.is_closed() {
            return Err(Error::Closed);
        }
        let left = deadline.remaining().unwrap_or(SLICE);
        if left.is_zero() {
            return Err(Error::TimedOut);
        }
        if matches!(sent, Sent::TooManyInFlight) {
            socket::pause(end.as_fd(), left.min(FLIGHT_PAUSE))?;
        } else if !is_endless || begin.elapsed() < SLICE / 2 {
            // Without a limit the call itself waits, unless foreign code has set the socket not to.
            socket::wait_writable(end.as_fd(), left)?;
        }
    }
}

/// A message that has come, and has not been looked into.
pub(super) struct Incoming<'a> {
    frame: Frame,
    inline: &'a [u8],
    descriptors: Vec<OwnedFd>,
}

thread_local! {
    /// Where messages come to, whose length nobody knows before.
    static LANDING: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl<'a> Incoming<'a> {
    /// Receives one, and has it taken.
    ///
    /// # Errors
    /// * As [`Pipe::recv`].
    #[inline(always)] // as `Outgoing::send`
    pub(super) fn receive<T>(
        pipe: &Pipe,
        deadline: Deadline,
        take: impl FnOnce(Incoming<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // It is not there at a thread's end, and taken where a destructor receives amid a receive.
        let landing = LANDING.try_with(RefCell::take).unwrap_or_default();
        let mut landing = Landing(landing);
        landing.0.resize(FRAME_MAX_BYTES, 0);
        let end = pipe.inner.end.enter()?;
        let is_endless = deadline.remaining().is_none();
        let (len, descriptors) = match socket::receive(end.as_fd(), &mut landing.0, is_endless)? {
            Received::Message { len, descriptors } => (len, descriptors),
            Received::End => return Err(Error::EndOfFile),
            Received::Nothing => receive_late(pipe, &mut landing.0, deadline)?,
        };
        let frame = Frame::read(&landing.0[..len], descriptors.len())?;
        let inline = &landing.0[frame.header_bytes..len];
        take(Incoming { frame, inline, descriptors })
    }

    pub(super) const fn message_bytes(&self) -> usize {
        self.frame.message_bytes()
    }

    /// The message, where nothing came with it.
    ///
    /// # Errors
    /// * [`Error::Incompatible`] when something did; [`Error::Damaged`].
    #[inline(always)]
    pub(super) fn into_message(self) -> Result<Vec<u8>, Error> {
        if self.frame.header_bytes == PLAIN_HEADER_BYTES {
            return Ok(self.inline.to_vec());
        }
        self.check_alone()?;
        self.contents()
    }

    /// The message into a buffer, where it fits.
    ///
    /// # Errors
    /// * [`RecvIntoError::TooLarge`] where it does not.
    /// * As [`into_message`](Self::into_message).
    #[inline(always)]
    pub(super) fn into_buffer(self, buffer: &mut [u8]) -> Result<usize, RecvIntoError> {
        let len = self.message_bytes();
        let Some(buffer) = buffer.get_mut(..len) else {
            return Err(RecvIntoError::TooLarge(self.into_message()?));
        };
        if self.frame.header_bytes != PLAIN_HEADER_BYTES {
            self.check_alone()?;
            if self.frame.rest_bytes > 0 {
                // Not into the buffer at once: it stays as it is when the file is not.
                buffer.copy_from_slice(&self.contents()?);
                return Ok(len);
            }
        }
        buffer.copy_from_slice(self.inline);
        Ok(len)
    }

    /// The message, and what came with it.
    ///
    /// # Errors
    /// * [`Error::Damaged`].
    pub(super) fn into_parts(mut self) -> Result<(Vec<u8>, Luggage), Error> {
        let mut contents = self.contents()?;
        let message = contents.split_off(self.frame.luggage_bytes);
        let file_count = self.file_count();
        let descriptors = self.descriptors.split_off(file_count);
        Ok((message, Luggage::from_parts(&contents, descriptors)?))
    }

    fn file_count(&self) -> usize {
        usize::from(self.frame.rest_bytes > 0)
    }

    fn check_alone(&self) -> Result<(), Error> {
        match (self.frame.luggage_bytes, self.descriptors.len() - self.file_count()) {
            (0, 0) => Ok(()),
            (0, _) => Err(Error::Damaged), // descriptors that nothing speaks of
            _ => Err(Error::Incompatible),
        }
    }

    fn contents(&self) -> Result<Vec<u8>, Error> {
        let (inline, rest_bytes) = (self.inline, self.frame.rest_bytes);
        let mut contents = Vec::new();
        if rest_bytes > 0 {
            sealed_file::check(self.descriptors[0].as_fd(), rest_bytes as u64)?;
        }
        let reserved = contents.try_reserve_exact(self.frame.contents_bytes);
        reserved.map_err(|_| Error::OutOfResources)?;
        contents.extend_from_slice(inline);
        if rest_bytes > 0 {
            contents.resize(self.frame.contents_bytes, 0);
            let into = &mut contents[inline.len()..];
            sealed_file::read_exactly(self.descriptors[0].as_fd(), 0, into)?;
        }
        Ok(contents)
    }
}

/// Goes back to where it was taken.
struct Landing(Vec<u8>);

impl Drop for Landing {
    fn drop(&mut self) {
        let landing = core::mem::take(&mut self.0);
        let _ = LANDING.try_with(|place| place.replace(landing));
    }
}

/// Where none was there at once, or for a slice.
#[cold]
fn receive_late(
    pipe: &Pipe,
    buffer: &mut [u8],
    deadline: Deadline,
) -> Result<(usize, Vec<OwnedFd>), Error> {
    let deadline = deadline.start(); // one that the clock cannot hold is none
    let is_endless = deadline.remaining().is_none();
    // Ends: with a message, with an error, or at the deadline; each wait is a slice at most.
    loop {
        let end = pipe.inner.end.enter()?;
        let begin = Instant::now();
        match socket::receive(end.as_fd(), buffer, is_endless)? {
            Received::Message { len, descriptors } => return Ok((len, descriptors)),
            Received::End => return Err(Error::EndOfFile),
            Received::Nothing => {}
        }
        if end.is_closed() {
            return Err(Error::Closed);
        }
        let left = deadline.remaining().unwrap_or(SLICE);
        if left.is_zero() {
            return Err(Error::TimedOut);
        }
        // Without a limit the call itself waits, unless foreign code has set the socket not to.
        if !is_endless || begin.elapsed() < SLICE / 2 {
            socket::wait_readable(end.as_fd(), left)?;
        }
    }
}
