//! Stream sockets of all three kinds of addresses.

use core::time::Duration;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use purlin_sync::Deadline;
use rustix::buffer::Buffer;
pub(crate) use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    self as net, AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
    sockopt,
};

use crate::address::Address;
use crate::error::Error;
use crate::limits::{BACKLOG_COUNT, CONNECT_PAUSE};
use crate::line::Line;
use crate::sys::pause::pause;

/// How a peer of another machine is found to be gone that says nothing: after so much silence it is
/// asked, so often.
const SILENCE: Duration = Duration::from_secs(30);
const QUESTION_PAUSE: Duration = Duration::from_secs(10);
const QUESTION_COUNT: u32 = 3;

/// A socket that listens at the address, and where that is.
///
/// # Errors
/// * [`Error::AlreadyExists`] when the address is taken, be it by a file without a server.
/// * [`Error::InvalidArgument`] for a name that is too long; and what else the system says.
pub(crate) fn listen(address: &Address) -> Result<(OwnedFd, Address), Error> {
    let socket = make(address)?;
    let mut bound = address.clone();
    match address {
        Address::Tcp(wanted) => {
            // Connections of a server that has ended do not keep its successor from the port.
            sockopt::set_socket_reuseaddr(&socket, true)?;
            net::bind(&socket, wanted)?;
        }
        unix => net::bind(&socket, &unix_name(unix)?)?,
    }
    net::listen(&socket, BACKLOG_COUNT)?;
    if let Address::Tcp(_) = address {
        let own = net::getsockname(&socket)?;
        bound = Address::Tcp(SocketAddr::try_from(own).map_err(|_| Error::Unsupported)?);
    }
    Ok((socket, bound))
}

/// Connects a socket to whoever listens at the address. Its reads and writes wait from here on,
/// unless they are told not to.
///
/// # Errors
/// * [`Error::TimedOut`] when the deadline came first.
/// * [`Error::ConnectionRefused`], [`Error::NoSuchName`], [`Error::PermissionDenied`], and what
///   else the system says.
pub(crate) fn connect(
    socket: BorrowedFd<'_>,
    address: &Address,
    deadline: Deadline,
) -> Result<(), Error> {
    match address {
        Address::Tcp(to) => match net::connect(socket, to) {
            Ok(()) => {}
            Err(Errno::INPROGRESS) => {
                if !wait(socket, PollFlags::OUT, deadline)? {
                    return Err(Error::TimedOut);
                }
                sockopt::socket_error(socket)??;
            }
            Err(other) => return Err(other.into()),
        },
        unix => {
            let name = unix_name(unix)?;
            // Ends with room in the server's queue, the server, or the deadline.
            while let Err(errno) = net::connect(socket, &name) {
                if errno != Errno::AGAIN && errno != Errno::INTR {
                    return Err(errno.into());
                }
                if deadline.remaining().is_some_and(|left| left.is_zero()) {
                    return Err(Error::TimedOut);
                }
                pause(CONNECT_PAUSE);
            }
        }
    }
    settle(socket, address)?;
    Ok(rustix::io::ioctl_fionbio(socket, false)?)
}

/// A socket for an address of its kind.
///
/// # Errors
/// * [`Error::OutOfResources`] without descriptors; what else the system says.
pub(crate) fn make(address: &Address) -> Result<OwnedFd, Error> {
    let family = match address {
        Address::Tcp(SocketAddr::V4(_)) => AddressFamily::INET,
        Address::Tcp(SocketAddr::V6(_)) => AddressFamily::INET6,
        Address::Path(_) | Address::Abstract(_) => AddressFamily::UNIX,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(net::socket_with(family, SocketType::STREAM, flags, None)?)
}

fn unix_name(address: &Address) -> Result<SocketAddrUnix, Error> {
    match address {
        Address::Path(path) => Ok(SocketAddrUnix::new(path)?),
        Address::Abstract(name) => Ok(SocketAddrUnix::new_abstract_name(name.as_bytes())?),
        Address::Tcp(_) => Err(Error::InvalidArgument),
    }
}

/// Small messages go at once, and a peer that has vanished is noticed.
fn settle(socket: BorrowedFd<'_>, address: &Address) -> Result<(), Error> {
    if let Address::Tcp(_) = address {
        sockopt::set_tcp_nodelay(socket, true)?;
        sockopt::set_socket_keepalive(socket, true)?;
        sockopt::set_tcp_keepidle(socket, SILENCE)?;
        sockopt::set_tcp_keepintvl(socket, QUESTION_PAUSE)?;
        sockopt::set_tcp_keepcnt(socket, QUESTION_COUNT)?;
        // No limit of what is on its way: it would end who is alive, and stopped for a minute.
    }
    Ok(())
}

/// What came of listening.
pub(crate) enum Accepted {
    One(Line),
    Nothing,
    /// There are no descriptors for one.
    NoRoom,
}

/// The next connection, if one is there. Its reads and writes do not wait.
pub(crate) fn accept(listener: &Line, address: &Address) -> Accepted {
    let accepted = Line::adopt(|| {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        match net::accept_with(listener, flags) {
            // One that cannot be settled is gone again, as its first read will tell.
            Ok(socket) => settle(socket.as_fd(), address).map(|()| Some(socket)).or(Ok(None)),
            Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
                Err(Error::OutOfResources)
            }
            Err(_) => Ok(None), // none, or gone again
        }
    });
    match accepted {
        Ok(Some(line)) => Accepted::One(line),
        Ok(None) => Accepted::Nothing,
        Err(_) => Accepted::NoRoom,
    }
}

/// What came of a read or a write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// So many bytes, at least one.
    Some(usize),
    /// It would have to wait; or a signal came.
    Nothing,
    /// The other side is gone.
    End,
}

/// Reads what is there; `waits` for something, or not at all.
pub(crate) fn read(socket: BorrowedFd<'_>, buffer: impl Buffer<u8>, waits: bool) -> Moved {
    let flags = if waits { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
    match net::recv(socket, buffer, flags) {
        Ok((_, 0)) => Moved::End,
        Ok((_, count)) => Moved::Some(count),
        Err(Errno::AGAIN | Errno::INTR) => Moved::Nothing,
        Err(_) => Moved::End, // a reset, or the other side's machine is silent
    }
}

/// Writes what there is room for.
pub(crate) fn write(socket: BorrowedFd<'_>, bytes: &[u8]) -> Moved {
    match net::send(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        Ok(count) => Moved::Some(count),
        Err(Errno::AGAIN | Errno::INTR) => Moved::Nothing,
        Err(_) => Moved::End,
    }
}

/// Waits until something can be read, be it the end, or until the deadline. Returns whether.
///
/// # Errors
/// * What the system says of the wait.
pub(crate) fn wait_readable(socket: BorrowedFd<'_>, deadline: Deadline) -> Result<bool, Error> {
    wait(socket, PollFlags::IN, deadline)
}

/// The same also for room to write.
///
/// # Errors
/// * What the system says of the wait.
pub(crate) fn wait_either(socket: BorrowedFd<'_>, deadline: Deadline) -> Result<bool, Error> {
    wait(socket, PollFlags::IN | PollFlags::OUT, deadline)
}

fn wait(socket: BorrowedFd<'_>, what: PollFlags, deadline: Deadline) -> Result<bool, Error> {
    let deadline = deadline.start();
    // Ends with what is waited for, or at the deadline; a signal has it look again.
    loop {
        let left = deadline.remaining();
        let limit = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(&socket, what)], limit.as_ref()) {
            Ok(0) if left.is_some() => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(other) => return Err(other.into()),
        }
    }
}

/// Whether the other side has closed, or is gone.
pub(crate) fn is_gone(socket: BorrowedFd<'_>) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut polled = [PollFd::new(&socket, PollFlags::RDHUP)];
    let end = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    poll(&mut polled, Some(&now)).is_ok() && polled[0].revents().intersects(end)
}
