//! A lock whose owner is dead: taking it over, vouching for it, or not.

use super::world::{PEERS, World};
use crate::journal::Step;
use crate::limits::LONG_SLICES_COUNT;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::{is_asleep_on_futex, sleep_count};
use crate::sys::process::Child;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome};

pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "takeover",
        about: "acquire from a dead owner, repair, recover, release",
        make: || Ok(Box::new(Takeover::new(What::Acquire)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "takeover-try",
        about: "try a lock whose owner is dead, repair, recover, release",
        make: || Ok(Box::new(Takeover::new(What::Try)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "takeover-unvouched",
        about: "acquire from a dead owner, and release without a word",
        make: || Ok(Box::new(Takeover::new(What::Unvouched)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "takeover-recover",
        about: "recover a lock that was taken over and kept, and release it",
        make: || Ok(Box::new(Takeover::new(What::Recover)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "takeover-sleepers",
        about: "acquire from an owner that dies while two sleep for it",
        make: || Ok(Box::new(Beside::new(Peers::Sleep)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "takeover-running",
        about: "acquire from a dead owner beside two that come and go",
        make: || Ok(Box::new(Beside::new(Peers::Run)?) as AnyStage),
        sweep: Sweep::Double,
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Acquire,
    Try,
    Unvouched,
    Recover,
}

/// Nobody else is there.
struct Takeover {
    world: World,
    what: What,
}

impl Takeover {
    fn new(what: What) -> Result<Self, Failure> {
        Ok(Self { world: World::with_dead_owner()?, what })
    }

    fn play(&self, index: usize, mark: &Mark) -> Outcome {
        let mortal = self.world.journal.mortal(index);
        self.world.register()?;
        if self.what == What::Recover {
            mortal.hold(&self.world.lock)?;
        }
        mark.begin();
        let outcome = match self.what {
            What::Acquire => mortal.visit(&self.world.lock),
            What::Try => self.visit_at_once(index),
            What::Unvouched => self.visit_without_a_word(index),
            What::Recover => self.recover_and_release(index),
        };
        mark.end();
        outcome
    }

    fn visit_at_once(&self, index: usize) -> Outcome {
        let mortal = self.world.journal.mortal(index);
        mortal.set_step(Step::Entering);
        let answer = self.world.lock.try_acquire().map_err(|error| {
            Failure::new(Kind::Lost, format!("the owner is dead, and the lock answers {error}"))
        });
        mortal.visit_held(answer?)
    }

    fn visit_without_a_word(&self, index: usize) -> Outcome {
        let mortal = self.world.journal.mortal(index);
        mortal.set_step(Step::Entering);
        let acquired = self.world.lock.acquire(None)?;
        mortal.work(&acquired)?;
        if mortal.step() != Step::Suspect {
            return Err(Failure::new(Kind::Corrupt, "an owner died, and it was not told"));
        }
        mortal.set_step(Step::LeftSuspect);
        drop(acquired);
        Ok(())
    }

    fn recover_and_release(&self, index: usize) -> Outcome {
        let (mortal, lock) = (self.world.journal.mortal(index), &self.world.lock);
        let was_told = mortal.step() == Step::Suspect;
        lock.recover()?;
        mortal.set_step(if was_told { Step::LeavingRecovered } else { Step::LeavingSound });
        lock.release()?;
        mortal.set_step(if was_told { Step::LeftRecovered } else { Step::LeftSound });
        Ok(())
    }
}

impl Stage for Takeover {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.play(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        match self.what {
            // The first may have vouched, so that a second has nothing to leave unvouched.
            What::Unvouched | What::Acquire => self.world.visit_marked(1, mark),
            _ => self.play(1, mark),
        }
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        match self.what {
            What::Acquire | What::Recover => self.world.visit_and_stay(turn),
            // The victim only tries, and must get it: nobody stays inside.
            What::Try => self.world.journal.visit(&self.world.lock),
            // The victim must be told: nobody vouches.
            What::Unvouched => self.visit_without_a_word(1),
        }
    }

    fn check(&self) -> Outcome {
        self.world.journal.settle(&self.world.lock, 1)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    Sleep,
    Run,
}

/// Two peers want the lock too. Its owner lives until everybody is in place.
struct Beside {
    world: World,
    owner: Option<Child>,
    peers: Peers,
}

impl Beside {
    fn new(peers: Peers) -> Result<Self, Failure> {
        let world = World::new()?;
        let owner = Some(world.owner()?);
        Ok(Self { world, owner, peers })
    }
}

impl Stage for Beside {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        match self.peers {
            Peers::Sleep => self.world.journal.visit(&self.world.lock),
            Peers::Run => self.world.journal.visit_until_over(&self.world.lock, PEERS + index),
        }
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        // The first has slept longer than the second. Most victims take over before they look.
        is_asleep_on_futex(pid) && (index == 0 || sleep_count(pid) >= LONG_SLICES_COUNT)
    }

    fn curtain(&mut self) -> Outcome {
        self.owner = None; // killed and reaped
        Ok(())
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.world.visit_marked(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.world.visit_marked(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.world.visit_and_stay(turn)
    }

    fn aftermath(&mut self) -> Outcome {
        self.world.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.world.journal.settle(&self.world.lock, 1)
    }
}
