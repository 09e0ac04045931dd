//! The queue: who waits for a message, for room or for the end of all, by who dies falling asleep,
//! asleep, and when it was woken.

use std::time::Duration;

use purlin_channel::{Error, JoinableQueue, Queue};

use super::queue::{AMID, CAPACITY, DONE, OWN, SMALL, World, failed};
use crate::journal::Journal;
use crate::limits::{SHORT_LIMIT, VAIN_LIMIT};
use crate::patience::comes_to_be;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::{is_asleep_on_futex, is_gone};
use crate::sys::process::{Child, idle_until};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 5] = [
    scenario("queue-wait-message", "wait for a message beside another, be woken, take it", || {
        Ok(Box::new(ForMessage::new()?))
    }),
    scenario("queue-wait-room", "wait for room beside another, be woken, put", || {
        Ok(Box::new(ForRoom::new()?))
    }),
    scenario("queue-wait-swept", "wait for room that comes by a death, and sweep it", || {
        Ok(Box::new(ForDeath::new(true)?))
    }),
    scenario("queue-put-swept", "put behind what a dead one had reserved, and sweep that", || {
        Ok(Box::new(ForDeath::new(false)?))
    }),
    scenario("joinable-wait", "wait for the end of all tasks beside another, be woken", || {
        Ok(Box::new(ForEnd::new()?))
    }),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

/// What stands in a mortal's step that has noted what it had, or was told that there was nothing.
const SETTLED: u64 = 5;

/// Journal cells: who the victim is; which messages were put by those who live.
const VICTIM_PID: usize = 40;
const PUT: usize = 48;

/// Writes down who the victim is, and has the calling role registered: that is swept elsewhere.
fn come_on(journal: &Journal, queue: &Queue) -> Outcome {
    journal.set_cell(VICTIM_PID, std::process::id().into());
    queue.segment().attachment().token_or_register()?;
    Ok(())
}

/// Idles until the victim waits, or is gone; or all is over.
fn await_victim(journal: &Journal) {
    let waits = |pid| pid != 0 && (is_asleep_on_futex(pid) || is_gone(pid));
    idle_until(|| journal.is_over() || waits(journal.cell(VICTIM_PID) as i32));
}

/// Has the handle, and its copies in the roles, spin no more before a sleep: a spin is hundreds of
/// instructions of which nobody sees anything. `wait` waits for what does not come.
fn tire(wait: impl Fn(Duration)) {
    for _ in 0..VAIN_COUNT {
        wait(VAIN_LIMIT);
    }
}

/// More than the library tries in a row, and not a number at which it tries once more.
const VAIN_COUNT: usize = 5;

/// Peer 0 puts two messages as soon as the victim waits; peer 1 waits for one, too, without a
/// limit.
struct ForMessage(World);

impl ForMessage {
    fn new() -> Result<Self, Failure> {
        let world = World::new(SMALL, 0)?;
        tire(|limit| _ = world.queue.recv(limit));
        Ok(Self(world))
    }

    fn put(&self, number: usize) -> Outcome {
        self.0.queue.send(&self.0.message(number), None).map_err(failed)?;
        self.0.journal.set_cell(PUT + number, 1);
        Ok(())
    }

    fn get(&self, mortal: usize, limit: Option<Duration>, mark: &Mark) -> Outcome {
        let (world, mut message) = (&self.0, vec![0; SMALL]);
        mark.begin();
        world.set_step(mortal, AMID);
        let received = match limit {
            None => world.queue.recv_into(&mut message, None),
            Some(limit) => world.queue.recv_into(&mut message, limit),
        };
        if received.is_ok() {
            world.set_step(mortal, DONE);
        }
        mark.end();
        let noted = match received {
            Ok(len) => world.note(&message[..len]).map(drop),
            Err(Error::Empty) if limit.is_some() => Ok(()),
            Err(other) => Err(failed(other)),
        };
        world.set_step(mortal, SETTLED);
        world.journal.accuse(noted)
    }
}

impl Stage for ForMessage {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 0 {
            await_victim(&self.0.journal);
            return (0..2).try_for_each(|number| self.put(number));
        }
        let message = self.0.queue.recv(None).map_err(failed)?;
        self.0.note(&message).map(drop)
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        index == 0 || is_asleep_on_futex(pid)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        come_on(&self.0.journal, &self.0.queue)?;
        self.get(0, None, mark)
    }

    /// Its message may have gone to the other.
    fn second(&self, mark: &Mark) -> Outcome {
        self.0.queue.segment().attachment().token_or_register()?;
        self.get(1, Some(SHORT_LIMIT), mark)
    }

    /// Puts one before the victim sees that there is none, or after.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.put(3)
    }

    /// There is one for each who takes one.
    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        self.put(2)
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        let is_missing =
            |number: &usize| self.0.journal.cell(PUT + number) == 1 && !self.0.had(*number);
        let missing = (0..OWN).filter(is_missing).count();
        let dead = (0..2).filter(|mortal| [AMID, DONE].contains(&self.0.step(*mortal))).count();
        check(missing <= dead, Kind::Lost, || format!("{missing} messages, by {dead} in a call"))?;
        self.0.settle()
    }
}

/// It is full. Peer 0 takes two messages as soon as the victim waits; peer 1 waits for room, too,
/// without a limit.
struct ForRoom(World);

impl ForRoom {
    fn new() -> Result<Self, Failure> {
        let world = World::new(SMALL, CAPACITY)?;
        tire(|limit| _ = world.queue.send(&[], limit));
        Ok(Self(world))
    }

    fn put(&self, mortal: usize, limit: Option<Duration>, mark: &Mark) -> Outcome {
        put_within(&self.0, mortal, limit, mark)
    }

    fn take(&self) -> Outcome {
        let message = self.0.queue.recv(None).map_err(failed)?;
        self.0.note(&message).map(drop)
    }
}

/// Puts the mortal's message. Whoever was told that there is no room has put nothing.
fn put_within(world: &World, mortal: usize, limit: Option<Duration>, mark: &Mark) -> Outcome {
    let message = world.message(OWN + mortal);
    mark.begin();
    world.set_step(mortal, AMID);
    let answer = match limit {
        None => world.queue.send(&message, None),
        Some(limit) => world.queue.send(&message, limit),
    };
    let is_full = limit.is_some() && answer == Err(Error::Full);
    world.set_step(mortal, if is_full { 0 } else { DONE });
    mark.end();
    world.journal.accuse(if is_full { Ok(()) } else { answer.map_err(failed) })
}

impl Stage for ForRoom {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 0 {
            await_victim(&self.0.journal);
            return (0..2).try_for_each(|_| self.take());
        }
        self.0.queue.send(&self.0.message(OWN + 2), None).map_err(failed)
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        index == 0 || is_asleep_on_futex(pid)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        come_on(&self.0.journal, &self.0.queue)?;
        self.put(0, None, mark)
    }

    /// The room may have gone to the other.
    fn second(&self, mark: &Mark) -> Outcome {
        self.0.queue.segment().attachment().token_or_register()?;
        self.put(1, Some(SHORT_LIMIT), mark)
    }

    /// Makes room before the victim sees that there is none, or after.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.take()
    }

    /// There is room for each who puts one.
    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        self.take()
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        let has_all = (0..CAPACITY).chain([OWN + 2]).all(|number| self.0.had(number));
        check(has_all, Kind::Lost, || "what was inside, or waited for room".to_owned())?;
        self.0.check_puts()?;
        self.0.settle()
    }
}

/// It is full, and nobody takes anything. At the head is a place whose owner dies: as soon as the
/// victim waits, or before it comes.
struct ForDeath {
    world: World,
    owner: Option<Child>,
    /// Whether the owner lives until the victim waits for its death.
    is_awaited: bool,
}

/// Journal cells: whether the place is there; whether its owner is to end.
const HAS_PLACE: usize = 41;
const IS_TO_END: usize = 42;

impl ForDeath {
    fn new(is_awaited: bool) -> Result<Self, Failure> {
        let world = World::new(SMALL, 0)?;
        let mut owner = Child::start(|| {
            let place = world.queue.reserve(SMALL, Duration::ZERO);
            world.journal.set_cell(HAS_PLACE, u64::from(place.is_ok()));
            idle_until(|| world.journal.cell(IS_TO_END) == 1);
            core::mem::forget(place); // it ends as if it had been killed
            0
        })?;
        let is_there = comes_to_be(|| world.journal.cell(HAS_PLACE) == 1);
        check(is_there, Kind::SetupFailed, || "nobody reserved".to_owned())?;
        for number in 0..CAPACITY - 1 {
            world.queue.try_send(&world.message(number)).map_err(failed)?;
        }
        tire(|limit| _ = world.queue.send(&[], limit));
        if !is_awaited {
            owner.kill();
        }
        Ok(Self { world, owner: is_awaited.then_some(owner), is_awaited })
    }
}

impl Stage for ForDeath {
    fn peer_count(&self) -> usize {
        usize::from(self.is_awaited)
    }

    /// Ends the owner when the victim waits.
    fn peer(&self, _index: usize) -> Outcome {
        await_victim(&self.world.journal);
        self.world.journal.set_cell(IS_TO_END, 1);
        Ok(())
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        true
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        come_on(&self.world.journal, &self.world.queue)?;
        put_within(&self.world, 0, None, mark)
    }

    /// The first may have taken the only room.
    fn second(&self, mark: &Mark) -> Outcome {
        self.world.queue.segment().attachment().token_or_register()?;
        put_within(&self.world, 1, Some(SHORT_LIMIT), mark)
    }

    /// Does the same, or finds that the owner lives.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        put_within(&self.world, 1, Some(SHORT_LIMIT), &Mark::UNARMED)?;
        self.world.drain()
    }

    fn aftermath(&mut self) -> Outcome {
        self.world.journal.set_over();
        self.owner.take().map_or(Ok(()), |mut owner| {
            owner.kill();
            Ok(())
        })
    }

    /// There is room for one more than was put, if the place of the dead one was swept away.
    fn check(&self) -> Outcome {
        let last = self.world.queue.send(&self.world.message(OWN + 2), SHORT_LIMIT);
        self.world.drain()?;
        let is_put = [OWN, OWN + 1].iter().any(|number| self.world.had(*number));
        match last {
            Ok(()) => check(self.world.had(OWN + 2), Kind::Lost, || "what was put last".to_owned()),
            Err(Error::Full) if is_put => Ok(()),
            Err(Error::Full) => Err(Failure::new(Kind::Lost, "the room of a dead one")),
            Err(other) => Err(failed(other)),
        }?;
        let has_all = (0..CAPACITY - 1).all(|number| self.world.had(number));
        check(has_all, Kind::Lost, || "what was inside".to_owned())?;
        self.world.check_puts()?;
        self.world.settle()
    }
}

/// Journal cell: whether the task that was taken is marked, or about to be.
const IS_MARKED: usize = 41;

/// One task was taken, and is marked as soon as the victim waits; peer 1 waits for the end of all,
/// too, without a limit.
struct ForEnd {
    journal: Journal,
    queue: JoinableQueue,
}

impl ForEnd {
    fn new() -> Result<Self, Failure> {
        let stage =
            Self { journal: Journal::new()?, queue: JoinableQueue::bounded(2, 8).map_err(failed)? };
        stage.queue.try_send(b"task").map_err(failed)?;
        stage.queue.try_recv().map_err(failed)?;
        Ok(stage)
    }

    /// Nobody is told that all is done before the first task is about to be marked. How many are
    /// not done tells nothing: another puts one more.
    fn join(&self, mark: &Mark) -> Outcome {
        self.queue.segment().attachment().token_or_register()?;
        mark.begin();
        let joined = self.queue.join(None);
        let is_marked = self.journal.cell(IS_MARKED) == 1;
        mark.end();
        let joined = joined.map_err(failed).and_then(|()| {
            check(is_marked, Kind::Lost, || "joined, and nothing is done".to_owned())
        });
        self.journal.accuse(joined)
    }
}

impl Stage for ForEnd {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        if index == 0 {
            await_victim(&self.journal);
            self.journal.set_cell(IS_MARKED, 1);
            return self.queue.task_done().map_err(failed);
        }
        self.join(&Mark::UNARMED)
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        index == 0 || is_asleep_on_futex(pid)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.journal.set_cell(VICTIM_PID, std::process::id().into());
        self.join(mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.join(mark)
    }

    /// Puts one more, takes it and marks it, which is the end of nothing yet.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.queue.try_send(b"more").map_err(failed)?;
        self.queue.try_recv().map_err(failed)?;
        self.queue.task_done().map_err(failed)
    }

    fn aftermath(&mut self) -> Outcome {
        self.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        let more = self.queue.task_done();
        let is_told = more == Err(Error::TaskDoneTooOften);
        check(is_told, Kind::Corrupt, || format!("all marked, and says {more:?}"))?;
        self.queue.join(None).map_err(failed)?;
        self.journal.check_accused()
    }
}
