//! Deadlines that know about pauses of the machine.

use std::time::Duration;

use crate::limits::{ASLEEP_LOOK_COUNT, LOOK, PAUSE_MIN, SURVIVORS_FAR_LIMIT, SURVIVORS_LIMIT};
use crate::sys::process::{Child, is_readable};
use crate::sys::{clock, evidence};

/// Waits until all have ended; false when those who have not are hung.
pub(crate) fn all_end(children: &[&Child]) -> bool {
    let mut patience = Patience::new(SURVIVORS_LIMIT);
    loop {
        let running: Vec<_> = children.iter().copied().filter(|child| !child.has_ended()).collect();
        if running.is_empty() {
            return true;
        }
        if patience.is_over(|| running.iter().all(|child| evidence::is_asleep(child.pid()))) {
            return false;
        }
        is_readable(&running, LOOK);
    }
}

/// How long survivors are waited for.
///
/// A machine that pauses, or gives its processors to others, makes them look hung. So the limit
/// grows by every gap between our own looks; and when it has passed, they count as hung only once
/// every one of them was found asleep several times in a row, for who waits for a processor does
/// not sleep.
pub(crate) struct Patience {
    over: Duration,
    far: Duration,
    last_look: Duration,
    asleep_count: u32,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        let now = clock::now();
        Self { over: now + limit, far: now + SURVIVORS_FAR_LIMIT, last_look: now, asleep_count: 0 }
    }

    pub(crate) fn is_over(&mut self, is_everyone_asleep: impl FnOnce() -> bool) -> bool {
        let now = clock::now();
        let gap = now.saturating_sub(self.last_look);
        self.last_look = now;
        if gap >= PAUSE_MIN {
            self.over += gap;
            self.far += gap;
        }
        if now < self.over {
            return false;
        }
        self.asleep_count = if is_everyone_asleep() { self.asleep_count + 1 } else { 0 };
        self.asleep_count >= ASLEEP_LOOK_COUNT || now >= self.far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_awake_is_not_hung_before_the_far_limit() {
        let mut patience = Patience::new(SURVIVORS_LIMIT);
        assert!(!patience.is_over(|| true));
        patience.over = clock::now();
        assert!((0..100).all(|_| !patience.is_over(|| false)));
        assert!((1..ASLEEP_LOOK_COUNT).all(|_| !patience.is_over(|| true)));
        assert!(patience.is_over(|| true));
        patience.far = clock::now();
        assert!(patience.is_over(|| false));
    }

    #[test]
    fn a_pause_moves_the_limits() {
        let mut patience = Patience::new(SURVIVORS_LIMIT);
        let (over, far) = (patience.over, patience.far);
        patience.last_look = patience.last_look.saturating_sub(Duration::from_secs(1));
        assert!(!patience.is_over(|| true));
        assert!(patience.over >= over + Duration::from_secs(1));
        assert!(patience.far >= far + Duration::from_secs(1));
    }
}
