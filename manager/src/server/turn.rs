//! What an object is given while it is called: who calls, who waits, and where effects go.

use std::time::{Duration, Instant};

use super::by_number::ByNumber;
use super::clients::Clients;
use super::connection::{Connection, ConnectionNumber};
use super::store::Store;
use super::timers::{Due, Timers, When};
use crate::error::Error;
use crate::limits::WAITING_MAX;
use crate::wire::{Answer, Item, ObjectId};

/// An entry of somebody who waits, never given twice.
pub(crate) type Ticket = u64;

/// A client, while it lives.
pub(crate) type ClientNumber = u64;

/// Who holds something: a thread of a client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) client: ClientNumber,
    pub(crate) thread: u32,
}

/// Who makes a call, and how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) connection: ConnectionNumber,
    pub(crate) client: ClientNumber,
    pub(crate) thread: u32,
    pub(crate) call: u32,
    pub(crate) object: ObjectId,
}

impl Caller {
    pub(crate) fn holder(self) -> Holder {
        Holder { client: self.client, thread: self.thread }
    }
}

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) Option<Duration>);

impl Limit {
    pub(crate) fn is_try(self) -> bool {
        self.0 == Some(Duration::ZERO)
    }
}

/// All who wait.
#[derive(Default)]
pub(crate) struct Waits {
    waits: ByNumber<Wait>,
    by_connection: ByNumber<Vec<Ticket>>,
    next: Ticket,
}

#[derive(Clone, Copy)]
pub(crate) struct Wait {
    pub(crate) caller: Caller,
    due: Option<When>,
}

impl Waits {
    fn add(&mut self, ticket: Ticket, wait: Wait) {
        self.by_connection.entry(wait.caller.connection).or_default().push(ticket);
        self.waits.insert(ticket, wait);
    }

    pub(crate) fn remove(&mut self, ticket: Ticket, timers: &mut Timers) -> Option<Wait> {
        let wait = self.waits.remove(&ticket)?;
        if let Some(when) = wait.due {
            timers.cancel(when);
        }
        if let Some(of_connection) = self.by_connection.get_mut(&wait.caller.connection) {
            of_connection.retain(|other| *other != ticket);
            if of_connection.is_empty() {
                self.by_connection.remove(&wait.caller.connection);
            }
        }
        Some(wait)
    }

    /// The tickets of one connection.
    pub(crate) fn of_connection(&self, connection: ConnectionNumber) -> Vec<Ticket> {
        self.by_connection.get(&connection).cloned().unwrap_or_default()
    }

    /// The ticket of one call.
    pub(crate) fn of_call(&self, connection: ConnectionNumber, call: u32) -> Option<Ticket> {
        let is_it =
            |ticket: &&Ticket| self.waits.get(ticket).is_some_and(|wait| wait.caller.call == call);
        self.by_connection.get(&connection)?.iter().find(is_it).copied()
    }

    /// The tickets of one object.
    pub(crate) fn of_object(&self, object: ObjectId) -> Vec<Ticket> {
        let found = self.waits.iter().filter(|(_, wait)| wait.caller.object == object);
        found.map(|(ticket, _)| *ticket).collect()
    }
}

/// What is to be done once an object has been called.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) answers: Vec<(Caller, Answer)>,
    pub(crate) freed: Vec<ObjectId>,
}

/// One call of an object, or one thing that it is told.
pub(crate) struct Turn<'a> {
    pub(super) waits: &'a mut Waits,
    pub(super) timers: &'a mut Timers,
    pub(super) clients: &'a Clients,
    pub(super) connections: &'a ByNumber<Connection>,
    pub(super) store: &'a mut Store,
    pub(super) effects: &'a mut Effects,
}

impl Turn<'_> {
    /// The caller waits from here on, until it is woken, expires, or is gone.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when too many calls of its connection wait.
    pub(crate) fn wait(&mut self, caller: Caller, limit: Limit) -> Result<Ticket, Error> {
        let count = self.waits.by_connection.get(&caller.connection).map_or(0, Vec::len);
        if count >= WAITING_MAX {
            return Err(Error::OutOfResources);
        }
        let ticket = self.waits.next;
        self.waits.next += 1;
        // What the clock cannot hold is the same as never.
        let at = limit.0.and_then(|limit| Instant::now().checked_add(limit));
        let due = at.map(|at| self.timers.set(at, Due::Ticket(ticket)));
        self.waits.add(ticket, Wait { caller, due });
        Ok(ticket)
    }

    /// An entry whose limit has come waits on, without one.
    pub(crate) fn keep_waiting(&mut self, ticket: Ticket, caller: Caller) {
        self.waits.add(ticket, Wait { caller, due: None });
    }

    /// Ends a wait that is over. Returns who is to be answered, unless that one is gone: a look at
    /// its connection tells, so that nothing is handed to the dead.
    pub(crate) fn wake(&mut self, ticket: Ticket) -> Option<Caller> {
        let is_there = self.is_there(ticket);
        let wait = self.waits.remove(ticket, self.timers)?;
        is_there.then_some(wait.caller)
    }

    /// Has an entry wait on without its limit; whether it still does.
    pub(crate) fn disarm(&mut self, ticket: Ticket) -> bool {
        if !self.is_there(ticket) {
            return false;
        }
        if let Some(when) = self.waits.waits.get_mut(&ticket).and_then(|wait| wait.due.take()) {
            self.timers.cancel(when);
        }
        true
    }

    /// Whether an entry waits, and who waits is there.
    pub(crate) fn is_there(&self, ticket: Ticket) -> bool {
        let connection = self.waits.waits.get(&ticket).map(|wait| wait.caller.connection);
        connection.is_some_and(|connection| self.is_connected(connection))
    }

    /// Whether a client has a connection that is not at its end.
    pub(crate) fn is_client_there(&self, client: ClientNumber) -> bool {
        self.clients.connections_of(client).iter().any(|number| self.is_connected(*number))
    }

    fn is_connected(&self, number: ConnectionNumber) -> bool {
        self.connections.get(&number).is_some_and(|connection| !connection.is_gone())
    }

    /// Answers a call that has waited.
    pub(crate) fn answer(&mut self, caller: Caller, answer: Answer) {
        self.effects.answers.push((caller, answer));
    }

    /// An object keeps this value, and refers to those that are in it. What is no object's number
    /// is taken out: it may become one's, which is not to be given back with the value.
    pub(crate) fn hold(&mut self, item: &mut Item) {
        item.refs.retain(|object| self.store.refer(*object));
    }

    /// An object keeps it no more.
    pub(crate) fn free(&mut self, item: &Item) {
        self.effects.freed.extend(&item.refs);
    }
}
