//! What needs two processors at full speed, and nobody who is stepped: survivors that are let loose
//! at once, and wake-ups among the living.

use std::time::Duration;

use purlin_shm::Segment;
use purlin_sync::{Acquired, Lock, Told};

use super::ensemble::{self, Ensemble};
use super::world::World;
use crate::journal::Journal;
use crate::stage::{AnyStage, Scenario, Stage, Sweep};
use crate::sys::clock;
use crate::sys::evidence::is_asleep_on_futex;
use crate::sys::process::{Child, pause, step_aside};
use crate::sys::segment_file::{ARENA_OFFSET, LINE_BYTES, SegmentFile};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 4] = [
    Scenario {
        name: "race",
        about: "two try a dead owner's lock at once, up to 20 000 times: one gets it",
        make: || Ok(ensemble::stage(Race(World::with_dead_owner()?))),
        sweep: Sweep::Whole,
    },
    Scenario {
        name: "race-allocate",
        about: "two make locks in one segment at once, up to 10 000 each: each has its own space",
        make: || Ok(ensemble::stage(RaceAllocate::new()?)),
        sweep: Sweep::Whole,
    },
    Scenario {
        name: "live",
        about: "four come and go as fast as they can, in bouts: none is left asleep",
        make: || Ok(ensemble::stage(Live(World::new()?))),
        sweep: Sweep::Whole,
    },
    Scenario {
        name: "live-takeover",
        about: "one takes over while two sleep, and releases: both are woken in turn",
        make: || Ok(Box::new(LiveTakeover::new()?) as AnyStage),
        sweep: Sweep::Whole,
    },
];

/// Journal cells: what each racer or guest has come to, how many rounds were begun, and the first
/// that is not played.
const ARRIVED: usize = 16;
const ANSWERED: usize = 24;
const PLAYED: usize = 32;
const OVER: usize = 33;

/// After so long no further round begins: a machine whose processors are busy has had a share of
/// them, and the others wait.
pub(super) const ROUNDS_LIMIT: Duration = Duration::from_secs(10);

/// Rounds that several begin together.
struct Rounds<'a> {
    journal: &'a Journal,
    index: usize,
    player_count: usize,
    count: u64,
    began: Duration,
}

impl<'a> Rounds<'a> {
    fn of(journal: &'a Journal, index: usize, player_count: usize, count: u64) -> Self {
        Self { journal, index, player_count, count, began: clock::now() }
    }

    /// Waits for all others; false when there is no such round. The first decides that, before it
    /// lets the others come to it.
    fn is_on(&self, round: u64) -> Result<bool, Failure> {
        if self.index == 0 {
            let is_late = clock::now().saturating_sub(self.began) >= ROUNDS_LIMIT;
            if round > self.count || is_late {
                self.journal.set_cell(OVER, round);
            } else {
                self.journal.set_cell(PLAYED, round);
            }
        }
        meet(self.journal, ARRIVED, self.index, self.player_count, round)?;
        // The first may be a round ahead by now.
        let over = self.journal.cell(OVER);
        Ok(over == 0 || round < over)
    }
}

const RACE_ROUND_COUNT: u64 = 20_000;

struct Race(World);

impl Race {
    /// One round, in which both try at once: tries, and compares the answers.
    fn round(&self, index: usize, round: u64) -> Outcome {
        let (journal, lock) = (&self.0.journal, &self.0.lock);
        let has_won = match lock.try_acquire() {
            Ok(acquired @ Acquired::OwnerDied(_)) => {
                acquired.keep();
                true
            }
            Ok(Acquired::Held(_)) => {
                return Err(Failure::new(Kind::Corrupt, "an owner's death was not told"));
            }
            Err(purlin_sync::Error::TimedOut) => false,
            Err(error) => return Err(error.into()),
        };
        journal.set_cell(ANSWERED + 4 + index, has_won.into());
        meet(journal, ANSWERED, index, 2, round)?;
        match journal.cell(ANSWERED + 4) + journal.cell(ANSWERED + 5) {
            0 => Err(Failure::new(Kind::Lost, format!("round {round}: nobody got the lock"))),
            1 => Ok(()),
            _ => Err(Failure::new(Kind::Duplicate, format!("round {round}: both got the lock"))),
        }
    }
}

impl Ensemble for Race {
    fn player_count(&self) -> usize {
        2
    }

    fn play(&self, index: usize) -> Outcome {
        self.0.register()?;
        let file = SegmentFile::open(self.0.segment.descriptor())?;
        let dead = file.word(self.0.lock.offset())?;
        let rounds = Rounds::of(&self.0.journal, index, 2, RACE_ROUND_COUNT);
        for round in 1.. {
            if !rounds.is_on(round)? {
                break;
            }
            self.0.journal.accuse(self.round(index, round))?;
            meet(&self.0.journal, ANSWERED + 2, index, 2, round)?; // both have looked
            if index == 0 {
                file.set_word(self.0.lock.offset(), dead)?;
            }
        }
        Ok(())
    }

    fn pulse(&self) -> u64 {
        self.0.journal.cell(PLAYED)
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 1)
    }
}

const MAKE_COUNT: u64 = 10_000;

/// Each makes a lock and holds it: one that the other has made too is held already.
struct RaceAllocate {
    journal: Journal,
    segment: Segment,
}

impl RaceAllocate {
    fn new() -> Result<Self, Failure> {
        let segment = Segment::anonymous(2 * MAKE_COUNT * LINE_BYTES)?;
        Ok(Self { journal: Journal::new()?, segment })
    }

    fn make(&self, held: &mut Vec<Lock>) -> Outcome {
        let lock = Lock::new_in(&self.segment)?;
        let is_alone = lock.try_acquire().map(Acquired::keep) == Ok(Told::Held);
        check(is_alone, Kind::Duplicate, || format!("two locks at {}", lock.offset()))?;
        held.push(lock);
        Ok(())
    }
}

impl Ensemble for RaceAllocate {
    fn player_count(&self) -> usize {
        2
    }

    fn play(&self, index: usize) -> Outcome {
        self.segment.attachment().token_or_register()?;
        let mut held = Vec::new();
        let rounds = Rounds::of(&self.journal, index, 2, MAKE_COUNT);
        for round in 1.. {
            if !rounds.is_on(round)? {
                break;
            }
            self.journal.accuse(self.make(&mut held))?;
        }
        core::mem::forget(held); // held to the end, and given back by it
        Ok(())
    }

    fn pulse(&self) -> u64 {
        self.journal.cell(PLAYED)
    }

    fn check(&self) -> Outcome {
        let next = SegmentFile::open(self.segment.descriptor())?.next()?;
        let expected = ARENA_OFFSET + 2 * self.journal.cell(PLAYED) * LINE_BYTES;
        check(next == expected, Kind::Lost, || format!("the space ends at {next}, not {expected}"))
    }
}

const GUEST_COUNT: usize = 4;
const BOUT_COUNT: u64 = 60;
const VISIT_COUNT: u64 = 60;

/// A sleeper that is never woken shows at the end of a bout, when nobody comes any more.
struct Live(World);

impl Ensemble for Live {
    fn player_count(&self) -> usize {
        GUEST_COUNT
    }

    fn play(&self, index: usize) -> Outcome {
        self.0.register()?;
        let mut turns = index as u64;
        let bouts = Rounds::of(&self.0.journal, index, GUEST_COUNT, BOUT_COUNT);
        for bout in 1.. {
            if !bouts.is_on(bout)? {
                break;
            }
            for _ in 0..VISIT_COUNT {
                // Longer than the spin of those who wait, now and then; any other numbers would do.
                turns = (turns * 37 + 11) % 1009;
                self.0.journal.visit_for(self.0.lock.acquire(None)?, turns)?;
            }
        }
        Ok(())
    }

    fn pulse(&self) -> u64 {
        self.0.journal.done_count()
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

struct LiveTakeover {
    world: World,
    owner: Option<Child>,
}

impl LiveTakeover {
    fn new() -> Result<Self, Failure> {
        let world = World::new()?;
        let owner = Some(world.owner()?);
        Ok(Self { world, owner })
    }
}

impl Stage for LiveTakeover {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.world.journal.visit(&self.world.lock)
    }

    fn is_in_place(&self, _index: usize, pid: i32) -> bool {
        is_asleep_on_futex(pid)
    }

    fn curtain(&mut self) -> Outcome {
        self.owner = None; // killed and reaped
        Ok(())
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.world.register()?;
        mark.begin();
        let outcome = self.world.journal.visit(&self.world.lock);
        mark.end();
        outcome
    }

    fn pulse(&self) -> u64 {
        self.world.journal.done_count()
    }

    fn check(&self) -> Outcome {
        let visits = self.world.journal.settle(&self.world.lock, 1);
        check(self.owner.is_none(), Kind::Wrong, || "the owner lives".to_owned()).and(visits)
    }
}

/// Turns of a wait between two looks at the world, and turns after which it is a long one.
const SPIN_TURNS: u32 = 1024;
const LONG_TURNS: u32 = 64 * SPIN_TURNS;
const LONG_PAUSE: Duration = Duration::from_millis(2);

/// Waits until all of `count` have come to `round`; cells from `start` on say how far each is.
///
/// # Errors
/// What one of them found, who will not come any more.
pub(super) fn meet(
    journal: &Journal,
    start: usize,
    index: usize,
    count: usize,
    round: u64,
) -> Outcome {
    journal.set_cell(start + index, round);
    let mut turns = 0_u32;
    while (0..count).any(|other| journal.cell(start + other) < round) {
        turns += 1;
        if turns.is_multiple_of(SPIN_TURNS) {
            journal.check_accused()?;
            // The other may need this processor to get there, and who waits for long is asleep.
            if turns < LONG_TURNS { step_aside() } else { pause(LONG_PAUSE) }
        }
        core::hint::spin_loop();
    }
    Ok(())
}
