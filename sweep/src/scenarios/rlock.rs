//! The lock that its holder acquires again: killed at each level, taken over at one level, and
//! counted for each thread by itself. What it has in common with the others is in `every_lock`.

use purlin_sync::{Acquired, Error, Exclusive, Reentrant, Told};

use super::checked::{Live, in_two_threads, try_anothers};
use super::ensemble;
use super::world::{Elsewhere, OWNER, PEERS, World};
use crate::journal::{Journal, Mortal, Step};
use crate::limits::GLANCE;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::process::{Child, idle_until, pause};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "rlock-deep",
        about: "acquire at three levels, work amid them, release",
        make: || Ok(Box::new(Deep { world: World::new()?, deaths: 0 }) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "rlock-deep-takeover",
        about: "the same after one that died at the second level",
        make: || Ok(Box::new(Deep::after_a_deep_death()?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "rlock-threads",
        about: "the same beside two threads of one process",
        make: || Ok(Box::new(Threads(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "rlock-deep-give-up",
        about: "drop the last handle at the second level; two sleep",
        make: || Ok(Box::new(GiveUp(Elsewhere::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "rlock-live",
        about: "two threads in each of two processes come and go at three levels, in bouts",
        make: || Ok(ensemble::stage(Live { world: World::new()?, visit: visit_for })),
        sweep: Sweep::Whole,
    },
];

type RLock = Exclusive<Reentrant>;

/// Goes two levels deeper and comes back. Nobody can see it, so nobody can be in the way.
fn go_deeper(journal: &Journal, lock: &RLock) -> Outcome {
    let answer = || -> Result<[u32; 4], Error> {
        let first = lock.depth()?;
        let inner = lock.acquire(None)?.sound()?; // told at the first level, if at all
        let second = lock.depth()?;
        let innermost = lock.try_acquire()?.sound()?;
        let third = lock.depth()?;
        drop((inner, innermost));
        Ok([first, second, third, lock.depth()?])
    };
    journal.accuse(match answer() {
        Ok([1, 2, 3, 1]) => Ok(()),
        other => Err(Failure::new(Kind::Corrupt, format!("the levels went {other:?}"))),
    })
}

/// A survivor's visit that goes deeper inside.
fn visit(journal: &Journal, lock: &RLock, turns: u64) -> Outcome {
    let mut deeper = Ok(());
    journal.visit_while(lock.acquire(None)?, || {
        deeper = go_deeper(journal, lock);
        (0..turns).for_each(|_| core::hint::spin_loop());
    })?;
    deeper?;
    let is_left = !lock.is_mine() && lock.depth() == Ok(0);
    journal.accuse(check(is_left, Kind::Lost, || "released, and still held".to_owned()))
}

fn visit_for(world: &World<Reentrant>, turns: u64) -> Outcome {
    visit(&world.journal, &world.lock, turns)
}

/// The same by one that may be killed.
fn visit_as(mortal: Mortal<'_>, journal: &Journal, lock: &RLock) -> Outcome {
    mortal.set_step(Step::Entering);
    let acquired = lock.acquire(None)?;
    mortal.begin_work(&acquired)?;
    go_deeper(journal, lock)?;
    mortal.end_work();
    mortal.release(acquired);
    Ok(())
}

fn visit_marked(world: &World<Reentrant>, index: usize, mark: &Mark) -> Outcome {
    world.register()?;
    mark.begin();
    let outcome = visit_as(world.journal.mortal(index), &world.journal, &world.lock);
    mark.end();
    outcome
}

/// The last look: whoever is last finds it free, at one level, and leaves it free.
fn settle(journal: &Journal, lock: &RLock, deaths: i64) -> Outcome {
    journal.settle(lock, deaths)?;
    visit(journal, lock, 0)
}

/// Nobody else is there.
struct Deep {
    world: World<Reentrant>,
    deaths: i64,
}

impl Deep {
    fn after_a_deep_death() -> Result<Self, Failure> {
        let world = World::new()?;
        let owner = Child::start(|| {
            let levels = [world.lock.acquire(None), world.lock.acquire(None)];
            let are_held = levels.map(|level| level.map(Acquired::keep) == Ok(Told::Held));
            world.journal.set_cell(OWNER, u64::from(are_held == [true; 2]));
            idle_until(|| false);
            0
        })?;
        world.await_cell(OWNER)?;
        drop(owner); // killed and reaped
        Ok(Self { world, deaths: 1 })
    }
}

impl Stage for Deep {
    fn victim(&self, mark: &Mark) -> Outcome {
        visit_marked(&self.world, 0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        visit_marked(&self.world, 1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        visit_for(&self.world, 0)?;
        self.world.visit_and_stay(turn)
    }

    fn check(&self) -> Outcome {
        settle(&self.world.journal, &self.world.lock, self.deaths)
    }
}

/// The peer has two threads, which come and go, and try each other's holds.
struct Threads(World<Reentrant>);

impl Threads {
    fn come_and_go(&self, thread: usize) -> Outcome {
        let (journal, lock) = (&self.0.journal, &self.0.lock);
        // Who fails comes to its place by that.
        let in_place = |_: &Failure| journal.set_cell(PEERS + thread, 1);
        try_anothers(journal, lock, thread).inspect_err(in_place)?;
        loop {
            visit(journal, lock, 0)?;
            let answer = lock.release();
            let is_refused = answer == Err(Error::NotOwner);
            journal.accuse(check(is_refused, Kind::Duplicate, || {
                format!("a thread that holds nothing releases: {answer:?}")
            }))?;
            journal.set_cell(PEERS + thread, 1);
            if journal.is_over() {
                return Ok(());
            }
            pause(GLANCE);
        }
    }
}

impl Stage for Threads {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        in_two_threads(|thread| self.come_and_go(thread))
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.0.journal.cell(PEERS) == 1 && self.0.journal.cell(PEERS + 1) == 1
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        visit_marked(&self.0, 0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        visit_marked(&self.0, 1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.visit_and_stay(turn)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        settle(&self.0.journal, &self.0.lock, 0)
    }
}

/// Each role attaches for itself, so that a process has one handle, and its drop is the last.
struct GiveUp(Elsewhere<Reentrant>);

impl Stage for GiveUp {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, _index: usize) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        visit(&self.0.journal, &lock, 0)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        let mortal = self.0.journal.mortal(0);
        mortal.hold(&lock)?;
        check(lock.acquire(None)?.keep() == Told::Held, Kind::Wrong, || "told".to_owned())?;
        mark.begin();
        mortal.set_step(Step::GivingUp);
        drop(lock);
        mark.end();
        Ok(())
    }

    fn second(&self, mark: &Mark) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        mark.begin();
        let outcome = visit_as(self.0.journal.mortal(1), &self.0.journal, &lock);
        mark.end();
        outcome
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        self.0.journal.visit_and_stay(&lock, turn)
    }

    fn check(&self) -> Outcome {
        let (_segment, lock) = self.0.attach()?;
        settle(&self.0.journal, &lock, 0)
    }
}
