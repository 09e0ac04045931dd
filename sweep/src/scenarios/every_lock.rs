//! What each kind of exclusive lock does alike, asked of those that are built like the first: one
//! compiler's instructions for one kind are not those for another.

use std::time::Duration;

use purlin_sync::{Acquired, ByAnyone, ByThread, Error, Reentrant, Rules};

use super::world::{Elsewhere, PEERS, VICTIM_PID, World};
use crate::journal::{Mortal, Step};
use crate::limits::SHORT_LIMIT;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::is_asleep_on_futex;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome};

/// The rows of one kind.
macro_rules! rows {
    ($rules:ty, $kind:literal) => {
        [
            row!($kind, "-alone", "acquire, work, release", Alone::<$rules>::visit()),
            row!($kind, "-keep-release", "acquire, keep, release", Alone::<$rules>::keep()),
            row!($kind, "-takeover", "acquire from the dead, recover", Alone::<$rules>::inherit()),
            row!($kind, "-unvouched", "the same without a word", Alone::<$rules>::stay_silent()),
            row!($kind, "-recover", "recover what was kept, release", Alone::<$rules>::recover()),
            row!($kind, "-contended", "beside two that come and go", Crowd::<$rules>::running()),
            row!($kind, "-waiter", "wait beside another, be woken", Crowd::<$rules>::waiting()),
            row!($kind, "-try-held", "try what a living one holds", Crowd::<$rules>::trying()),
            row!($kind, "-timed-out", "wait with a limit, give up", Crowd::<$rules>::giving_up()),
            row!($kind, "-sleepers", "release while two sleep on it", Leaving::<$rules>::release()),
            row!($kind, "-give-up", "drop the last handle; two sleep", GiveUp::<$rules>::new()),
        ]
    };
}

macro_rules! row {
    ($kind:literal, $name:literal, $about:literal, $make:expr) => {
        Scenario {
            name: concat!($kind, $name),
            about: concat!($kind, " lock: ", $about),
            make: || Ok(Box::new($make?) as AnyStage),
            sweep: Sweep::Double,
        }
    };
}

pub(super) const HANDOVER: [Scenario; 11] = rows!(ByAnyone, "handover");
pub(super) const CHECKED: [Scenario; 11] = rows!(ByThread, "checked");

/// What the recursive lock's own scenarios do not do at more levels.
pub(super) const RLOCK: [Scenario; 4] = [
    row!("rlock", "-alone", "acquire, work, release", Alone::<Reentrant>::visit()),
    row!("rlock", "-takeover", "acquire from the dead, recover", Alone::<Reentrant>::inherit()),
    row!("rlock", "-waiter", "wait beside another, be woken", Crowd::<Reentrant>::waiting()),
    row!("rlock", "-sleepers", "release while two sleep on it", Leaving::<Reentrant>::release()),
];

/// What a victim does that nobody disturbs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errand {
    Visit,
    Keep,
    StaySilent,
    Recover,
}

/// Nobody else is there; the owner may be dead.
struct Alone<R: Rules> {
    world: World<R>,
    errand: Errand,
    deaths: i64,
}

impl<R: Rules> Alone<R> {
    fn visit() -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, errand: Errand::Visit, deaths: 0 })
    }

    fn keep() -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, errand: Errand::Keep, deaths: 0 })
    }

    fn inherit() -> Result<Self, Failure> {
        Self::after_a_death(Errand::Visit)
    }

    fn stay_silent() -> Result<Self, Failure> {
        Self::after_a_death(Errand::StaySilent)
    }

    fn recover() -> Result<Self, Failure> {
        Self::after_a_death(Errand::Recover)
    }

    fn after_a_death(errand: Errand) -> Result<Self, Failure> {
        Ok(Self { world: World::with_dead_owner()?, errand, deaths: 1 })
    }

    fn run(&self, errand: Errand, mortal: Mortal<'_>, mark: &Mark) -> Outcome {
        self.world.register()?;
        if errand == Errand::Recover {
            mortal.hold(&self.world.lock)?;
        }
        mark.begin();
        let outcome = match errand {
            Errand::Visit => mortal.visit(&self.world.lock),
            Errand::Keep => {
                mortal.hold(&self.world.lock).and_then(|()| self.recover_and_release(mortal))
            }
            Errand::StaySilent => self.say_nothing(mortal),
            Errand::Recover => self.recover_and_release(mortal),
        };
        mark.end();
        outcome
    }

    fn say_nothing(&self, mortal: Mortal<'_>) -> Outcome {
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

    fn recover_and_release(&self, mortal: Mortal<'_>) -> Outcome {
        let was_told = mortal.step() == Step::Suspect;
        self.world.lock.recover()?; // harmless where it was sound
        mortal.set_step(if was_told { Step::LeavingRecovered } else { Step::LeavingSound });
        self.world.lock.release()?;
        mortal.set_step(if was_told { Step::LeftRecovered } else { Step::LeftSound });
        Ok(())
    }
}

impl<R: Rules> Stage for Alone<R> {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.run(self.errand, self.world.journal.mortal(0), mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        // The first may have vouched, so that a second has nothing to be silent about.
        let errand = if self.errand == Errand::StaySilent { Errand::Visit } else { self.errand };
        self.run(errand, self.world.journal.mortal(1), mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        match self.errand {
            // The victim must be told: nobody vouches.
            Errand::StaySilent => self.say_nothing(self.world.journal.mortal(1)),
            _ => self.world.visit_and_stay(turn),
        }
    }

    fn check(&self) -> Outcome {
        self.world.journal.settle(&self.world.lock, self.deaths)
    }
}

/// How a victim wants what others want too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// The peers come and go.
    Running,
    /// Peer 0 is inside until the victim sleeps, or is dead; peer 1 sleeps beside the victim.
    Waiting,
    /// Peer 0 is inside to the end, and the victim must be told that its time is over.
    Limited(Duration),
}

struct Crowd<R: Rules> {
    world: World<R>,
    patience: Patience,
}

impl<R: Rules> Crowd<R> {
    fn running() -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, patience: Patience::Running })
    }

    fn waiting() -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, patience: Patience::Waiting })
    }

    fn trying() -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, patience: Patience::Limited(Duration::ZERO) })
    }

    /// Sleeps for the first slice, and for a part of the second.
    fn giving_up() -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, patience: Patience::Limited(SHORT_LIMIT) })
    }

    fn come(&self, index: usize, mark: &Mark) -> Outcome {
        self.world.journal.set_cell(VICTIM_PID, std::process::id().into());
        match self.patience {
            Patience::Limited(limit) => self.be_refused(limit, mark),
            _ => self.world.visit_marked(index, mark),
        }
    }

    fn be_refused(&self, limit: Duration, mark: &Mark) -> Outcome {
        self.world.register()?;
        mark.begin();
        let answer = self.world.lock.acquire(limit).map(Acquired::keep);
        let outcome = self.world.journal.accuse(match answer {
            Err(Error::TimedOut) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Failure::new(Kind::Duplicate, "got what a living process holds")),
        });
        mark.end();
        outcome
    }

    fn stay_inside(&self) -> Outcome {
        let world = &self.world;
        let victim_sleeps = || is_asleep_on_futex(world.journal.cell(VICTIM_PID) as i32);
        let may_leave = || self.patience == Patience::Waiting && victim_sleeps();
        world.journal.stay_until(&world.lock, PEERS, may_leave)
    }
}

impl<R: Rules> Stage for Crowd<R> {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        let world = &self.world;
        match (self.patience, index) {
            (Patience::Running, _) => world.journal.visit_until_over(&world.lock, PEERS + index),
            (_, 0) => self.stay_inside(),
            _ => world.journal.visit(&world.lock),
        }
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        let is_awake = self.patience == Patience::Running || index == 0;
        if is_awake { self.world.journal.cell(PEERS + index) == 1 } else { is_asleep_on_futex(pid) }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.come(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.come(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        match self.patience {
            Patience::Limited(limit) => self.be_refused(limit, &Mark::UNARMED),
            _ => self.world.visit_and_stay(turn),
        }
    }

    fn aftermath(&mut self) -> Outcome {
        self.world.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.world.journal.settle(&self.world.lock, 0)
    }
}

/// The victim holds it when the region begins; two sleep for it.
struct Leaving<R: Rules>(World<R>);

impl<R: Rules> Leaving<R> {
    fn release() -> Result<Self, Failure> {
        Ok(Self(World::new()?))
    }
}

impl<R: Rules> Stage for Leaving<R> {
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

/// Each role attaches for itself, so that a process has one handle, and its drop is the last.
struct GiveUp<R: Rules>(Elsewhere<R>);

impl<R: Rules> GiveUp<R> {
    fn new() -> Result<Self, Failure> {
        Ok(Self(Elsewhere::new()?))
    }
}

impl<R: Rules> Stage for GiveUp<R> {
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
