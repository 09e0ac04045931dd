//! How a party of a barrier arrives, waits and leaves: steps B1 to B10.

use core::time::Duration;

use super::barrier::{BarrierWords, Watch};
use super::barrier_bits::{
    BROKEN, COMPLETE, FREE, OPEN, age, arrived, following, is_arrived, is_death_unseen, is_free,
    is_under_way, marked_broken, phase, round, state, token,
};
use super::cell::{
    Attachment, Deadline, Error, NAP_NANOS,
    Ordering::{AcqRel, Acquire, Relaxed},
    now_nanos, slice, wait, wake_all,
};
use super::inner;
use super::wait::is_dead;

/// A party's place in a round.
struct Arrival {
    round: u32,
    /// Its cell's place in the row.
    place: usize,
    /// How many came before it.
    number: u32,
    /// Its cell as it wrote it, with the token of the process that did.
    cell: u64,
    /// Whether the lock was a dead process's when this party came: one that may have come, too.
    has_met_death: bool,
}

/// What to do when all have come, for a barrier that has an action: false when that failed.
pub(crate) type Action<'f> = &'f mut dyn FnMut() -> bool;

impl BarrierWords<'_> {
    /// Waits until all parties have come, and returns how many came before this one. With an
    /// action, the last to come runs it before anybody passes.
    ///
    /// # Errors
    /// * [`Error::BarrierBroken`] when the round was broken, or its action failed.
    /// * [`Error::TimedOut`] when `deadline` came before this party could arrive: an action ran, or
    ///   a stopped process has the lock, or too many are amid leaving. Nothing changed.
    /// * [`Error::Damaged`], and those of a look at who lives: the round is broken by them.
    pub(crate) fn wait(
        self,
        at: &Attachment,
        deadline: Deadline,
        action: Option<Action<'_>>,
    ) -> Result<u32, Error> {
        let deadline = deadline.start();
        let arrival = self.arrive(at, deadline)?;
        let gone_through = if arrival.number as usize + 1 == self.parties() {
            self.complete(at, &arrival, action)
        } else {
            inner::leave(self.guard, at);
            self.sleep_until_over(at, &arrival, deadline)
        };
        match gone_through {
            Ok(()) => self.outcome(&arrival),
            Err(error) => {
                self.give_up(at, &arrival);
                Err(error)
            }
        }
    }

    /// B1 to B4: until there is a round to come to, and a cell. Returns with the lock held.
    fn arrive(self, at: &Attachment, deadline: Deadline) -> Result<Arrival, Error> {
        let mut watch = Watch::at_once();
        // Ends: with an arrival, or broken; each further turn is after a sleep, with a look at the
        // limit before it, or after a break.
        loop {
            // B1. Acquire pairs with K1.
            if phase(self.state.load(Acquire)) == BROKEN {
                return Err(Error::BarrierBroken);
            }
            let has_met_death = inner::enter(self.guard, at, deadline)?;
            // B2. Acquire pairs with the exchanges of `state`: the cells are of its round.
            let seen = self.state.load(Acquire);
            let answer = match phase(seen) {
                OPEN => self.take_place(at, round(seen)),
                COMPLETE => Ok(None),
                BROKEN => Err(Error::BarrierBroken),
                _ => Err(Error::Damaged),
            };
            if let Ok(Some(arrival)) = answer {
                return Ok(Arrival { has_met_death, ..arrival });
            }
            inner::leave(self.guard, at);
            answer?;
            self.wait_for_a_place(at, seen, deadline, &mut watch)?;
        }
    }

    /// B3 and B4, with the lock held: finds a cell that can be had, and arrives in it. There is
    /// none when too many are amid leaving.
    fn take_place(self, at: &Attachment, round: u32) -> Result<Option<Arrival>, Error> {
        let (number, place) = self.survey(at, round)?;
        if number as usize >= self.parties() {
            // The last one died between B4 and B7, for it had the lock until then.
            self.break_round(round);
            return Err(Error::BarrierBroken);
        }
        let place = match place {
            None => self.place_of_a_dead(at, round)?,
            known => known,
        };
        let Some(place) = place else { return Ok(None) };
        if number == 0 && self.parties() > 1 {
            // Before B4: whoever counts as come to this round came no earlier. Relaxed: published
            // by the lock. Killed after: written anew by the next, which is the first again.
            self.begun.store(now_nanos(), Relaxed);
        }
        let cell = arrived(round, at.token());
        // B4. Relaxed: published by the lock, and by B7. Killed after: ARRIVED and dead.
        self.row[place].store(cell, Relaxed);
        Ok(Some(Arrival { round, place, number, cell, has_met_death: false }))
    }

    /// How many have come to `round`, and a cell for one more: a free one, or one that a dead party
    /// left rounds ago. Rounds begin at different cells, so that such ones do not stay until their
    /// round's number comes again.
    fn survey(self, at: &Attachment, round: u32) -> Result<(u32, Option<usize>), Error> {
        let (mut count, mut place) = (0, None);
        for index in self.places_from(round) {
            let seen = self.row[index].load(Relaxed); // order: the lock's, and each cell's own
            if is_arrived(seen, round) {
                count += 1;
            } else if place.is_none() && is_to_be_had(at, seen, round, AGE_OF_THE_SLOW)? {
                place = Some(index);
            }
        }
        Ok((count, place))
    }

    /// A cell of a party that died while it left the last round.
    fn place_of_a_dead(self, at: &Attachment, round: u32) -> Result<Option<usize>, Error> {
        for index in self.places_from(round) {
            let seen = self.row[index].load(Relaxed); // order: as above
            if is_to_be_had(at, seen, round, 1)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn places_from(self, round: u32) -> impl Iterator<Item = usize> {
        let count = self.cell_count();
        let first = round as usize % count;
        (first..count).chain(0..first)
    }

    /// The rest of B3, without the lock: the round that was seen has its action, or there is no
    /// cell.
    fn wait_for_a_place(
        self,
        at: &Attachment,
        seen: u32,
        deadline: Deadline,
        watch: &mut Watch,
    ) -> Result<(), Error> {
        // Before the limit: its parties may all be dead, and nobody else be left to see it.
        let is_complete = phase(seen) == COMPLETE;
        if is_complete && self.finds_dead(at, round(seen), watch)? {
            self.break_round(round(seen));
            return Ok(());
        }
        let left = deadline.remaining();
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Error::TimedOut);
        }
        // The end of an action is told; who leaves a cell wakes nobody.
        let nap = Duration::from_nanos(NAP_NANOS);
        let slice = if is_complete { slice(watch.looks()) } else { nap };
        wait(self.state, seen, left.map_or(slice, |left| left.min(slice)))
    }

    /// B6, B7 and B10, with the lock held: the last to come.
    fn complete(
        self,
        at: &Attachment,
        arrival: &Arrival,
        action: Option<Action<'_>>,
    ) -> Result<(), Error> {
        let of = arrival.round;
        let dead = self.finds_dead(at, of, &mut self.last_watch(arrival));
        let next = match action {
            Some(_) => state(of, COMPLETE),
            None => state(following(of), OPEN),
        };
        let is_committed = match dead {
            // B7. AcqRel pairs with the Acquire in B8 and B9: all parties' writes, which came here
            // by the lock. Relaxed when it fails: B9 looks anew. Killed after: see the table.
            Ok(false) => {
                let open = state(of, OPEN);
                self.state.compare_exchange(open, next, AcqRel, Relaxed).is_ok()
            }
            _ => {
                self.break_round(of); // B6
                false
            }
        };
        inner::leave(self.guard, at);
        dead?;
        match action {
            Some(action) if is_committed => self.run(at, arrival, action),
            None if is_committed && self.parties() > 1 => {
                wake_all(self.state); // killed before: sleepers look within a slice
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whom the last to come asks about, with the lock held: the members only, when all that have
    /// come ran so short a time ago that their deaths could be seen by nobody. The kernel would
    /// call them alive, and takes ten times as long to say so as the clock.
    fn last_watch(self, arrival: &Arrival) -> Watch {
        // Who has met a dead process believes no time, for a death has been seen; and who is alone
        // has nobody to ask about.
        if arrival.has_met_death || self.parties() == 1 {
            return Watch::at_once();
        }
        // Relaxed: the lock orders it after the first one's store.
        match is_death_unseen(self.begun.load(Relaxed), now_nanos()) {
            true => Watch::of_members(self),
            false => Watch::at_once(),
        }
    }

    /// B10: runs the action, outside the lock.
    fn run(self, at: &Attachment, arrival: &Arrival, action: Action<'_>) -> Result<(), Error> {
        let is_done = action();
        if at.token() != token(arrival.cell) {
            return Err(Error::NotOwner); // a child that was forked in it: the parent's business
        }
        if !is_done {
            return Err(Error::BarrierBroken);
        }
        let (complete, next) =
            (state(arrival.round, COMPLETE), state(following(arrival.round), OPEN));
        // AcqRel and Relaxed as B7. It fails when the round was broken meanwhile, which has woken
        // everybody.
        if self.state.compare_exchange(complete, next, AcqRel, Relaxed).is_ok() {
            wake_all(self.state); // killed before: sleepers look within a slice
        }
        Ok(())
    }

    /// B8: all but the last.
    fn sleep_until_over(
        self,
        at: &Attachment,
        arrival: &Arrival,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let of = arrival.round;
        let mut is_warned = arrival.has_met_death;
        let mut watch = if is_warned { Watch::at_once() } else { Watch::behind(arrival.place) };
        let mut sleeps = 0_u32;
        // Ends: when the round does, at the latest by this caller's limit; each sleep is a slice at
        // most.
        loop {
            // Acquire pairs with B7, B10, K1 and T3.
            let seen = self.state.load(Acquire);
            if !is_under_way(seen, of) {
                return Ok(());
            }
            let left = deadline.remaining();
            let is_over = left.is_some_and(|left| left.is_zero());
            let looks = core::mem::take(&mut is_warned) || sleeps > 0;
            if is_over || (looks && self.finds_dead(at, of, &mut watch)?) {
                self.break_round(of);
                continue;
            }
            let slice = slice(sleeps);
            wait(self.state, seen, left.map_or(slice, |left| left.min(slice)))?;
            sleeps = sleeps.saturating_add(1);
        }
    }

    /// B9: what came of it. While `state` is still in this party's round, that says it; afterwards
    /// the party's own cell does.
    fn outcome(self, arrival: &Arrival) -> Result<u32, Error> {
        // Acquire pairs with B7, B10 and K1, and with T3, which comes after the mark.
        let seen = self.state.load(Acquire);
        let is_marked = self.free(arrival)?;
        if seen == state(arrival.round, BROKEN) {
            return Err(Error::BarrierBroken);
        }
        match round(seen) == arrival.round {
            true => Err(Error::Damaged), // no step leads here
            false if is_marked => Err(Error::BarrierBroken),
            false => Ok(arrival.number),
        }
    }

    /// Frees the party's cell, and says whether a reset had marked it. One that is somebody else's
    /// by now, who took this process for dead, is left alone, and is damage.
    fn free(self, arrival: &Arrival) -> Result<bool, Error> {
        let cell = &self.row[arrival.place];
        // A reset may mark it between the two tries.
        for mine in [arrival.cell, marked_broken(arrival.cell)] {
            // Relaxed: whoever takes the cell reads nothing by it, and a mark is ordered by
            // `state`, which was read before. Killed before: dead, with a round that is over: to
            // be had.
            if cell.compare_exchange(mine, FREE, Relaxed, Relaxed).is_ok() {
                return Ok(mine != arrival.cell);
            }
        }
        Err(Error::Damaged)
    }

    /// A party that cannot go on breaks its round, and takes its cell along. Killed in between: its
    /// cell is dead, and of a broken round.
    fn give_up(self, at: &Attachment, arrival: &Arrival) {
        if at.token() == token(arrival.cell) {
            self.break_round(arrival.round);
            let _ = self.free(arrival); // the caller has its error already
        } // else a child that was forked in the action, and has no part in it
    }
}

/// From this age on a cell whose party has not left it is asked about, when it is met: who left the
/// last round may just not have run yet.
const AGE_OF_THE_SLOW: u32 = 2;

/// Whether a cell is free, or a dead party's of a round that is over, for so many rounds.
fn is_to_be_had(at: &Attachment, cell: u64, round: u32, age_min: u32) -> Result<bool, Error> {
    if is_free(cell) {
        return Ok(true);
    }
    Ok(age(cell, round) >= age_min && is_dead(at, token(cell), 0)?)
}
