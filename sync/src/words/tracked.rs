//! Units that have owners: a permit each, and in it the token of the process that has it.
//!
//! * A unit and its owner are the same word, so no death comes between them. There is no count
//!   beside the permits, which would have to agree with them: the value is how many are free.
//! * A free permit is taken by `0 -> me` and given back by `me -> 0`. Who finds none free asks of
//!   each owner whether it is dead, and puts its own token in the dead one's place.
//! * Who finds none sleeps on an event count, in slices; a release wakes one of those, who passes
//!   the wake on when it finds more than it needs.
//!
//! That a unit was a dead owner's is told to the one who takes it over, once. It guards no data, so
//! there is nothing to recover. The numbers of the steps are those of the kill table in
//! ARCHITECTURE.md.

use super::cell::{
    AtomicU32, Attachment, Deadline, Error,
    Ordering::{Acquire, Relaxed, SeqCst},
    fence,
};
use super::event_count::EventCount;
use super::exclusive::Told;
use super::wait::{Wait, is_dead};

/// Free, and whoever takes it is told: its owner dropped its last handle and lives on.
const LEFT: u32 = 1 << 30;

/// How many owners one look remembers as alive, so that it asks of each once. Of two that it cannot
/// tell apart by the last bits of their tokens, it may ask again.
const REMEMBERED_COUNT: usize = 64;

const fn is_free(permit: u32) -> bool {
    permit == 0 || permit == LEFT
}

/// A unit that was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) told: Told,
    /// Which permit it is.
    pub(crate) index: usize,
}

/// The permits of a semaphore, and what those sleep on who find none.
//
// permit  meaning
//   0     free
//   LEFT  free, and told as a dead owner's
//   t     taken by t; by whoever finds none free, and t dead, it is taken over
//   x     a token that was never issued, or other bits beside one: damaged
#[derive(Clone, Copy)]
pub(crate) struct Permits<'a> {
    pub(crate) freed: &'a EventCount,
    pub(crate) permits: &'a [AtomicU32],
}

impl Permits<'_> {
    /// How many are free: a load each.
    pub(crate) fn value(self) -> u32 {
        // Relaxed: a number that may be another one by now; nothing is read by its means.
        let free = self.permits.iter().filter(|permit| is_free(permit.load(Relaxed)));
        free.count() as u32
    }

    /// Takes a unit for the process with the token `me`. It begins to look at `hint`.
    ///
    /// # Errors
    /// * `TimedOut` when the deadline came first. A passed deadline looks once, and takes over from
    ///   a dead owner too.
    /// * `Damaged` when a permit names an owner that never was.
    /// * Those of [`Attachment::is_dead`].
    #[inline]
    pub(crate) fn acquire(
        self,
        at: &Attachment,
        me: u32,
        hint: usize,
        deadline: Deadline,
    ) -> Result<Taken, Error> {
        // A1. Acquire pairs with the Release in `give`, which is part of its SeqCst. Relaxed when
        // it fails: `acquire_slow` looks anew. Killed after: a dead token, which A2 takes over.
        if let Some(permit) = self.permits.get(hint)
            && permit.compare_exchange(0, me, Acquire, Relaxed).is_ok()
        {
            return Ok(Taken { told: Told::Held, index: hint });
        }
        self.acquire_slow(at, me, hint, deadline)
    }

    /// Gives back so many units of the process with the token `me`, which may be 0 for none. It
    /// begins to look at `hint`, and returns where it found the last one.
    ///
    /// # Errors
    /// * `InvalidArgument` when `count` is 0.
    /// * `OverReleased` when so many are not missing, `NotOwner` when the process has less. No unit
    ///   was given back, unless another thread of it gave some back at the same time.
    #[inline]
    pub(crate) fn release(self, me: u32, hint: usize, count: u32) -> Result<usize, Error> {
        if count == 1 && self.permits.get(hint).is_some_and(|permit| give(permit, me)) {
            self.freed.notify(1); // R3. Killed before: sleepers look within a slice
            return Ok(hint);
        }
        self.release_slow(me, hint, count)
    }

    /// Leaves all units of the process with the token `me`, as if it had died: what happens when it
    /// drops its last handle. Those who take them are told.
    pub(crate) fn abandon(self, me: u32) {
        let left = self.permits.iter().filter(|permit| {
            // SeqCst as in `give`. Killed between two: the other ones are a dead owner's.
            me != 0 && permit.compare_exchange(me, LEFT, SeqCst, Relaxed).is_ok()
        });
        match left.count() {
            0 => {}
            count => self.freed.notify(count as u32),
        }
    }

    #[cold]
    fn acquire_slow(
        self,
        at: &Attachment,
        me: u32,
        hint: usize,
        deadline: Deadline,
    ) -> Result<Taken, Error> {
        let mut wait = Wait::new(me.into(), deadline);
        let (mut key, mut sleeps) = (None, 0_u32);
        // Ends: with a unit, with an error, or at the deadline, which is looked at before every
        // sleep; each sleep is a slice at most.
        loop {
            if let Some(taken) = self.take_free(me, hint) {
                return Ok(self.passed_on(taken, &wait));
            }
            if wait.spins_between(self.permits.len()) {
                continue;
            }
            let is_over = wait.left().is_some_and(|left| left.is_zero());
            if key.is_none() && !is_over {
                key = Some(self.freed.prepare()); // A3, and A1 again
                continue;
            }
            if let Some(taken) = self.take_over(at, me, sleeps)? {
                return Ok(self.passed_on(taken, &wait));
            }
            // A4, after A3: who was woken and gives up has said again that others may sleep.
            let Some(prepared) = key.filter(|_| !is_over) else { return Err(Error::TimedOut) };
            self.freed.sleep(prepared, &mut wait)?;
            sleeps = sleeps.saturating_add(1);
            key = Some(self.freed.prepare()); // A3
        }
    }

    /// A1: a free permit, from `hint` on and round.
    fn take_free(self, me: u32, hint: usize) -> Option<Taken> {
        let (before, from) = self.permits.split_at(hint.min(self.permits.len()));
        let numbered = (hint..).zip(from).chain((0..).zip(before));
        for (index, permit) in numbered {
            // SeqCst, for the picture in `event_count`: after `prepare`.
            let seen = permit.load(SeqCst);
            // Acquire pairs with the Release in `give`. Relaxed when it fails: another has it.
            if is_free(seen) && permit.compare_exchange(seen, me, Acquire, Relaxed).is_ok() {
                let told = if seen == LEFT { Told::OwnerDied } else { Told::Held };
                return Some(Taken { told, index });
            }
        }
        None
    }

    /// A2: a dead owner's permit, for a caller that has slept so many times.
    fn take_over(self, at: &Attachment, me: u32, sleeps: u32) -> Result<Option<Taken>, Error> {
        let mut alive = [0; REMEMBERED_COUNT];
        for (index, permit) in self.permits.iter().enumerate() {
            let mut seen = permit.load(Relaxed); // Relaxed: a look; the exchange decides
            // Ends: with an owner that lives, or one that is known to; each turn is after a death.
            while !is_free(seen) && seen != me {
                let known = &mut alive[seen as usize % REMEMBERED_COUNT];
                if seen == *known {
                    break;
                }
                if !is_dead(at, seen, sleeps)? {
                    *known = seen;
                    break;
                }
                match take_from_dead(permit, seen, me) {
                    Ok(()) => return Ok(Some(Taken { told: Told::OwnerDied, index })),
                    Err(newer) => seen = newer,
                }
            }
            // Whoever was faster has given it back since: better than a sleep beside a free unit.
            if is_free(seen)
                && let Some(taken) = self.take_free(me, index)
            {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// A5, the baton: a release that found no flag woke nobody. Who was woken, and finds more than
    /// it needs, wakes another. Killed before: sleepers look within a slice.
    fn passed_on(self, taken: Taken, wait: &Wait) -> Taken {
        // SeqCst, for the picture in `event_count`: after `prepare`.
        if wait.has_slept() && self.permits.iter().any(|permit| is_free(permit.load(SeqCst))) {
            self.freed.notify(1);
        }
        taken
    }

    #[cold]
    fn release_slow(self, me: u32, hint: usize, count: u32) -> Result<usize, Error> {
        if count == 0 {
            return Err(Error::InvalidArgument);
        }
        // Relaxed, both: what is ours changes by our own process only.
        let mine = self.permits.iter().filter(|permit| me != 0 && permit.load(Relaxed) == me);
        if (mine.count() as u64) < u64::from(count) {
            let is_beyond = u64::from(self.value()) + u64::from(count) > self.permits.len() as u64;
            return Err(if is_beyond { Error::OverReleased } else { Error::NotOwner });
        }
        let (mut index, mut given) = (hint, 0);
        for (here, permit) in self.permits.iter().enumerate() {
            if given < count && give(permit, me) {
                (index, given) = (here, given + 1);
            }
        }
        match given {
            0 => return Err(Error::NotOwner), // another thread of ours was faster
            given => self.freed.notify(given), // R3, as in `release`
        }
        if given == count { Ok(index) } else { Err(Error::NotOwner) }
    }
}

/// One exchange of A2. Of several that try, one succeeds; the dead token does not come back, so it
/// cannot succeed late. Who is too late is told what stands there now.
fn take_from_dead(permit: &AtomicU32, dead: u32, me: u32) -> Result<(), u32> {
    // Acquire and Relaxed as A1. Killed after: a dead token, taken over again.
    permit.compare_exchange(dead, me, Acquire, Relaxed)?;
    // For form: the dead owner's stores are ordered by the kernel, which frees its lock byte after
    // its last instruction; the look at that byte came before this.
    fence(Acquire);
    Ok(())
}

/// R1 and R2: gives the permit back, if it is that of the process with this token.
#[inline]
fn give(permit: &AtomicU32, me: u32) -> bool {
    // SeqCst, for the picture in `event_count`: before the look at the flag. Its Release pairs with
    // the Acquire in `take_free`. Relaxed when it fails: it is another's. Killed after: it is free.
    me != 0 && permit.compare_exchange(me, 0, SeqCst, Relaxed).is_ok()
}
