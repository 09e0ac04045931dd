//! The event: set and cleared beside sleepers, waited for, and neither missed nor seen too soon.

use std::time::Duration;

use purlin_shm::Segment;
use purlin_sync::{Deadline, Event};

use super::world::{PEERS, VICTIM_PID};
use crate::journal::Journal;
use crate::limits::{GLANCE, SHORT_LIMIT};
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::is_asleep_on_futex;
use crate::sys::process::{idle_until, pause};
use crate::sys::segment_file::SegmentFile;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "event-set",
        about: "set it while two sleep on it",
        make: || Ok(Box::new(Setting::new(false)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "event-set-clear",
        about: "set it while two sleep on it, and clear it at once",
        make: || Ok(Box::new(Setting::new(true)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "event-wait",
        about: "wait beside another, be woken",
        make: || Ok(Box::new(Waiting::new(None)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "event-timed-out",
        about: "wait with a limit, beside one without, and give up",
        make: || Ok(Box::new(Waiting::new(Some(SHORT_LIMIT))?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "event-live",
        about: "three wait for each of many sets: none is left asleep",
        make: || Ok(Box::new(Live(World::new()?)) as AnyStage),
        sweep: Sweep::Whole,
    },
];

/// An event, and who does what to it.
struct World {
    journal: Journal,
    segment: Segment,
    event: Event,
}

/// Journal cells: how far each of the mortal has come, and whether somebody else has set it too.
const STEPS: usize = 16;
const HELPED: usize = 20;

/// What stands in the first of them.
const SETTING: u64 = 1;
const SET: u64 = 2;
const CLEARING: u64 = 3;
const CLEARED: u64 = 4;

impl World {
    fn new() -> Result<Self, Failure> {
        let segment = Segment::anonymous(4096)?;
        let event = Event::new_in(&segment)?;
        Ok(Self { journal: Journal::new()?, segment, event })
    }

    /// How often it was set, as the word has it: its bits from the third on.
    fn set_count(&self) -> Result<u64, Failure> {
        let file = SegmentFile::open(self.segment.descriptor())?;
        Ok(u64::from(file.word(self.event.offset())? >> 2))
    }

    /// How many of the mortal have come so far at least.
    fn count_from(&self, step: u64) -> u64 {
        (0..2).map(|index| u64::from(self.journal.cell(STEPS + index) >= step)).sum()
    }

    /// Waits, and must be told what `expected` says.
    fn wait(&self, deadline: impl Into<Deadline>, expected: bool) -> Outcome {
        self.journal.accuse(match self.event.wait(deadline) {
            Ok(was_set) if was_set == expected => Ok(()),
            Ok(true) => Err(Failure::new(Kind::Duplicate, "nobody has set it, and a wait is over")),
            Ok(false) => Err(Failure::new(Kind::Lost, "it was set, and a wait gave up")),
            Err(error) => Err(error.into()),
        })
    }

    /// It is as good as new, whatever was done to it.
    fn settle(&self) -> Outcome {
        self.event.clear();
        check(!self.event.is_set(), Kind::Corrupt, || "cleared, and set".to_owned())?;
        self.wait(Duration::ZERO, false)?;
        self.event.set();
        check(self.event.is_set(), Kind::Lost, || "set, and not set".to_owned())?;
        self.wait(None, true)?;
        self.journal.check_accused()
    }
}

/// Two sleep for it without a limit. Each must go on, as soon as it was set, and not before.
struct Setting {
    world: World,
    clears: bool,
}

impl Setting {
    fn new(clears: bool) -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, clears })
    }

    fn set(&self, index: usize, mark: &Mark) -> Outcome {
        let note = |step| self.world.journal.set_cell(STEPS + index, step);
        mark.begin();
        note(SETTING);
        self.world.event.set();
        note(SET);
        if self.clears {
            note(CLEARING);
            self.world.event.clear();
            note(CLEARED);
        }
        mark.end();
        Ok(())
    }

    /// Whether it is set, where that is certain.
    fn check_flag(&self) -> Outcome {
        let world = &self.world;
        let is_set = world.event.is_set();
        if !self.clears {
            return check(is_set, Kind::Lost, || "set, and not set any more".to_owned());
        }
        // Killed between the two, the flag stays; if it is not the last, another has cleared it.
        let (set, cleared) = (world.count_from(SETTING), world.count_from(CLEARED));
        check(!is_set || cleared < set, Kind::Corrupt, || "cleared, and still set".to_owned())
    }
}

impl Stage for Setting {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.world.wait(None, true)?;
        let is_early = self.world.count_from(SETTING) == 0 && self.world.journal.cell(HELPED) == 0;
        check(!is_early, Kind::Duplicate, || "let go before anybody set it".to_owned())
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.set(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.set(1, mark)
    }

    /// Where nobody came to set it, the stage does; and only there.
    fn aftermath(&mut self) -> Outcome {
        let world = &self.world;
        if world.set_count()? == 0 {
            check(world.count_from(SET) == 0, Kind::Lost, || "a set left no trace".to_owned())?;
            world.journal.set_cell(HELPED, 1);
            world.event.set();
            if self.clears {
                world.event.clear();
            }
        }
        Ok(())
    }

    fn check(&self) -> Outcome {
        let world = &self.world;
        let helped = world.journal.cell(HELPED);
        let (least, most) = (world.count_from(SET) + helped, world.count_from(SETTING) + helped);
        let count = world.set_count()?;
        check((least..=most).contains(&count), Kind::Corrupt, || {
            format!("{least} to {most} sets, and the epoch is {count}")
        })?;
        self.check_flag()?;
        world.settle()
    }
}

/// Peer 0 sets it when the victim sleeps, or is dead; where the victim has a limit, when all is
/// over. Peer 1 waits without a limit.
struct Waiting {
    world: World,
    limit: Option<Duration>,
}

impl Waiting {
    fn new(limit: Option<Duration>) -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, limit })
    }

    fn wait(&self, mark: &Mark) -> Outcome {
        self.world.journal.set_cell(VICTIM_PID, std::process::id().into());
        mark.begin();
        let outcome = self.world.wait(self.limit, self.limit.is_none());
        mark.end();
        outcome
    }

    fn set_in_time(&self) {
        let journal = &self.world.journal;
        let victim_sleeps = || is_asleep_on_futex(journal.cell(VICTIM_PID) as i32);
        journal.set_cell(PEERS, 1);
        idle_until(|| journal.is_over() || (self.limit.is_none() && victim_sleeps()));
        self.world.event.set();
    }
}

impl Stage for Waiting {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 0 {
            self.set_in_time();
            return Ok(());
        }
        self.world.wait(None, true)
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        if index == 0 { self.world.journal.cell(PEERS) == 1 } else { is_asleep_on_futex(pid) }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.wait(mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.wait(mark)
    }

    /// Sets it, and clears it again: the victim that stands still was there, or comes later and
    /// waits for peer 0.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        if self.limit.is_some() {
            return self.wait(&Mark::UNARMED);
        }
        self.world.event.set();
        self.world.event.clear();
        self.world.journal.set_cell(HELPED, 1);
        Ok(())
    }

    fn aftermath(&mut self) -> Outcome {
        self.world.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        let is_set = self.world.event.is_set() || self.world.journal.cell(HELPED) == 1;
        check(is_set, Kind::Lost, || "peer 0 has set it".to_owned())?;
        self.world.settle()
    }
}

const WAITER_COUNT: usize = 3;
const ROUND_COUNT: u64 = 400;

/// Peer 0 sets it, again and again; the others wait each time, mostly asleep by then.
struct Live(World);

/// Journal cells: the round that may begin, and how many rounds each waiter has gone through.
const ROUND: usize = 24;
const DONE: usize = 32;

impl Live {
    fn done_count(&self) -> u64 {
        (0..WAITER_COUNT).map(|waiter| self.0.journal.cell(DONE + waiter)).sum()
    }

    fn set_again_and_again(&self) {
        for round in 1..=ROUND_COUNT {
            self.0.event.clear(); // all are out
            self.0.journal.set_cell(ROUND, round);
            if !round.is_multiple_of(8) {
                pause(GLANCE); // they are asleep, or about to fall asleep
            }
            self.0.event.set();
            idle_until(|| self.done_count() == round * WAITER_COUNT as u64);
        }
    }

    fn wait_again_and_again(&self, waiter: usize) -> Outcome {
        for round in 1..=ROUND_COUNT {
            let journal = &self.0.journal;
            idle_until(|| journal.cell(ROUND) >= round);
            self.0.wait(None, true)?;
            journal.set_cell(DONE + waiter, round);
        }
        Ok(())
    }
}

impl Stage for Live {
    fn peer_count(&self) -> usize {
        1 + WAITER_COUNT
    }

    fn peer(&self, index: usize) -> Outcome {
        match index.checked_sub(1) {
            None => self.set_again_and_again(),
            Some(waiter) => self.wait_again_and_again(waiter)?,
        }
        Ok(())
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
        self.done_count()
    }

    fn check(&self) -> Outcome {
        let sets = self.0.set_count()?;
        check(sets == ROUND_COUNT, Kind::Corrupt, || format!("{sets} sets, not {ROUND_COUNT}"))?;
        self.0.settle()
    }
}
