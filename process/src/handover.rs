//! Handles for a process that did not inherit them, over a Unix socket that both have.

use std::os::fd::AsFd;

use purlin_shm::{Carry, Luggage};
use purlin_sync::Deadline;

use crate::Error;
use crate::limits::HANDOVER_DESCRIPTOR_MAX;
use crate::sys::message;

/// Sends handles to whoever is at the other end of `socket`, a Unix stream socket. The handles stay
/// usable here; a hold is not sent along.
///
/// ```
/// use std::os::unix::net::UnixStream;
/// use std::time::Duration;
///
/// use purlin_process::{receive_handles, send_handles};
/// use purlin_sync::{Error, Lock};
///
/// let (ours, theirs) = UnixStream::pair()?;
/// let lock = Lock::new()?;
/// let held = lock.acquire(None)?;
/// send_handles(&ours, &(lock.clone(),), Duration::from_secs(60))?;
/// // In the other process:
/// let (same,): (Lock,) = receive_handles(&theirs, Duration::from_secs(60))?;
/// assert_eq!(same.try_acquire().unwrap_err(), Error::TimedOut);
/// # drop(held);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// * [`Error::TimedOut`] when the deadline came first; the socket is then amid a message, and of
///   use to nobody.
/// * [`Error::BrokenPipe`] when nobody is left at the other end.
/// * [`Error::OutOfResources`] without descriptors, or when more is sent than one message holds.
/// * [`Error::System`] when it is no such socket.
pub fn send_handles(
    socket: &impl AsFd,
    handles: &impl Carry,
    deadline: impl Into<Deadline>,
) -> Result<(), Error> {
    let mut luggage = Luggage::new();
    handles.pack(&mut luggage)?;
    let (bytes, descriptors) = luggage.into_parts();
    message::send(socket.as_fd(), &bytes, &descriptors, deadline.into())
}

/// Receives what [`send_handles`] sent, and attaches to it. Nothing is believed before it is
/// checked: the form of the message, each descriptor, each segment, each object.
///
/// # Errors
/// * [`Error::TimedOut`] when the deadline came first.
/// * [`Error::EndOfFile`] when the other end is gone.
/// * [`Error::Incompatible`] when handles of other types were sent, or by a program of another
///   layout version.
/// * [`Error::Damaged`] when it is no such message, or contradicts itself.
/// * [`Error::OutOfResources`] without descriptors, memory or slots.
/// * [`Error::PermissionDenied`], [`Error::Unsupported`] as for a segment that is attached.
pub fn receive_handles<C: Carry>(
    socket: &impl AsFd,
    deadline: impl Into<Deadline>,
) -> Result<C, Error> {
    let (bytes, descriptors) =
        message::receive(socket.as_fd(), HANDOVER_DESCRIPTOR_MAX, deadline.into())?;
    unpack(&bytes, descriptors)
}

/// All of a message, as one value.
pub(crate) fn unpack<C: Carry>(
    bytes: &[u8],
    descriptors: Vec<std::os::fd::OwnedFd>,
) -> Result<C, Error> {
    let mut luggage = Luggage::from_parts(bytes, descriptors)?;
    let handles = C::unpack(&mut luggage)?;
    luggage.finish()?;
    Ok(handles)
}
