//! The lock that anybody releases, released by who did not acquire it.

use purlin_sync::{Acquired, ByAnyone, Error};

use super::world::{PEERS, World};
use crate::journal::Step;
use crate::limits::SHORT_LIMIT;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::is_asleep_on_futex;
use crate::sys::process::idle_until;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "handover-release",
        about: "release what a living process acquired; two sleep on it",
        make: || Ok(Box::new(OfTheLiving(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "handover-release-dead",
        about: "release what a dead owner held: the next is told all the same",
        make: || Ok(Box::new(OfTheDead(World::with_dead_owner()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "handover-release-suspect",
        about: "release what a living process took over and did not vouch for",
        make: || Ok(Box::new(OfASuspect::new()?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "handover-holder",
        about: "acquire, hand over to a peer that releases, and acquire again",
        make: || Ok(Box::new(Holder(World::new()?)) as AnyStage),
        // A second that took over would meet the peer's release, and have its own hold ended.
        sweep: Sweep::Single,
    },
    Scenario {
        name: "handover-baton",
        about: "one acquires again and again, another releases each time: it is woken",
        make: || Ok(Box::new(Baton(World::new()?)) as AnyStage),
        sweep: Sweep::Whole,
    },
];

/// Journal cells: the holder's work is done, and a stranger has released.
const HANDED: usize = 16;
const RELEASED: usize = 17;

/// A release by a stranger. One that finds nothing to release came second.
fn release(world: &World<ByAnyone>, mark: &Mark) -> Outcome {
    world.register()?;
    mark.begin();
    let answer = world.lock.release();
    let outcome = world.journal.accuse(match answer {
        Ok(()) | Err(Error::OverReleased) => Ok(()),
        Err(error) => Err(error.into()),
    });
    mark.end();
    outcome
}

/// Peer 0 has acquired and lives; peers 1 and 2 sleep.
struct OfTheLiving(World<ByAnyone>);

impl Stage for OfTheLiving {
    fn peer_count(&self) -> usize {
        3
    }

    fn peer(&self, index: usize) -> Outcome {
        match index {
            0 => self.hold_outside(),
            _ => self.0.journal.visit(&self.0.lock),
        }
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        if index == 0 { self.0.journal.cell(PEERS) == 1 } else { is_asleep_on_futex(pid) }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        release(&self.0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.register()?;
        mark.begin();
        let outcome = self.visit_if_released();
        mark.end();
        outcome
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

impl OfTheLiving {
    /// The victim may have been killed before it released, and then the holder stays.
    fn visit_if_released(&self) -> Outcome {
        let mortal = self.0.journal.mortal(1);
        mortal.set_step(Step::Entering);
        match self.0.lock.acquire(SHORT_LIMIT) {
            Ok(acquired) => mortal.visit_held(acquired),
            Err(Error::TimedOut) => {
                mortal.set_step(Step::Out);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Its work inside is done; what is left is the release, which is the victim's.
    fn hold_outside(&self) -> Outcome {
        let guard = self.0.lock.acquire(None)?.sound()?;
        self.0.journal.set_cell(PEERS, 1);
        idle_until(|| self.0.journal.is_over());
        drop(guard);
        Ok(())
    }
}

/// Nobody else is there. Whoever comes second releases too, or finds that done.
struct OfTheDead(World<ByAnyone>);

impl Stage for OfTheDead {
    fn victim(&self, mark: &Mark) -> Outcome {
        release(&self.0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        release(&self.0, mark)
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.journal.visit(&self.0.lock) // and does not stay: a stray release would end its hold
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 1) // told once, and not never
    }
}

/// Peer 0 was told of an owner's death, keeps the lock, and has nobody told since.
struct OfASuspect(World<ByAnyone>);

impl OfASuspect {
    fn new() -> Result<Self, Failure> {
        Ok(Self(World::with_dead_owner()?))
    }
}

impl Stage for OfASuspect {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let Acquired::OwnerDied(suspect) = self.0.lock.acquire(None)? else {
            return Err(Failure::new(Kind::Corrupt, "an owner's death was not told"));
        };
        self.0.journal.set_cell(PEERS, 1);
        idle_until(|| self.0.journal.is_over());
        drop(suspect);
        Ok(())
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.0.journal.cell(PEERS) == 1
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        release(&self.0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        release(&self.0, mark)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 1)
    }
}

/// The victim acquires, works and says so; peer 0 releases then. The victim's second acquire waits
/// for that. Killed before it has said so, it is a dead owner; after, it may be one or not.
struct Holder(World<ByAnyone>);

impl Holder {
    fn hand_over(&self, mark: &Mark) -> Outcome {
        let (world, mortal) = (&self.0, self.0.journal.mortal(0));
        world.register()?;
        mark.begin();
        let outcome = mortal.hold(&world.lock).and_then(|()| {
            mortal.set_step(Step::LeavingSound); // by another's hand
            world.journal.set_cell(HANDED, 1);
            mortal.visit(&world.lock)
        });
        mark.end();
        outcome
    }
}

impl Stage for Holder {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let journal = &self.0.journal;
        idle_until(|| journal.is_over() || journal.cell(HANDED) == 1);
        if journal.cell(HANDED) == 1 {
            self.0.lock.release()?; // of the living or of the dead
            journal.set_cell(RELEASED, 1);
        }
        Ok(())
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        true // it waits for the victim's word
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.hand_over(mark)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        let journal = &self.0.journal;
        let is_released = journal.cell(HANDED) == journal.cell(RELEASED);
        check(is_released, Kind::Lost, || "handed over, and not released".to_owned())?;
        journal.settle(&self.0.lock, 0)
    }
}

/// Journal cells of the baton: how often it was acquired, and by whom.
const ROUND: usize = 18;
const ACQUIRER: usize = 19;
const ROUND_COUNT: u64 = 400;

/// Peer 0 acquires, and its next acquire waits for peer 1's release of this one. A stranger's
/// release that wakes nobody leaves it asleep.
struct Baton(World<ByAnyone>);

impl Baton {
    fn acquire_all(&self) -> Outcome {
        self.0.journal.set_cell(ACQUIRER, std::process::id().into());
        for round in 1..=ROUND_COUNT {
            self.0.lock.acquire(None)?.keep();
            self.0.journal.set_cell(ROUND, round);
        }
        idle_until(|| self.0.journal.cell(RELEASED) == 1); // who ends with it has died with it
        Ok(())
    }

    fn release_all(&self) -> Outcome {
        let journal = &self.0.journal;
        for round in 1..=ROUND_COUNT {
            let is_next_asleep = || is_asleep_on_futex(journal.cell(ACQUIRER) as i32);
            idle_until(|| journal.cell(ROUND) == round);
            if round % 2 == 0 && round < ROUND_COUNT {
                idle_until(is_next_asleep);
            }
            self.0.lock.release()?;
        }
        journal.set_cell(RELEASED, 1);
        Ok(())
    }
}

impl Stage for Baton {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 0 { self.acquire_all() } else { self.release_all() }
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        true // they wait for each other
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        mark.begin();
        mark.end();
        Ok(())
    }

    fn pulse(&self) -> u64 {
        self.0.journal.cell(ROUND)
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}
