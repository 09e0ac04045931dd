//! When to give up a subject that neither answers nor is seen to wait.

use std::time::{Duration, Instant};

use crate::limits::{PATIENCE_LOOKS_MIN, PATIENCE_TIMES_MAX, STILL_LOOK_APART, patience};

/// How long a subject is waited for: as long as patience lasts, and once more whenever it ran, or
/// wanted to, for half of that time; in all no longer than `PATIENCE_TIMES_MAX` times.
pub(crate) struct Patience {
    begun: Instant,
    more: Duration,
    window: Window,
}

/// What was seen since patience began anew.
struct Window {
    since: Instant,
    last: Instant,
    looks_count: u32,
    awake_count: u32,
}

impl Patience {
    /// Patience that begins now, and lasts longer by `more`, as what was asked takes so long.
    pub(crate) fn new(more: Duration) -> Self {
        let now = Instant::now();
        Self { begun: now, more, window: Window::new(now) }
    }

    /// Whether it has come to its end; `is_awake` looks whether the subject runs.
    pub(crate) fn is_over(&mut self, is_awake: impl FnOnce() -> bool) -> bool {
        let apart = STILL_LOOK_APART.min(patience() / (2 * PATIENCE_LOOKS_MIN));
        let now = Instant::now();
        if now.saturating_duration_since(self.window.last) >= apart {
            self.look(now, is_awake());
        }
        self.is_over_at(now)
    }

    /// How long it has lasted.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_secs(self.begun.elapsed().as_secs())
    }

    fn look(&mut self, now: Instant, is_awake: bool) {
        self.window.last = now;
        self.window.looks_count += 1;
        self.window.awake_count += u32::from(is_awake);
    }

    fn is_over_at(&mut self, now: Instant) -> bool {
        let patience = patience();
        let longest = (patience * PATIENCE_TIMES_MAX).saturating_add(self.more);
        let window = &self.window;
        let enough = window.looks_count >= PATIENCE_LOOKS_MIN;
        let more_for_all = self.begun + self.more;
        if !enough || now.saturating_duration_since(window.since.max(more_for_all)) < patience {
            return false;
        }
        if now.saturating_duration_since(self.begun) >= longest {
            return true;
        }
        let is_busy = window.awake_count * 2 >= window.looks_count;
        self.window = Window::new(now);
        !is_busy
    }
}

impl Window {
    fn new(now: Instant) -> Self {
        Self { since: now, last: now, looks_count: 0, awake_count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of times patience that passed until it was over, with a look each tenth.
    fn lasts(more: u32, is_awake: impl Fn(u32) -> bool) -> u32 {
        let mut patience_left = Patience::new(patience() * more);
        let begun = patience_left.begun;
        for look in 1.. {
            let now = begun + patience() * look / 10;
            patience_left.look(now, is_awake(look));
            if patience_left.is_over_at(now) {
                return look / 10;
            }
        }
        unreachable!()
    }

    #[test]
    fn one_that_sleeps_is_given_up_first() {
        assert_eq!(lasts(0, |_| false), 1);
        assert_eq!(lasts(0, |look| look % 10 == 0), 1);
        assert_eq!(lasts(3, |_| false), 4);
    }

    #[test]
    fn one_that_runs_is_waited_for_but_not_for_ever() {
        assert_eq!(lasts(0, |look| look <= 30), 4);
        assert_eq!(lasts(0, |look| look % 2 == 0), PATIENCE_TIMES_MAX);
        assert_eq!(lasts(0, |_| true), PATIENCE_TIMES_MAX);
    }

    #[test]
    fn a_runner_that_slept_itself_has_not_seen_enough() {
        let mut patience_left = Patience::new(Duration::ZERO);
        let late = patience_left.begun + patience() * 5;
        patience_left.look(late, false);
        assert!(!patience_left.is_over_at(late));
    }
}
