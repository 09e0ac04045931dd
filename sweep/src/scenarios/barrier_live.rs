//! Barriers at full speed, where nobody is stepped or killed: wake-ups among the living, and breaks
//! and resets that come at every moment.

use std::time::Duration;

use super::barrier_world::Hall;
use super::ensemble::{self, Ensemble};
use super::whole::{ROUNDS_LIMIT, meet};
use crate::stage::{Scenario, Sweep};
use crate::sys::clock;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "barrier-live",
        about: "four meet round after round: none is left asleep, none gets ahead",
        make: || Ok(ensemble::stage(Live { hall: Hall::new(4)?, breaks: false })),
        sweep: Sweep::Whole,
    },
    Scenario {
        name: "barrier-live-action",
        about: "the same with an action",
        make: || Ok(ensemble::stage(Live { hall: Hall::with_action(4)?, breaks: false })),
        sweep: Sweep::Whole,
    },
    Scenario {
        name: "barrier-live-broken",
        about: "three meet, and break it, in turns: all are told, and meet again after a reset",
        make: || Ok(ensemble::stage(Live { hall: Hall::new(3)?, breaks: true })),
        sweep: Sweep::Whole,
    },
];

/// Journal cells: what each has come to, and the last round.
const AT: usize = 64;
const MET: usize = 72;
const LAST: usize = 80;

const ROUND_COUNT: u64 = 2_000;

struct Live {
    hall: Hall,
    breaks: bool,
}

impl Live {
    fn pass(&self, says: &str) -> Result<u32, Failure> {
        let answer = if self.hall.has_action {
            self.hall.barrier.wait_with(None, || Ok::<(), Failure>(()))?
        } else {
            Ok(self.hall.barrier.wait(None)?)
        };
        answer.map_err(|_| Failure::new(Kind::Lost, format!("nobody broke it: {says}")))
    }

    /// One round in which all see where all are, and one in which they have seen it.
    fn walk(&self, index: usize, round: u64) -> Outcome {
        self.hall.journal.set_cell(AT + index, round);
        self.pass("the first half")?;
        for other in 0..self.hall.barrier.parties() as usize {
            let at = self.hall.journal.cell(AT + other);
            let says = || format!("one is in round {round}, another in round {at}");
            check(at == round, Kind::Corrupt, says)?;
        }
        self.pass("the second half").map(drop)
    }

    /// One of them breaks it, by an abort or by its limit, at some moment; the others wait.
    fn be_broken(&self, index: usize, round: u64) -> Outcome {
        let (barrier, journal) = (&self.hall.barrier, &self.hall.journal);
        let parties = barrier.parties() as usize;
        let is_breaker = round as usize % parties == index;
        let answer = if !is_breaker {
            barrier.wait(None)
        } else if round.is_multiple_of(2) {
            (0..round * 7 % 500).for_each(|_| core::hint::spin_loop());
            barrier.abort()?;
            Err(purlin_sync::Error::BarrierBroken)
        } else {
            // One is missing, whoever comes first.
            barrier.wait(Duration::ZERO)
        };
        let is_told = answer == Err(purlin_sync::Error::BarrierBroken);
        // With a limit of zero the last of all to come passes, and so do the others.
        let has_passed = !round.is_multiple_of(2) && answer.is_ok();
        let says = || format!("round {round}: {answer:?}");
        check(is_told || has_passed, Kind::Corrupt, says)?;
        meet(journal, MET, index, parties, 2 * round - 1)?;
        if index == 0 {
            barrier.reset()?;
        }
        meet(journal, MET, index, parties, 2 * round)
    }
}

impl Ensemble for Live {
    fn player_count(&self) -> usize {
        self.hall.barrier.parties() as usize
    }

    fn play(&self, index: usize) -> Outcome {
        self.hall.register(index)?;
        let began = clock::now();
        for round in 1.. {
            let is_late = clock::now().saturating_sub(began) >= ROUNDS_LIMIT;
            if index == 0 && (round >= ROUND_COUNT || is_late) {
                self.hall.journal.set_cell(LAST, round);
            }
            if self.breaks {
                self.hall.journal.accuse(self.be_broken(index, round))?;
            }
            self.hall.journal.accuse(self.walk(index, round))?;
            if self.hall.journal.cell(LAST) == round {
                break;
            }
        }
        Ok(())
    }

    fn pulse(&self) -> u64 {
        self.hall.journal.cell(AT)
    }

    fn check(&self) -> Outcome {
        self.hall.settle()
    }
}
