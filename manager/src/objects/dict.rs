//! A dictionary, which keeps the order in which its keys came.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Turn};
use crate::wire::{Call, Item, Kind, ObjectId, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Len,
    Get(Item),
    /// Puts it there, and returns what was.
    Insert(Item, Item),
    /// Puts it there if nothing is, and returns what is there then.
    GetOrInsert(Item, Item),
    Extend(Vec<(Item, Item)>),
    Remove(Item),
    /// Takes out the one that came last.
    Pop,
    Contains(Item),
    Keys,
    Values,
    All,
    Clear,
}

#[derive(Default)]
pub(crate) struct Dict {
    /// Where each key stands in the order.
    places: HashMap<Arc<Vec<u8>>, u64>,
    entries: BTreeMap<u64, (Item, Item)>,
    next: u64,
}

impl Dict {
    pub(crate) fn new(turn: &mut Turn<'_>, pairs: Vec<(Item, Item)>) -> Self {
        let mut dict = Self::default();
        for (key, value) in pairs {
            dict.insert(turn, key, value);
        }
        dict
    }

    fn get(&self, key: &Item) -> Option<&Item> {
        Some(&self.entries.get(self.places.get(&key.bytes)?)?.1)
    }

    fn insert(&mut self, turn: &mut Turn<'_>, mut key: Item, mut value: Item) -> Option<Item> {
        turn.hold(&mut value);
        if let Some((_, kept)) =
            self.places.get(&key.bytes).and_then(|place| self.entries.get_mut(place))
        {
            turn.free(kept);
            return Some(core::mem::replace(kept, value));
        }
        turn.hold(&mut key);
        self.places.insert(Arc::clone(&key.bytes), self.next);
        self.entries.insert(self.next, (key, value));
        self.next += 1;
        None
    }

    fn take(&mut self, turn: &mut Turn<'_>, place: u64) -> Option<(Item, Item)> {
        let (key, value) = self.entries.remove(&place)?;
        self.places.remove(&key.bytes);
        turn.free(&key);
        turn.free(&value);
        Some((key, value))
    }
}

impl State for Dict {
    fn kind(&self) -> Kind {
        Kind::Dict
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        _caller: Caller,
        _limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Dict(ask) = call else { return Err(Error::Incompatible) };
        Ok(Outcome::Answer(match ask {
            Ask::Len => Reply::Count(self.entries.len() as u64),
            Ask::Get(key) => Reply::Maybe(self.get(&key).cloned()),
            Ask::Contains(key) => Reply::Flag(self.places.contains_key(&key.bytes)),
            Ask::Insert(key, value) => Reply::Maybe(self.insert(turn, key, value)),
            Ask::GetOrInsert(key, value) => match self.get(&key) {
                Some(kept) => Reply::Item(kept.clone()),
                None => {
                    let reply = Reply::Item(value.clone());
                    self.insert(turn, key, value);
                    reply
                }
            },
            Ask::Extend(pairs) => {
                for (key, value) in pairs {
                    self.insert(turn, key, value);
                }
                Reply::Done
            }
            Ask::Remove(key) => {
                let place = self.places.get(&key.bytes).copied();
                let taken = place.and_then(|place| self.take(turn, place));
                Reply::Maybe(taken.map(|(_, value)| value))
            }
            Ask::Pop => {
                let last = self.entries.last_key_value().map(|(place, _)| *place);
                let taken = last.and_then(|place| self.take(turn, place));
                Reply::Pairs(taken.into_iter().collect())
            }
            Ask::Keys => Reply::Items(self.entries.values().map(|(key, _)| key.clone()).collect()),
            Ask::Values => {
                Reply::Items(self.entries.values().map(|(_, value)| value.clone()).collect())
            }
            Ask::All => Reply::Pairs(self.entries.values().cloned().collect()),
            Ask::Clear => {
                for (key, value) in core::mem::take(&mut self.entries).into_values() {
                    turn.free(&key);
                    turn.free(&value);
                }
                self.places.clear();
                Reply::Done
            }
        }))
    }

    fn refs(&self) -> Vec<ObjectId> {
        let items = self.entries.values().flat_map(|(key, value)| [key, value]);
        items.flat_map(|item| item.refs.iter().copied()).collect()
    }
}
