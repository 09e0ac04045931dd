//! The condition: notifying, waiting, and what is left of one that dies in either.

use std::time::Duration;

use purlin_shm::Segment;
use purlin_sync::{
    Acquired, ByHolder, Condition, Error, Exclusive, Reentrant, ReleasedByHolder, Told, Woken,
};

use super::ensemble::{self, Ensemble};
use super::world::{PEERS, VICTIM_PID};
use crate::journal::{Journal, Step};
use crate::limits::SHORT_LIMIT;
use crate::patience::comes_to_be;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::is_asleep_on_futex;
use crate::sys::process::{Child, idle_until};
use crate::sys::segment_file::SegmentFile;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "condition-notify",
        about: "acquire, work, notify two sleepers, release",
        make: || Ok(Box::new(Notifying(World::<ByHolder>::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "condition-wait",
        about: "wait beside a younger sleeper, be notified, return, release",
        make: || Ok(Box::new(Waiting::<ByHolder>::new(1)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "condition-wait-deep",
        about: "the same over a recursive lock, held twice",
        make: || Ok(Box::new(Waiting::<Reentrant>::new(2)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "condition-takeover",
        about: "wait, and take over the notification of a dead one",
        make: || Ok(Box::new(Inheriting::new()?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "condition-timed-out",
        about: "wait with a limit beside one without, and give up",
        make: || Ok(Box::new(GivingUp(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "condition-live",
        about: "two take turns, each woken by the other's notify",
        make: || Ok(ensemble::stage(Turns(World::new()?))),
        sweep: Sweep::Whole,
    },
];

/// Journal cells: how the waits of the peers ended, that a wait of the victim's has ended, and
/// whose turn it is.
const ENDED: usize = 24;
const SERVED: usize = 32;
const WHOSE: usize = 33;

/// What stands in a cell of those: nothing yet, notified, told of a death, both.
const IS_NOTIFIED: u64 = 1;
const IS_TOLD: u64 = 2;

const ROOM: u32 = 6;

/// A condition over a lock, and a journal.
struct World<R: ReleasedByHolder = ByHolder> {
    journal: Journal,
    segment: Segment,
    condition: Condition<R>,
}

impl<R: ReleasedByHolder> World<R> {
    fn new() -> Result<Self, Failure> {
        let segment = Segment::anonymous(4096)?;
        let lock = Exclusive::new_in(&segment)?;
        let condition = Condition::over_with_room(&lock, ROOM)?;
        Ok(Self { journal: Journal::new()?, segment, condition })
    }

    fn lock(&self) -> &Exclusive<R> {
        self.condition.lock()
    }

    fn register(&self) -> Outcome {
        self.segment.attachment().token_or_register()?;
        Ok(())
    }

    /// A survivor's wait without a limit, and a visit. Who is told of a death passes it on: the
    /// dead one may have had something to notify. `index` says in which cells it is written down.
    fn wait_and_visit(&self, index: usize) -> Outcome {
        let acquired = self.lock().acquire(None)?;
        let guard = match acquired {
            Acquired::Held(guard) => guard,
            told @ Acquired::OwnerDied(_) => {
                // Somebody died before this wait began.
                self.journal.visit_while(told, || self.pass_on())?;
                return self.wait_and_visit(index);
            }
        };
        self.journal.set_cell(PEERS + index, 1);
        let Woken { acquired, is_notified } =
            self.condition.wait(guard, None).map_err(Error::from)?;
        let is_told = matches!(acquired, Acquired::OwnerDied(_));
        let reason = u64::from(is_notified) * IS_NOTIFIED + u64::from(is_told) * IS_TOLD;
        self.journal.set_cell(ENDED + index, reason);
        let has_reason = self.journal.accuse(check(reason != 0, Kind::Corrupt, || {
            "returned without a limit, not notified, and told of nothing".to_owned()
        }));
        let pass_on = || {
            if is_told {
                self.pass_on();
            }
        };
        self.journal.visit_while(acquired, pass_on).and(has_reason)
    }

    /// Notifies everybody in the place of one that died, under a hold.
    fn pass_on(&self) {
        let _ = self.condition.notify_all(); // it holds the lock
    }

    /// Whether the peer `index` is asleep in its wait.
    fn is_waiting(&self, index: usize, pid: i32) -> bool {
        self.journal.cell(PEERS + index) == 1 && is_asleep_on_futex(pid)
    }

    /// A visit that notifies so many, by one that may die.
    fn notify_marked(&self, index: usize, count: u32, mark: &Mark) -> Outcome {
        self.register()?;
        mark.begin();
        let outcome = self.notify_mortal(index, count);
        mark.end();
        outcome
    }

    fn notify_mortal(&self, index: usize, count: u32) -> Outcome {
        let mortal = self.journal.mortal(index);
        mortal.set_step(Step::Entering);
        let acquired = self.lock().acquire(None)?;
        mortal.work(&acquired)?;
        let notified = self.journal.accuse_error(self.condition.notify(count));
        mortal.release(acquired);
        notified.map(drop)
    }

    /// A survivor's visit that notifies so many.
    fn notify(&self, count: u32) -> Outcome {
        let acquired = self.lock().acquire(None)?;
        self.journal.visit_while(acquired, || {
            let _ = self.condition.notify(count); // it holds the lock
        })
    }

    /// Whether somebody who may die has come so far that it may have given the lock back.
    fn may_have_left(&self, index: usize) -> bool {
        self.journal.mortal(index).step() >= Step::LeavingSound
    }
}

/// Peers 0 and 1 wait; the victim notifies both. Peer 2 does so in its place, should it die before
/// it had the lock.
struct Notifying<R: ReleasedByHolder>(World<R>);

impl<R: ReleasedByHolder> Stage for Notifying<R> {
    fn peer_count(&self) -> usize {
        3
    }

    fn peer(&self, index: usize) -> Outcome {
        if index < 2 {
            return self.0.wait_and_visit(index);
        }
        let journal = &self.0.journal;
        idle_until(|| journal.is_over());
        // Whoever had the lock has notified, or died with it: then the sleepers look by themselves.
        // One may have died with it when they had gone already, and nobody is left to free it.
        let word = SegmentFile::open(self.0.segment.descriptor())?;
        let offset = self.0.lock().offset();
        let is_free = || word.word(offset).is_ok_and(|word| word == 0);
        let have_ended = || (0..2).all(|index| journal.cell(ENDED + index) != 0);
        let had_it = |index| journal.mortal(index).step() > Step::Entering;
        if had_it(0) || had_it(1) {
            return Ok(());
        }
        idle_until(|| have_ended() || is_free());
        if have_ended() { Ok(()) } else { self.0.notify(2) }
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        index == 2 || self.0.is_waiting(index, pid)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.notify_marked(0, u32::MAX, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.notify_marked(1, u32::MAX, mark)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(self.0.lock(), 0)
    }
}

/// The victim waits first, then peer 0, and peer 1 notifies one. Should the victim have it to the
/// end, peer 1 notifies once more.
struct Waiting<R: ReleasedByHolder> {
    world: World<R>,
    depth: u32,
}

impl<R: ReleasedByHolder> Waiting<R> {
    fn new(depth: u32) -> Result<Self, Failure> {
        Ok(Self { world: World::new()?, depth })
    }

    fn wait(&self) -> Outcome {
        let (world, mortal) = (&self.world, self.world.journal.mortal(0));
        world.journal.set_cell(VICTIM_PID, std::process::id().into());
        mortal.set_step(Step::Entering);
        for _ in 1..self.depth {
            let _ = world.lock().acquire(None)?.keep();
        }
        let guard = world.lock().acquire(None)?.sound()?;
        let woken = world.condition.wait(guard, None).map_err(Error::from)?;
        mortal.work(&woken.acquired)?;
        let told = woken.acquired.keep();
        if told == Told::OwnerDied {
            world.pass_on();
            world.lock().recover()?;
        }
        for _ in 1..self.depth {
            world.lock().release()?;
        }
        mortal.set_step(if told == Told::Held {
            Step::LeavingSound
        } else {
            Step::LeavingRecovered
        });
        world.journal.accuse_error(world.lock().release())?;
        mortal.set_step(if told == Told::Held { Step::LeftSound } else { Step::LeftRecovered });
        Ok(())
    }

    fn wait_younger(&self) -> Outcome {
        let journal = &self.world.journal;
        idle_until(|| journal.is_over() || is_asleep_on_futex(journal.cell(VICTIM_PID) as i32));
        self.world.wait_and_visit(0)
    }

    fn notify_one_or_two(&self) -> Outcome {
        let journal = &self.world.journal;
        idle_until(|| journal.cell(PEERS) == 1);
        self.world.notify(1)?; // peer 0 has given the lock up
        idle_until(|| journal.is_over());
        if self.world.may_have_left(0) { self.world.notify(1) } else { Ok(()) }
    }
}

impl<R: ReleasedByHolder> Stage for Waiting<R> {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 0 { self.wait_younger() } else { self.notify_one_or_two() }
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        true // they wait for the victim to sleep
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.world.register()?;
        mark.begin();
        let outcome = self.wait();
        mark.end();
        outcome
    }

    fn second(&self, mark: &Mark) -> Outcome {
        // What the first was notified of is passed on by whoever is told of its death.
        self.world.notify_marked(1, u32::MAX, mark)
    }

    fn aftermath(&mut self) -> Outcome {
        self.world.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.world.journal.settle(self.world.lock(), 0)
    }
}

/// Tickets: the stamp of the dead one's notification, and that of a wait which was there before.
const STAMP: u32 = 6;
const OLDER: u32 = 4;
/// In `SERVED`: it may have been used up, or not.
const UNKNOWN: u64 = 2;

/// A process waited, was notified, and died before it had the lock. What the stage then changes is
/// the ticket: the next wait has begun, as it were, before that notify.
struct Inheriting(World);

impl Inheriting {
    fn new() -> Result<Self, Failure> {
        let new = Self(World::new()?);
        let world = &new.0;
        new.set_ticket(STAMP - 1)?;
        let mut doomed = Child::start(|| {
            let waited = world.wait_and_visit(0);
            waited.map_or_else(|failure| failure.kind.status(), |()| 0)
        })?;
        let is_waiting = comes_to_be(|| world.is_waiting(0, doomed.pid()));
        let guard = world.lock().acquire(None)?.sound()?;
        let notified = world.condition.notify_one()?;
        doomed.kill();
        drop(guard);
        check(is_waiting && notified == 1, Kind::SetupFailed, || "nobody waited".to_owned())?;
        new.set_ticket(OLDER)?;
        Ok(new)
    }

    fn set_ticket(&self, ticket: u32) -> Outcome {
        const TICKET_OFFSET: u64 = 8;
        let file = SegmentFile::open(self.0.segment.descriptor())?;
        Ok(file.set_word(self.0.condition.offset() + TICKET_OFFSET, ticket)?)
    }

    fn inherit(&self, index: usize) -> Outcome {
        let (world, mortal) = (&self.0, self.0.journal.mortal(index));
        mortal.set_step(Step::Entering);
        let guard = match world.lock().acquire(None)? {
            Acquired::Held(guard) => guard,
            told @ Acquired::OwnerDied(_) => {
                world.journal.set_cell(SERVED, UNKNOWN); // by the one that died with the lock
                return mortal.visit_held(told);
            }
        };
        let limit = (index > 0).then_some(Duration::from_millis(20));
        let woken = world.condition.wait(guard, limit).map_err(Error::from)?;
        mortal.work(&woken.acquired)?;
        if woken.is_notified {
            let before = world.journal.swap_cell(SERVED, 1);
            world.journal.accuse(check(before != 1, Kind::Duplicate, || {
                "one notification was used up twice".to_owned()
            }))?;
        }
        mortal.release(woken.acquired);
        Ok(())
    }

    fn inherit_marked(&self, index: usize, mark: &Mark) -> Outcome {
        self.0.register()?;
        mark.begin();
        let outcome = self.inherit(index);
        mark.end();
        outcome
    }

    /// Waits for a moment under a hold that is sound, and says whether it was notified.
    fn is_there(&self) -> Result<bool, Failure> {
        let guard = self.0.lock().acquire(None)?.sound()?;
        let limit = Duration::from_millis(10);
        let woken = self.0.condition.wait(guard, limit).map_err(Error::from)?;
        drop(woken.acquired.sound()?);
        Ok(woken.is_notified)
    }
}

impl Stage for Inheriting {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.inherit_marked(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.set_ticket(OLDER)?;
        self.inherit_marked(1, mark)
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.journal.visit(self.0.lock())
    }

    fn check(&self) -> Outcome {
        let journal = &self.0.journal;
        let died_inside = self.0.lock().try_acquire()?.keep() == Told::OwnerDied;
        self.0.lock().release()?; // unvouched, so that it is told again
        journal.settle(self.0.lock(), 0)?;
        let served = journal.cell(SERVED);
        // Who begins to wait now was not meant, whatever is left.
        self.set_ticket(STAMP)?;
        check(!self.is_there()?, Kind::Duplicate, || "a late one is notified".to_owned())?;
        self.set_ticket(OLDER)?;
        let is_left = self.is_there()?;
        check(served != 1 || !is_left, Kind::Duplicate, || "used up, and there still".to_owned())?;
        let is_known = served == 0 && !died_inside;
        check(!is_known || is_left, Kind::Lost, || "the dead one's notification is gone".to_owned())
    }
}

/// The victim gives up; peer 0 waits without a limit, until peer 1 notifies it at the end.
struct GivingUp(World);

impl GivingUp {
    fn wait_in_vain(&self, index: usize) -> Outcome {
        let (world, mortal) = (&self.0, self.0.journal.mortal(index));
        mortal.set_step(Step::Entering);
        let guard = match world.lock().acquire(None)? {
            Acquired::Held(guard) => guard,
            told @ Acquired::OwnerDied(_) => return mortal.visit_held(told),
        };
        let woken = world.condition.wait(guard, SHORT_LIMIT).map_err(Error::from)?;
        world.journal.accuse(check(!woken.is_notified, Kind::Duplicate, || {
            "notified, and nobody has".to_owned()
        }))?;
        mortal.visit_held(woken.acquired)
    }

    fn wait_in_vain_marked(&self, index: usize, mark: &Mark) -> Outcome {
        self.0.register()?;
        mark.begin();
        let outcome = self.wait_in_vain(index);
        mark.end();
        outcome
    }
}

impl Stage for GivingUp {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 0 {
            return self.0.wait_and_visit(0);
        }
        idle_until(|| self.0.journal.is_over());
        self.0.notify(u32::MAX)
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        index == 1 || self.0.is_waiting(index, pid)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.wait_in_vain_marked(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.wait_in_vain_marked(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.journal.visit_and_stay(self.0.lock(), turn)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(self.0.lock(), 0)
    }
}

const TURN_COUNT: u64 = 400;

/// A notify that wakes nobody leaves both asleep.
struct Turns(World);

impl Ensemble for Turns {
    fn player_count(&self) -> usize {
        2
    }

    fn play(&self, index: usize) -> Outcome {
        let (journal, condition) = (&self.0.journal, &self.0.condition);
        for turn in 0..TURN_COUNT {
            let mut guard = self.0.lock().acquire(None)?.sound()?;
            while journal.cell(WHOSE) != 2 * turn + index as u64 {
                let woken = condition.wait(guard, None).map_err(Error::from)?;
                guard = woken.acquired.sound()?;
            }
            journal.set_cell(WHOSE, 2 * turn + index as u64 + 1);
            condition.notify_one()?;
            drop(guard);
        }
        idle_until(|| journal.cell(WHOSE) == 2 * TURN_COUNT); // who ends dies with all it has
        Ok(())
    }

    fn pulse(&self) -> u64 {
        self.0.journal.cell(WHOSE)
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(self.0.lock(), 0)
    }
}
