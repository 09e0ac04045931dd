//! What a process has with one server: who it is there, and its connections.

use core::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_process::Key;
use purlin_process::parts::PerProcess;
use purlin_sync::Deadline;

use super::connection::Connection;
use crate::address::Address;
use crate::error::Error;
use crate::limits::IDLE_MAX;
use crate::sys::random;
use crate::wire::{ClientId, ObjectId, Reply, Request, ServerId};

/// Where a server is, and how to prove the key to it.
pub(crate) struct Origin {
    pub(crate) server: ServerId,
    pub(crate) address: Address,
    /// None is the process's own.
    key: Option<Key>,
}

/// This process as a client of one server.
pub(crate) struct Session {
    pub(crate) origin: Arc<Origin>,
    /// What tells it from all others, those of a parent included; never 0.
    pub(crate) number: u64,
    client: ClientId,
    idle: Mutex<Vec<Connection>>,
    claiming: Mutex<()>,
    /// Those in this process that need it.
    user_count: AtomicUsize,
}

type Sessions = Mutex<HashMap<ServerId, Arc<Session>>>;

static SESSIONS: PerProcess<Sessions> = PerProcess::new();

/// The server that this process runs in its only thread, whose calls would wait for themselves.
static SERVED: PerProcess<Mutex<Option<ServerId>>> = PerProcess::new();

fn sessions() -> MutexGuard<'static, HashMap<ServerId, Arc<Session>>> {
    locked(SESSIONS.get(|| Mutex::new(HashMap::new())))
}

/// Nothing panics while it holds one of these locks, so poison would say nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on this process is that server.
pub(crate) fn become_server(server: ServerId) {
    *locked(SERVED.get(|| Mutex::new(None))) = Some(server);
}

/// The session of this process with a server.
///
/// # Errors
/// * [`Error::WouldDeadlock`] in that server itself.
/// * [`Error::Unsupported`] without random bytes.
pub(crate) fn of(origin: &Arc<Origin>) -> Result<Arc<Session>, Error> {
    if let Some(session) = sessions().get(&origin.server) {
        return Ok(Arc::clone(session));
    }
    if SERVED.existing().is_some_and(|served| *locked(served) == Some(origin.server)) {
        return Err(Error::WouldDeadlock);
    }
    let session = Session::new(Arc::clone(origin), random::bytes()?)?;
    Ok(Arc::clone(sessions().entry(origin.server).or_insert(session)))
}

/// The session of this number, if this process has it.
pub(crate) fn existing(origin: &Origin, number: u64) -> Option<Arc<Session>> {
    let sessions = SESSIONS.existing().map(locked)?;
    sessions.get(&origin.server).filter(|session| session.number == number).cloned()
}

/// What is known here of a server, or else what was said of it.
pub(crate) fn origin_of(server: ServerId, address: Address) -> Arc<Origin> {
    let known = sessions().get(&server).map(|session| Arc::clone(&session.origin));
    known.unwrap_or_else(|| Arc::new(Origin { server, address, key: None }))
}

/// A user less. After the last its connections are closed.
pub(crate) fn leave(origin: &Origin, number: u64) {
    let Some(session) = existing(origin, number) else { return };
    // AcqRel: the last one comes after all others.
    if session.user_count.fetch_sub(1, AcqRel) == 1 {
        let mut sessions = sessions();
        // Relaxed: users come and go, but the first that comes again does so under this lock.
        if session.user_count.load(Relaxed) == 0 {
            sessions.remove(&origin.server);
        }
        drop(sessions); // before the session, whose connections take another lock
    }
}

impl Session {
    /// Connects to a server that is not known yet.
    ///
    /// # Errors
    /// * As [`Client::connect`](crate::Client::connect).
    pub(crate) fn open(
        address: &Address,
        key: Key,
        deadline: Deadline,
    ) -> Result<Arc<Self>, Error> {
        let client = random::bytes()?;
        let (connection, welcome) = Connection::open(address, &key, &client, deadline)?;
        let server = welcome.server;
        let origin = Origin { server, address: address.clone(), key: Some(key) };
        let fresh = Self::new(Arc::new(origin), client)?;
        let mut sessions = sessions();
        // Of two with the same server one is enough; the other connection is closed.
        let session = sessions.entry(server).or_insert_with(|| {
            locked(&fresh.idle).push(connection);
            fresh
        });
        Ok(Arc::clone(session))
    }

    /// The session with a server that this process has just started.
    ///
    /// # Errors
    /// * [`Error::Unsupported`] without random bytes.
    pub(crate) fn with(server: ServerId, address: Address, key: Key) -> Result<Arc<Self>, Error> {
        of(&Arc::new(Origin { server, address, key: Some(key) }))
    }

    fn new(origin: Arc<Origin>, client: ClientId) -> Result<Arc<Self>, Error> {
        let number = u64::from_le_bytes(random::bytes()?).max(1);
        Ok(Arc::new(Self {
            origin,
            number,
            client,
            idle: Mutex::default(),
            claiming: Mutex::default(),
            user_count: AtomicUsize::new(0),
        }))
    }

    /// One more user, until [`leave`].
    pub(crate) fn enter(&self) {
        self.user_count.fetch_add(1, Relaxed); // Relaxed: see `leave`
    }

    pub(crate) fn claiming(&self) -> MutexGuard<'_, ()> {
        locked(&self.claiming)
    }

    /// Asks the server, and waits for its answer.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first.
    /// * [`Error::ServerGone`] when the server has ended, or ends meanwhile.
    /// * [`Error::MessageTooLarge`], [`Error::OutOfResources`], and what the server answers.
    pub(crate) fn ask(&self, request: &Request, deadline: Deadline) -> Result<Reply, Error> {
        let mut connection = self.connection(deadline)?;
        let answer = connection.ask(request, deadline);
        if connection.is_usable() {
            self.put_back(connection);
        }
        answer
    }

    /// Gives a reference back, without waiting.
    pub(crate) fn release(&self, object: ObjectId, lingers: bool) {
        // Where there is no connection any more, the server has let go of all, or has ended; one
        // that is not idle is not waited for.
        let idle = locked(&self.idle).pop();
        let fresh = || self.connection(Deadline::passed()).ok();
        let Some(mut connection) = idle.or_else(fresh) else { return };
        connection.tell(&Request::Release { object, lingers });
        if connection.is_usable() {
            self.put_back(connection);
        }
    }

    fn connection(&self, deadline: Deadline) -> Result<Connection, Error> {
        if let Some(idle) = locked(&self.idle).pop() {
            return Ok(idle);
        }
        let Origin { server, address, key } = &*self.origin;
        let own = || purlin_process::current().key();
        let key = key.clone().unwrap_or_else(own);
        match Connection::open(address, &key, &self.client, deadline) {
            Ok((connection, welcome)) if welcome.server == *server => Ok(connection),
            // Another server at the same address; or none.
            Ok(_) | Err(Error::ConnectionRefused | Error::NoSuchName) => Err(Error::ServerGone),
            Err(other) => Err(other),
        }
    }

    fn put_back(&self, connection: Connection) {
        let mut idle = locked(&self.idle);
        if idle.len() < IDLE_MAX {
            return idle.push(connection);
        }
        drop(idle); // before the connection, which takes another lock
    }
}
