//! What a process does that is asleep: whether a step that does not come back sleeps for good, and
//! whether a role waits for others.

use std::time::Duration;

use crate::limits::{STEP_TICK_COUNT, WAITING_MIN, WAITING_SLEEP_COUNT};
use crate::sys::clock;
use crate::sys::evidence::{Account, accounts, family, is_asleep_on_futex, sleep_count};

/// The sleep that a process was found in, at one tick after the other.
#[derive(Default)]
pub(crate) struct Slumber {
    /// Who sleeps, and since which of its sleeps.
    seen: Vec<(i32, u64)>,
    tick_count: u32,
}

impl Slumber {
    /// Looks at the process, and at whom it may wait for: its own children. It sleeps for good when
    /// all of them were found in the same sleep time after time. Who waits for a processor, or
    /// sleeps in slices, is not.
    pub(crate) fn is_for_good(&mut self, pid: i32) -> bool {
        let mut accounts = family(pid);
        accounts.extend(self::accounts(pid));
        self.look(&accounts)
    }

    fn look(&mut self, accounts: &[Account]) -> bool {
        let seen: Vec<_> = accounts.iter().map(|one| (one.tid, one.sleep_count)).collect();
        let is_same = accounts.iter().all(|one| one.is_still) && seen == self.seen;
        self.tick_count = if is_same { self.tick_count + 1 } else { 0 };
        self.seen = seen;
        self.tick_count >= STEP_TICK_COUNT
    }
}

/// A process that may come to wait for others, in a futex.
pub(crate) struct Waiting {
    pid: i32,
    first: u64,
    last: u64,
    since: Duration,
}

impl Waiting {
    /// From now on.
    pub(crate) fn new(pid: i32) -> Self {
        let count = sleep_count(pid);
        Self { pid, first: count, last: count, since: clock::now() }
    }

    /// Whether it waits: it is asleep there, and has been a few times, or long.
    pub(crate) fn is_seen(&mut self) -> bool {
        is_asleep_on_futex(self.pid) && self.look(clock::now(), sleep_count(self.pid))
    }

    fn look(&mut self, now: Duration, count: u64) -> bool {
        if count != self.last {
            (self.last, self.since) = (count, now);
        }
        count >= self.first + WAITING_SLEEP_COUNT || now.saturating_sub(self.since) >= WAITING_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLEEPER: Account =
        Account { tid: 7, is_still: true, sleep_count: 3, processor: Duration::ZERO };

    #[test]
    fn one_sleep_at_many_ticks_is_for_good() {
        let mut slumber = Slumber::default();
        assert!((0..STEP_TICK_COUNT).all(|_| !slumber.look(&[SLEEPER])));
        assert!(slumber.look(&[SLEEPER]));
        assert!(!slumber.look(&[Account { sleep_count: 4, ..SLEEPER }]), "woken in between");
    }

    #[test]
    fn who_waits_for_a_processor_or_for_a_child_that_does_is_not_asleep() {
        let starved = Account { is_still: false, ..SLEEPER };
        for accounts in [&[starved][..], &[SLEEPER, Account { tid: 8, ..starved }]] {
            let mut slumber = Slumber::default();
            assert!((0..100).all(|_| !slumber.look(accounts)));
        }
    }

    #[test]
    fn who_has_looked_a_few_times_or_sleeps_long_waits() {
        let mut waiting = Waiting { pid: 7, first: 4, last: 4, since: Duration::ZERO };
        assert!((4..4 + WAITING_SLEEP_COUNT).all(|count| !waiting.look(Duration::ZERO, count)));
        assert!(waiting.look(Duration::ZERO, 4 + WAITING_SLEEP_COUNT));
        let mut waiting = Waiting { pid: 7, first: 4, last: 4, since: Duration::ZERO };
        assert!(!waiting.look(WAITING_MIN, 5), "a sleep that has just begun");
        assert!(waiting.look(WAITING_MIN * 2, 5));
    }
}
