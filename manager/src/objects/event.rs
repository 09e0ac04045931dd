//! A flag to wait for.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, Limit, Ticket, Turn};
use crate::wire::{Call, Kind, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Set,
    Clear,
    IsSet,
    /// Whether it was set until the limit.
    Wait,
}

#[derive(Default)]
pub(crate) struct Event {
    is_set: bool,
    waiting: VecDeque<Ticket>,
}

impl State for Event {
    fn kind(&self) -> Kind {
        Kind::Event
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Event(ask) = call else { return Err(Error::Incompatible) };
        Ok(Outcome::Answer(match ask {
            Ask::Set => {
                self.is_set = true;
                for caller in self
                    .waiting
                    .drain(..)
                    .filter_map(|ticket| turn.wake(ticket))
                    .collect::<Vec<_>>()
                {
                    turn.answer(caller, Ok(Reply::Flag(true)));
                }
                Reply::Done
            }
            Ask::Clear => {
                self.is_set = false;
                Reply::Done
            }
            Ask::IsSet => Reply::Flag(self.is_set),
            Ask::Wait if self.is_set || limit.is_try() => Reply::Flag(self.is_set),
            Ask::Wait => {
                self.waiting.push_back(turn.wait(caller, limit)?);
                return Ok(Outcome::Waits);
            }
        }))
    }

    fn expire(&mut self, turn: &mut Turn<'_>, ticket: Ticket, caller: Caller) {
        self.waiting.retain(|waiting| *waiting != ticket);
        turn.answer(caller, Ok(Reply::Flag(false)));
    }

    fn abandon(&mut self, _turn: &mut Turn<'_>, ticket: Ticket) {
        self.waiting.retain(|waiting| *waiting != ticket);
    }
}
