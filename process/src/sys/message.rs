//! Messages with descriptors over a stream socket: how handles travel, with a limit on every wait.
//!
//! ```text
//!  0        4        8                16                        16 + pieces
//!  | mark   | descr. | bytes          | a zero byte a piece …    | the bytes …
//! ```
//!
//! Each zero byte has a piece of the descriptors with it (`SCM_RIGHTS`, `unix(7)`).

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use purlin_sync::Deadline;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

use crate::Error;
use crate::limits::{DESCRIPTORS_A_PIECE, FLIGHT_PAUSE, JOIN_SLICE, MESSAGE_MAX_BYTES, READ_BYTES};
use crate::sys::{pidfd, ready};

/// `prl` and the version of this form.
const MARK: u32 = u32::from_le_bytes(*b"prl\x01");
const HEADER_BYTES: usize = 16;

/// Sends one message.
///
/// # Errors
/// * [`Error::BrokenPipe`] when nobody is left at the other end; [`Error::TimedOut`].
/// * [`Error::InvalidArgument`] when it is too large.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: &[OwnedFd],
    deadline: Deadline,
) -> Result<(), Error> {
    let count = u32::try_from(descriptors.len()).map_err(|_| Error::InvalidArgument)?;
    if bytes.len() as u64 > MESSAGE_MAX_BYTES {
        return Err(Error::InvalidArgument);
    }
    let deadline = deadline.start();
    let mut header = [0; HEADER_BYTES];
    header[0..4].copy_from_slice(&MARK.to_le_bytes());
    header[4..8].copy_from_slice(&count.to_le_bytes());
    header[8..16].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    send_all(socket, &header, &[], deadline)?;
    for piece in descriptors.chunks(DESCRIPTORS_A_PIECE) {
        let piece: Vec<BorrowedFd<'_>> = piece.iter().map(AsFd::as_fd).collect();
        send_all(socket, &[0], &piece, deadline)?;
    }
    send_all(socket, bytes, &[], deadline)
}

/// Two ends of a socket that such messages travel over, each closed on exec.
///
/// # Errors
/// * [`Error::OutOfResources`] without descriptors.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd), Error> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// Sends one byte, for which a socket always has room at the beginning.
///
/// # Errors
/// * As [`send`].
pub(crate) fn send_byte(socket: BorrowedFd<'_>, byte: u8) -> Result<(), Error> {
    send_all(socket, &[byte], &[], Deadline::passed())
}

/// Receives one message. What the other end claims is set aside only as it comes.
///
/// # Errors
/// * [`Error::EndOfFile`] when the other end is gone, amid a message or before.
/// * [`Error::TimedOut`].
/// * [`Error::Damaged`] when it is no message.
/// * [`Error::OutOfResources`] when descriptors were lost for want of numbers.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    descriptor_max: usize,
    deadline: Deadline,
) -> Result<(Vec<u8>, Vec<OwnedFd>), Error> {
    let deadline = deadline.start();
    let mut descriptors = Vec::new();
    let header = receive_exactly(socket, HEADER_BYTES, &mut descriptors, 0, deadline)?;
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|index| header[at + index]));
    let (count, len) = (word(4) as usize, u64::from(word(8)) | (u64::from(word(12)) << 32));
    let is_fit = word(0) == MARK && count <= descriptor_max && len <= MESSAGE_MAX_BYTES;
    if !is_fit {
        return Err(Error::Damaged);
    }
    let pieces_count = count.div_ceil(DESCRIPTORS_A_PIECE);
    receive_exactly(socket, pieces_count, &mut descriptors, count, deadline)?;
    if descriptors.len() != count {
        return Err(Error::Damaged);
    }
    let len = usize::try_from(len).map_err(|_| Error::OutOfResources)?;
    let bytes = receive_exactly(socket, len, &mut descriptors, count, deadline)?;
    Ok((bytes, descriptors))
}

/// Receives one byte.
///
/// # Errors
/// * As [`receive`].
pub(crate) fn receive_byte(socket: BorrowedFd<'_>, deadline: Deadline) -> Result<u8, Error> {
    let mut descriptors = Vec::new();
    let byte = receive_exactly(socket, 1, &mut descriptors, 0, deadline.start())?;
    byte.first().copied().ok_or(Error::EndOfFile)
}

/// Waits until something can be received, be it the end, or `limit` is over. Returns whether
/// something can.
///
/// # Errors
/// * What the system said of the wait.
pub(crate) fn has_come(socket: BorrowedFd<'_>, limit: Duration) -> Result<bool, Error> {
    pidfd::wait_ended(&[socket], limit)
}

fn send_all(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
    deadline: Deadline,
) -> Result<(), Error> {
    let mut rest = bytes;
    let mut with = descriptors; // they go with the first byte
    while !rest.is_empty() {
        match send_some(socket, rest, with) {
            Ok(sent) => {
                rest = &rest[sent..];
                with = &[];
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait(&[], Some(socket), deadline)?,
            // Too many descriptors of this user are on their way, and nothing tells when fewer are.
            Err(Errno::TOOMANYREFS) => {
                check(deadline)?;
                pidfd::pause(FLIGHT_PAUSE);
            }
            Err(Errno::PIPE | Errno::CONNRESET) => return Err(Error::BrokenPipe),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

fn send_some(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_A_PIECE))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL); // a piece is never larger than the space for one
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags)
}

fn receive_exactly(
    socket: BorrowedFd<'_>,
    len: usize,
    descriptors: &mut Vec<OwnedFd>,
    descriptor_max: usize,
    deadline: Deadline,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let (have, more) = (bytes.len(), READ_BYTES.min(len - bytes.len()));
        bytes.try_reserve(more).map_err(|_| Error::OutOfResources)?;
        bytes.resize(have + more, 0);
        match receive_some(socket, &mut bytes[have..], descriptors) {
            Ok(_) if descriptors.len() > descriptor_max => return Err(Error::Damaged),
            Ok(0) => return Err(Error::EndOfFile),
            Ok(received) => bytes.truncate(have + received),
            Err(Error::System { errno: libc::EAGAIN }) => {
                bytes.truncate(have);
                wait(&[socket], None, deadline)?;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(bytes)
}

fn receive_some(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
    descriptors: &mut Vec<OwnedFd>,
) -> Result<usize, Error> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_A_PIECE))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = match recvmsg(socket, &mut [IoSliceMut::new(bytes)], &mut control, flags) {
        Ok(received) => received,
        // The one answer that the caller waits after; as a number, since AGAIN means another thing
        // when a process is started.
        Err(Errno::AGAIN | Errno::INTR) => return Err(Error::System { errno: libc::EAGAIN }),
        Err(Errno::CONNRESET) => return Ok(0),
        Err(other) => return Err(other.into()),
    };
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(came) = message {
            descriptors.extend(came);
        }
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(Error::OutOfResources);
    }
    Ok(received.bytes)
}

/// Waits until the socket is ready, its other end is gone, or a slice is over.
fn wait(
    from: &[BorrowedFd<'_>],
    to: Option<BorrowedFd<'_>>,
    deadline: Deadline,
) -> Result<(), Error> {
    let left = check(deadline)?.unwrap_or(JOIN_SLICE).min(JOIN_SLICE);
    match ready::wait(from, to, left) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

fn check(deadline: Deadline) -> Result<Option<Duration>, Error> {
    match deadline.remaining() {
        Some(left) if left.is_zero() => Err(Error::TimedOut),
        left => Ok(left),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    /// A header that announces so many descriptors, and one byte.
    fn header(count: u32) -> Vec<u8> {
        [MARK, count, 1, 0].iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn descriptors_that_nobody_announced_are_refused_where_they_come() {
        let (null, now) = (std::fs::File::open("/dev/null").unwrap(), Deadline::passed());
        let one = [null.as_fd()];
        // With the header, with the piece, with the bytes: how many are announced, and come there.
        for (count, came) in [(0, [1, 0, 0]), (1, [0, 2, 0]), (0, [0, 0, 1]), (1, [0, 1, 1])] {
            let (ours, theirs) = pair().unwrap();
            let piece = vec![0; (count as usize).div_ceil(DESCRIPTORS_A_PIECE)];
            let parts = [header(count), piece, vec![7]];
            for (bytes, count) in parts.iter().zip(came) {
                send_all(ours.as_fd(), bytes, &one.repeat(count), now).unwrap();
            }
            let received = receive(theirs.as_fd(), 5, now).map(|(bytes, _)| bytes);
            assert_eq!(received, Err(Error::Damaged), "{came:?}, and {count} were announced");
        }
    }
}
