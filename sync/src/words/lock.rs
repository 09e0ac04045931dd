//! A lock in one word: whoever holds it is named by the same exchange that takes it, so there is no
//! instant at which it is held and nobody can tell by whom.
//!
//! * A free word is taken by `0 -> me`, and given back by `me -> 0`: the whole uncontended path.
//! * Who finds another's token asks whether that process is dead, and if so puts its own token in
//!   the dead one's place, never an empty word in between; whoever dies doing so leaves a state
//!   that the same step takes over again. Otherwise it sleeps on the word, in slices.
//! * A takeover sets `UNVOUCHED` in the same exchange. It stays, across releases too, until a
//!   holder says that the data is sound.
//!
//! The numbers of the steps are those of the kill table in ARCHITECTURE.md.

use core::time::Duration;

use super::cell::{
    AtomicU32, Attachment, Deadline, Error,
    Ordering::{Acquire, Relaxed, Release},
    SPIN_AGAIN_ITERATIONS, SPIN_LIMIT_ITERATIONS, fence, is_issued, slice, spin_loop, wait,
    wake_one,
};

const TOKEN_MASK: u32 = (1 << 30) - 1; // bits 0..30: the holder's token, 0 when it is free
const UNVOUCHED: u32 = 1 << 30; // an owner died, and nobody has vouched for the data since
const WAITERS: u32 = 1 << 31; // somebody may sleep here

const fn holder(word: u32) -> u32 {
    word & TOKEN_MASK
}

const fn owes_wake(word: u32) -> bool {
    word & WAITERS != 0
}

const fn is_unvouched(word: u32) -> bool {
    word & UNVOUCHED != 0
}

/// How a lock was got: what the caller of an acquire is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Held, and the last holder left it in order.
    Held,
    /// Held, but an owner died with it, and nobody has vouched for the data since.
    OwnerDied,
}

/// The word of a lock, for structures in a segment that have no handles of ours. [`Lock`] is the
/// handle. All zeros is a free lock.
///
/// An operation takes the caller's attachment to the segment that the word is in. The token it is
/// called with names a process: threads of one process are told apart by nobody.
///
/// [`Lock`]: crate::Lock
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: `release` is async-signal-safe, once the process has a token; `acquire` is not, for
///   it may wait for its own thread.
/// * Fork: what the parent holds, the child does not.
/// * Death: the next caller gets the lock and is told; what it guards may be half written. A
///   process that drops its last mapping of the segment is dead to the others.
//
// WAITERS  UNVOUCHED  token   meaning (WAITERS may be set without cause; missing, it costs a slice)
//    0         0        0     free
//    0         1        0     free, and the next holder is told that an owner died
//    *         0        t     held by t; with WAITERS, a wake is owed on release
//    *         1        t     held by t, who was told that an owner died and has not vouched
//    1         *        0     left by no step, since a release clears WAITERS; taken like 0 * 0
//    *         *        x     x was never issued: damaged
#[repr(transparent)]
pub struct LockWord {
    word: AtomicU32,
}

impl LockWord {
    /// A free lock. So is memory that is all zeros.
    #[must_use]
    pub fn free() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// Takes the lock, waiting until it is free, its owner has died, or `deadline` passes. A caller
    /// whose own process holds it waits like anyone else.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first. A passed deadline tries once, and takes
    ///   over from a dead owner too.
    /// * [`Error::Damaged`] when the word names a holder that never was.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it.
    /// * [`Error::System`] when foreign code closed the descriptor by which deaths are seen.
    #[inline]
    pub fn acquire(&self, at: &Attachment, deadline: Deadline) -> Result<Told, Error> {
        let me = at.token();
        // A1. Acquire pairs with the Release in `release` (R1, R3) and `abandon`: what was written
        // under the lock is seen. Relaxed when it fails: `acquire_slow` looks anew.
        if me != 0 && self.word.compare_exchange(0, me, Acquire, Relaxed).is_ok() {
            return Ok(Told::Held);
        }
        self.acquire_slow(at, deadline)
    }

    /// Gives the lock back, and wakes one of those who sleep for it.
    ///
    /// # Errors
    /// * [`Error::OverReleased`] when nobody holds it.
    /// * [`Error::NotOwner`] when another process does.
    #[inline]
    pub fn release(&self, at: &Attachment) -> Result<(), Error> {
        self.release_as(at.token())
    }

    /// [`release`](Self::release) for a caller that knows its token, or 0 if it has none.
    #[inline]
    pub(crate) fn release_as(&self, me: u32) -> Result<(), Error> {
        // R1. Release pairs with the Acquire in `acquire`. Relaxed when it fails, as above.
        if me != 0 && self.word.compare_exchange(me, 0, Release, Relaxed).is_ok() {
            return Ok(());
        }
        self.release_slow(me)
    }

    /// Declares the data sound again: later holders are not told of the owner's death any more.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller's process does not hold the lock.
    pub fn recover(&self, at: &Attachment) -> Result<(), Error> {
        let me = at.token();
        loop {
            // B1. Relaxed: only our own hold matters, and that cannot end meanwhile.
            let seen = self.word.load(Relaxed);
            if me == 0 || holder(seen) != me {
                return Err(Error::NotOwner);
            }
            // B2. Relaxed: the data is published by the release that follows. Ends: it fails only
            // when a waiter has set WAITERS, which happens once.
            if self.word.compare_exchange(seen, seen & !UNVOUCHED, Relaxed, Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    /// Gives the lock up as if its holder had died, if the caller's process holds it: what happens
    /// when a process drops its last handle. The next holder is told.
    pub fn abandon(&self, at: &Attachment) {
        let me = at.token();
        loop {
            // D1. Relaxed: as B1.
            let seen = self.word.load(Relaxed);
            if me == 0 || holder(seen) != me {
                return;
            }
            // Release pairs with the Acquire in `acquire`. Ends: as B2.
            if self.word.compare_exchange(seen, UNVOUCHED, Release, Relaxed).is_ok() {
                return self.wake_if_owed(seen); // D2. Killed before: sleepers look within a slice
            }
        }
    }

    /// Whether the caller's process holds the lock. An answer of no is only worth the moment.
    #[must_use]
    pub fn is_mine(&self, at: &Attachment) -> bool {
        let me = at.token();
        // Relaxed: nobody else can make the answer true or false while it is yes.
        me != 0 && holder(self.word.load(Relaxed)) == me
    }

    #[cold]
    fn acquire_slow(&self, at: &Attachment, deadline: Deadline) -> Result<Told, Error> {
        let mut wait = Wait::new(at.token_or_register()?, deadline);
        // Ends: with the lock, with an error, or at the deadline, which is looked at before every
        // sleep; each sleep is a slice at most.
        loop {
            // A2. Relaxed: a look; the exchanges below decide, and carry the Acquire.
            let seen = self.word.load(Relaxed);
            if holder(seen) == 0 {
                if let Some(told) = self.take_free(seen, &wait) {
                    return Ok(told);
                }
            } else if wait.spins_left > 0 {
                wait.spins_left -= 1; // A5
                spin_loop();
            } else if wait.is_dead(at, holder(seen))? {
                if self.take_over(seen, &wait) {
                    return Ok(Told::OwnerDied);
                }
            } else {
                self.sleep(seen, &mut wait)?;
            }
        }
    }

    /// A3: a free word, vouched for or not.
    fn take_free(&self, seen: u32, wait: &Wait) -> Option<Told> {
        let next = wait.me | (seen & UNVOUCHED) | wait.waiters;
        // Acquire and Relaxed as A1. Killed after: a dead token, which A4 takes over.
        self.word.compare_exchange(seen, next, Acquire, Relaxed).ok()?;
        Some(if is_unvouched(seen) { Told::OwnerDied } else { Told::Held })
    }

    /// A4: a dead holder's word. Of several that try, one exchange succeeds; the dead token does
    /// not come back, so it cannot succeed late.
    fn take_over(&self, seen: u32, wait: &Wait) -> bool {
        let next = wait.me | (seen & WAITERS) | wait.waiters | UNVOUCHED;
        // Acquire and Relaxed as A1. Killed after: a dead token with UNVOUCHED, taken over again.
        if self.word.compare_exchange(seen, next, Acquire, Relaxed).is_err() {
            return false;
        }
        // For form: the dead owner's stores are ordered by the kernel, which frees its lock byte
        // after its last instruction; the look at that byte came before this.
        fence(Acquire);
        true
    }

    /// A6 to A8: say that somebody sleeps, look at the limit, sleep.
    fn sleep(&self, seen: u32, wait: &mut Wait) -> Result<(), Error> {
        let left = wait.left();
        if left.is_none_or(|left| !left.is_zero()) || wait.has_slept() {
            // A6. Relaxed: the kernel compares the word again before it lets us sleep. Killed
            // after: one useless wake.
            if !owes_wake(seen)
                && self.word.compare_exchange(seen, seen | WAITERS, Relaxed, Relaxed).is_err()
            {
                return Ok(());
            }
        }
        // A7, after A6: who was woken and gives up has set WAITERS again for those who still sleep.
        // Who never slept swallowed no wake, and leaves the word alone.
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Error::TimedOut);
        }
        wait.sleep_on(&self.word, seen | WAITERS, left) // A8
    }

    #[cold]
    fn release_slow(&self, me: u32) -> Result<(), Error> {
        loop {
            // R2. Relaxed: as B1.
            let seen = self.word.load(Relaxed);
            if holder(seen) == 0 {
                return Err(Error::OverReleased);
            }
            if holder(seen) != me {
                return Err(Error::NotOwner);
            }
            // R3. Release pairs with the Acquire in `acquire`. UNVOUCHED stays. Ends: as B2.
            if self.word.compare_exchange(seen, seen & UNVOUCHED, Release, Relaxed).is_ok() {
                self.wake_if_owed(seen); // R4. Killed before: sleepers look within a slice
                return Ok(());
            }
        }
    }

    fn wake_if_owed(&self, before: u32) {
        if owes_wake(before) {
            wake_one(&self.word);
        }
    }
}

impl Default for LockWord {
    fn default() -> Self {
        Self::free()
    }
}

/// What a caller that could not have the lock at once knows by now.
struct Wait {
    me: u32,
    deadline: Deadline,
    /// `WAITERS` once this caller has slept: its wake-up took the bit away, and there may be
    /// others.
    waiters: u32,
    /// How often it has slept.
    sleeps: u32,
    /// The token that stood in the word at its last look, and how often it has slept on that one.
    asleep_on: u32,
    slices: u32,
    spins_left: u32,
}

impl Wait {
    fn new(me: u32, deadline: Deadline) -> Self {
        let deadline = deadline.start();
        let is_try = deadline.remaining().is_some_and(|left| left.is_zero());
        let spins_left = if is_try { 0 } else { SPIN_LIMIT_ITERATIONS };
        Self { me, deadline, waiters: 0, sleeps: 0, asleep_on: 0, slices: 0, spins_left }
    }

    fn left(&self) -> Option<Duration> {
        self.deadline.remaining()
    }

    const fn has_slept(&self) -> bool {
        self.waiters != 0
    }

    /// Whether the process that `token` names is dead, with a second opinion from the second slice
    /// on the same token on.
    fn is_dead(&mut self, at: &Attachment, token: u32) -> Result<bool, Error> {
        if !is_issued(token) {
            return Err(Error::Damaged);
        }
        if token != self.asleep_on {
            self.asleep_on = token;
            self.slices = 0;
        }
        Ok(at.is_dead(token, self.slices)?)
    }

    /// A8. The slices of a call grow: see `slice`.
    fn sleep_on(
        &mut self,
        word: &AtomicU32,
        seen: u32,
        left: Option<Duration>,
    ) -> Result<(), Error> {
        let slice = slice(self.sleeps);
        wait(word, seen, left.map_or(slice, |left| left.min(slice)))?;
        self.waiters = WAITERS;
        self.sleeps = self.sleeps.saturating_add(1);
        self.slices = self.slices.saturating_add(1);
        self.spins_left = SPIN_AGAIN_ITERATIONS;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_read_their_own_bits() {
        let word = 77 << 10 | 3;
        assert_eq!(holder(word | WAITERS | UNVOUCHED), word);
        assert!(owes_wake(WAITERS) && !owes_wake(!WAITERS));
        assert!(is_unvouched(UNVOUCHED) && !is_unvouched(!UNVOUCHED));
        assert_eq!(TOKEN_MASK | UNVOUCHED | WAITERS, u32::MAX);
    }
}
