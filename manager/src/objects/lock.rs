//! Locks: a plain one, which anybody releases, and a recursive one, which its holder does.
//!
//! A holder is a thread of a client. When the client dies the lock goes to the next, who is told;
//! so is everyone after, until a holder has vouched for what the lock guards.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, ClientNumber, Holder, Limit, Ticket, Turn};
use crate::wire::{Call, Kind, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Acquire,
    Release,
    /// What a dead holder left is sound.
    Recover,
    IsHeld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    Plain,
    Recursive,
}

/// Somebody who waits for the lock.
struct Waiter {
    ticket: Ticket,
    holder: Holder,
    why: Why,
}

/// What it waits for it for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Acquire,
    /// To return from a condition's wait, to the depth that it was at.
    Return {
        depth: u64,
        was_notified: bool,
    },
}

/// A lock, which a condition has one of, too.
pub(crate) struct Lock {
    rules: Rules,
    holder: Option<Holder>,
    /// 0 exactly while nobody holds it.
    depth: u64,
    is_suspect: bool,
    waiting: VecDeque<Waiter>,
    /// Notifications whose waiters were found dead when they were to return.
    unheard_count: u64,
}

impl Lock {
    pub(crate) fn new(rules: Rules) -> Self {
        let waiting = VecDeque::new();
        Self { rules, holder: None, depth: 0, is_suspect: false, waiting, unheard_count: 0 }
    }

    pub(super) fn ask(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        ask: &Ask,
    ) -> Result<Outcome, Error> {
        match ask {
            Ask::Acquire => self.acquire(turn, caller, limit),
            Ask::Release => self.release(turn, caller.holder()),
            Ask::Recover if self.is_held_by(caller.holder()) => {
                self.is_suspect = false;
                Ok(Outcome::Answer(Reply::Done))
            }
            Ask::Recover => Err(Error::NotOwner),
            Ask::IsHeld => Ok(Outcome::Answer(Reply::Flag(self.holder.is_some()))),
        }
    }

    pub(super) fn is_held_by(&self, holder: Holder) -> bool {
        self.holder == Some(holder)
    }

    fn acquire(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
    ) -> Result<Outcome, Error> {
        let holder = caller.holder();
        if self.rules == Rules::Recursive && self.is_held_by(holder) {
            self.depth += 1;
            return Ok(Outcome::Answer(Reply::Acquired { owner_died: false }));
        }
        // Its end may have come, and not to our notice.
        if let Some(held) = self.holder
            && limit.is_try()
            && !turn.is_client_there(held.client)
        {
            self.bury_holder(turn, held.client);
        }
        if self.holder.is_none() {
            return Ok(Outcome::Answer(self.give(holder, 1)));
        }
        if limit.is_try() {
            return Err(Error::TimedOut);
        }
        let ticket = turn.wait(caller, limit)?;
        self.waiting.push_back(Waiter { ticket, holder, why: Why::Acquire });
        Ok(Outcome::Waits)
    }

    fn give(&mut self, holder: Holder, depth: u64) -> Reply {
        self.holder = Some(holder);
        self.depth = depth;
        Reply::Acquired { owner_died: self.is_suspect }
    }

    fn release(&mut self, turn: &mut Turn<'_>, holder: Holder) -> Result<Outcome, Error> {
        match self.rules {
            Rules::Plain if self.holder.is_none() => return Err(Error::OverReleased),
            Rules::Recursive if !self.is_held_by(holder) => return Err(Error::NotOwner),
            Rules::Plain | Rules::Recursive => {}
        }
        self.depth -= 1;
        if self.depth == 0 {
            self.pass_on(turn);
        }
        Ok(Outcome::Answer(Reply::Done))
    }

    /// Gives the lock up, whatever its depth; returns that.
    pub(super) fn let_go(&mut self, turn: &mut Turn<'_>) -> u64 {
        let depth = core::mem::take(&mut self.depth);
        self.pass_on(turn);
        depth
    }

    /// One more who wants the lock, for which its ticket was taken before.
    pub(super) fn queue(&mut self, turn: &mut Turn<'_>, ticket: Ticket, holder: Holder, why: Why) {
        self.waiting.push_back(Waiter { ticket, holder, why });
        if self.holder.is_none() {
            self.pass_on(turn);
        }
    }

    /// Nobody holds it from here on but the next who is there to be told.
    fn pass_on(&mut self, turn: &mut Turn<'_>) {
        self.holder = None;
        self.depth = 0;
        // Ends with a waiter who is there, or with the last.
        while let Some(Waiter { ticket, holder, why }) = self.waiting.pop_front() {
            let Some(caller) = turn.wake(ticket) else {
                self.unheard(why);
                continue;
            };
            let reply = match why {
                Why::Acquire => self.give(holder, 1),
                Why::Return { depth, was_notified } => {
                    self.give(holder, depth);
                    Reply::Waited { was_notified, owner_died: self.is_suspect }
                }
            };
            return turn.answer(caller, Ok(reply));
        }
    }

    fn unheard(&mut self, why: Why) {
        if why != Why::Acquire && matches!(why, Why::Return { was_notified: true, .. }) {
            self.unheard_count += 1;
        }
    }

    /// How many notifications went to the dead since this was asked.
    pub(super) fn take_unheard(&mut self) -> u64 {
        core::mem::take(&mut self.unheard_count)
    }

    /// Takes an entry out; whether it was there.
    pub(super) fn forget(&mut self, ticket: Ticket) -> bool {
        let place = self.waiting.iter().position(|waiter| waiter.ticket == ticket);
        let waiter = place.and_then(|place| self.waiting.remove(place));
        if let Some(waiter) = &waiter {
            self.unheard(waiter.why);
        }
        waiter.is_some()
    }

    /// Whether this entry wants to acquire, and not to return.
    pub(super) fn is_acquire(&self, ticket: Ticket) -> bool {
        let found = self.waiting.iter().find(|waiter| waiter.ticket == ticket);
        found.is_some_and(|waiter| waiter.why == Why::Acquire)
    }

    pub(super) fn is_held(&self) -> bool {
        self.holder.is_some()
    }

    /// This client has died; whether it held the lock.
    pub(super) fn bury_holder(&mut self, turn: &mut Turn<'_>, client: ClientNumber) -> bool {
        let has_held = self.holder.is_some_and(|holder| holder.client == client);
        if has_held {
            self.is_suspect = true;
            self.pass_on(turn);
        }
        has_held
    }

    pub(super) fn take_back(&mut self, turn: &mut Turn<'_>, caller: Caller, reply: &Reply) {
        if matches!(reply, Reply::Acquired { .. }) && self.is_held_by(caller.holder()) {
            // Held, so that it can be released.
            let _ = self.release(turn, caller.holder());
        }
    }
}

impl State for Lock {
    fn kind(&self) -> Kind {
        match self.rules {
            Rules::Plain => Kind::Lock,
            Rules::Recursive => Kind::RLock,
        }
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Lock(ask) = call else { return Err(Error::Incompatible) };
        self.ask(turn, caller, limit, &ask)
    }

    fn expire(&mut self, turn: &mut Turn<'_>, ticket: Ticket, caller: Caller) {
        self.forget(ticket);
        turn.answer(caller, Err(Error::TimedOut));
    }

    fn abandon(&mut self, _turn: &mut Turn<'_>, ticket: Ticket) {
        self.forget(ticket);
    }

    fn bury(&mut self, turn: &mut Turn<'_>, client: ClientNumber) {
        self.bury_holder(turn, client);
    }

    fn undo(&mut self, turn: &mut Turn<'_>, caller: Caller, reply: Reply) {
        self.take_back(turn, caller, &reply);
    }
}
