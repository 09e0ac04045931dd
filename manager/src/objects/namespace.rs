//! A record of named fields, each of a type of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Turn};
use crate::wire::{Call, Item, Kind, ObjectId, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Get(String),
    Set(String, Item),
    Remove(String),
    /// The fields' names, as one value: a list of texts.
    Names,
}

#[derive(Default)]
pub(crate) struct Namespace {
    fields: BTreeMap<String, Item>,
}

impl State for Namespace {
    fn kind(&self) -> Kind {
        Kind::Namespace
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        _caller: Caller,
        _limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Namespace(ask) = call else { return Err(Error::Incompatible) };
        Ok(Outcome::Answer(match ask {
            Ask::Get(name) => Reply::Item(self.fields.get(&name).ok_or(Error::NoSuchName)?.clone()),
            Ask::Set(name, mut item) => {
                turn.hold(&mut item);
                if let Some(before) = self.fields.insert(name, item) {
                    turn.free(&before);
                }
                Reply::Done
            }
            Ask::Remove(name) => {
                let before = self.fields.remove(&name).ok_or(Error::NoSuchName)?;
                turn.free(&before);
                Reply::Done
            }
            Ask::Names => {
                let names: Vec<&String> = self.fields.keys().collect();
                let bytes = postcard::to_stdvec(&names).map_err(|_| Error::NotTransferable)?;
                Reply::Item(Item { bytes: bytes.into(), refs: Vec::new() })
            }
        }))
    }

    fn refs(&self) -> Vec<ObjectId> {
        self.fields.values().flat_map(|item| item.refs.iter().copied()).collect()
    }
}
