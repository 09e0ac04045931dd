//! A server child, and its end.

use core::ops::Deref;
use std::fmt;
use std::io::Write;
use std::os::unix::net::UnixStream;

use purlin_process::{ExitStatus, Key, Process};
use purlin_sync::Deadline;

use crate::address::Address;
use crate::builder::{Builder, Ready};
use crate::client::Client;
use crate::client::session::Session;
use crate::error::Error;
use crate::limits::END_LIMIT;
use crate::server::Server;
use crate::server::place::Place;

/// A server process of its own, and access to it, as a [`Client`].
///
/// The server is a daemon child of this process: it ends when this is dropped, and with this
/// process, however that ends. Its objects end with it.
///
/// ```
/// use purlin_manager::Manager;
/// use purlin_process::Process;
///
/// let manager = Manager::start()?;
/// let (x, array, list) = (manager.value(0.0)?, manager.array(0..10)?, manager.list([])?);
/// let child = Process::fork("child", || {
///     x.set(&3.14)?;
///     array.set(0, &5)?;
///     list.push(&"Hello".to_owned())
/// })?;
/// child.join(None)?;
/// assert_eq!((x.get()?, array.get(0)?, list.to_vec()?), (3.14, 5, vec!["Hello".to_owned()]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Weak points
/// * Fork: a copy of this in a forked child is a client like any other; dropping it does nothing.
/// * Death: where this process is killed the server is, too, in the same moment, and its socket
///   stays in the file system until the next manager of this user is started. Nobody listens there.
/// * A registered method that runs for ever keeps the server from ending by itself: then it is
///   killed.
pub struct Manager {
    client: Client,
    process: Process,
    control: UnixStream,
    place: Place,
}

impl Manager {
    /// Starts a server: short for [`Builder::new`] and [`fork`](Builder::fork).
    ///
    /// # Errors
    /// * As [`Builder::fork`].
    pub fn start() -> Result<Self, Error> {
        Builder::new().fork()
    }

    /// A server that runs in a thread, or a process, of the caller's own: [`Server::bind`].
    ///
    /// # Errors
    /// * As [`Server::bind`].
    pub fn serve(address: &Address, key: Key) -> Result<Server, Error> {
        Server::bind(address, key)
    }

    /// Access to a server that another process has started: [`Client::connect`].
    ///
    /// # Errors
    /// * As [`Client::connect`].
    pub fn connect(address: &Address, key: Key) -> Result<Client, Error> {
        Client::connect(address, key)
    }

    pub(crate) fn of(
        process: Process,
        control: UnixStream,
        ready: Ready,
        key: Key,
    ) -> Result<Self, Error> {
        let Ready { place, server } = ready;
        let session = Session::with(server, place.address.clone(), key)?;
        Ok(Self { client: Client::of(&session), process, control, place })
    }

    /// The number of the server's process in the system's table.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// The server's process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Ends the server, and returns how it ended; again and again the same. Calls that wait there
    /// end with [`Error::ServerGone`], as do all later ones. One that does not end by itself until
    /// the deadline, as it is stopped, or a method of its does not return, is killed.
    ///
    /// # Errors
    /// * [`Error::NotTheParent`] in a forked copy of the process that started it.
    /// * [`Error::System`] when foreign code closed our descriptor of the child.
    pub fn shutdown(&self, deadline: impl Into<Deadline>) -> Result<ExitStatus, Error> {
        if let Some(status) = self.process.status()? {
            self.place.clear();
            return Ok(status);
        }
        // Fails when it ends already.
        let _ = (&self.control).write_all(b"q");
        let status = match self.process.join(deadline) {
            Err(purlin_process::Error::TimedOut) => {
                self.process.kill()?;
                self.process.join(None)?
            }
            other => other?,
        };
        self.place.clear(); // where it could not do so itself
        Ok(status)
    }
}

impl Deref for Manager {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // In a forked copy this fails and does nothing, as it should.
        let _ = self.shutdown(END_LIMIT);
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("Manager");
        shown.field("address", self.address()).field("pid", &self.pid()).finish_non_exhaustive()
    }
}
