//! Deadlines that know about pauses of the machine, and about machines that are busy or slow.
//!
//! A limit of seconds alone proves nothing: the machine may have paused, or have had no processor
//! for those who are waited for. So pauses do not count, and when a limit has passed, the kernel is
//! asked about everybody who could still bring what is waited for. They are hung when each of them
//! has had its chance since, and has gone back to sleep, or lies still; or when all together go on
//! using the processor without an end.

use std::collections::HashMap;
use std::time::Duration;

use crate::limits::{
    CHANCE_COUNT, CIRCLES_LIMIT, GLANCE, LOOK, PAUSE_MIN, PLACES_LIMIT, STILL_MIN, SURVIVORS_LIMIT,
};
use crate::sys::evidence::Account;
use crate::sys::process::{Child, is_readable, pause};
use crate::sys::{clock, evidence};

/// Waits until all have ended; false when those who have not are hung. As long as `pulse` changes
/// somebody gets on.
pub(crate) fn all_end(children: &[&Child], pulse: impl Fn() -> u64) -> bool {
    let mut patience = Patience::new(SURVIVORS_LIMIT);
    loop {
        let is_over = patience.is_over(pulse());
        // Looked at after the accounts: who has ended has none.
        let running: Vec<_> = children.iter().copied().filter(|child| !child.has_ended()).collect();
        if running.is_empty() || is_over {
            return running.is_empty();
        }
        is_readable(&running, LOOK);
    }
}

/// Looks until `is_there`, for as long as there is hope. Says whether it came.
#[must_use]
pub fn comes_to_be(is_there: impl FnMut() -> bool) -> bool {
    comes_within(PLACES_LIMIT, is_there)
}

/// [`comes_to_be`] with a limit of one's own, after which hope is looked into.
pub(crate) fn comes_within(limit: Duration, mut is_there: impl FnMut() -> bool) -> bool {
    let mut patience = Patience::new(limit);
    loop {
        let is_over = patience.is_over(0);
        if is_there() {
            return true;
        }
        if is_over {
            return false;
        }
        pause(if patience.is_late() { LOOK } else { GLANCE });
    }
}

/// How long the calling process waits for something that its children, or theirs, are to bring.
pub(crate) struct Patience {
    limit: Duration,
    /// A pause of the machine counts for little, however long it was.
    waited: Duration,
    last_look: Duration,
    pulse: u64,
    /// Those who could bring it, from the first look after the limit on.
    watched: Option<Watched>,
}

struct Watched {
    since: Duration,
    members: HashMap<i32, Member>,
    /// Of those that have ended meanwhile, too.
    processor: Duration,
}

struct Member {
    first: Account,
    last: Account,
    still_since: Duration,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        let last_look = clock::now();
        Self { limit, waited: Duration::ZERO, last_look, pulse: 0, watched: None }
    }

    /// Whether there is no hope any more. Another `pulse` than last time is new hope.
    pub(crate) fn is_over(&mut self, pulse: u64) -> bool {
        self.look(clock::now(), pulse, || evidence::family(std::process::id().cast_signed()))
    }

    /// Whether the limit had passed at the last look.
    pub(crate) fn is_late(&self) -> bool {
        self.waited >= self.limit
    }

    /// Looks whether the limit has passed, and asks nobody why.
    pub(crate) fn is_late_now(&mut self) -> bool {
        self.wait_on(clock::now());
        self.is_late()
    }

    fn wait_on(&mut self, now: Duration) {
        self.waited += now.saturating_sub(self.last_look).min(PAUSE_MIN);
        self.last_look = now;
    }

    fn look(&mut self, now: Duration, pulse: u64, family: impl FnOnce() -> Vec<Account>) -> bool {
        self.wait_on(now);
        if pulse != self.pulse {
            (self.pulse, self.waited, self.watched) = (pulse, Duration::ZERO, None);
        }
        if !self.is_late() {
            return false;
        }
        let waited = self.waited;
        self.watched.get_or_insert_with(|| Watched::new(waited)).are_hung(waited, &family())
    }
}

impl Watched {
    fn new(since: Duration) -> Self {
        Self { since, members: HashMap::new(), processor: Duration::ZERO }
    }

    fn are_hung(&mut self, now: Duration, family: &[Account]) -> bool {
        let are_idle = family.iter().filter(|account| !self.is_idle(now, account)).count() == 0;
        (are_idle && now.saturating_sub(self.since) >= STILL_MIN) || self.processor >= CIRCLES_LIMIT
    }

    fn is_idle(&mut self, now: Duration, account: &Account) -> bool {
        let (first, last, still_since) = (*account, *account, now);
        let member = self.members.entry(account.tid).or_insert(Member { first, last, still_since });
        self.processor += account.processor.saturating_sub(member.last.processor);
        if !account.is_still || account.sleep_count != member.last.sleep_count {
            member.still_since = now;
        }
        member.last = *account;
        let chances = account.sleep_count.saturating_sub(member.first.sleep_count);
        chances >= CHANCE_COUNT || now.saturating_sub(member.still_since) >= STILL_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    /// Looks every 100 ms until it is over, at accounts that `at` gives for each look.
    fn looks_until_over(at: impl Fn(u64) -> Vec<Account>) -> Option<u64> {
        let mut patience = Patience::new(LIMIT);
        let began = patience.last_look;
        (1..10_000).find(|look| {
            let now = began + Duration::from_millis(look * 100);
            patience.look(now, 0, || at(*look))
        })
    }

    fn account(is_still: bool, sleep_count: u64) -> Account {
        Account { tid: 7, is_still, sleep_count, processor: Duration::ZERO }
    }

    #[test]
    fn who_waits_for_a_processor_is_not_hung() {
        assert_eq!(looks_until_over(|_| vec![account(false, 3)]), None);
        // Beside one that is asleep for good, and with a chance now and then.
        let other = Account { tid: 8, ..account(true, 1) };
        let starved = |look: u64| vec![other, account(false, look / 1000)];
        assert_eq!(looks_until_over(starved), None);
    }

    #[test]
    fn who_lies_still_is_hung_a_while_after_the_limit() {
        assert_eq!(looks_until_over(|_| vec![account(true, 3)]), Some(20 + 10));
        // Not of those who were awake in between: from the last time on.
        let restless = |look: u64| vec![account(look != 25, 3)];
        assert_eq!(looks_until_over(restless), Some(25 + 10));
    }

    #[test]
    fn who_goes_back_to_sleep_again_and_again_is_hung_awake_or_not() {
        let sleeper = |look: u64| vec![account(look.is_multiple_of(2), look * 2)];
        assert_eq!(looks_until_over(sleeper), Some(20 + 10));
    }

    #[test]
    fn who_goes_round_in_circles_is_hung_at_last() {
        let processor = |look: u64| Duration::from_millis(50 * look);
        let runner = |look: u64| vec![Account { processor: processor(look), ..account(false, 3) }];
        assert_eq!(looks_until_over(runner), Some(20 + 1200));
    }

    #[test]
    fn where_nobody_is_left_there_is_no_hope() {
        assert_eq!(looks_until_over(|_| Vec::new()), Some(20 + 10));
    }

    #[test]
    fn a_pause_of_the_machine_counts_for_little_and_a_pulse_is_new_hope() {
        let mut patience = Patience::new(LIMIT);
        let began = patience.last_look;
        assert!(!patience.look(began + Duration::from_secs(100), 0, Vec::new));
        assert!(!patience.is_late());
        let mut patience = Patience::new(Duration::ZERO);
        for pulse in 0..100 {
            let now = began + Duration::from_millis(pulse * 100);
            assert!(!patience.look(now, pulse, || vec![account(true, 3)]));
        }
    }
}
