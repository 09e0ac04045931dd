//! The lock whose holder is a thread: asked again by its holder, and by threads of one process.

use purlin_sync::{Acquired, ByThread, Error, Exclusive, Rules};

use super::ensemble::{self, Ensemble};
use super::world::{PEERS, World};
use crate::journal::{Journal, Mortal, Step};
use crate::limits::GLANCE;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::process::{idle_until, pause};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "checked-again",
        about: "acquire, be refused a second time, release",
        make: || Ok(Box::new(Again(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "checked-threads",
        about: "acquire, work, release, beside two threads of one process",
        make: || Ok(Box::new(Threads(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "checked-live",
        about: "two threads in each of two processes come and go, in bouts: none is left asleep",
        make: || Ok(ensemble::stage(Live { world: World::new()?, visit: visit_for })),
        sweep: Sweep::Whole,
    },
];

/// Nobody else is there.
struct Again(World<ByThread>);

impl Again {
    fn run(&self, mortal: Mortal<'_>, mark: &Mark) -> Outcome {
        self.0.register()?;
        mark.begin();
        let outcome = self.ask_twice(mortal);
        mark.end();
        outcome
    }

    fn ask_twice(&self, mortal: Mortal<'_>) -> Outcome {
        mortal.set_step(Step::Entering);
        let acquired = self.0.lock.acquire(None)?;
        mortal.begin_work(&acquired)?;
        self.0.journal.accuse(self.be_refused())?;
        mortal.end_work();
        mortal.release(acquired);
        Ok(())
    }

    fn be_refused(&self) -> Outcome {
        let answers = (self.0.lock.acquire(None).err(), self.0.lock.try_acquire().err());
        match answers {
            (Some(Error::WouldDeadlock), Some(Error::TimedOut)) => Ok(()),
            other => Err(Failure::new(Kind::Duplicate, format!("a second acquire: {other:?}"))),
        }
    }
}

impl Stage for Again {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.run(self.0.journal.mortal(0), mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.run(self.0.journal.mortal(1), mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.visit_and_stay(turn)
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

/// The peer has two threads, which come and go, and try each other's locks.
struct Threads(World<ByThread>);

impl Threads {
    fn come_and_go(&self, thread: usize) -> Outcome {
        let (journal, lock) = (&self.0.journal, &self.0.lock);
        // Who fails comes to its place by that.
        let in_place = |_: &Failure| journal.set_cell(PEERS + thread, 1);
        try_anothers(journal, lock, thread).inspect_err(in_place)?;
        loop {
            journal.visit(lock)?;
            check_stranger(journal, lock.release())?;
            journal.set_cell(PEERS + thread, 1);
            if journal.is_over() {
                return Ok(());
            }
            pause(GLANCE);
        }
    }
}

/// Journal cells: that the one thread holds, and that the other has tried.
const HELD: usize = 40;
const TRIED: usize = 41;

/// Thread 1 tries what thread 0 of its own process holds, and neither gets nor frees it.
pub(super) fn try_anothers<R: Rules>(
    journal: &Journal,
    lock: &Exclusive<R>,
    thread: usize,
) -> Outcome {
    if thread == 0 {
        return journal.visit_while(lock.acquire(None)?, || {
            journal.set_cell(HELD, 1);
            idle_until(|| journal.cell(TRIED) == 1);
        });
    }
    idle_until(|| journal.cell(HELD) == 1);
    let answers = (lock.try_acquire().map(Acquired::keep), lock.release());
    journal.set_cell(TRIED, 1);
    let is_stranger = answers == (Err(Error::TimedOut), Err(Error::NotOwner));
    let says = || format!("another thread's lock answers {answers:?}");
    journal.accuse(check(is_stranger, Kind::Duplicate, says))
}

/// What a thread is answered that holds nothing.
fn check_stranger(journal: &Journal, answer: Result<(), Error>) -> Outcome {
    match answer {
        Err(Error::NotOwner | Error::OverReleased) => Ok(()),
        other => journal.accuse(Err(Failure::new(
            Kind::Duplicate,
            format!("a thread that holds nothing releases: {other:?}"),
        ))),
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

const THREAD_COUNT: usize = 4;
const BOUT_COUNT: u64 = 60;
const VISIT_COUNT: u64 = 60;

/// A sleeper that is never woken shows at the end of a bout, when nobody comes any more.
pub(super) struct Live<R: Rules> {
    pub(super) world: World<R>,
    /// A visit that stays inside for so many idle turns.
    pub(super) visit: fn(&World<R>, u64) -> Outcome,
}

fn visit_for(world: &World<ByThread>, turns: u64) -> Outcome {
    world.journal.visit_for(world.lock.acquire(None)?, turns)
}

impl<R: Rules> Live<R> {
    fn visit_in_bouts(&self, thread: usize) -> Outcome {
        let journal = &self.world.journal;
        let mut turns = thread as u64;
        for bout in 1..=BOUT_COUNT {
            journal.set_cell(PEERS + thread, bout);
            idle_until(|| (0..THREAD_COUNT).all(|other| journal.cell(PEERS + other) >= bout));
            for _ in 0..VISIT_COUNT {
                // Longer than the spin of those who wait, now and then; any other numbers would do.
                turns = (turns * 37 + 11) % 1009;
                (self.visit)(&self.world, turns)?;
            }
        }
        Ok(())
    }
}

impl<R: Rules> Ensemble for Live<R>
where
    World<R>: Sync,
{
    fn player_count(&self) -> usize {
        THREAD_COUNT / 2
    }

    fn play(&self, index: usize) -> Outcome {
        self.world.register()?;
        in_two_threads(|thread| self.visit_in_bouts(2 * index + thread))
    }

    fn pulse(&self) -> u64 {
        self.world.journal.done_count()
    }

    fn check(&self) -> Outcome {
        self.world.journal.settle(&self.world.lock, 0)
    }
}

/// Does it in this thread as number 0, and in another as number 1.
pub(super) fn in_two_threads(body: impl Fn(usize) -> Outcome + Sync) -> Outcome {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| body(1));
        let own = body(0);
        let others = other.join();
        own.and(others.unwrap_or_else(|_| Err(Failure::crashed("a thread panicked"))))
    })
}
