//! A queue of values, bounded or not, which counts what was done.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Ticket, Turn};
use crate::wire::{Call, Item, Kind, ObjectId, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Put(Item),
    Get,
    Len,
    /// The bound; none for a queue without one.
    Max,
    TaskDone,
    /// Waits until all that was put is done.
    Join,
}

pub(crate) struct Queue {
    max: u64,
    items: VecDeque<Item>,
    unfinished_count: u64,
    getting: VecDeque<Ticket>,
    putting: VecDeque<(Ticket, Item)>,
    joining: VecDeque<Ticket>,
}

impl Queue {
    /// # Errors
    /// * [`Error::InvalidArgument`] for a bound of 0.
    pub(crate) fn new(max: Option<u64>) -> Result<Self, Error> {
        let max = max.unwrap_or(u64::MAX);
        if max == 0 {
            return Err(Error::InvalidArgument);
        }
        Ok(Self {
            max,
            items: VecDeque::new(),
            unfinished_count: 0,
            getting: VecDeque::new(),
            putting: VecDeque::new(),
            joining: VecDeque::new(),
        })
    }

    fn has_room(&self) -> bool {
        (self.items.len() as u64) < self.max
    }

    /// Lets in and hands out all that can be.
    fn settle(&mut self, turn: &mut Turn<'_>) {
        // Ends: each round takes one out of those who wait, or is the last.
        loop {
            if !self.items.is_empty()
                && let Some(ticket) = self.getting.pop_front()
            {
                if let Some(caller) = turn.wake(ticket)
                    && let Some(item) = self.items.pop_front()
                {
                    turn.free(&item);
                    turn.answer(caller, Ok(Reply::Item(item)));
                }
            } else if self.has_room()
                && let Some((ticket, item)) = self.putting.pop_front()
            {
                match turn.wake(ticket) {
                    Some(caller) => {
                        self.accept(item);
                        turn.answer(caller, Ok(Reply::Done));
                    }
                    None => turn.free(&item),
                }
            } else {
                return;
            }
        }
    }

    /// Takes in what was held for it before.
    fn accept(&mut self, item: Item) {
        self.items.push_back(item);
        self.unfinished_count += 1;
    }

    fn put(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        mut item: Item,
    ) -> Result<Outcome, Error> {
        // Who waits for room goes first, unless it is dead.
        if !self.putting.is_empty() {
            self.settle(turn);
        }
        if self.has_room() {
            turn.hold(&mut item);
            self.accept(item);
            self.settle(turn);
            return Ok(Outcome::Answer(Reply::Done));
        }
        if limit.is_try() {
            return Err(Error::Full);
        }
        let ticket = turn.wait(caller, limit)?;
        turn.hold(&mut item);
        self.putting.push_back((ticket, item));
        Ok(Outcome::Waits)
    }

    fn get(&mut self, turn: &mut Turn<'_>, caller: Caller, limit: Limit) -> Result<Outcome, Error> {
        if let Some(item) = self.items.pop_front() {
            turn.free(&item);
            self.settle(turn);
            return Ok(Outcome::Answer(Reply::Item(item)));
        }
        if limit.is_try() {
            return Err(Error::Empty);
        }
        self.getting.push_back(turn.wait(caller, limit)?);
        Ok(Outcome::Waits)
    }

    fn task_done(&mut self, turn: &mut Turn<'_>) -> Result<Outcome, Error> {
        let left = self.unfinished_count.checked_sub(1).ok_or(Error::TaskDoneTooOften)?;
        self.unfinished_count = left;
        if left == 0 {
            for ticket in core::mem::take(&mut self.joining) {
                if let Some(caller) = turn.wake(ticket) {
                    turn.answer(caller, Ok(Reply::Done));
                }
            }
        }
        Ok(Outcome::Answer(Reply::Done))
    }

    /// Takes an entry out, and says what its limit's end is called.
    fn forget(&mut self, turn: &mut Turn<'_>, ticket: Ticket) -> Error {
        if let Some(place) = self.getting.iter().position(|waiting| *waiting == ticket) {
            self.getting.remove(place);
            return Error::Empty;
        }
        let place = self.putting.iter().position(|(waiting, _)| *waiting == ticket);
        if let Some((_, item)) = place.and_then(|place| self.putting.remove(place)) {
            turn.free(&item);
            return Error::Full;
        }
        self.joining.retain(|waiting| *waiting != ticket);
        Error::TimedOut
    }
}

impl State for Queue {
    fn kind(&self) -> Kind {
        Kind::Queue
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Queue(ask) = call else { return Err(Error::Incompatible) };
        Ok(match ask {
            Ask::Put(item) => return self.put(turn, caller, limit, item),
            Ask::Get => return self.get(turn, caller, limit),
            Ask::TaskDone => return self.task_done(turn),
            Ask::Join if self.unfinished_count == 0 => Outcome::Answer(Reply::Done),
            Ask::Join if limit.is_try() => return Err(Error::TimedOut),
            Ask::Join => {
                self.joining.push_back(turn.wait(caller, limit)?);
                Outcome::Waits
            }
            Ask::Len => Outcome::Answer(Reply::Count(self.items.len() as u64)),
            Ask::Max => Outcome::Answer(Reply::Count(self.max)),
        })
    }

    fn expire(&mut self, turn: &mut Turn<'_>, ticket: Ticket, caller: Caller) {
        let error = self.forget(turn, ticket);
        turn.answer(caller, Err(error));
    }

    fn abandon(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        self.forget(turn, ticket);
    }

    fn undo(&mut self, turn: &mut Turn<'_>, _caller: Caller, reply: Reply) {
        if let Reply::Item(mut item) = reply {
            turn.hold(&mut item);
            self.items.push_front(item);
            self.settle(turn);
        }
    }

    fn refs(&self) -> Vec<ObjectId> {
        let waiting = self.putting.iter().map(|(_, item)| item);
        self.items.iter().chain(waiting).flat_map(|item| item.refs.iter().copied()).collect()
    }
}
