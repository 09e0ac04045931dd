//! A client: what a process has to do with one server.

pub(crate) mod connection;
pub(crate) mod handle;
pub(crate) mod packing;
pub(crate) mod session;

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use purlin_process::Key;
use purlin_sync::Deadline;
use serde::Serialize;

use crate::address::Address;
use crate::error::Error;
use crate::limits::PROOF_LIMIT;
use crate::proxies::{
    Array, Barrier, Condition, Dict, Event, List, Lock, Namespace, Object, Proxy, Queue, RLock,
    Semaphore, Value,
};
use crate::wire::{Item, Make, Reply, Request};
use handle::Handle;
use session::{Origin, Session, Visit};

/// Access to a server: makes objects there, and finds those that have names.
///
/// A [`Manager`](crate::Manager) is one, of its own server. A clone is one more of the same. In a
/// forked child it is a client of its own, as are all proxies: what one process holds is not the
/// other's.
///
/// Every call waits for its answer; one that can wait at the server has a deadline of its own, and
/// [`within`](Self::within) gives one to all others.
///
/// # Weak points
/// * Death: what a client held (locks, places in waits, references) is given back when its last
///   connection closes, which the system does at its end, however that comes. Between machines a
///   client that vanishes without a word is found after a minute of silence; while something is on
///   its way to it, once the system gives that up, which takes some fifteen minutes.
/// * Fork: a child has no copies of its parent's connections. Who forks by a raw `clone(2)` has,
///   and hides the parent's death as long as the child lives.
/// * Threads: any number may call at once. Each call that is on its way has a connection.
/// * Processors: where there are several a call that waits first spins, for up to 50 µs, as long as
///   that pays; so does the server, after each request.
/// * Signals: a call goes on behind a handler; none may be made in one.
#[derive(Clone)]
pub struct Client {
    access: Arc<Access>,
    patience: Option<Duration>,
}

/// Counts as a user of its process's session, so that its connection stays.
struct Access {
    origin: Arc<Origin>,
    /// The session that it counts for: in a forked child its parent's, until it is first used.
    entered: AtomicU64,
}

impl Client {
    /// Connects to the server at an address, both proving to the other that they have the key.
    ///
    /// # Errors
    /// * [`Error::ConnectionRefused`] when nothing listens there, [`Error::NoSuchName`] when there
    ///   is no such path.
    /// * [`Error::AuthenticationFailed`] when the server refuses this key, or does not prove that
    ///   it has it.
    /// * [`Error::Incompatible`] when what listens there is another version, or no manager.
    /// * [`Error::TimedOut`] when it is silent for ten seconds; [`Error::ServerGone`] when it ends
    ///   meanwhile.
    /// * [`Error::PermissionDenied`], [`Error::InvalidArgument`] for a name that is too long, and
    ///   what else the system says.
    pub fn connect(address: &Address, key: Key) -> Result<Self, Error> {
        let session = Session::open(address, key, Deadline::after(PROOF_LIMIT))?;
        Ok(Self::of(&session))
    }

    pub(crate) fn of(session: &Visit) -> Self {
        session.enter();
        let entered = AtomicU64::new(session.number);
        let access = Access { origin: Arc::clone(&session.origin), entered };
        Self { access: Arc::new(access), patience: None }
    }

    /// The same, whose calls wait so long at most for a server that does not answer. What it makes
    /// is given the same patience.
    #[must_use]
    pub fn within(&self, limit: impl Into<Option<Duration>>) -> Self {
        Self { access: Arc::clone(&self.access), patience: limit.into() }
    }

    /// Where the server is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.access.origin.address
    }

    /// How many objects the server has.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn object_count(&self) -> Result<u64, Error> {
        match self.ask(Request::Count)?.1 {
            Reply::Count(count) => Ok(count),
            _ => Err(Error::Damaged),
        }
    }

    /// Gives an object a name, by which others find it. It stays until the name is
    /// [taken away](Self::withdraw), though nobody holds it otherwise.
    ///
    /// # Errors
    /// * [`Error::AlreadyExists`] when the name is taken.
    /// * [`Error::Incompatible`] for an object of another server; else as [`list`](Self::list).
    pub fn publish(&self, name: &str, object: &impl Proxy) -> Result<(), Error> {
        let handle = &object.base().handle;
        if handle.origin.server != self.access.origin.server {
            return Err(Error::Incompatible);
        }
        let (deadline, name) = (self.deadline(), name.to_owned());
        let publish = Request::Publish { name, object: handle.object };
        let _stays = self.access.session()?;
        handle.session(deadline)?.ask(&publish, deadline).map(drop)
    }

    /// Takes a name away.
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when nothing has it; else as [`list`](Self::list).
    pub fn withdraw(&self, name: &str) -> Result<(), Error> {
        self.ask(Request::Withdraw { name: name.to_owned() }).map(drop)
    }

    /// The object that has this name.
    ///
    /// ```
    /// # use purlin_manager::{Error, List, Manager};
    /// let manager = Manager::start()?;
    /// manager.publish("names", &manager.list(["jo".to_owned()])?)?;
    /// let names: List<String> = manager.find("names")?;
    /// assert_eq!(names.get(0)?, "jo");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when nothing has it.
    /// * [`Error::Incompatible`] when it is of another kind. Of which type its elements are is not
    ///   looked at before they are read.
    /// * As [`list`](Self::list).
    pub fn find<P: Proxy>(&self, name: &str) -> Result<P, Error> {
        self.object_of(self.ask(Request::Find { name: name.to_owned() })?)
    }

    /// Makes a list.
    ///
    /// # Errors
    /// * [`Error::NotTransferable`] for elements without a serial form.
    /// * [`Error::ServerGone`] when the server has ended, or ends meanwhile.
    /// * [`Error::TimedOut`] when this was to be done [within](Self::within) a time.
    /// * [`Error::MessageTooLarge`] beyond [`MESSAGE_MAX_BYTES`](crate::MESSAGE_MAX_BYTES).
    /// * [`Error::OutOfResources`] without descriptors or memory; what else the system says.
    pub fn list<T: Serialize>(&self, items: impl IntoIterator<Item = T>) -> Result<List<T>, Error> {
        let items: Vec<T> = items.into_iter().collect(); // proxies among them live until the answer
        self.make(Make::List(self.pack_all(&items)?))
    }

    /// Makes a dictionary.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn dict<K: Serialize, V: Serialize>(
        &self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Dict<K, V>, Error> {
        let pairs: Vec<(K, V)> = pairs.into_iter().collect(); // as in `list`
        let pair = |(key, value): &(K, V)| Ok((self.pack(key)?, self.pack(value)?));
        let packed: Result<Vec<(Item, Item)>, Error> = pairs.iter().map(pair).collect();
        self.make(Make::Dict(packed?))
    }

    /// Makes a value.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn value<T: Serialize>(&self, value: T) -> Result<Value<T>, Error> {
        self.make(Make::Value(self.pack(&value)?))
    }

    /// Makes an array, whose length never changes.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn array<T: Serialize>(
        &self,
        items: impl IntoIterator<Item = T>,
    ) -> Result<Array<T>, Error> {
        let items: Vec<T> = items.into_iter().collect(); // as in `list`
        self.make(Make::Array(self.pack_all(&items)?))
    }

    /// Makes a record of named fields, without any.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn namespace(&self) -> Result<Namespace, Error> {
        self.make(Make::Namespace)
    }

    /// Makes a lock that anybody may release.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn lock(&self) -> Result<Lock, Error> {
        self.make(Make::Lock)
    }

    /// Makes a lock that its holder, a thread, may acquire again.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn rlock(&self) -> Result<RLock, Error> {
        self.make(Make::RLock)
    }

    /// Makes a semaphore with so many units.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn semaphore(&self, value: u32) -> Result<Semaphore, Error> {
        self.make(Make::Semaphore { value, is_bounded: false })
    }

    /// Makes a semaphore that never has more units than these.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn bounded_semaphore(&self, value: u32) -> Result<Semaphore, Error> {
        self.make(Make::Semaphore { value, is_bounded: true })
    }

    /// Makes a condition, with a lock of its own.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn condition(&self) -> Result<Condition, Error> {
        self.make(Make::Condition)
    }

    /// Makes an event, which is not set.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn event(&self) -> Result<Event, Error> {
        self.make(Make::Event)
    }

    /// Makes a barrier for so many.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for none; else as [`list`](Self::list).
    pub fn barrier(&self, parties: u32) -> Result<Barrier, Error> {
        self.make(Make::Barrier { parties })
    }

    /// Makes a queue that takes any number of items.
    ///
    /// # Errors
    /// * As [`list`](Self::list).
    pub fn queue<T>(&self) -> Result<Queue<T>, Error> {
        self.make(Make::Queue { max: None })
    }

    /// Makes a queue that takes so many items at once.
    ///
    /// # Errors
    /// * [`Error::InvalidArgument`] for none; else as [`list`](Self::list).
    pub fn bounded_queue<T>(&self, max: u64) -> Result<Queue<T>, Error> {
        self.make(Make::Queue { max: Some(max) })
    }

    /// Makes an object of a type that the server [registers](crate::Types).
    ///
    /// # Errors
    /// * [`Error::NoSuchName`] when it registers no such type.
    /// * [`Error::InvalidArgument`] when its constructor takes something else.
    /// * [`Error::TaskFailed`] when that panics; else as [`list`](Self::list).
    pub fn object<A: Serialize + ?Sized>(&self, name: &str, argument: &A) -> Result<Object, Error> {
        let input = self.pack(argument)?;
        self.make(Make::Registered { name: name.to_owned(), input })
    }

    fn pack<T: Serialize + ?Sized>(&self, value: &T) -> Result<Item, Error> {
        packing::pack(&self.access.origin, value)
    }

    fn pack_all<T: Serialize>(&self, items: &[T]) -> Result<Vec<Item>, Error> {
        items.iter().map(|item| self.pack(item)).collect()
    }

    fn make<P: Proxy>(&self, make: Make) -> Result<P, Error> {
        self.object_of(self.ask(Request::Make(make))?)
    }

    fn ask(&self, request: Request) -> Result<(Visit, Reply), Error> {
        let deadline = self.deadline();
        let session = self.access.session()?;
        let reply = session.ask(&request, deadline)?;
        Ok((session, reply))
    }

    fn object_of<P: Proxy>(&self, answer: (Visit, Reply)) -> Result<P, Error> {
        let (session, Reply::Object { object, kind }) = answer else { return Err(Error::Damaged) };
        let handle = Handle::claimed(&session, object, kind);
        let base = crate::proxies::Base { handle, patience: self.patience };
        if !P::is_kind(&base) {
            return Err(Error::Incompatible); // and the handle gives its reference back
        }
        Ok(P::from_base(base))
    }

    fn deadline(&self) -> Deadline {
        self.patience.into()
    }
}

impl Access {
    /// The session of this process, which stays as long as this does.
    fn session(&self) -> Result<Visit, Error> {
        let session = session::of(&self.origin)?;
        // Relaxed, all: a number that guards nothing; of several threads one changes it.
        let before = self.entered.load(Relaxed);
        if before != session.number
            && self.entered.compare_exchange(before, session.number, Relaxed, Relaxed).is_ok()
        {
            session.enter();
        }
        Ok(session)
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        // Relaxed: nobody else has it any more.
        if let Some(session) = session::existing(&self.origin, self.entered.load(Relaxed)) {
            session.leave();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("address", self.address()).finish_non_exhaustive()
    }
}
