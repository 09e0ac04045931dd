//! What sleeps when the state it waits for stands in other words: a sequence, and a flag for those
//! who may sleep.
//!
//! ```text
//! sleeper   look; K1 prepare: set the flag; look again; K2 sleep while nothing was notified
//! notifier  change the state; N1 look at the flag: nobody, done;
//!           N2 take it away, move the sequence on; N3 wake
//! ```
//!
//! Either the notifier sees the flag, or the sleeper's second look sees the change: there is a
//! fence between the change and the look at the flag on one side, and one between the flag and the
//! look at the state on the other. Whoever wakes up begins with K1 again, before it looks, for
//! others may still sleep; only then it may give up.

use super::cell::{
    AtomicU32, Error,
    Ordering::{Relaxed, SeqCst},
    between_accesses, fence_after_prepare, wake_many,
};
use super::wait::Wait;

const WAITERS: u32 = 1; // bit 0: somebody may sleep here
const SEQUENCE_ONE: u32 = 1 << 1; // bits 1..32: how often somebody was woken, without its carries

/// What a notifier leaves: another sequence, and no flag.
const fn notified(word: u32) -> u32 {
    (word & !WAITERS).wrapping_add(SEQUENCE_ONE)
}

/// The word that is slept on. All zeros is one that nobody sleeps on.
//
// WAITERS  sequence  meaning (WAITERS may be set without cause; missing, it costs a slice)
//    0        s      nobody sleeps who was not woken, or is about to be
//    1        s      somebody may sleep, or be between its second look and its sleep
#[repr(transparent)]
pub struct EventCount {
    pub(super) word: AtomicU32,
}

/// What the word was when a sleeper had said that it may sleep.
#[derive(Clone, Copy, Debug)]
pub struct Key(pub(super) u32);

impl EventCount {
    /// K1: says that the caller may sleep. It then looks whether it has to, by loads of any
    /// ordering. Killed after: one useless wake.
    pub fn prepare(&self) -> Key {
        // SeqCst, for the picture above: before the loads that follow it. Of an exchange alone a
        // later load could overtake the store, unless that load is SeqCst, too.
        let before = self.word.fetch_or(WAITERS, SeqCst);
        fence_after_prepare();
        Key(before | WAITERS)
    }

    /// K2: sleeps a slice at most, unless somebody was notified since the key was made.
    ///
    /// # Errors
    /// * [`Error::System`] when the kernel refuses, which it has no reason to.
    pub fn sleep(&self, key: Key, wait: &mut Wait) -> Result<(), Error> {
        let left = wait.left();
        wait.sleep_on(&self.word, key.0.into(), left)
    }

    /// N1 to N3: wakes so many, after a change that the caller made by a `SeqCst` exchange, or by
    /// whatever stands before a `SeqCst` fence. Killed before N2: the next notifier wakes. Before
    /// N3: sleepers look within a slice.
    #[inline]
    pub fn notify(&self, count: u32) {
        between_accesses();
        // N1. SeqCst, for the picture above: after the change.
        let seen = self.word.load(SeqCst);
        if seen & WAITERS != 0 {
            self.notify_slow(seen, count);
        }
    }

    #[cold]
    fn notify_slow(&self, first: u32, count: u32) {
        let mut seen = first;
        // Ends: it fails when another notifier has succeeded, or a sleeper has set the flag.
        while seen & WAITERS != 0 {
            // N2. Relaxed, both: the flag and the sequence guard no data. Whoever is woken by
            // another that comes in between passes the wake on, if it finds more than it needs.
            match self.word.compare_exchange(seen, notified(seen), Relaxed, Relaxed) {
                Ok(_) => return wake_many(&self.word, count), // N3
                Err(now) => seen = now,
            }
        }
    }
}

impl Default for EventCount {
    fn default() -> Self {
        Self { word: AtomicU32::new(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_moves_the_sequence_and_takes_the_flag() {
        assert_eq!(notified(WAITERS), SEQUENCE_ONE);
        assert_eq!(notified(SEQUENCE_ONE | WAITERS), 2 * SEQUENCE_ONE);
        assert_eq!(notified(u32::MAX), 0);
    }
}
