//! What a process has with one server: who it is there, and its connections.

use core::cell::Cell;
use core::ops::Deref;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use purlin_process::Key;
use purlin_process::parts::PerProcess;
use purlin_sync::Deadline;

use super::connection::Connection;
use crate::address::Address;
use crate::error::Error;
use crate::limits::{IDLE_MAX, RELEASE_LIMIT};
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
    lines: Mutex<Lines>,
    /// Those in this process that need it, calls that are underway included.
    user_count: AtomicUsize,
}

/// Its connections. While it has one the server knows of it.
#[derive(Default)]
struct Lines {
    idle: Vec<Connection>,
    /// How many are amid a call, or are being made.
    busy_count: usize,
    /// What goes with the next that is idle again.
    owed: Vec<Request>,
    /// One more was waited for in vain since one was idle.
    is_slow: bool,
}

/// A session that stays, with its connections, as long as this does.
pub(crate) struct Visit(Arc<Session>);

type Sessions = Mutex<HashMap<ServerId, Arc<Session>>>;

static SESSIONS: PerProcess<Sessions> = PerProcess::new();

thread_local! {
    /// The server that this thread runs, in this process: its calls would wait for themselves.
    static SERVED: Cell<Option<(ServerId, u32)>> = const { Cell::new(None) };
}

fn sessions() -> MutexGuard<'static, HashMap<ServerId, Arc<Session>>> {
    locked(SESSIONS.get(|| Mutex::new(HashMap::new())))
}

/// Nothing panics while it holds one of these locks, so poison would say nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a server in this thread.
pub(crate) fn serve<R>(server: ServerId, run: impl FnOnce() -> R) -> R {
    struct Serving(Option<(ServerId, u32)>);
    impl Drop for Serving {
        fn drop(&mut self) {
            SERVED.set(self.0);
        }
    }
    let _serving = Serving(SERVED.replace(Some((server, std::process::id()))));
    run()
}

/// Whether this thread runs that server. A child that it forked does not.
fn is_served_here(server: ServerId) -> bool {
    let served = SERVED.get().filter(|(served, _)| *served == server);
    served.is_some_and(|(_, process)| process == std::process::id())
}

/// The session of this process with a server.
///
/// # Errors
/// * [`Error::WouldDeadlock`] in the thread that runs that server.
/// * [`Error::Unsupported`] without random bytes.
pub(crate) fn of(origin: &Arc<Origin>) -> Result<Visit, Error> {
    if is_served_here(origin.server) {
        return Err(Error::WouldDeadlock);
    }
    if let Some(session) = sessions().get(&origin.server) {
        return Ok(Visit::to(session)); // under the lock, under which it would be removed
    }
    let session = Session::new(Arc::clone(origin), random::bytes()?)?;
    Ok(Visit::to(sessions().entry(origin.server).or_insert(session)))
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

impl Visit {
    fn to(session: &Arc<Session>) -> Self {
        session.enter();
        Self(Arc::clone(session))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Deref for Visit {
    type Target = Arc<Session>;

    fn deref(&self) -> &Arc<Session> {
        &self.0
    }
}

impl Session {
    /// Connects to a server that is not known yet.
    ///
    /// # Errors
    /// * As [`Client::connect`](crate::Client::connect).
    pub(crate) fn open(address: &Address, key: Key, deadline: Deadline) -> Result<Visit, Error> {
        let client = random::bytes()?;
        let (connection, welcome) = Connection::open(address, &key, &client, deadline)?;
        let server = welcome.server;
        let origin = Origin { server, address: address.clone(), key: Some(key) };
        let fresh = Self::new(Arc::new(origin), client)?;
        let mut sessions = sessions();
        // Of two with the same server one is enough; the other connection is closed.
        let session = sessions.entry(server).or_insert_with(|| {
            locked(&fresh.lines).idle.push(connection);
            fresh
        });
        Ok(Visit::to(session))
    }

    /// The session with a server that this process has just started.
    ///
    /// # Errors
    /// * [`Error::Unsupported`] without random bytes.
    pub(crate) fn with(server: ServerId, address: Address, key: Key) -> Result<Visit, Error> {
        of(&Arc::new(Origin { server, address, key: Some(key) }))
    }

    fn new(origin: Arc<Origin>, client: ClientId) -> Result<Arc<Self>, Error> {
        let number = u64::from_le_bytes(random::bytes()?).max(1);
        Ok(Arc::new(Self {
            origin,
            number,
            client,
            lines: Mutex::default(),
            user_count: AtomicUsize::new(0),
        }))
    }

    /// One more user, until [`leave`](Self::leave). Somebody is one already, or the sessions are
    /// locked: so none comes to what is being removed.
    pub(crate) fn enter(&self) {
        self.user_count.fetch_add(1, Relaxed); // Relaxed: see `leave`
    }

    /// A user less. After the last its connections are closed.
    pub(crate) fn leave(&self) {
        // AcqRel: the last one comes after all others.
        if self.user_count.fetch_sub(1, AcqRel) > 1 {
            return;
        }
        let mut sessions = sessions();
        let is_there = |session: &Arc<Self>| session.number == self.number;
        // Relaxed: the first that comes again does so under this lock.
        let is_over = self.user_count.load(Relaxed) == 0
            && sessions.get(&self.origin.server).is_some_and(is_there);
        let over = is_over.then(|| sessions.remove(&self.origin.server));
        drop(sessions); // before the session, whose connections take another lock
        drop(over);
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
        self.put_back(connection);
        answer
    }

    /// Gives a reference back. Where all connections are busy it waits for one of its own, but not
    /// for long: then it goes with the first that is idle again.
    pub(crate) fn release(&self, object: ObjectId, lingers: bool) {
        let is_slow = {
            let mut lines = locked(&self.lines);
            if lines.is_gone() {
                return; // the server has let go of all, or has ended
            }
            lines.owed.push(Request::Release { object, lingers });
            lines.is_slow
        };
        // Once is enough: many are often dropped in a row.
        let is_vain = is_slow || is_served_here(self.origin.server);
        let limit = if is_vain { Duration::ZERO } else { RELEASE_LIMIT };
        match self.connection(Deadline::after(limit)) {
            Ok(connection) => self.put_back(connection),
            Err(_) => locked(&self.lines).is_slow = true,
        }
    }

    /// An idle connection, or another, to be [put back](Self::put_back).
    fn connection(&self, deadline: Deadline) -> Result<Connection, Error> {
        let idle = {
            let mut lines = locked(&self.lines);
            lines.busy_count += 1;
            lines.idle.pop()
        };
        let connection = idle.map_or_else(|| self.open_one_more(deadline), Ok);
        if connection.is_err() {
            locked(&self.lines).lose_one();
        }
        connection
    }

    fn open_one_more(&self, deadline: Deadline) -> Result<Connection, Error> {
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

    /// Its call is over. What is owed goes with it.
    fn put_back(&self, mut connection: Connection) {
        // Ends: what is owed is taken out.
        while connection.is_usable() {
            let owed = {
                let mut lines = locked(&self.lines);
                if lines.owed.is_empty() {
                    return match lines.keep(connection) {
                        None => {}
                        Some(surplus) => {
                            drop(lines); // before the connection, which takes another lock
                            drop(surplus);
                        }
                    };
                }
                core::mem::take(&mut lines.owed)
            };
            let mut owed = owed.into_iter();
            while let Some(request) = owed.next() {
                if !connection.tell(&request) {
                    locked(&self.lines).owed.extend(core::iter::once(request).chain(owed));
                    break;
                }
            }
        }
        drop(connection); // before the server is taken to have let go of all
        locked(&self.lines).lose_one();
    }
}

impl Lines {
    /// Whether there is none. Then the server knows nothing of this process.
    fn is_gone(&self) -> bool {
        self.idle.is_empty() && self.busy_count == 0
    }

    /// One that was busy is not any more; it is given back where there are enough.
    fn keep(&mut self, connection: Connection) -> Option<Connection> {
        self.busy_count -= 1;
        self.is_slow = false;
        if self.idle.len() >= IDLE_MAX {
            return Some(connection);
        }
        self.idle.push(connection);
        None
    }

    /// One that was busy is of no use any more, or was not made.
    fn lose_one(&mut self) {
        self.busy_count -= 1;
        if self.is_gone() {
            self.owed.clear();
        }
    }
}
