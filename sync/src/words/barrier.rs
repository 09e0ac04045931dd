//! A barrier: a word that says which round it is and how it stands, and a row of cells that say who
//! has come.
//!
//! * A party writes its token and the round into a cell of its own, under an inner lock, and counts
//!   the cells of the round. The last one completes it by one exchange of `state`; the others sleep
//!   on that until it moves. See `barrier_wait`.
//! * Whoever has had enough (of waiting, of a dead party) breaks the round by one exchange of
//!   `state`, without the lock. While that says broken, it says so for the whole round.
//! * A broken round gives way to the next by a reset, which has marked its cells before: a party
//!   that wakes late finds its own outcome in its own cell, whatever rounds have come since. See
//!   `barrier_mend`.
//!
//! A cell belongs to a thread, by its place in the row; the token in it names the thread's process,
//! which is what dies. The numbers of the steps are those of the kill table in ARCHITECTURE.md.

use super::barrier_bits::{BROKEN, is_arrived, is_under_way, phase, round, state, token};
use super::cell::{
    AtomicU32, AtomicU64, Attachment, Error,
    Ordering::{AcqRel, Acquire, Relaxed},
    WATCH_COUNT, fence, wake_all,
};
use super::inner::InnerWord;
use super::wait::is_dead;

/// The words of one barrier, wherever they lie.
//
// ROUND  PHASE     meaning of `state`
//   g    OPEN      parties of round g arrive, or have all come and the last of them has died
//   g    COMPLETE  all have come, and one of them runs the action
//   g    BROKEN    whoever is in round g is told so; nobody arrives
//   g    3         written by no step: damaged
//
// CELL (round r, token t), while `state` is in round g
//   free         nobody's; the other bits stand for nothing
//   ARRIVED  =g  a party of this round. Its process dead: the round breaks
//   ARRIVED  <g  a party of a round that was completed; it has not left yet, or is dead
//   BROKEN   <g  the same of a round that was broken, and reset since
//   BROKEN   =g  a reset is going on, or its maker died in it: `state` is BROKEN
//
// A cell is nobody else's as long as the process that it names lives.
#[derive(Clone, Copy)]
pub(crate) struct BarrierWords<'a> {
    pub(crate) guard: &'a InnerWord,
    pub(crate) state: &'a AtomicU32,
    /// When the first party of a round came, in nanoseconds of the monotonic clock: never later
    /// than the arrival of any other of that round, and too early without harm.
    pub(crate) begun: &'a AtomicU64,
    /// For n parties, 2 n cells and then n members. Never empty.
    pub(crate) row: &'a [AtomicU64],
}

/// Words of the row for each party.
pub(crate) const WORDS_PER_PARTY: usize = 3;

/// How one caller looks for the dead.
pub(super) struct Watch {
    /// Where in the row it goes on.
    place: usize,
    /// At how many it looks the next time.
    most: usize,
    /// How many places that look may reach.
    reach: usize,
    /// How often it has looked.
    looks: u32,
}

impl Watch {
    /// The first look is at everybody.
    pub(super) const fn at_once() -> Self {
        Self { place: 0, most: usize::MAX, reach: usize::MAX, looks: 0 }
    }

    /// Each look is at a few, at first those behind this place.
    pub(super) const fn behind(place: usize) -> Self {
        Self { place: place + 1, most: WATCH_COUNT, reach: usize::MAX, looks: 0 }
    }

    /// A single look, at all the members and at nobody else.
    pub(super) const fn of_members(words: BarrierWords<'_>) -> Self {
        Self { place: words.cell_count(), most: usize::MAX, reach: words.parties(), looks: 0 }
    }

    pub(super) const fn looks(&self) -> u32 {
        self.looks
    }
}

impl<'a> BarrierWords<'a> {
    pub(crate) const fn parties(self) -> usize {
        self.row.len() / WORDS_PER_PARTY
    }

    pub(super) const fn cell_count(self) -> usize {
        2 * self.parties()
    }

    pub(super) fn cells(self) -> &'a [AtomicU64] {
        &self.row[..self.cell_count()]
    }

    pub(super) fn members(self) -> &'a [AtomicU64] {
        &self.row[self.cell_count()..]
    }

    /// Whether it is broken. One load; a death that nobody has noticed yet does not show.
    pub(crate) fn is_broken(self) -> bool {
        // Relaxed: an answer for the moment, by which nothing is read.
        phase(self.state.load(Relaxed)) == BROKEN
    }

    /// How many have come to this round and live.
    ///
    /// # Errors
    /// * [`Error::Damaged`], and those of a look at who lives.
    pub(crate) fn waiting(self, at: &Attachment) -> Result<u32, Error> {
        // Ends: with the first turn in which no round ends.
        loop {
            // Acquire pairs with the exchanges of `state`: the cells are this round's or later.
            let seen = self.state.load(Acquire);
            if phase(seen) == BROKEN {
                return Ok(0);
            }
            if !is_under_way(seen, round(seen)) {
                return Err(Error::Damaged);
            }
            let count = self.count_living(at, round(seen))?;
            // Acquire, and Relaxed: the looks at the cells come before this one at `state`.
            fence(Acquire);
            if round(self.state.load(Relaxed)) == round(seen) {
                return Ok(count);
            }
        }
    }

    fn count_living(self, at: &Attachment, round: u32) -> Result<u32, Error> {
        let mut count = 0;
        for cell in self.cells() {
            let seen = cell.load(Relaxed); // order is none of this look's concern
            if is_arrived(seen, round) && !is_dead(at, token(seen), SLICES_COUNT)? {
                count += 1;
            }
        }
        Ok(count)
    }

    /// Breaks whatever round it is in, unless that is broken already.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when `state` says what no step has written.
    pub(crate) fn abort(self) -> Result<(), Error> {
        // Ends: each further turn means that a round was completed or broken meanwhile.
        loop {
            // Relaxed: a look; the exchange in `break_round` decides.
            let seen = self.state.load(Relaxed);
            if phase(seen) == BROKEN || self.break_round(round(seen)) {
                return Ok(());
            }
            if !is_under_way(seen, round(seen)) {
                return Err(Error::Damaged);
            }
        }
    }

    /// K1 and K2: breaks round `of`, without the lock. False when that was over already.
    pub(super) fn break_round(self, of: u32) -> bool {
        // Relaxed: a look; the exchange decides.
        let mut seen = self.state.load(Relaxed);
        // Ends: an exchange fails when all have come, or the round is over; each happens once.
        while is_under_way(seen, of) {
            // K1. AcqRel pairs with the Acquire in B2, B8 and B9: who is told that it is broken
            // sees what the breaker did before. Relaxed when it fails: what is seen is looked at.
            match self.state.compare_exchange(seen, state(of, BROKEN), AcqRel, Relaxed) {
                Ok(_) => {
                    wake_all(self.state); // K2. Killed before: sleepers look within a slice
                    return true;
                }
                Err(newer) => seen = newer,
            }
        }
        false
    }

    /// Whether a party of `round`, or a member, is dead. A look goes on where the last one ended:
    /// of many that sleep here each looks after a few.
    pub(super) fn finds_dead(
        self,
        at: &Attachment,
        round: u32,
        watch: &mut Watch,
    ) -> Result<bool, Error> {
        let (mut asked, mut last) = (0, 0);
        for _ in 0..self.row.len().min(watch.reach) {
            let place = watch.place % self.row.len();
            watch.place = place + 1;
            let token = self.party(place, round);
            if token == 0 || token == last || token == at.token() {
                continue;
            }
            if is_dead(at, token, watch.looks)? {
                return Ok(true);
            }
            (asked, last) = (asked + 1, token);
            if asked >= watch.most {
                break;
            }
        }
        (watch.looks, watch.most) = (watch.looks.saturating_add(1), WATCH_COUNT);
        Ok(false)
    }

    /// Who at this place of the row matters to `round`: who has come to it, or a member; 0 for
    /// nobody.
    fn party(self, place: usize, round: u32) -> u32 {
        // Relaxed: what a look misses the next one sees, and order makes no difference to who
        // lives.
        let seen = self.row[place].load(Relaxed);
        if place >= self.cell_count() || is_arrived(seen, round) { token(seen) } else { 0 }
    }
}

/// How often a caller has slept on a party, as the look at its life takes it, where it does not
/// come back after a slice: it wants the second opinion at once.
pub(super) const SLICES_COUNT: u32 = 1;
