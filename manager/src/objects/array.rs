//! A row of values, whose length never changes.

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Turn};
use crate::wire::{Call, Item, Kind, ObjectId, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Len,
    Get(u64),
    Set(u64, Item),
    /// The elements from one place to before another.
    Read(u64, u64),
    /// Puts these there, from one place on.
    Write(u64, Vec<Item>),
}

pub(crate) struct Array {
    items: Vec<Item>,
}

impl Array {
    pub(crate) fn new(turn: &mut Turn<'_>, mut items: Vec<Item>) -> Self {
        items.iter_mut().for_each(|item| turn.hold(item));
        Self { items }
    }

    fn write(&mut self, turn: &mut Turn<'_>, start: u64, items: Vec<Item>) -> Result<(), Error> {
        let end = start.checked_add(items.len() as u64).ok_or(Error::OutOfRange)?;
        let places = range(&mut self.items, start, end)?;
        for (place, mut item) in places.iter_mut().zip(items) {
            turn.hold(&mut item);
            turn.free(place);
            *place = item;
        }
        Ok(())
    }
}

/// The elements from one place to before another.
fn range(items: &mut [Item], start: u64, end: u64) -> Result<&mut [Item], Error> {
    let place = |place: u64| usize::try_from(place).map_err(|_| Error::OutOfRange);
    items.get_mut(place(start)?..place(end)?).ok_or(Error::OutOfRange)
}

impl State for Array {
    fn kind(&self) -> Kind {
        Kind::Array
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        _caller: Caller,
        _limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Array(ask) = call else { return Err(Error::Incompatible) };
        Ok(Outcome::Answer(match ask {
            Ask::Len => Reply::Count(self.items.len() as u64),
            Ask::Get(place) => {
                let end = place.checked_add(1).ok_or(Error::OutOfRange)?;
                Reply::Item(range(&mut self.items, place, end)?[0].clone())
            }
            Ask::Set(place, item) => {
                self.write(turn, place, vec![item])?;
                Reply::Done
            }
            Ask::Read(start, end) => {
                let end = end.min(self.items.len() as u64);
                Reply::Items(range(&mut self.items, start, end)?.to_vec())
            }
            Ask::Write(start, items) => {
                self.write(turn, start, items)?;
                Reply::Done
            }
        }))
    }

    fn refs(&self) -> Vec<ObjectId> {
        self.items.iter().flat_map(|item| item.refs.iter().copied()).collect()
    }
}
