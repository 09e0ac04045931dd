//! Whose turn it is to install fork handlers, or to fork.
//!
//! libc runs the handlers that were there when a fork began. One that is installed amid a fork of
//! another thread is missed by that fork's child, which would find the lock that it is for as that
//! other thread left it. So nobody installs handlers while `purlin-process` forks.

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::patience::Patience;

/// The process whose turn it is, 0 for none.
static HOLDER: AtomicU32 = AtomicU32::new(0);

/// A turn, over when it is dropped. The copy that a child has of one is nobody's, whether it is
/// dropped there or not.
///
/// # Weak points
/// * Forks by other code than `purlin-process` are not waited for: a child of one that was begun as
///   another thread first came here may find its locks held for ever.
/// * A turn that takes longer than a second, as when a fork handler of the program waits for this
///   thread, is not waited for any more.
pub struct Installs {
    _private: (),
}

impl Installs {
    /// Waits for its turn.
    pub fn hold() -> Self {
        let own = std::process::id();
        let mut patience = Patience::begin();
        // Ends: with a turn, or without patience.
        loop {
            // Acquire pairs with the Release in `drop`: what the last one installed is there.
            match HOLDER.compare_exchange(0, own, Acquire, Relaxed) {
                Ok(_) => return Self { _private: () },
                // A copy of a parent's turn, whose holder is not in this process: over.
                Err(other) if other != own => {
                    // Relaxed: nothing is read because of it. It fails when somebody was faster.
                    let _ = HOLDER.compare_exchange(other, 0, Relaxed, Relaxed);
                }
                // Without patience it is taken all the same: the number may be an ancestor's.
                Err(_) if patience.nap().is_err() => return Self { _private: () },
                Err(_) => {}
            }
        }
    }
}

impl Drop for Installs {
    fn drop(&mut self) {
        HOLDER.store(0, Release); // pairs with the Acquire in `hold`
    }
}

/// What a child finds that was forked in another thread's turn.
#[cfg(test)]
pub(crate) fn leave_a_parents_turn() {
    // Relaxed: a number that no process has, and no more.
    HOLDER.store(u32::MAX, Relaxed);
}
