//! A running server: one thread, which looks at all connections, and calls the objects.
//!
//! Nothing in it waits but the look itself. A call that cannot be answered yet is an entry in its
//! object, found again by its ticket; whoever goes away takes its entries along.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use purlin_process::Key;

use super::by_number::ByNumber;
use super::clients::Clients;
use super::connection::{Came, Connection, ConnectionNumber, Last, Phase};
use super::store::{Lingering, Store};
use super::timers::{Due, Timers, When};
use super::turn::{Caller, ClientNumber, Effects, Limit, Ticket, Turn, Waits};
use crate::address::Address;
use crate::error::Error;
use crate::limits::{
    ACCEPT_COUNT, CONNECTION_MAX, LINGER, LISTEN_PAUSE, LOOK_AROUND_COUNT, PROOF_LIMIT, READ_BYTES,
    STRANGER_MAX,
};
use crate::line::Line;
use crate::objects::{self, Outcome, State};
use crate::spins::Spins;
use crate::sys::random;
use crate::sys::ready::{For, Ready};
use crate::sys::socket::{self, Accepted};
use crate::types::Types;
use crate::wire::frame::{self, Begun, HEAD_BYTES};
use crate::wire::proof::{self, Handshake, PROOF_BYTES, Welcome};
use crate::wire::{Answer, Call, ObjectId, Reply, Request, ServerId};

const LISTENER: u64 = 0;
const STOP: u64 = 1;
const FIRST_CONNECTION: u64 = 2;

/// A running server.
pub(super) struct Service {
    ready: Ready,
    listener: Line,
    address: Address,
    key: Key,
    id: ServerId,
    types: Types,
    /// The longest message, in bytes.
    limit: usize,
    connections: ByNumber<Connection>,
    /// Those who have not proved yet that they have the key, and when they are dropped.
    strangers: BTreeMap<ConnectionNumber, When>,
    clients: Clients,
    store: Store,
    waits: Waits,
    timers: Timers,
    effects: Effects,
    /// Connections that are to be closed.
    doomed: Vec<ConnectionNumber>,
    next: ConnectionNumber,
    /// Whose request came last.
    recent: ConnectionNumber,
    spins: Spins,
    scratch: Box<[u8; READ_BYTES]>,
}

impl Service {
    pub(super) fn new(
        listener: Line,
        address: Address,
        key: Key,
        id: ServerId,
        types: Types,
        limit: usize,
    ) -> Result<Self, Error> {
        let ready = Ready::new()?;
        ready.add(&listener, LISTENER, For::Reading)?;
        Ok(Self {
            ready,
            listener,
            address,
            key,
            id,
            types,
            limit,
            connections: ByNumber::default(),
            strangers: BTreeMap::new(),
            clients: Clients::default(),
            store: Store::default(),
            waits: Waits::default(),
            timers: Timers::default(),
            effects: Effects::default(),
            doomed: Vec::new(),
            next: FIRST_CONNECTION,
            recent: 0,
            spins: Spins::new(),
            scratch: Box::new([0; READ_BYTES]),
        })
    }

    /// Serves until one of these is readable.
    pub(super) fn run(&mut self, stops: &[OwnedFd]) -> Result<(), Error> {
        for stop in stops {
            self.ready.add(stop, STOP, For::Reading)?;
        }
        // Ends when it is told to.
        loop {
            let events = match self.look_for_a_moment()? {
                Some(events) => events,
                None => self.ready.wait(self.timers.until_next())?,
            };
            for (token, is_at_end) in events {
                match token {
                    STOP => return Ok(()),
                    LISTENER => self.accept(),
                    number => {
                        let _ = self.look(number, is_at_end);
                        self.recent = number;
                    }
                }
                self.settle();
            }
            // After what has come, so that a server that stood still does not take its own delay
            // for that of others.
            while let Some(due) = self.timers.take_due() {
                self.expire(due);
                self.settle();
            }
        }
    }

    /// Looks for what comes without a sleep, as long as requests follow each other closely: mostly
    /// the next one is of whoever was answered last. `None` says that it is time to sleep; the list
    /// of those who are ready may be empty.
    fn look_for_a_moment(&mut self) -> Result<Option<Vec<(u64, bool)>>, Error> {
        let Some(mut spin) = self.spins.begin(None) else {
            self.spins.were_in_vain();
            return Ok(None);
        };
        while spin.goes_on() {
            if self.has_recent_asked() {
                self.spins.have_paid();
                spin.begin_anew();
            }
            // However fast one asks, all others have their turn.
            let is_long = spin.is_long();
            if is_long || spin.look_count.is_multiple_of(LOOK_AROUND_COUNT) {
                let events = self.ready.look()?;
                if is_long || !events.is_empty() {
                    self.spins.have_paid();
                    return Ok(Some(events));
                }
            }
        }
        self.spins.were_in_vain();
        Ok(None)
    }

    /// Looks at the connection that asked last; whether something has come.
    fn has_recent_asked(&mut self) -> bool {
        let has_come = self.is_hearing(self.recent) && self.look(self.recent, false);
        self.settle();
        has_come
    }

    fn accept(&mut self) {
        // The rest comes with the next look: however many there are, all others have their turn.
        for _ in 0..ACCEPT_COUNT {
            match socket::accept(&self.listener, &self.address) {
                Accepted::One(socket) => self.greet(socket),
                Accepted::Nothing => return,
                Accepted::NoRoom => {
                    // A stranger makes room, or time does.
                    if !self.drop_stranger() {
                        self.ready.change(&self.listener, LISTENER, For::Nothing);
                        self.timers.set(Instant::now() + LISTEN_PAUSE, Due::Listen);
                        return;
                    }
                }
            }
            if self.strangers.len() > STRANGER_MAX || self.connections.len() > CONNECTION_MAX {
                self.drop_stranger();
            }
        }
    }

    fn greet(&mut self, socket: Line) {
        // Without random bytes nobody can be told from anybody, and it is closed again.
        let Ok(nonce) = random::bytes() else { return };
        let number = self.next;
        self.next += 1;
        if self.ready.add(&socket, number, For::Reading).is_err() {
            return;
        }
        let mut connection = Connection::new(socket, nonce);
        let sent = connection.send(proof::greeting(&nonce));
        self.connections.insert(number, connection);
        let due = self.timers.set(Instant::now() + PROOF_LIMIT, Due::Stranger(number));
        self.strangers.insert(number, due);
        if sent.is_err() {
            self.doomed.push(number);
        }
    }

    /// Drops the stranger who has been here longest; whether there was one.
    fn drop_stranger(&mut self) -> bool {
        let longest = self.strangers.first_key_value().map(|(number, _)| *number);
        longest.map(|number| self.close(number)).is_some()
    }

    /// This is no stranger any more.
    fn forget_stranger(&mut self, number: ConnectionNumber) {
        if let Some(when) = self.strangers.remove(&number) {
            self.timers.cancel(when);
        }
    }

    /// Something is to be read from a connection, or it has room, or is at its end. Whether
    /// something has come, be it the end.
    fn look(&mut self, number: ConnectionNumber, is_at_end: bool) -> bool {
        let Some(connection) = self.connections.get_mut(&number) else { return false };
        if connection.is_going() {
            match connection.flush() {
                Ok(()) if connection.is_going() && !is_at_end => return false,
                Ok(()) => self.ready.change(&*connection, number, For::Reading),
                Err(_) => return self.doom(number),
            }
        }
        let mut has_come = false;
        // All that has come is done before the end is: it was sent before.
        loop {
            let Some(connection) = self.connections.get_mut(&number) else { return has_come };
            let before = connection.unread().len();
            let came = connection.read(&mut self.scratch);
            has_come |= connection.unread().len() > before;
            self.understand(number);
            match came {
                Came::End => return self.doom(number),
                // What is to be sent first may never go, and then nothing more is done.
                Came::Some if is_at_end && self.is_hearing(number) => {}
                Came::Some if is_at_end => return self.doom(number),
                Came::Some => return has_come,
            }
        }
    }

    /// It is to be closed, which is something that has come.
    fn doom(&mut self, number: ConnectionNumber) -> bool {
        self.doomed.push(number);
        true
    }

    /// Whether more is taken from a connection just now.
    fn is_hearing(&self, number: ConnectionNumber) -> bool {
        self.connections.get(&number).is_some_and(|connection| !connection.is_going())
            && !self.doomed.contains(&number)
    }

    /// Does what has come as a whole.
    fn understand(&mut self, number: ConnectionNumber) {
        self.understand_all(number);
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.tidy();
        }
    }

    fn understand_all(&mut self, number: ConnectionNumber) {
        // Ends with what is no whole, or with an answer that has no room.
        while self.is_hearing(number) {
            let Some(connection) = self.connections.get_mut(&number) else { return };
            let client = match connection.phase {
                Phase::Stranger(_) => match connection.unread().first_chunk::<PROOF_BYTES>() {
                    Some(proof) => {
                        let proof = *proof;
                        self.admit(number, &proof);
                        continue;
                    }
                    None => return,
                },
                Phase::Client(client) => client,
            };
            match frame::begin(connection.unread(), self.limit) {
                Ok(Begun::Whole { call, len }) => {
                    let body = &connection.unread()[HEAD_BYTES..len];
                    let request = postcard::from_bytes::<Request>(body);
                    connection.advance(len);
                    match request {
                        Ok(request) => self.serve(number, client, call, request),
                        Err(_) => self.refuse(number, call),
                    }
                    self.settle_answers();
                }
                Ok(Begun::Part) => return,
                Err(_) => return self.doomed.push(number),
            }
        }
    }

    /// Somebody says that it has the key.
    fn admit(&mut self, number: ConnectionNumber, bytes: &[u8; PROOF_BYTES]) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let Phase::Stranger(server) = connection.phase else { return };
        connection.advance(PROOF_BYTES);
        let Some((client, who)) = proof::check_proof(&self.key, &server, bytes) else {
            let _ = connection.send(proof::refusal()); // closed in any case
            return self.doomed.push(number);
        };
        let said = Welcome { server: self.id, limit: self.limit as u64 };
        let welcome = Handshake { server, client, who }.welcome(&self.key, said);
        connection.phase = Phase::Client(self.clients.arrive(who, number));
        if connection.send(welcome).is_err() {
            self.doomed.push(number);
        }
        self.forget_stranger(number);
    }

    /// A client has sent what no client sends.
    fn refuse(&mut self, number: ConnectionNumber, call: u32) {
        if let Some(connection) = self.connections.get_mut(&number)
            && let Ok(frame) = frame::encode(call, &Answer::Err(Error::Damaged), self.limit)
        {
            let _ = connection.send(frame); // closed in any case
        }
        self.doomed.push(number);
    }

    fn serve(
        &mut self,
        connection: ConnectionNumber,
        client: ClientNumber,
        call: u32,
        request: Request,
    ) {
        if let Some(connection) = self.connections.get_mut(&connection)
            && !matches!(request, Request::Cancel { .. } | Request::Release { .. })
        {
            connection.last = None; // whoever asks again has taken notice of it
        }
        let mut caller = Caller { connection, client, thread: 0, call, object: 0 };
        let answer = match request {
            Request::Make(make) => self.make(make),
            Request::Claim { object } => {
                self.store.kind(object).map(|kind| Reply::Object { object, kind })
            }
            Request::Release { object, lingers } => return self.release(client, object, lingers),
            Request::Cancel { call } => return self.cancel(connection, call),
            Request::Call { object, thread, limit_nanos, call } => {
                caller = Caller { thread, object, ..caller };
                let limit = Limit(limit_nanos.map(Duration::from_nanos));
                match self.call(caller, limit, call) {
                    Ok(Outcome::Waits) => return,
                    Ok(Outcome::Answer(reply)) => Ok(reply),
                    Err(error) => Err(error),
                }
            }
            Request::Publish { name, object } if self.clients.holds(client, object) => {
                self.store.publish(name, object).map(|()| Reply::Done)
            }
            Request::Publish { .. } => Err(Error::NoSuchName),
            Request::Withdraw { name } => self.store.withdraw(&name).map(|object| {
                self.effects.freed.push(object);
                Reply::Done
            }),
            Request::Find { name } => self.store.find(&name).and_then(|object| {
                self.store.kind(object).map(|kind| Reply::Object { object, kind })
            }),
            Request::Count => Ok(Reply::Count(self.store.len() as u64)),
        };
        self.effects.answers.push((caller, answer));
    }

    fn make(&mut self, make: crate::wire::Make) -> Answer {
        let mut turn = turn(
            &mut self.waits,
            &mut self.timers,
            &self.clients,
            &self.connections,
            &mut self.store,
            &mut self.effects,
        );
        let state = objects::make(make, &mut turn, &mut self.types)?;
        let kind = state.kind();
        Ok(Reply::Object { object: self.store.add(state), kind })
    }

    fn call(&mut self, caller: Caller, limit: Limit, call: Call) -> Result<Outcome, Error> {
        // A reference is what lets it be called: numbers can be guessed.
        if !self.clients.holds(caller.client, caller.object) {
            return Err(Error::NoSuchName);
        }
        self.tell(caller.object, |state, turn| state.call(turn, caller, limit, call))
            .unwrap_or(Err(Error::NoSuchName))
    }

    /// Has an object do something.
    fn tell<T>(
        &mut self,
        object: ObjectId,
        what: impl FnOnce(&mut dyn State, &mut Turn<'_>) -> T,
    ) -> Option<T> {
        let mut state = self.store.take(object)?;
        let mut turn = turn(
            &mut self.waits,
            &mut self.timers,
            &self.clients,
            &self.connections,
            &mut self.store,
            &mut self.effects,
        );
        let done = what(&mut *state, &mut turn);
        self.store.put_back(object, state);
        Some(done)
    }

    fn release(&mut self, client: ClientNumber, object: ObjectId, lingers: bool) {
        if !self.clients.free(client, object) {
            return;
        }
        if !lingers {
            return self.effects.freed.push(object);
        }
        let until = Instant::now() + LINGER;
        if self.store.linger(object, until) {
            self.timers.set(until, Due::Linger(object));
        }
    }

    /// A caller has given up: an entry that waits is taken out, and what was done is undone.
    fn cancel(&mut self, connection: ConnectionNumber, call: u32) {
        if let Some(ticket) = self.waits.of_call(connection, call) {
            return self.abandon(ticket);
        }
        let Some(found) = self.connections.get_mut(&connection) else { return };
        let Some(last) = found.last.take_if(|last| last.caller.call == call) else { return };
        let Last { caller, reply, refs } = last;
        self.tell(caller.object, |state, turn| state.undo(turn, caller, reply));
        for object in refs {
            self.release(caller.client, object, false);
        }
    }

    fn abandon(&mut self, ticket: Ticket) {
        if let Some(wait) = self.waits.remove(ticket, &mut self.timers) {
            self.tell(wait.caller.object, |state, turn| state.abandon(turn, ticket));
        }
    }

    fn expire(&mut self, due: Due) {
        match due {
            Due::Ticket(ticket) => {
                if let Some(wait) = self.waits.remove(ticket, &mut self.timers) {
                    let caller = wait.caller;
                    self.tell(caller.object, |state, turn| state.expire(turn, ticket, caller));
                }
            }
            Due::Stranger(number) => self.close(number),
            Due::Linger(object) => match self.store.end_linger(object, Instant::now()) {
                Some(Lingering::Until(later)) => {
                    self.timers.set(later, Due::Linger(object));
                }
                Some(Lingering::Over) => self.effects.freed.push(object),
                None => {}
            },
            Due::Listen => self.ready.change(&self.listener, LISTENER, For::Reading),
        }
    }

    /// Does all that a call or an end has led to.
    fn settle(&mut self) {
        // Ends: each round closes a connection, and none is closed twice.
        loop {
            self.settle_answers();
            let Some(number) = self.doomed.pop() else { return };
            self.close(number);
        }
    }

    fn settle_answers(&mut self) {
        // Ends: each object that is dropped adds those that it held, and none is dropped twice; and
        // each answer that is undone answers who waits, who then waits no more.
        loop {
            let Effects { answers, freed } = core::mem::take(&mut self.effects);
            if answers.is_empty() && freed.is_empty() {
                return;
            }
            for (caller, answer) in answers {
                self.answer(caller, answer);
            }
            for object in freed {
                if self.store.free(object) {
                    self.drop_unused(object);
                }
            }
        }
    }

    fn answer(&mut self, caller: Caller, answer: Answer) {
        let number = caller.connection;
        if !self.connections.contains_key(&number) {
            return;
        }
        match (frame::encode(caller.call, &answer, self.limit), answer) {
            (Ok(frame), answer) => {
                if let Ok(reply) = answer {
                    self.note(caller, reply);
                }
                self.send(number, frame);
            }
            (Err(error), answer) => {
                // What it does not hear of has not been done for it. (What a list or a dictionary
                // gives up is shorter than the request that brought it.)
                if let Ok(reply) = answer {
                    self.tell(caller.object, |state, turn| state.undo(turn, caller, reply));
                }
                match frame::encode(caller.call, &Answer::Err(error), self.limit) {
                    Ok(frame) => self.send(number, frame),
                    Err(_) => self.doomed.push(number),
                }
            }
        }
    }

    /// Counts the references that a caller is given, and keeps in mind what it is told.
    fn note(&mut self, caller: Caller, reply: Reply) {
        let given = reply.refs().into_iter();
        let refs: Vec<ObjectId> = given.filter(|object| self.store.refer(*object)).collect();
        for object in &refs {
            self.clients.hold(caller.client, *object);
        }
        let is_noted = matches!(reply, Reply::Acquired { .. } | Reply::Item(_));
        if (is_noted || !refs.is_empty())
            && let Some(connection) = self.connections.get_mut(&caller.connection)
        {
            let reply = if is_noted { reply } else { Reply::Done };
            connection.last = Some(Last { caller, reply, refs });
        }
    }

    fn send(&mut self, number: ConnectionNumber, frame: Vec<u8>) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        match connection.send(frame) {
            Ok(()) if connection.is_going() => {
                self.ready.change(&*connection, number, For::Writing);
            }
            Ok(()) => {}
            Err(_) => self.doomed.push(number),
        }
    }

    fn drop_unused(&mut self, object: ObjectId) {
        let refs = self.store.drop_unused(object);
        self.effects.freed.extend(refs);
        if self.store.kind(object).is_ok() {
            return;
        }
        // Only who has given its last reference back amid its own call still waits.
        for ticket in self.waits.of_object(object) {
            if let Some(wait) = self.waits.remove(ticket, &mut self.timers) {
                self.effects.answers.push((wait.caller, Err(Error::NoSuchName)));
            }
        }
    }

    /// Closes a connection: its calls are taken out; with its last one the client dies.
    fn close(&mut self, number: ConnectionNumber) {
        let Some(connection) = self.connections.remove(&number) else { return };
        let Phase::Client(client) = connection.phase else {
            return self.forget_stranger(number);
        };
        drop(connection);
        for ticket in self.waits.of_connection(number) {
            self.abandon(ticket);
        }
        if let Some(held) = self.clients.leave(client, number) {
            for object in self.store.all() {
                self.tell(object, |state, turn| state.bury(turn, client));
            }
            self.effects.freed.extend(held);
        }
    }
}

/// Of all that is not the objects.
fn turn<'a>(
    waits: &'a mut Waits,
    timers: &'a mut Timers,
    clients: &'a Clients,
    connections: &'a ByNumber<Connection>,
    store: &'a mut Store,
    effects: &'a mut Effects,
) -> Turn<'a> {
    Turn { waits, timers, clients, connections, store, effects }
}
