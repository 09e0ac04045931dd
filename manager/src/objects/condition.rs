//! A condition, with the recursive lock that it goes by.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::lock::{self, Lock, Rules, Why};
use super::{Outcome, State};
use crate::error::Error;
use crate::server::turn::{Caller, ClientNumber, Holder, Limit, Ticket, Turn};
use crate::wire::{Call, Kind, Reply};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Lock(lock::Ask),
    /// Gives the lock up, waits for a notification, and has the lock again: [`Reply::Waited`].
    Wait,
    /// Wakes so many who wait: how many there were.
    Notify(u64),
}

/// Somebody who waits for a notification.
struct Sleeper {
    ticket: Ticket,
    holder: Holder,
    depth: u64,
}

pub(crate) struct Condition {
    lock: Lock,
    sleeping: VecDeque<Sleeper>,
}

impl Condition {
    pub(crate) fn new() -> Self {
        Self { lock: Lock::new(Rules::Recursive), sleeping: VecDeque::new() }
    }

    fn wait(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
    ) -> Result<Outcome, Error> {
        let holder = caller.holder();
        if !self.lock.is_held_by(holder) {
            return Err(Error::NotOwner);
        }
        if limit.is_try() {
            let reply = Reply::Waited { was_notified: false, owner_died: false };
            return Ok(Outcome::Answer(reply));
        }
        let ticket = turn.wait(caller, limit)?;
        let depth = self.lock.let_go(turn);
        self.sleeping.push_back(Sleeper { ticket, holder, depth });
        self.notify_for_unheard(turn);
        Ok(Outcome::Waits)
    }

    /// Has so many return who are there to do so; how many were.
    fn notify(&mut self, turn: &mut Turn<'_>, count: u64) -> u64 {
        let mut woken_count = 0;
        // Ends: each round takes a sleeper, or is the last.
        while woken_count < count
            && let Some(Sleeper { ticket, holder, depth }) = self.sleeping.pop_front()
        {
            if !turn.disarm(ticket) {
                continue; // dead, and about to be taken out
            }
            woken_count += 1;
            self.lock.queue(turn, ticket, holder, Why::Return { depth, was_notified: true });
        }
        woken_count
    }

    /// A holder has died, perhaps before it notified, and nobody wants the lock: one of those who
    /// wait for a notification returns without one, so that somebody learns of it.
    fn rouse_one(&mut self, turn: &mut Turn<'_>) {
        // Ends: each round takes a sleeper.
        while !self.lock.is_held()
            && let Some(Sleeper { ticket, holder, depth }) = self.sleeping.pop_front()
        {
            if turn.disarm(ticket) {
                let why = Why::Return { depth, was_notified: false };
                self.lock.queue(turn, ticket, holder, why);
            }
        }
    }

    /// A notification that went to somebody who died with it goes to another.
    fn notify_for_unheard(&mut self, turn: &mut Turn<'_>) {
        // Ends: each round takes a sleeper for each that it adds, or is the last.
        loop {
            let count = self.lock.take_unheard();
            if count == 0 || self.notify(turn, count) == 0 {
                return;
            }
        }
    }
}

impl State for Condition {
    fn kind(&self) -> Kind {
        Kind::Condition
    }

    fn call(
        &mut self,
        turn: &mut Turn<'_>,
        caller: Caller,
        limit: Limit,
        call: Call,
    ) -> Result<Outcome, Error> {
        let Call::Condition(ask) = call else { return Err(Error::Incompatible) };
        match ask {
            Ask::Lock(ask) => {
                let outcome = self.lock.ask(turn, caller, limit, &ask);
                self.notify_for_unheard(turn);
                outcome
            }
            Ask::Wait => self.wait(turn, caller, limit),
            Ask::Notify(_) if !self.lock.is_held_by(caller.holder()) => Err(Error::NotOwner),
            Ask::Notify(count) => Ok(Outcome::Answer(Reply::Count(self.notify(turn, count)))),
        }
    }

    fn expire(&mut self, turn: &mut Turn<'_>, ticket: Ticket, caller: Caller) {
        if self.lock.is_acquire(ticket) {
            self.lock.forget(ticket);
            return turn.answer(caller, Err(Error::TimedOut));
        }
        // What waited for a notification now waits for the lock, without a limit.
        let place = self.sleeping.iter().position(|sleeper| sleeper.ticket == ticket);
        if let Some(Sleeper { ticket, holder, depth }) =
            place.and_then(|place| self.sleeping.remove(place))
        {
            turn.keep_waiting(ticket, caller);
            self.lock.queue(turn, ticket, holder, Why::Return { depth, was_notified: false });
        }
    }

    fn abandon(&mut self, turn: &mut Turn<'_>, ticket: Ticket) {
        self.sleeping.retain(|sleeper| sleeper.ticket != ticket);
        self.lock.forget(ticket);
        self.notify_for_unheard(turn);
    }

    fn bury(&mut self, turn: &mut Turn<'_>, client: ClientNumber) {
        if self.lock.bury_holder(turn, client) && !self.lock.is_held() {
            self.rouse_one(turn);
        }
        self.notify_for_unheard(turn);
    }

    fn undo(&mut self, turn: &mut Turn<'_>, caller: Caller, reply: Reply) {
        self.lock.take_back(turn, caller, &reply);
        self.notify_for_unheard(turn);
    }
}
