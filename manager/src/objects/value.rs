//! A value that is replaced as a whole.

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Turn};
use crate::wire::{Call, Item, Kind, ObjectId, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Get,
    Set(Item),
    /// Puts one there, and returns what was.
    Replace(Item),
    /// Puts the second there if the first is; whether it was.
    ReplaceIf(Item, Item),
}

pub(crate) struct Value {
    item: Item,
}

impl Value {
    pub(crate) fn new(turn: &mut Turn<'_>, mut item: Item) -> Self {
        turn.hold(&mut item);
        Self { item }
    }

    fn put(&mut self, turn: &mut Turn<'_>, mut item: Item) -> Item {
        turn.hold(&mut item);
        turn.free(&self.item);
        core::mem::replace(&mut self.item, item)
    }
}

impl State for Value {
    fn kind(&self) -> Kind {
        Kind::Value
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        _caller: Caller,
        _limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Value(ask) = call else { return Err(Error::Incompatible) };
        Ok(Outcome::Answer(match ask {
            Ask::Get => Reply::Item(self.item.clone()),
            Ask::Set(item) => {
                self.put(turn, item);
                Reply::Done
            }
            Ask::Replace(item) => Reply::Item(self.put(turn, item)),
            Ask::ReplaceIf(expected, item) => {
                let is_so = self.item == expected;
                if is_so {
                    self.put(turn, item);
                }
                Reply::Flag(is_so)
            }
        }))
    }

    fn refs(&self) -> Vec<ObjectId> {
        self.item.refs.clone()
    }
}
