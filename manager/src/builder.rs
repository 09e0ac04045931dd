//! How a manager is to be made.
#![expect(unsafe_code, reason = "a function without size is made again in its child")]

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use purlin_process::{ExitCode, Key, Process};
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::error::Error;
use crate::limits::{MESSAGE_MAX_BYTES, MESSAGE_MIN_BYTES};
use crate::manager::Manager;
use crate::server::Server;
use crate::server::place::Place;
use crate::sys::signals;
use crate::types::{Types, guarded};
use crate::wire::ServerId;

/// A manager that was described and is not started: its address, its key, its name.
///
/// ```
/// use purlin_manager::{Builder, Client, Error, Key};
///
/// let key = Key::new("a secret of theirs")?;
/// let manager = Builder::new().address("tcp:127.0.0.1:0".parse()?).key(key.clone()).fork()?;
/// let other = Client::connect(manager.address(), key)?;
/// manager.publish("number", &manager.value(7)?)?;
/// assert_eq!(other.find::<purlin_manager::Value<i32>>("number")?.get(), Ok(7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is started before it is made"]
pub struct Builder {
    name: String,
    address: Option<Address>,
    key: Option<Key>,
    message_max_bytes: usize,
}

/// What a server's process is told.
#[derive(Serialize, Deserialize)]
struct Plan {
    address: Option<Address>,
    key: Vec<u8>,
    limit: usize,
}

/// What it answers, once it listens.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) place: Place,
    pub(crate) server: ServerId,
}

impl Builder {
    /// A server at a Unix socket of its own, in a folder that nobody else may enter, with this
    /// process's [key](purlin_process::Current::key).
    pub fn new() -> Self {
        Self {
            name: "manager".to_owned(),
            address: None,
            key: None,
            message_max_bytes: MESSAGE_MAX_BYTES,
        }
    }

    /// Has the server listen there.
    pub fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// Gives it a key of its own. It goes to the server in memory, or over the private socket of a
    /// spawn, and to nobody else: a process that a proxy is sent to needs it, too.
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets how many bytes a message may take at most, a list in one piece included:
    /// [`MESSAGE_MAX_BYTES`] unless this is called, and never more.
    pub fn message_max_bytes(mut self, bytes: usize) -> Self {
        self.message_max_bytes = bytes;
        self
    }

    /// Gives the server's process a name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Starts it, as a copy of this process that serves. Returns once clients can connect.
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when a server listens at its address. No server is left over,
    ///   whatever goes wrong.
    /// * [`Error::InvalidArgument`] for a path that is too long for a socket, and for messages of
    ///   less than [`MESSAGE_MIN_BYTES`] or more than [`MESSAGE_MAX_BYTES`];
    ///   [`Error::NoSuchName`] and [`Error::PermissionDenied`] as the system says of it.
    /// * [`Error::DaemonMayNotHaveChildren`] in a daemon, which the server is, too.
    /// * [`Error::OutOfResources`] without processes, descriptors or memory.
    ///
    /// # Weak points
    /// * All that is said of [`Process::fork`]. The server has copies of the descriptors that this
    ///   process has open, for as long as it runs: whoever waits for the end of one waits for it.
    ///   One by [`spawn`](Self::spawn) has none.
    pub fn fork(self) -> Result<Manager, Error> {
        self.fork_with(|_| ())
    }

    /// The same, with a function that the server runs first, once: it registers types, or does
    /// whatever else the server needs.
    ///
    /// # Errors
    /// * [`Error::TaskFailed`] when it panics; else as [`fork`](Self::fork).
    pub fn fork_with(self, setup: impl FnOnce(&mut Types)) -> Result<Manager, Error> {
        let limit = self.limit()?;
        let (ours, theirs) = pair()?;
        let mut ours = Some(ours);
        let builder = purlin_process::Builder::new().name(self.name).daemon(true);
        let (address, key) = (self.address, self.key.unwrap_or_else(own_key));
        let (to_address, to_key) = (address, key.clone());
        let process = builder.fork(|| {
            drop(ours.take()); // this process's end is in the other one
            serve(theirs, to_address, to_key, limit, setup)
        })?;
        let Some(ours) = ours else { return Err(Error::Damaged) }; // taken in the child alone
        finish(process, ours, key)
    }

    /// Starts it as this program executed anew, which must call
    /// [`init`](purlin_process::init) first thing in `main`. Otherwise as [`fork`](Self::fork).
    ///
    /// # Errors
    /// * [`Error::Unsupported`] when `init` is not called; else as [`fork`](Self::fork).
    pub fn spawn(self) -> Result<Manager, Error> {
        self.spawn_with(|_: &mut Types| ())
    }

    /// The same, with a function that the server runs first, once, and that captures nothing.
    ///
    /// # Errors
    /// * As [`spawn`](Self::spawn) and [`fork_with`](Self::fork_with).
    pub fn spawn_with<F>(self, _setup: F) -> Result<Manager, Error>
    where
        F: Fn(&mut Types) + Copy + 'static,
    {
        const { assert!(size_of::<F>() == 0, "what is run in a spawned server captures nothing") };
        let limit = self.limit()?;
        let (ours, theirs) = pair()?;
        let key = self.key.unwrap_or_else(own_key);
        let plan = Plan { address: self.address, key: key.as_bytes().to_vec(), limit };
        let theirs = OwnedFd::from(theirs);
        let run = |plan: Plan, control: OwnedFd| {
            let Ok(key) = Key::new(plan.key) else { return ExitCode(1) };
            serve(control.into(), plan.address, key, plan.limit, conjure::<F>())
        };
        let builder = purlin_process::Builder::new().name(self.name).daemon(true);
        let process = builder.spawn(run, plan, theirs)?;
        finish(process, ours, key)
    }

    fn limit(&self) -> Result<usize, Error> {
        let is_fit = (MESSAGE_MIN_BYTES..=MESSAGE_MAX_BYTES).contains(&self.message_max_bytes);
        if is_fit { Ok(self.message_max_bytes) } else { Err(Error::InvalidArgument) }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// A value of a function's type, which has no size.
fn conjure<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0) };
    // SAFETY: `F` has no size, so that there are no bytes that could be wrong, and the starter had
    // a value of it: it can be made, and it is `Copy`, so that one more is nothing new.
    unsafe { core::ptr::NonNull::<F>::dangling().read() }
}

fn own_key() -> Key {
    purlin_process::current().key()
}

fn pair() -> Result<(UnixStream, UnixStream), Error> {
    UnixStream::pair().map_err(|error| Error::of_io(&error))
}

/// The life of a server's process.
fn serve(
    mut control: UnixStream,
    address: Option<Address>,
    key: Key,
    limit: usize,
    setup: impl FnOnce(&mut Types),
) -> ExitCode {
    let made = guarded(|| {
        let terminated = signals::take()?;
        let mut types = Types::default();
        setup(&mut types);
        let mut server = Server::at(address.as_ref(), key)?;
        *server.types() = types;
        server.limit(limit);
        Ok((server, terminated))
    });
    let ready = made
        .as_ref()
        .map(|(server, _)| Ready { place: server.place().clone(), server: server.id() });
    let ready: Result<Ready, Error> = ready.map_err(Clone::clone);
    let told = postcard::to_stdvec(&ready).is_ok_and(|bytes| tell(&mut control, &bytes).is_ok());
    match made {
        // The end of the starter is readable, too.
        Ok((server, terminated)) if told => {
            let ended = server.run_until(vec![control.into(), terminated]);
            ExitCode(i32::from(ended.is_err()))
        }
        _ => ExitCode(1),
    }
}

fn tell(control: &mut UnixStream, bytes: &[u8]) -> std::io::Result<()> {
    control.write_all(&(bytes.len() as u32).to_le_bytes())?;
    control.write_all(bytes)
}

/// Waits for the server's word, and makes its manager.
fn finish(process: Process, mut control: UnixStream, key: Key) -> Result<Manager, Error> {
    let ready = hear(&mut control).unwrap_or(Err(Error::ServerGone));
    match ready {
        Ok(ready) => Manager::of(process, control, ready, key),
        Err(error) => {
            // It is about to end, or has ended; both fail only where foreign code interferes.
            let _ = process.kill();
            let _ = process.join(None);
            Err(error)
        }
    }
}

fn hear(control: &mut UnixStream) -> std::io::Result<Result<Ready, Error>> {
    let mut len = [0; 4];
    control.read_exact(&mut len)?;
    let mut bytes = vec![0; u32::from_le_bytes(len) as usize]; // a child's of our own
    control.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(std::io::Error::other)
}
