//! A list of values.

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::limits::ELEMENT_MAX;
use crate::server::turn::{Caller, Limit, Turn};
use crate::wire::{Call, Item, Kind, ObjectId, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Len,
    Get(u64),
    Set(u64, Item),
    Push(Item),
    Extend(Vec<Item>),
    Insert(u64, Item),
    /// Takes the last one out.
    Pop,
    /// Takes out the one at this place.
    RemoveAt(u64),
    /// Takes out the first that is the same.
    Remove(Item),
    Reverse,
    Clear,
    CountOf(Item),
    /// Where the first is that is the same.
    PlaceOf(Item),
    /// From one place to before another, as far as there are any.
    Read(u64, u64),
    /// Puts these in the place of all.
    Replace(Vec<Item>),
    /// So many times itself, one after the other.
    Repeat(u64),
}

pub(crate) struct List {
    items: Vec<Item>,
}

impl List {
    pub(crate) fn new(turn: &mut Turn<'_>, mut items: Vec<Item>) -> Self {
        items.iter_mut().for_each(|item| turn.hold(item));
        Self { items }
    }

    /// An index of an element that is there.
    fn place(&self, place: u64) -> Result<usize, Error> {
        let found = usize::try_from(place).ok().filter(|place| *place < self.items.len());
        found.ok_or(Error::OutOfRange)
    }

    fn find(&self, item: &Item) -> Option<usize> {
        self.items.iter().position(|kept| kept == item)
    }

    fn take(&mut self, turn: &mut Turn<'_>, place: usize) -> Reply {
        let item = self.items.remove(place);
        turn.free(&item);
        Reply::Item(item)
    }

    fn extend(&mut self, turn: &mut Turn<'_>, mut items: Vec<Item>) {
        items.iter_mut().for_each(|item| turn.hold(item));
        self.items.extend(items);
    }

    fn clear(&mut self, turn: &mut Turn<'_>) {
        self.items.drain(..).for_each(|item| turn.free(&item));
    }

    fn repeat(&mut self, turn: &mut Turn<'_>, times: u64) -> Result<(), Error> {
        let len = self.items.len() as u64;
        // An element counts as one, and one more for each object that it refers to.
        let ref_count: u64 = self.items.iter().map(|item| item.refs.len() as u64).sum();
        if (len + ref_count).checked_mul(times).is_none_or(|product| product > ELEMENT_MAX) {
            return Err(Error::OutOfRange);
        }
        if len == 0 {
            return Ok(()); // nothing, however often
        }
        let once = core::mem::take(&mut self.items);
        for _ in 0..times {
            self.extend(turn, once.clone());
        }
        once.iter().for_each(|item| turn.free(item));
        Ok(())
    }

    fn read(&self, start: u64, end: u64) -> Reply {
        let len = self.items.len();
        let place = |place: u64| usize::try_from(place).map_or(len, |place| place.min(len));
        Reply::Items(self.items.get(place(start)..place(end)).unwrap_or_default().to_vec())
    }

    fn change(&mut self, turn: &mut Turn<'_>, ask: Ask) -> Result<Reply, Error> {
        match ask {
            Ask::Set(place, mut item) => {
                let place = self.place(place)?;
                turn.hold(&mut item);
                let before = core::mem::replace(&mut self.items[place], item);
                turn.free(&before);
            }
            Ask::Push(item) => self.extend(turn, vec![item]),
            Ask::Extend(items) => self.extend(turn, items),
            Ask::Insert(place, mut item) => {
                let place = usize::try_from(place).ok().filter(|at| *at <= self.items.len());
                let place = place.ok_or(Error::OutOfRange)?;
                turn.hold(&mut item);
                self.items.insert(place, item);
            }
            Ask::Pop => {
                let last = self.items.len().checked_sub(1).ok_or(Error::OutOfRange)?;
                return Ok(self.take(turn, last));
            }
            Ask::RemoveAt(place) => {
                let place = self.place(place)?;
                return Ok(self.take(turn, place));
            }
            Ask::Remove(item) => {
                let place = self.find(&item).ok_or(Error::NoSuchName)?;
                self.take(turn, place);
            }
            Ask::Reverse => self.items.reverse(),
            Ask::Clear => self.clear(turn),
            Ask::Replace(items) => {
                self.clear(turn);
                self.extend(turn, items);
            }
            Ask::Repeat(times) => self.repeat(turn, times)?,
            Ask::Len | Ask::Get(_) | Ask::CountOf(_) | Ask::PlaceOf(_) | Ask::Read(..) => {
                return Err(Error::Damaged); // those change nothing
            }
        }
        Ok(Reply::Done)
    }
}

impl State for List {
    fn kind(&self) -> Kind {
        Kind::List
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        _caller: Caller,
        _limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::List(ask) = call else { return Err(Error::Incompatible) };
        Ok(Outcome::Answer(match ask {
            Ask::Len => Reply::Count(self.items.len() as u64),
            Ask::Get(place) => Reply::Item(self.items[self.place(place)?].clone()),
            Ask::Read(start, end) => self.read(start, end),
            Ask::CountOf(item) => {
                Reply::Count(self.items.iter().filter(|kept| **kept == item).count() as u64)
            }
            Ask::PlaceOf(item) => Reply::Count(self.find(&item).ok_or(Error::NoSuchName)? as u64),
            change => self.change(turn, change)?,
        }))
    }

    fn refs(&self) -> Vec<ObjectId> {
        self.items.iter().flat_map(|item| item.refs.iter().copied()).collect()
    }
}
