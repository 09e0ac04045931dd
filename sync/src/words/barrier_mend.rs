//! How a barrier is made whole again, and who is missed by it when it never comes: steps T1 to T4,
//! E1 and E2.

use super::barrier::{BarrierWords, SLICES_COUNT};
use super::barrier_bits::{
    BROKEN, COMPLETE, OPEN, following, is_arrived, marked_broken, phase, round, state, token,
};
use super::cell::{
    AtomicU64, Attachment, Deadline, Error,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use super::inner;
use super::wait::is_dead;

impl BarrierWords<'_> {
    /// Makes it whole: who waits is told that it is broken, the dead are forgotten, and the next
    /// round begins. Nothing happens where nobody waits, nobody is missed and nothing is broken.
    ///
    /// # Errors
    /// * [`Error::TimedOut`] when a stopped process has had the lock for a second.
    /// * [`Error::Damaged`], and those of a look at who lives.
    pub(crate) fn reset(self, at: &Attachment) -> Result<(), Error> {
        inner::enter(self.guard, at, Deadline::passed())?;
        let mended = self.mend(at);
        inner::leave(self.guard, at); // T4. Who slept was woken by K2, or looks within a slice
        mended
    }

    fn mend(self, at: &Attachment) -> Result<(), Error> {
        let Some(of) = self.break_if_used(at)? else { return Ok(()) };
        for cell in self.cells() {
            // Relaxed: nobody arrives meanwhile, and `of` is over. An exchange, for who leaves it
            // frees its cell without the lock.
            let seen = cell.load(Relaxed);
            if is_arrived(seen, of) {
                // T2. Relaxed: T3 publishes it. Killed after: broken by `state`, or by the cell.
                let _ = cell.compare_exchange(seen, marked_broken(seen), Relaxed, Relaxed);
            }
        }
        for member in self.members() {
            // Relaxed, all: who looks at members reads nothing by them.
            let seen = member.load(Relaxed);
            if is_dead_member(at, seen)? {
                let _ = member.compare_exchange(seen, 0, Relaxed, Relaxed);
            }
        }
        // T3. AcqRel pairs with the Acquire in B8 and B9: who sees the next round sees T2. It
        // cannot fail: a broken round is left here only, with the lock held.
        let (broken, next) = (state(of, BROKEN), state(following(of), OPEN));
        match self.state.compare_exchange(broken, next, AcqRel, Relaxed) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Damaged),
        }
    }

    /// T1: the round that is broken now, or none if there is nothing to mend.
    fn break_if_used(self, at: &Attachment) -> Result<Option<u32>, Error> {
        // Ends: a turn fails when the round was completed, or broken, and nobody arrives meanwhile.
        loop {
            // Acquire pairs with the exchanges of `state`: the cells are of its round.
            let seen = self.state.load(Acquire);
            let of = round(seen);
            match phase(seen) {
                BROKEN => return Ok(Some(of)),
                OPEN if !self.is_used(at, of)? => return Ok(None),
                OPEN | COMPLETE if self.break_round(of) => return Ok(Some(of)),
                OPEN | COMPLETE => {}
                _ => return Err(Error::Damaged),
            }
        }
    }

    /// Whether anybody has come to `round`, or a member is dead.
    fn is_used(self, at: &Attachment, round: u32) -> Result<bool, Error> {
        // Relaxed: the lock orders the arrivals, and who lives depends on no order.
        if self.cells().iter().any(|cell| is_arrived(cell.load(Relaxed), round)) {
            return Ok(true);
        }
        for member in self.members() {
            // Relaxed: as above.
            if is_dead_member(at, member.load(Relaxed))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// E1: makes the caller's process known: its death breaks whatever round it is in. As often as
    /// there are parties.
    ///
    /// # Errors
    /// * [`Error::OutOfResources`] when as many are enrolled as there are parties, or the process
    ///   cannot be registered.
    /// * [`Error::Unsupported`] as of a wait.
    pub(crate) fn enroll(self, at: &Attachment) -> Result<(), Error> {
        let me = at.token_or_register()?.into();
        // Relaxed, both: who looks at members reads nothing by them. Killed after: enrolled and
        // dead.
        let enrolls = |member: &&_| exchange(member, 0, me);
        self.members().iter().find(enrolls).map(|_| ()).ok_or(Error::OutOfResources)
    }

    /// E2: the opposite of one [`enroll`](Self::enroll).
    ///
    /// # Errors
    /// * [`Error::NotOwner`] when the caller's process is not enrolled.
    pub(crate) fn withdraw(self, at: &Attachment) -> Result<(), Error> {
        let me = u64::from(at.token());
        let leaves = |member: &&_| me != 0 && exchange(member, me, 0);
        self.members().iter().find(leaves).map(|_| ()).ok_or(Error::NotOwner)
    }

    /// What happens when a process drops its last handle: if it is enrolled, the same as by its
    /// death.
    pub(crate) fn abandon(self, at: &Attachment) {
        if !self.is_member(at) {
            return;
        }
        // Before it leaves: killed in between, it is dead and missed. Nobody is there to be told of
        // damage.
        let _ = self.abort();
        for _ in self.members() {
            if self.withdraw(at).is_err() {
                return;
            }
        }
    }

    fn is_member(self, at: &Attachment) -> bool {
        let me = u64::from(at.token());
        // Relaxed: only this process writes its token.
        me != 0 && self.members().iter().any(|member| member.load(Relaxed) == me)
    }
}

fn exchange(member: &AtomicU64, current: u64, new: u64) -> bool {
    // Relaxed: who looks at members reads nothing by them.
    member.compare_exchange(current, new, Relaxed, Relaxed).is_ok()
}

/// Whether a member's word names somebody who is dead. A second opinion is asked for at once: else
/// a reset would keep whom every waiter calls dead.
fn is_dead_member(at: &Attachment, member: u64) -> Result<bool, Error> {
    Ok(token(member) != 0 && is_dead(at, token(member), SLICES_COUNT)?)
}
