//! An object of a registered type.

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Turn};
use crate::types::Served;
use crate::wire::{Call, Item, Kind, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Call { method: String, input: Item },
    Methods,
}

pub(crate) struct Made {
    object: Box<dyn Served>,
}

impl Made {
    pub(crate) fn new(object: Box<dyn Served>) -> Self {
        Self { object }
    }
}

impl State for Made {
    fn kind(&self) -> Kind {
        Kind::Registered
    }

    fn call(
        &mut self,
        _turn: &mut Turn<'_>,
        _caller: Caller,
        _limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Registered(ask) = call else { return Err(Error::Incompatible) };
        let bytes = match ask {
            Ask::Call { method, input } => self.object.call(&method, &input.bytes)?,
            Ask::Methods => {
                let methods = self.object.methods();
                postcard::to_stdvec(&methods).map_err(|_| Error::NotTransferable)?
            }
        };
        Ok(Outcome::Answer(Reply::Item(Item { bytes: bytes.into(), refs: Vec::new() })))
    }
}
