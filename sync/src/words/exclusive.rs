//! An exclusive lock in one word: whoever holds it is named by the same exchange that takes it, so
//! there is no instant at which it is held and nobody can tell by whom.
//!
//! * A free word is taken by `0 -> me`, and given back by `me -> 0`: the whole uncontended path.
//! * Who finds another's token asks whether that process is dead, and if so puts its own token in
//!   the dead one's place, never an empty word in between; whoever dies doing so leaves a state
//!   that the same step takes over again. Otherwise it sleeps on the word, in slices.
//! * A takeover sets `UNVOUCHED` in the same exchange. It stays, across releases too, until a
//!   holder says that the data is sound.
//!
//! What differs from lock to lock (who is an owner, who may release) are its [`Steps`], a file
//! each. The numbers of the steps are those of the kill tables in ARCHITECTURE.md.

use super::bits::{Bits, UNVOUCHED, WAITERS, is_unvouched, owes_wake, owner, token};
use super::cell::{
    Attachment, Deadline, Error,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use super::depth::Depth;
use super::wait::Wait;

/// In what a kind of lock differs from the others.
pub trait Steps: Sized + 'static {
    /// What its word is made of.
    type Bits: Bits;

    /// What counts its holder's levels.
    type Depth: Depth;

    /// What comes of an acquire by who holds it already.
    const AGAIN: Again = Again::Waits;

    /// Whether nobody is told when an owner dies: what the lock guards needs no repair.
    const IGNORES_DEATHS: bool = false;

    /// Who a caller of the process with this token is, as the word names its owner; 0 if it has no
    /// name.
    fn owner(token: u32) -> u64;

    /// A release by who is not the owner.
    ///
    /// # Errors
    /// As [`ExclusiveWord::release`].
    fn release_anothers(_word: &ExclusiveWord<Self>, _at: &Attachment) -> Result<(), Error> {
        Err(Error::NotOwner)
    }
}

/// What comes of an acquire by who holds the lock already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It waits, like anyone else's.
    Waits,
    /// It is refused if it would wait.
    Refused,
    /// It holds one level more.
    Deepens,
}

/// How a lock was got: what the caller of an acquire is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Held, and the last holder left it in order.
    Held,
    /// Held, but an owner died with it, and nobody has vouched for the data since.
    OwnerDied,
}

/// The word of an exclusive lock, for structures in a segment that have no handles of ours. All
/// zeros is a free lock. Its handle is [`Exclusive`](crate::Exclusive).
///
/// An operation takes the caller's attachment to the segment that the word is in.
///
/// # Weak points
/// * Fairness: none. A running caller may overtake sleepers without bound.
/// * Signals: `release` by the owner is async-signal-safe, once the process has a token; `acquire`
///   is not, for it may wait for its own thread.
/// * Fork: what the parent holds, the child does not.
/// * Death: the next caller gets the lock and is told; what it guards may be half written. A
///   process that drops its last mapping of the segment is dead to the others.
//
// WAITERS  UNVOUCHED  owner   meaning (WAITERS may be set without cause; missing, it costs a slice)
//    0         0        0     free
//    0         1        0     free, and the next holder is told that an owner died
//    *         0        o     held by o; with WAITERS, a wake is owed on release
//    *         1        o     held by o, who was told that an owner died and has not vouched
//    1         *        0     left by no step, since a release clears WAITERS; taken like 0 * 0
//    *         *        x     the token in x was never issued: damaged
#[repr(C)]
pub struct ExclusiveWord<S: Steps> {
    pub(super) word: S::Bits,
    /// The holder's alone. For most kinds there is nothing here.
    pub(crate) depth: S::Depth,
}

impl<S: Steps> ExclusiveWord<S> {
    /// A free lock. So is memory that is all zeros.
    #[must_use]
    pub fn free() -> Self {
        Self { word: S::Bits::zero(), depth: S::Depth::zero() }
    }

    /// Takes the lock, waiting until it is free, its owner has died, or `deadline` passes. A caller
    /// that holds it waits like anyone else, where that is not refused, and does not go one level
    /// deeper.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when the deadline came first. A passed deadline tries once, and takes
    ///   over from a dead owner too.
    /// * [`Error::WouldDeadlock`] when the caller is a thread that holds it, and would wait.
    /// * [`Error::OutOfRange`] when it is one that holds it at as many levels as can be.
    /// * [`Error::Damaged`] when the word names a holder that never was.
    /// * [`Error::OutOfResources`], [`Error::Unsupported`] in a forked child whose first operation
    ///   cannot register it.
    /// * [`Error::System`] when foreign code closed the descriptor by which deaths are seen.
    #[inline]
    pub fn acquire(&self, at: &Attachment, deadline: Deadline) -> Result<Told, Error> {
        // A0, where a holder goes deeper. It was told of a death at its first level.
        if matches!(S::AGAIN, Again::Deepens) && self.is_mine(at) {
            return self.depth.deepen().map(|()| Told::Held);
        }
        self.acquire_at_depth(at, deadline, 1)
    }

    /// [`acquire`](Self::acquire) by who does not hold it, to hold it at `depth` levels at once.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    #[inline]
    pub fn acquire_at_depth(
        &self,
        at: &Attachment,
        deadline: Deadline,
        depth: u32,
    ) -> Result<Told, Error> {
        let me = S::owner(at.token());
        // A1. Acquire pairs with the Release in `release` (R1, R3), H3 and `abandon`: what was
        // written under the lock is seen. Relaxed when it fails: `acquire_slow` looks anew.
        let told = if me != 0 && self.word.compare_exchange(0, me, Acquire, Relaxed).is_ok() {
            Told::Held
        } else {
            self.acquire_slow(at, deadline)?
        };
        // A9. Killed before: whoever takes over begins anew. Nobody else reads it.
        self.depth.begin(depth);
        Ok(told)
    }

    /// Gives the lock back, and wakes one of those who sleep for it.
    ///
    /// # Errors
    /// * [`Error::OverReleased`] when nobody holds it.
    /// * [`Error::NotOwner`] when somebody else does, where that is not enough to release; where it
    ///   goes by levels, also when nobody does.
    /// * [`Error::Damaged`] when the caller holds it at levels that it cannot have.
    /// * The others as [`acquire`](Self::acquire), in a release of what somebody else holds.
    #[inline]
    pub fn release(&self, at: &Attachment) -> Result<(), Error> {
        match self.release_own(at.token()) {
            Err(Error::NotOwner) => S::release_anothers(self, at),
            other => other,
        }
    }

    /// [`release`](Self::release) of the caller's own hold only, for one that knows its token, or 0
    /// if it has none.
    #[inline]
    pub(crate) fn release_own(&self, token: u32) -> Result<(), Error> {
        let me = S::owner(token);
        if matches!(S::AGAIN, Again::Deepens) {
            // R0. Killed before or after: a dead token, and a depth that nobody reads.
            if !self.is_held_by(me) {
                return Err(Error::NotOwner);
            }
            if self.depth.rise()? {
                return Ok(());
            }
        }
        self.release_last(me)
    }

    /// Gives the lock back from whatever depth, and tells from which, for who wants to come back:
    /// see [`acquire_at_depth`](Self::acquire_at_depth).
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold it.
    /// * [`Error::Damaged`] as [`release`](Self::release).
    pub fn release_fully(&self, at: &Attachment) -> Result<u32, Error> {
        let me = S::owner(at.token());
        if !self.is_held_by(me) {
            return Err(Error::NotOwner);
        }
        let depth = self.depth.get()?;
        self.release_last(me).map(|()| depth)
    }

    #[inline]
    fn release_last(&self, me: u64) -> Result<(), Error> {
        // R1. Release pairs with the Acquire in `acquire`. Relaxed when it fails, as above.
        if me != 0 && self.word.compare_exchange(me, 0, Release, Relaxed).is_ok() {
            return Ok(());
        }
        self.release_slow(me)
    }

    /// Declares the data sound again: later holders are not told of the owner's death any more.
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller does not hold the lock.
    pub fn recover(&self, at: &Attachment) -> Result<(), Error> {
        let me = S::owner(at.token());
        loop {
            // B1. Relaxed: only our own hold matters; who ends it for us is seen by B2.
            let seen = self.word.load(Relaxed);
            if me == 0 || owner(seen) != me {
                return Err(Error::NotOwner);
            }
            // B2. Relaxed: the data is published by the release that follows. Ends: it fails only
            // when a waiter has set WAITERS, which happens once, or the hold has ended.
            if self.word.compare_exchange(seen, seen & !UNVOUCHED, Relaxed, Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    /// Gives the lock up as if its holder had died, if the caller's process holds it, by whatever
    /// thread: what happens when a process drops its last handle. The next holder is told.
    pub fn abandon(&self, at: &Attachment) {
        let me = at.token();
        loop {
            // D1. Relaxed: as B1.
            let seen = self.word.load(Relaxed);
            if me == 0 || token(seen) != me {
                return;
            }
            // Release pairs with the Acquire in `acquire`. Ends: as B2.
            if self.word.compare_exchange(seen, UNVOUCHED, Release, Relaxed).is_ok() {
                return self.wake_if_owed(seen); // D2. Killed before: sleepers look within a slice
            }
        }
    }

    /// Whether the caller holds the lock. An answer of no is only worth the moment.
    #[inline]
    #[must_use]
    pub fn is_mine(&self, at: &Attachment) -> bool {
        self.is_held_by(S::owner(at.token()))
    }

    #[inline]
    fn is_held_by(&self, me: u64) -> bool {
        // Relaxed: nobody else can make the answer true while it is no, and a yes is as good as
        // the hold.
        me != 0 && owner(self.word.load(Relaxed)) == me
    }

    /// The token of the process that holds the lock, for who watches whether it dies; 0 when nobody
    /// holds it. Only worth the moment, and not checked: a peer may have written anything.
    #[must_use]
    pub fn holder_token(&self) -> u32 {
        token(self.word.load(Relaxed)) // Relaxed: a look, which orders nothing
    }

    #[cold]
    fn acquire_slow(&self, at: &Attachment, deadline: Deadline) -> Result<Told, Error> {
        let me = S::owner(at.token_or_register()?);
        if me == 0 {
            return Err(Error::OutOfResources); // no name is left for this thread
        }
        let mut wait = Wait::new(me, deadline);
        // Ends: with the lock, with an error, or at the deadline, which is looked at before every
        // sleep; each sleep is a slice at most.
        loop {
            // A2. Relaxed: a look; the exchanges below decide, and carry the Acquire.
            let seen = self.word.load(Relaxed);
            if owner(seen) == 0 {
                if let Some(told) = self.take_free(seen, &wait) {
                    return Ok(told);
                }
            } else if matches!(S::AGAIN, Again::Refused) && owner(seen) == me {
                return Err(refusal(&wait)); // A0
            } else if wait.spins() {
                // A5: and look again
            } else if wait.is_dead(at, token(seen))? {
                if self.take_over(seen, &wait) {
                    return Ok(Told::OwnerDied);
                }
            } else {
                self.sleep(seen, &mut wait)?;
            }
        }
    }

    /// A3: a free word, vouched for or not.
    fn take_free(&self, seen: u64, wait: &Wait) -> Option<Told> {
        let next = wait.me | (seen & UNVOUCHED) | wait.waiters;
        // Acquire and Relaxed as A1. Killed after: a dead token, which A4 takes over.
        self.word.compare_exchange(seen, next, Acquire, Relaxed).ok()?;
        Some(if is_unvouched(seen) { Told::OwnerDied } else { Told::Held })
    }

    /// A4: a dead holder's word. Of several that try, one exchange succeeds; the dead token does
    /// not come back, so it cannot succeed late.
    fn take_over(&self, seen: u64, wait: &Wait) -> bool {
        let next = wait.me | (seen & WAITERS) | wait.waiters | UNVOUCHED;
        let next = if S::IGNORES_DEATHS { next & !UNVOUCHED } else { next };
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
    fn sleep(&self, seen: u64, wait: &mut Wait) -> Result<(), Error> {
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
    fn release_slow(&self, me: u64) -> Result<(), Error> {
        loop {
            // R2. Relaxed: as B1.
            let seen = self.word.load(Relaxed);
            if owner(seen) == 0 {
                return Err(Error::OverReleased);
            }
            if owner(seen) != me {
                return Err(Error::NotOwner);
            }
            // R3. Release pairs with the Acquire in `acquire`. UNVOUCHED stays. Ends: as B2.
            if self.word.compare_exchange(seen, seen & UNVOUCHED, Release, Relaxed).is_ok() {
                self.wake_if_owed(seen); // R4. Killed before: sleepers look within a slice
                return Ok(());
            }
        }
    }

    pub(super) fn wake_if_owed(&self, before: u64) {
        if owes_wake(before) {
            self.word.wake_one();
        }
    }
}

impl<S: Steps> Default for ExclusiveWord<S> {
    fn default() -> Self {
        Self::free()
    }
}

/// A0: a caller that holds it already. A try is told what it is told of any held lock.
fn refusal(wait: &Wait) -> Error {
    match wait.left() {
        Some(left) if left.is_zero() => Error::TimedOut,
        _ => Error::WouldDeadlock,
    }
}
