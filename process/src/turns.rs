//! Whose turn it is to start a child.
//!
//! A turn lasts from before a fork until the descriptors of the child are settled, so that children
//! which two threads start at once do not inherit each other's sockets. A lock that is waited for
//! with a deadline; std has none.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use purlin_sync::Deadline;

pub(crate) struct Turns {
    is_taken: Mutex<bool>,
    is_free: Condvar,
}

/// A turn, over when it is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
}

impl Turns {
    pub(crate) const fn new() -> Self {
        Self { is_taken: Mutex::new(false), is_free: Condvar::new() }
    }

    /// Waits for a turn until the deadline.
    pub(crate) fn take(&self, deadline: Deadline) -> Option<Turn<'_>> {
        let deadline = deadline.start();
        let mut is_taken = self.lock();
        // Ends: with a turn, or at the deadline.
        while *is_taken {
            is_taken = match deadline.remaining() {
                None => self.is_free.wait(is_taken).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => {
                    let waited = self.is_free.wait_timeout(is_taken, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *is_taken = true;
        Some(Turn { turns: self })
    }

    /// Nothing panics under the lock, so poison would say nothing.
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.turns.lock() = false;
        self.turns.is_free.notify_one();
    }
}
