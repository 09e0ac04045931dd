//! What is to happen at a time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::connection::ConnectionNumber;
use super::turn::Ticket;
use crate::wire::ObjectId;

/// A time, and a number that tells apart what is due at the same.
pub(crate) type When = (Instant, u64);

/// What happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The limit of a call that waits.
    Ticket(Ticket),
    /// The time for a proof of the key.
    Stranger(ConnectionNumber),
    /// The end of references that were given away, and that nobody came for.
    Linger(ObjectId),
    /// Listening goes on.
    Listen,
}

/// All that is to happen.
#[derive(Default)]
pub(crate) struct Timers {
    due: BTreeMap<When, Due>,
    next: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Instant, due: Due) -> When {
        let when = (at, self.next);
        self.next += 1;
        self.due.insert(when, due);
        when
    }

    pub(crate) fn cancel(&mut self, when: When) {
        self.due.remove(&when);
    }

    /// How long it is until something is due.
    pub(crate) fn until_next(&self) -> Option<Duration> {
        let ((at, _), _) = self.due.first_key_value()?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// Something that is due, once.
    pub(crate) fn take_due(&mut self) -> Option<Due> {
        let first = self.due.first_entry()?;
        (first.key().0 <= Instant::now()).then(|| first.remove())
    }
}
