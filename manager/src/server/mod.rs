//! A server in a thread, or a process, of the caller's own.

pub(crate) mod by_number;
pub(crate) mod clients;
pub(crate) mod connection;
pub(crate) mod place;
mod service;
mod store;
pub(crate) mod timers;
pub(crate) mod turn;

use std::fmt;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use purlin_process::Key;

use crate::address::Address;
use crate::client::session;
use crate::error::Error;
use crate::limits::MESSAGE_MAX_BYTES;
use crate::line::Line;
use crate::sys::random;
use crate::types::Types;
use crate::wire::ServerId;
use place::Place;
use service::Service;

/// A server that runs where it is told to. Clients reach it by its address and its key.
///
/// Most programs want a [`Manager`](crate::Manager), whose server is a process of its own, that
/// ends with it. This one ends when its [`Stopper`] says so, and with its process. Dropping it
/// closes it and removes its socket from the file system.
///
/// ```
/// use purlin_manager::{Address, Client, Key, Server};
///
/// let key = Key::new("a secret of theirs")?;
/// let server = Server::bind(&"tcp:127.0.0.1:0".parse()?, key.clone())?;
/// let (address, stopper) = (server.address().clone(), server.stopper());
/// let running = std::thread::spawn(move || server.run());
///
/// let client = Client::connect(&address, key)?;
/// let list = client.list([1, 2])?;
/// assert_eq!(list.len()?, 2);
///
/// stopper.stop();
/// running.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    listener: Option<OwnedFd>,
    place: Place,
    key: Key,
    id: ServerId,
    types: Types,
    message_max_bytes: usize,
    stopper: Stopper,
    stop: Option<UnixStream>,
}

/// Ends a [`Server`], from another thread.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<UnixStream>);

impl Server {
    /// Listens at the address, for clients with this key. They can connect from here on, and are
    /// served once it [runs](Self::run). A socket file that a server has left behind that was
    /// killed is taken over.
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when a server listens there, or there is a file that is none.
    /// * [`Error::InvalidArgument`] for a path that is too long for a socket, 107 bytes.
    /// * [`Error::NoSuchName`] when the path's folder is missing, [`Error::PermissionDenied`] when
    ///   it may not be used, or a port of TCP may not; and what else the system says.
    pub fn bind(address: &Address, key: Key) -> Result<Self, Error> {
        Self::at(Some(address), key)
    }

    pub(crate) fn at(address: Option<&Address>, key: Key) -> Result<Self, Error> {
        let (ours, stop) = UnixStream::pair().map_err(|error| Error::of_io(&error))?;
        let id = random::bytes()?;
        let (listener, place) = Place::take(address)?;
        let stopper = Stopper(Arc::new(ours));
        Ok(Self {
            listener: Some(listener),
            place,
            key,
            id,
            types: Types::default(),
            message_max_bytes: MESSAGE_MAX_BYTES,
            stopper,
            stop: Some(stop),
        })
    }

    /// Where it is: as it was told, with the port that it was given.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.place.address
    }

    /// The types that it offers beside its own.
    pub fn types(&mut self) -> &mut Types {
        &mut self.types
    }

    /// What ends it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves, in this thread, until it is stopped. Calls that wait are then answered by the end of
    /// their connections, [`Error::ServerGone`].
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] without descriptors; what else the system says of the wait.
    pub fn run(self) -> Result<(), Error> {
        self.run_until(Vec::new())
    }

    /// The same, also until one of these is readable.
    pub(crate) fn run_until(mut self, mut stops: Vec<OwnedFd>) -> Result<(), Error> {
        let (Some(listener), Some(stop)) = (self.listener.take(), self.stop.take()) else {
            return Ok(()); // both are there until this, and this is once
        };
        stops.push(stop.into());
        // From here on forked children have no copy of it.
        let Some(listener) = Line::adopt(|| Ok(Some(listener)))? else { return Ok(()) };
        let types = core::mem::take(&mut self.types);
        let address = self.place.address.clone();
        let limit = self.message_max_bytes;
        let mut service = Service::new(listener, address, self.key.clone(), self.id, types, limit)?;
        session::serve(self.id, || service.run(&stops))
    }

    /// How many bytes a message may take.
    pub(crate) fn limit(&mut self, bytes: usize) {
        self.message_max_bytes = bytes;
    }

    pub(crate) fn id(&self) -> ServerId {
        self.id
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

impl Stopper {
    /// Has the server end. It may have ended already.
    pub fn stop(&self) {
        // Fails only when it has ended.
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.place.clear();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server").field("address", self.address()).finish_non_exhaustive()
    }
}
