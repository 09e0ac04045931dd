//! Signals that come again and again while a call is under way.

use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::Session;
use crate::subject::Fault;
use crate::sys::signal_thread::{CAUGHT, signal_thread};

/// A call that is disturbed.
pub(super) struct Signals {
    actor: String,
    id: u64,
    every: Duration,
    next: Instant,
}

impl Session {
    /// Sends the caller of an actor's call a signal now, and again until it has an answer.
    pub(crate) fn signal(&mut self, name: &str, every: Duration) -> Result<(), Fault> {
        let call = self.actors.get(name).and_then(|actor| actor.call.as_ref());
        if let Some(id) = call.map(|call| call.id) {
            let (actor, next) = (name.to_owned(), Instant::now());
            self.signals.push(Signals { actor, id, every, next });
        }
        self.send_due_signals().map(|_| ())
    }

    /// Sends what is due, and says when the next is.
    pub(super) fn send_due_signals(&mut self) -> Result<Option<Instant>, Fault> {
        let actors = &self.actors;
        let caller = |one: &Signals| {
            let actor = actors.get(&one.actor)?;
            let is_under_way = actor.is_waiting() && actor.call.as_ref()?.id == one.id;
            is_under_way.then_some(actor)
        };
        self.signals.retain(|one| caller(one).is_some());
        for one in &mut self.signals {
            let Some(actor) = caller(one).filter(|_| Instant::now() >= one.next) else { continue };
            one.next = Instant::now() + one.every;
            match signal_thread(actor.pid, actor.tid, CAUGHT) {
                // One that has ended is told by whoever waits for its answer.
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => {
                    let what = format!("{} cannot be sent a signal: {error}", one.actor);
                    return Err(Fault::own(what));
                }
            }
        }
        Ok(self.signals.iter().map(|one| one.next).min())
    }
}
