//! Semaphores at full speed, where nobody is stepped or killed: no release leaves somebody asleep
//! for whom there is a unit.

use purlin_sync::{Bounded, Tracked, Unbounded, Units};

use super::ensemble::{self, Ensemble};
use super::semaphore_world::{PEERS, Store};
use super::whole::{ROUNDS_LIMIT, meet};
use crate::limits::GLANCE;
use crate::stage::{Scenario, Sweep};
use crate::sys::clock;
use crate::sys::process::{idle_until, pause};
use crate::verdict::{Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "semaphore-live",
        about: "three wait for a unit each, which come at once, quickly, or one by one",
        make: || Ok(ensemble::stage(Live::<Unbounded>(Store::new(UNIT_COUNT)?))),
        sweep: Sweep::Whole,
    },
    Scenario {
        name: "bounded-live",
        about: "the same with a bound",
        make: || Ok(ensemble::stage(Live::<Bounded>(Store::bounded(UNIT_COUNT)?))),
        sweep: Sweep::Whole,
    },
    Scenario {
        name: "tracked-live",
        about: "the same where units have owners",
        make: || Ok(ensemble::stage(Live::<Tracked>(Store::new(UNIT_COUNT)?))),
        sweep: Sweep::Whole,
    },
];

const UNIT_COUNT: u32 = 3;
const WAITER_COUNT: usize = UNIT_COUNT as usize;
const ROUND_COUNT: u64 = 600;

/// Journal cells: the round that may begin, the last one; in which round each waiter has a unit,
/// and which it has gone through.
const ROUND: usize = 64;
const LAST: usize = 65;
const HAS: usize = 72;
const DONE: usize = 80;

/// Player 0 has all units, and gives them; each of the others takes one, and keeps it until all
/// have theirs.
struct Live<K: Units>(Store<K>);

impl<K: Units> Live<K> {
    fn in_round(&self, start: usize, round: u64) -> usize {
        (0..WAITER_COUNT).filter(|waiter| self.0.journal.cell(start + waiter) >= round).count()
    }

    fn give_again_and_again(&self) -> Outcome {
        let began = clock::now();
        for round in 1.. {
            for _ in 0..UNIT_COUNT {
                self.0.take(0, None)?;
            }
            let is_late = clock::now().saturating_sub(began) >= ROUNDS_LIMIT;
            let is_last = round >= ROUND_COUNT || is_late;
            if is_last {
                self.0.journal.set_cell(LAST, round);
            }
            self.0.journal.set_cell(ROUND, round);
            if !round.is_multiple_of(8) {
                pause(GLANCE); // they are asleep, or about to fall asleep
            }
            self.give_all(round)?;
            idle_until(|| self.in_round(DONE, round) == WAITER_COUNT);
            if is_last {
                break;
            }
        }
        Ok(())
    }

    fn give_all(&self, round: u64) -> Outcome {
        match round % 3 {
            0 => self.give(UNIT_COUNT)?,
            // Who comes second finds that nobody is to be woken.
            1 => (0..UNIT_COUNT).try_for_each(|_| self.give(1))?,
            // Who is woken sees to it that the next are woken.
            _ => {
                for count in 1..=WAITER_COUNT {
                    self.give(1)?;
                    idle_until(|| self.in_round(HAS, round) >= count);
                }
            }
        }
        Ok(())
    }

    fn give(&self, count: u32) -> Outcome {
        let is_given = self.0.give(0, count)?;
        self.0.journal.accuse(check(is_given, Kind::Lost, || "refused what is missing".to_owned()))
    }

    fn take_again_and_again(&self, waiter: usize) -> Outcome {
        let journal = &self.0.journal;
        for round in 1.. {
            idle_until(|| journal.cell(ROUND) >= round);
            self.0.take(PEERS + waiter, None)?;
            meet(journal, HAS, waiter, WAITER_COUNT, round)?;
            self.0.give(PEERS + waiter, 1)?;
            journal.set_cell(DONE + waiter, round);
            if journal.cell(LAST) == round {
                break;
            }
        }
        Ok(())
    }
}

impl<K: Units> Ensemble for Live<K> {
    fn player_count(&self) -> usize {
        1 + WAITER_COUNT
    }

    fn play(&self, index: usize) -> Outcome {
        self.0.register(if index == 0 { 0 } else { PEERS + index - 1 })?;
        match index.checked_sub(1) {
            None => self.give_again_and_again(),
            Some(waiter) => self.take_again_and_again(waiter),
        }
    }

    fn pulse(&self) -> u64 {
        (0..WAITER_COUNT).map(|waiter| self.0.journal.cell(DONE + waiter)).sum()
    }

    fn check(&self) -> Outcome {
        self.0.settle()
    }
}
