//! A barrier: all parties come, or none passes.

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Ticket, Turn};
use crate::wire::{Call, Kind, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// The place in the order of arrival, once all are there.
    Wait,
    Abort,
    Reset,
    Parties,
    /// How many are there.
    Arrived,
    IsBroken,
}

pub(crate) struct Barrier {
    parties: u32,
    arrived: Vec<Ticket>,
    is_broken: bool,
}

impl Barrier {
    /// # Errors
    /// * [`Error::InvalidArgument`] for no parties.
    pub(crate) fn new(parties: u32) -> Result<Self, Error> {
        if parties == 0 {
            return Err(Error::InvalidArgument);
        }
        Ok(Self { parties, arrived: Vec::new(), is_broken: false })
    }

    fn wait(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
    ) -> Result<Outcome, Error> {
        // One who has died here is none that has come.
        if !self.is_broken && !self.arrived.iter().all(|ticket| turn.is_there(*ticket)) {
            self.break_up(turn);
        }
        if self.is_broken {
            return Err(Error::BarrierBroken);
        }
        let place = self.arrived.len() as u32;
        if place + 1 < self.parties {
            if limit.is_try() {
                self.break_up(turn);
                return Err(Error::BarrierBroken);
            }
            self.arrived.push(turn.wait(caller, limit)?);
            return Ok(Outcome::Waits);
        }
        for (place, ticket) in core::mem::take(&mut self.arrived).into_iter().enumerate() {
            if let Some(caller) = turn.wake(ticket) {
                turn.answer(caller, Ok(Reply::Count(place as u64)));
            }
        }
        Ok(Outcome::Answer(Reply::Count(place.into())))
    }

    fn break_up(&mut self, turn: &mut Turn<'_>) {
        self.is_broken = true;
        self.tell_broken(turn);
    }

    fn tell_broken(&mut self, turn: &mut Turn<'_>) {
        for ticket in core::mem::take(&mut self.arrived) {
            if let Some(caller) = turn.wake(ticket) {
                turn.answer(caller, Err(Error::BarrierBroken));
            }
        }
    }
}

impl State for Barrier {
    fn kind(&self) -> Kind {
        Kind::Barrier
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Barrier(ask) = call else { return Err(Error::Incompatible) };
        Ok(Outcome::Answer(match ask {
            Ask::Wait => return self.wait(turn, caller, limit),
            Ask::Abort => {
                self.break_up(turn);
                Reply::Done
            }
            Ask::Reset => {
                self.tell_broken(turn);
                self.is_broken = false;
                Reply::Done
            }
            Ask::Parties => Reply::Count(self.parties.into()),
            Ask::Arrived => Reply::Count(self.arrived.len() as u64),
            Ask::IsBroken => Reply::Flag(self.is_broken),
        }))
    }

    fn expire(&mut self, turn: &mut Turn<'_>, ticket: Ticket, caller: Caller) {
        self.arrived.retain(|arrived| *arrived != ticket);
        turn.answer(caller, Err(Error::BarrierBroken));
        self.break_up(turn);
    }

    fn abandon(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        let before = self.arrived.len();
        self.arrived.retain(|arrived| *arrived != ticket);
        if self.arrived.len() < before {
            self.break_up(turn);
        }
    }
}
