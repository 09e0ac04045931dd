//! The clients: processes that have proved the key, each with its connections and what it holds.

use std::collections::HashMap;

use super::by_number::ByNumber;
use super::connection::ConnectionNumber;
use super::turn::ClientNumber;
use crate::wire::{ClientId, ObjectId};

#[derive(Default)]
pub(crate) struct Clients {
    numbers: HashMap<ClientId, ClientNumber>,
    clients: ByNumber<Client>,
    next: ClientNumber,
}

struct Client {
    id: ClientId,
    connections: Vec<ConnectionNumber>,
    /// How many references it has to each object.
    refs: ByNumber<u64>,
}

impl Clients {
    /// One more connection of a client, which may be its first.
    pub(crate) fn arrive(&mut self, id: ClientId, connection: ConnectionNumber) -> ClientNumber {
        let number = *self.numbers.entry(id).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        let fresh = || Client { id, connections: Vec::new(), refs: ByNumber::default() };
        self.clients.entry(number).or_insert_with(fresh).connections.push(connection);
        number
    }

    /// One less. After the last the client is dead: returns what it held, each as often as it did.
    pub(crate) fn leave(
        &mut self,
        number: ClientNumber,
        connection: ConnectionNumber,
    ) -> Option<Vec<ObjectId>> {
        let client = self.clients.get_mut(&number)?;
        client.connections.retain(|other| *other != connection);
        if !client.connections.is_empty() {
            return None;
        }
        let client = self.clients.remove(&number)?;
        self.numbers.remove(&client.id);
        let held = client.refs.into_iter();
        Some(held.flat_map(|(object, count)| (0..count).map(move |_| object)).collect())
    }

    pub(crate) fn connections_of(&self, number: ClientNumber) -> &[ConnectionNumber] {
        self.clients.get(&number).map_or(&[], |client| &client.connections)
    }

    /// The client holds one more reference; false when it is gone.
    pub(crate) fn hold(&mut self, number: ClientNumber, object: ObjectId) -> bool {
        let client = self.clients.get_mut(&number);
        client.map(|client| *client.refs.entry(object).or_default() += 1).is_some()
    }

    /// One less; false when it had none.
    pub(crate) fn free(&mut self, number: ClientNumber, object: ObjectId) -> bool {
        let Some(client) = self.clients.get_mut(&number) else { return false };
        let Some(count) = client.refs.get_mut(&object) else { return false };
        *count -= 1;
        if *count == 0 {
            client.refs.remove(&object);
        }
        true
    }

    /// Whether it has a reference.
    pub(crate) fn holds(&self, number: ClientNumber, object: ObjectId) -> bool {
        self.clients.get(&number).is_some_and(|client| client.refs.contains_key(&object))
    }
}
