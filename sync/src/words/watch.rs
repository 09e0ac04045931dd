//! Sleeping on several words at once.
//!
//! The caller looks at each word, says there that it may sleep, and looks at what it waits for;
//! then it sleeps while all words are as they were. Where the system cannot sleep on several, it
//! naps.

use core::sync::atomic::{AtomicU32, Ordering::Acquire};
use core::time::Duration;

use super::event::{EventWord, WAITERS, epoch, is_set};
use super::event_count::{EventCount, Key};
use crate::error::Error;
use crate::sys::futex;

/// For how long a caller naps that cannot sleep on all of its words.
const NAP: Duration = Duration::from_millis(5);

/// A word that may be slept on, and what it was.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    word: &'a AtomicU32,
    seen: u32,
}

impl EventCount {
    /// The same for who sleeps on several: the key was [prepared](Self::prepare) before the look at
    /// what is waited for.
    #[must_use]
    pub fn watch(&self, key: Key) -> Watch<'_> {
        Watch { word: &self.word, seen: key.0 }
    }
}

impl EventWord {
    /// For who sleeps on several: none when it is set; else it has been told that somebody may
    /// sleep.
    #[must_use]
    pub fn watch(&self) -> Option<Watch<'_>> {
        // Ends: an exchange fails only when another operation has succeeded in between.
        loop {
            // Acquire pairs with the Release in `set`.
            let seen = self.word.load(Acquire);
            if is_set(seen) {
                return None;
            }
            if self.announce(seen) {
                return Some(Watch { word: &self.word, seen: seen | WAITERS });
            }
        }
    }

    /// Whether it was set since the watch began, be it cleared again or not.
    #[must_use]
    pub fn was_set_since(&self, watch: &Watch<'_>) -> bool {
        // Acquire pairs with the Release in `set`.
        let now = self.word.load(Acquire);
        is_set(now) || epoch(now) != epoch(watch.seen)
    }
}

/// Sleeps for `limit` or a slice, whichever is shorter, while all words are as they were; of none:
/// it only sleeps. Whoever returns looks again at what it waits for.
///
/// # Errors
/// * [`Error::System`] when the kernel refuses, which it has no reason to.
pub fn sleep_on_any(watches: &[Watch<'_>], limit: Duration) -> Result<(), Error> {
    match watches {
        [] => {
            let nobody = AtomicU32::new(0);
            futex::wait(&nobody, 0, limit)
        }
        [one] => futex::wait(one.word, one.seen, limit),
        several => {
            let words: Vec<_> = several.iter().map(|watch| (watch.word, watch.seen)).collect();
            if futex::wait_any(&words, limit)? {
                return Ok(());
            }
            futex::wait(several[0].word, several[0].seen, limit.min(NAP))
        }
    }
}
