//! A pair of message sockets: `SOCK_SEQPACKET`, `unix(7)`. One call sends a message, one receives
//! it, each whole or not at all.

use core::mem::MaybeUninit;
use core::time::Duration;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

use crate::error::Error;
use crate::limits::{DESCRIPTORS_MAX, IN_FLIGHT_COUNT, INLINE_MAX_BYTES, SLICE};
use crate::sys::descriptor::beyond_standard;

/// Two ends, each closed on exec.
///
/// # Errors
/// * [`Error::OutOfResources`] without descriptors.
pub(crate) fn pair() -> Result<[OwnedFd; 2], Error> {
    let (one, other) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    Ok([beyond_standard(one)?, beyond_standard(other)?])
}

/// Whether it is one; no file is asked for that.
pub(crate) fn is_one(descriptor: BorrowedFd<'_>) -> bool {
    sockopt::socket_type(descriptor).is_ok()
}

/// Looks whether it is such a socket, has its waits come back after a slice each, and says how many
/// bytes it takes at once.
///
/// # Errors
/// * [`Error::InvalidArgument`] for anything else.
pub(crate) fn settle(socket: BorrowedFd<'_>) -> Result<usize, Error> {
    let kind = sockopt::socket_type(socket).and_then(|kind| {
        let is_listening = sockopt::socket_acceptconn(socket)?;
        Ok((kind, sockopt::socket_domain(socket)?, is_listening))
    });
    match kind {
        Ok((SocketType::SEQPACKET, AddressFamily::UNIX, false)) => {}
        Ok(_) | Err(Errno::NOTSOCK) => return Err(Error::InvalidArgument),
        Err(other) => return Err(other.into()),
    }
    sockopt::set_socket_timeout(socket, Timeout::Recv, Some(SLICE))?;
    sockopt::set_socket_timeout(socket, Timeout::Send, Some(SLICE))?;
    let room = sockopt::socket_send_buffer_size(socket)?;
    Ok((room / IN_FLIGHT_COUNT).min(INLINE_MAX_BYTES))
}

/// What came of a try.
pub(crate) enum Sent {
    Done,
    /// There was no room, at once or for a slice, or a signal came.
    NoRoom,
    /// Too many descriptors of this user are on their way, and nothing tells when fewer are.
    TooManyInFlight,
}

/// Sends one message; `waits` for room for a slice, or not at all.
///
/// # Errors
/// * [`Error::BrokenPipe`] when nobody is left at the other end.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    parts: &[&[u8]],
    descriptors: &[BorrowedFd<'_>],
    waits: bool,
) -> Result<Sent, Error> {
    told(match parts {
        [one] if descriptors.is_empty() => rustix::net::send(socket, one, send_flags(waits)),
        _ => send_parts(socket, parts, descriptors, send_flags(waits)),
    })
}

/// [`send`] of one that is in one piece, with nothing along.
///
/// # Errors
/// * As [`send`].
#[inline(always)]
pub(crate) fn send_one(socket: BorrowedFd<'_>, frame: &[u8], waits: bool) -> Result<Sent, Error> {
    told(rustix::net::send(socket, frame, send_flags(waits)))
}

#[inline(always)]
fn send_flags(waits: bool) -> SendFlags {
    if waits { SendFlags::NOSIGNAL } else { SendFlags::DONTWAIT | SendFlags::NOSIGNAL }
}

#[inline(always)]
fn told(answer: Result<usize, Errno>) -> Result<Sent, Error> {
    match answer {
        Ok(_) => Ok(Sent::Done),
        Err(errno) => refused(errno),
    }
}

#[cold]
fn refused(errno: Errno) -> Result<Sent, Error> {
    match errno {
        Errno::AGAIN | Errno::INTR => Ok(Sent::NoRoom),
        Errno::TOOMANYREFS => Ok(Sent::TooManyInFlight),
        // A reset is told once, to who had sent what the other end has not received.
        Errno::PIPE | Errno::CONNRESET | Errno::CONNREFUSED | Errno::NOTCONN => {
            Err(Error::BrokenPipe)
        }
        other => Err(other.into()),
    }
}

#[cold]
fn send_parts(
    socket: BorrowedFd<'_>,
    parts: &[&[u8]],
    descriptors: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL); // there are never more than there is space for
    }
    let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    sendmsg(socket, &slices, &mut control, flags)
}

/// What came.
pub(crate) enum Received {
    /// A message of so many bytes, and descriptors with it.
    Message { len: usize, descriptors: Vec<OwnedFd> },
    /// Every end that could send is gone.
    End,
    /// Nothing, at once or for a slice; or a signal.
    Nothing,
}

/// Receives one message; `waits` for one for a slice, or not at all.
///
/// # Errors
/// * [`Error::Damaged`] for one that is larger than the buffer, and for one of no bytes.
/// * [`Error::OutOfResources`] when descriptors were lost for want of numbers, and the message with
///   them.
#[inline(always)]
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    waits: bool,
) -> Result<Received, Error> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let flags =
        if waits { RecvFlags::empty() } else { RecvFlags::DONTWAIT } | RecvFlags::CMSG_CLOEXEC;
    // Ends: a reset is told once.
    loop {
        let mut control = RecvAncillaryBuffer::new(&mut space);
        match recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut control, flags) {
            Ok(received) => {
                let descriptors = rights(&mut control);
                return judge(socket, received.bytes, received.flags, descriptors);
            }
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Received::Nothing),
            // The other end closed with messages of ours unread. It comes before those that it had
            // sent, which are still there.
            Err(Errno::CONNRESET) => {}
            Err(other) => return Err(other.into()),
        }
    }
}

/// Looks at the message that [`receive`] would give, whose first bytes go into `head`: it stays,
/// and so do its descriptors. Never waits.
///
/// # Errors
/// * [`Error::Damaged`] for one of no bytes.
pub(crate) fn peek(socket: BorrowedFd<'_>, head: &mut [u8]) -> Result<Received, Error> {
    let flags = RecvFlags::PEEK | RecvFlags::TRUNC | RecvFlags::DONTWAIT;
    // Ends: a reset is told once.
    loop {
        match rustix::net::recv(socket, &mut *head, flags) {
            // Its own length, and not of what there was room for.
            Ok((_, len)) => return judge(socket, len, ReturnFlags::empty(), Vec::new()),
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Received::Nothing),
            Err(Errno::CONNRESET) => {} // as in `receive`
            Err(other) => return Err(other.into()),
        }
    }
}

#[inline(always)]
fn rights(control: &mut RecvAncillaryBuffer<'_>) -> Vec<OwnedFd> {
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(came) = message {
            descriptors.extend(came);
        }
    }
    descriptors
}

#[inline(always)]
fn judge(
    socket: BorrowedFd<'_>,
    len: usize,
    flags: ReturnFlags,
    descriptors: Vec<OwnedFd>,
) -> Result<Received, Error> {
    if flags.contains(ReturnFlags::CTRUNC) {
        return Err(Error::OutOfResources);
    }
    if flags.contains(ReturnFlags::TRUNC) {
        return Err(Error::Damaged);
    }
    match len {
        // A message of ours has a byte at least; a peer may send one of none.
        0 if descriptors.is_empty() && has_ended(socket)? => Ok(Received::End),
        0 => Err(Error::Damaged),
        len => Ok(Received::Message { len, descriptors }),
    }
}

fn has_ended(socket: BorrowedFd<'_>) -> Result<bool, Error> {
    let mut polled = [PollFd::new(&socket, PollFlags::RDHUP)];
    poll_for(&mut polled, Duration::ZERO)?;
    Ok(polled[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP))
}

/// Waits until something can be received, be it the end, or `limit` is over, which is a slice at
/// most. Returns whether something can.
///
/// # Errors
/// * What the system said of the wait.
pub(crate) fn wait_readable(socket: BorrowedFd<'_>, limit: Duration) -> Result<bool, Error> {
    poll_for(&mut [PollFd::new(&socket, PollFlags::IN)], limit)
}

/// The same for room.
///
/// # Errors
/// * What the system said of the wait.
pub(crate) fn wait_writable(socket: BorrowedFd<'_>, limit: Duration) -> Result<(), Error> {
    poll_for(&mut [PollFd::new(&socket, PollFlags::OUT)], limit).map(drop)
}

/// Waits until the other end is gone, or `limit` is over.
///
/// # Errors
/// * What the system said of the wait.
pub(crate) fn pause(socket: BorrowedFd<'_>, limit: Duration) -> Result<(), Error> {
    poll_for(&mut [PollFd::new(&socket, PollFlags::empty())], limit).map(drop)
}

/// Which of them are readable, or at their end, once at least one is or `limit` is over.
///
/// # Errors
/// * [`Error::InvalidArgument`] for a number that is not open.
/// * What the system said of the wait.
pub(crate) fn wait_any(
    descriptors: &[BorrowedFd<'_>],
    limit: Duration,
) -> Result<Vec<bool>, Error> {
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    poll_for(&mut polled, limit)?;
    if polled.iter().any(|one| one.revents().contains(PollFlags::NVAL)) {
        return Err(Error::InvalidArgument);
    }
    Ok(polled.iter().map(|one| !one.revents().is_empty()).collect())
}

fn poll_for(polled: &mut [PollFd<'_>], limit: Duration) -> Result<bool, Error> {
    let limit = Timespec::try_from(limit.min(SLICE)).map_err(|_| Error::InvalidArgument)?;
    match poll(polled, Some(&limit)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => {
            polled.iter_mut().for_each(PollFd::clear_revents);
            Ok(false)
        }
        Err(other) => Err(other.into()),
    }
}

/// The number of a descriptor, for the system's own calls.
pub(crate) fn number(socket: impl AsFd) -> i32 {
    std::os::fd::AsRawFd::as_raw_fd(&socket.as_fd())
}
