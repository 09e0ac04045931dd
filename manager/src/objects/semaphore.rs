//! A semaphore: units that nobody owns.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Ticket, Turn};
use crate::wire::{Call, Kind, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Acquire,
    Release(u32),
    Value,
}

pub(crate) struct Semaphore {
    value: u32,
    /// What a release may not pass.
    bound: u32,
    is_bounded: bool,
    waiting: VecDeque<Ticket>,
}

impl Semaphore {
    pub(crate) fn new(value: u32, is_bounded: bool) -> Self {
        let bound = if is_bounded { value } else { u32::MAX };
        Self { value, bound, is_bounded, waiting: VecDeque::new() }
    }

    /// Hands out what there is.
    fn serve(&mut self, turn: &mut Turn<'_>) {
        // Ends: each round takes a waiter out.
        while self.value > 0
            && let Some(ticket) = self.waiting.pop_front()
        {
            if let Some(caller) = turn.wake(ticket) {
                self.value -= 1;
                turn.answer(caller, Ok(Reply::Acquired { owner_died: false }));
            }
        }
    }
}

impl State for Semaphore {
    fn kind(&self) -> Kind {
        if self.is_bounded { Kind::BoundedSemaphore } else { Kind::Semaphore }
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Semaphore(ask) = call else { return Err(Error::Incompatible) };
        Ok(Outcome::Answer(match ask {
            Ask::Acquire if self.value > 0 => {
                self.value -= 1;
                Reply::Acquired { owner_died: false }
            }
            Ask::Acquire if limit.is_try() => return Err(Error::TimedOut),
            Ask::Acquire => {
                self.waiting.push_back(turn.wait(caller, limit)?);
                return Ok(Outcome::Waits);
            }
            Ask::Release(0) => return Err(Error::InvalidArgument),
            Ask::Release(count) => {
                let value = self.value.checked_add(count).filter(|value| *value <= self.bound);
                self.value = value.ok_or(Error::OverReleased)?;
                self.serve(turn);
                Reply::Done
            }
            Ask::Value => Reply::Count(self.value.into()),
        }))
    }

    fn expire(&mut self, turn: &mut Turn<'_>, ticket: Ticket, caller: Caller) {
        self.waiting.retain(|waiting| *waiting != ticket);
        turn.answer(caller, Err(Error::TimedOut));
    }

    fn abandon(&mut self, _turn: &mut Turn<'_>, ticket: Ticket) {
        self.waiting.retain(|waiting| *waiting != ticket);
    }

    fn undo(&mut self, turn: &mut Turn<'_>, _caller: Caller, reply: Reply) {
        if matches!(reply, Reply::Acquired { .. }) {
            self.value = self.value.saturating_add(1).min(self.bound);
            self.serve(turn);
        }
    }
}
