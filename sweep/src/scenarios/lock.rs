//! A lock among the living: taking it, waiting for it, giving it back.

use std::time::Duration;

use purlin_sync::{Acquired, Error};

use super::world::{Elsewhere, PEERS, VICTIM_PID, World};
use crate::journal::Step;
use crate::limits::SHORT_LIMIT;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::is_asleep_on_futex;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome};

pub(super) const SCENARIOS: [Scenario; 8] = [
    Scenario {
        name: "lock-uncontended",
        about: "acquire, work, release; nobody else is there",
        make: || Ok(Box::new(Uncontended(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "lock-keep-release",
        about: "acquire, keep, release without a guard",
        make: || Ok(Box::new(Kept(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "lock-contended",
        about: "acquire, work, release, beside two that come and go",
        make: || Ok(Box::new(Contended(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "lock-release-sleepers",
        about: "release while two sleep on it",
        make: || Ok(Box::new(ReleaseToSleepers(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "lock-try-held",
        about: "try a lock that a living process holds",
        make: || Ok(Box::new(Refused { world: World::new()?, limit: None }) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "lock-timed-out",
        about: "wait with a limit, beside one without, and give up",
        make: || Ok(Box::new(Refused { world: World::new()?, limit: LIMIT }) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "lock-waiter",
        about: "wait beside another, be woken, work, release",
        make: || Ok(Box::new(Waiter(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "lock-give-up",
        about: "drop the last handle while holding; two sleep on it",
        make: || Ok(Box::new(GiveUp(Elsewhere::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
];

const LIMIT: Option<Duration> = Some(SHORT_LIMIT);

struct Uncontended(World);

impl Stage for Uncontended {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.visit_marked(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.visit_marked(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.visit_and_stay(turn)
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

struct Kept(World);

impl Kept {
    fn visit(&self, index: usize, mark: &Mark) -> Outcome {
        self.0.register()?;
        mark.begin();
        let outcome = self.keep_and_release(index);
        mark.end();
        outcome
    }

    fn keep_and_release(&self, index: usize) -> Outcome {
        let mortal = self.0.journal.mortal(index);
        mortal.hold(&self.0.lock)?;
        let has_recovered = mortal.step() == Step::Suspect;
        if has_recovered {
            self.0.lock.recover()?;
        }
        mortal.set_step(if has_recovered { Step::LeavingRecovered } else { Step::LeavingSound });
        self.0.lock.release()?;
        mortal.set_step(if has_recovered { Step::LeftRecovered } else { Step::LeftSound });
        Ok(())
    }
}

impl Stage for Kept {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.visit(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.visit(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.visit_and_stay(turn)
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

struct Contended(World);

impl Stage for Contended {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        self.0.journal.visit_until_over(&self.0.lock, PEERS + index)
    }

    fn is_in_place(&self, index: usize, _pid: i32) -> bool {
        self.0.journal.cell(PEERS + index) == 1
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.visit_marked(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.visit_marked(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.visit_and_stay(turn)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

struct ReleaseToSleepers(World);

impl Stage for ReleaseToSleepers {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.0.journal.visit(&self.0.lock)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        let mortal = self.0.journal.mortal(0);
        mortal.hold(&self.0.lock)?;
        mark.begin();
        mortal.set_step(Step::LeavingSound);
        let released = self.0.lock.release();
        mortal.set_step(Step::LeftSound);
        mark.end();
        Ok(released?)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.visit_marked(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.visit_and_stay(turn)
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

/// A caller that must be told "timed out": the peer 0 is inside until all is over, and peer 1
/// sleeps for it without a limit.
struct Refused {
    world: World,
    limit: Option<Duration>,
}

impl Refused {
    fn be_refused(&self, mark: &Mark) -> Outcome {
        self.world.register()?;
        mark.begin();
        let answer = match self.limit {
            Some(limit) => self.world.lock.acquire(limit).map(Acquired::keep),
            None => self.world.lock.try_acquire().map(Acquired::keep),
        };
        let outcome = self.world.journal.accuse(match answer {
            Err(Error::TimedOut) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Failure::new(Kind::Duplicate, "got what a living process holds")),
        });
        mark.end();
        outcome
    }
}

impl Stage for Refused {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        match index {
            0 => self.world.journal.stay_until(&self.world.lock, PEERS, || false),
            _ => self.world.journal.visit(&self.world.lock),
        }
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        if index == 0 { self.world.journal.cell(PEERS) == 1 } else { is_asleep_on_futex(pid) }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.be_refused(mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.be_refused(mark)
    }

    fn aftermath(&mut self) -> Outcome {
        self.world.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.world.journal.settle(&self.world.lock, 0)
    }
}

/// Peer 0 is inside until the victim sleeps, or is dead; peer 1 sleeps beside the victim.
struct Waiter(World);

impl Waiter {
    fn wait(&self, index: usize, mark: &Mark) -> Outcome {
        self.0.journal.set_cell(VICTIM_PID, std::process::id().into());
        self.0.visit_marked(index, mark)
    }
}

impl Stage for Waiter {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        let victim_sleeps = || is_asleep_on_futex(self.0.journal.cell(VICTIM_PID) as i32);
        match index {
            0 => self.0.journal.stay_until(&self.0.lock, PEERS, victim_sleeps),
            _ => self.0.journal.visit(&self.0.lock),
        }
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        if index == 0 { self.0.journal.cell(PEERS) == 1 } else { is_asleep_on_futex(pid) }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.wait(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.wait(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.visit_and_stay(turn)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

/// Each role attaches for itself, so that a process has one handle, and its drop is the last.
struct GiveUp(Elsewhere);

impl Stage for GiveUp {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, _index: usize) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        self.0.journal.visit(&lock)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        let mortal = self.0.journal.mortal(0);
        mortal.hold(&lock)?;
        mark.begin();
        mortal.set_step(Step::GivingUp);
        drop(lock);
        mark.end();
        Ok(())
    }

    fn second(&self, mark: &Mark) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        mark.begin();
        let outcome = self.0.journal.mortal(1).visit(&lock);
        mark.end();
        outcome
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        self.0.journal.visit_and_stay(&lock, turn)
    }

    fn check(&self) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        self.0.journal.settle(&lock, 0)
    }
}
