//! The queue: messages put and taken, small ones and large ones, by who dies amid it.

use std::time::Duration;

use purlin_channel::{Error, LARGE_BYTES, Queue};

use super::ensemble::{self, Ensemble};
use crate::journal::Journal;
use crate::limits::GLANCE;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::process::{idle_until, pause};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SMALL: usize = 20;
pub(super) const LARGE: usize = LARGE_BYTES + 8;

pub(super) const SCENARIOS: [Scenario; 9] = [
    scenario("queue-put", "put a message into a ring that goes round", || {
        Ok(Box::new(Putting(World::new(SMALL, 1)?)))
    }),
    scenario("queue-put-first", "put a message for who sleeps for one", || {
        Ok(Box::new(PuttingFirst(World::new(SMALL, 0)?)))
    }),
    scenario("queue-put-large", "put a message that is copied outside of the lock", || {
        Ok(Box::new(Putting(World::new(LARGE, 1)?)))
    }),
    scenario("queue-get", "take the first of two messages", || {
        Ok(Box::new(Getting(World::new(SMALL, 2)?)))
    }),
    scenario("queue-get-last", "take a message, for whose room another sleeps", || {
        Ok(Box::new(GettingLast(World::new(SMALL, 3)?)))
    }),
    scenario("queue-get-large", "take one that is copied outside of the lock", || {
        Ok(Box::new(Getting(World::new(LARGE, 2)?)))
    }),
    scenario("queue-shutdown", "shut it down beside one who sleeps for a message", || {
        Ok(Box::new(Shutting(World::new(SMALL, 0)?)))
    }),
    Scenario {
        name: "queue-live",
        about: "two put and two take, as fast as they can: each message once, nobody left asleep",
        make: || Ok(ensemble::stage(Live(World::new(SMALL, 0)?))),
        sweep: Sweep::Whole,
    },
    Scenario {
        name: "queue-live-one-each",
        about: "two sleep for a message each, and two are put at once: nobody is left asleep",
        make: || Ok(ensemble::stage(OneEach(World::new(SMALL, 0)?))),
        sweep: Sweep::Whole,
    },
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

/// How many messages the queue takes.
pub(super) const CAPACITY: usize = 3;

/// A queue, and who did what to it.
pub(super) struct World {
    pub(super) journal: Journal,
    pub(super) queue: Queue,
    pub(super) size: usize,
}

/// Journal cells: how far each of the mortal has come, and which message somebody had, once each.
const STEPS: usize = 16;
const HAD: usize = 20;

/// What stands in the first of them.
pub(super) const AMID: u64 = 1;
pub(super) const DONE: u64 = 2;

/// Messages by their numbers: those that are there before, and those of the mortal.
pub(super) const OWN: usize = 4;
const NUMBER_MAX: usize = OWN + 4;

impl World {
    /// With so many messages inside, and the ends amid the ring.
    pub(super) fn new(size: usize, inside_count: usize) -> Result<Self, Failure> {
        Self::behind([size; CAPACITY], size, inside_count)
    }

    /// With so many messages inside, behind others of these lengths, which have gone.
    pub(super) fn behind(
        gone: impl IntoIterator<Item = usize>,
        size: usize,
        inside_count: usize,
    ) -> Result<Self, Failure> {
        let queue = Queue::bounded(CAPACITY, size).map_err(failed)?;
        for len in gone {
            queue.try_send(&vec![0; len]).map_err(failed)?;
            queue.try_recv().map_err(failed)?;
        }
        let world = Self { journal: Journal::new()?, queue, size };
        for number in 0..inside_count {
            world.queue.try_send(&world.message(number)).map_err(failed)?;
        }
        Ok(world)
    }

    pub(super) fn message(&self, number: usize) -> Vec<u8> {
        (0..self.size).map(|byte| (number * 31 + byte) as u8).collect()
    }

    /// Which message it is; each may come once.
    pub(super) fn note(&self, message: &[u8]) -> Result<usize, Failure> {
        let found = (0..NUMBER_MAX).find(|number| *message == *self.message(*number));
        let torn = || Failure::new(Kind::Corrupt, format!("{} bytes of no message", message.len()));
        let number = found.ok_or_else(torn)?;
        let before = self.journal.swap_cell(HAD + number, 1);
        check(before == 0, Kind::Duplicate, || format!("message {number} came twice"))?;
        Ok(number)
    }

    pub(super) fn had(&self, number: usize) -> bool {
        self.journal.cell(HAD + number) != 0
    }

    pub(super) fn step(&self, mortal: usize) -> u64 {
        self.journal.cell(STEPS + mortal)
    }

    pub(super) fn set_step(&self, mortal: usize, step: u64) {
        self.journal.set_cell(STEPS + mortal, step);
    }

    fn put(&self, mortal: usize, mark: &Mark) -> Outcome {
        let message = self.message(OWN + mortal);
        self.act(mortal, mark, || self.queue.send(&message, None))
    }

    /// What is swept of a mortal's, from its begin to its end.
    pub(super) fn act(
        &self,
        mortal: usize,
        mark: &Mark,
        act: impl FnOnce() -> Result<(), Error>,
    ) -> Outcome {
        mark.begin();
        self.journal.set_cell(STEPS + mortal, AMID);
        let answer = act();
        self.journal.set_cell(STEPS + mortal, DONE);
        mark.end();
        self.journal.accuse(answer.map_err(failed))
    }

    fn get(&self, mortal: usize, mark: &Mark) -> Outcome {
        let mut message = vec![0; self.size];
        mark.begin();
        self.journal.set_cell(STEPS + mortal, AMID);
        let received = self.queue.recv_into(&mut message, None);
        if received.is_ok() {
            self.journal.set_cell(STEPS + mortal, DONE);
        }
        mark.end();
        let noted = received.map_err(failed).and_then(|len| self.note(&message[..len]));
        self.journal.accuse(noted.map(drop))
    }

    /// Takes what is inside.
    pub(super) fn drain(&self) -> Outcome {
        loop {
            match self.queue.try_recv() {
                Ok(message) => self.note(&message)?,
                Err(Error::Empty | Error::Closed) => return Ok(()),
                Err(other) => return Err(failed(other)),
            };
        }
    }

    /// Each put that returned has had its message come out.
    pub(super) fn check_puts(&self) -> Outcome {
        for mortal in 0..2 {
            let (step, had) = (self.step(mortal), self.had(OWN + mortal));
            check(step != DONE || had, Kind::Lost, || format!("the message of {mortal}"))?;
            check(step != 0 || !had, Kind::Corrupt, || format!("{mortal} had put nothing"))?;
        }
        Ok(())
    }

    /// Of those that were inside, as many are missing at most as have died amid a get.
    pub(super) fn check_gets(&self, inside_count: usize) -> Outcome {
        let missing = (0..inside_count).filter(|number| !self.had(*number)).count();
        let dead = (0..2).filter(|mortal| self.step(*mortal) != 0).count();
        check(missing <= dead, Kind::Lost, || format!("{missing} messages, by {dead} in a call"))
    }

    /// It is as good as new: takes as many as it was made for, and gives them back.
    pub(super) fn settle(&self) -> Outcome {
        for number in 0..CAPACITY {
            self.queue.send(&self.message(number), None).map_err(failed)?;
        }
        let full = self.queue.try_send(&[]);
        check(full == Err(Error::Full), Kind::Corrupt, || format!("full, and says {full:?}"))?;
        for number in 0..CAPACITY {
            let message = self.queue.recv(None).map_err(failed)?;
            check(message == self.message(number), Kind::Corrupt, || "another message".to_owned())?;
        }
        self.journal.check_accused()
    }
}

pub(super) fn failed(error: Error) -> Failure {
    Failure::new(Kind::Corrupt, format!("the queue says {error}"))
}

/// One message is inside; two put one more each.
struct Putting(World);

impl Stage for Putting {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.put(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.put(1, mark)
    }

    /// Puts and takes what it can, also while the victim has a lock.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.put(1, &Mark::UNARMED)?;
        self.0.drain()
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        check(self.0.had(0), Kind::Lost, || "what was inside before".to_owned())?;
        self.0.check_puts()?;
        self.0.settle()
    }
}

/// One sleeps for a message, without a limit.
struct PuttingFirst(World);

impl Stage for PuttingFirst {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let message = self.0.queue.recv(None).map_err(failed)?;
        self.0.note(&message).map(drop)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.put(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.put(1, mark)
    }

    /// Whoever sleeps gets one, in any case.
    fn aftermath(&mut self) -> Outcome {
        self.0.queue.try_send(&self.0.message(0)).map_err(failed)
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        check(self.0.had(0), Kind::Lost, || "the message of the end".to_owned())?;
        self.0.check_puts()?;
        self.0.settle()
    }
}

/// Two messages are inside; two take one each.
struct Getting(World);

impl Stage for Getting {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.get(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.get(1, mark)
    }

    /// Takes the other one, and fills the ring, over what the victim may still be reading.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.get(1, &Mark::UNARMED)?;
        for number in OWN..NUMBER_MAX {
            match self.0.queue.try_send(&self.0.message(number)) {
                Ok(()) | Err(Error::Full) => {}
                Err(other) => return Err(failed(other)),
            }
        }
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        self.0.check_gets(2)?;
        self.0.settle()
    }
}

/// It is full, and one sleeps for room, without a limit.
struct GettingLast(World);

impl Stage for GettingLast {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.0.queue.send(&self.0.message(OWN + 2), None).map_err(failed)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.get(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.get(1, mark)
    }

    /// Makes room, in any case.
    fn aftermath(&mut self) -> Outcome {
        match self.0.queue.try_recv() {
            Ok(message) => self.0.note(&message).map(drop),
            Err(other) => Err(failed(other)),
        }
    }

    fn check(&self) -> Outcome {
        self.0.drain()?;
        check(self.0.had(OWN + 2), Kind::Lost, || "what waited for room".to_owned())?;
        self.0.check_gets(CAPACITY)?;
        self.0.settle()
    }
}

/// One sleeps for a message, and is to be told.
struct Shutting(World);

impl Shutting {
    fn shut(&self, mortal: usize, mark: &Mark) -> Outcome {
        mark.begin();
        self.0.journal.set_cell(STEPS + mortal, AMID);
        let shut = self.0.queue.shutdown();
        self.0.journal.set_cell(STEPS + mortal, DONE);
        mark.end();
        self.0.journal.accuse(shut.map_err(failed))
    }
}

impl Stage for Shutting {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let told = self.0.queue.recv(None);
        check(told == Err(Error::Closed), Kind::Corrupt, || format!("{told:?}, not closed"))
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.shut(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.shut(1, mark)
    }

    fn aftermath(&mut self) -> Outcome {
        let is_shut = self.0.queue.recv(Duration::ZERO) == Err(Error::Closed);
        let is_told = (0..2).any(|mortal| self.0.step(mortal) == DONE);
        check(is_shut || !is_told, Kind::Lost, || "a shutdown left no trace".to_owned())?;
        self.0.queue.shutdown().map_err(failed)
    }

    fn check(&self) -> Outcome {
        let put = self.0.queue.try_send(&[]);
        check(put == Err(Error::Closed), Kind::Corrupt, || format!("shut, and says {put:?}"))?;
        self.0.journal.check_accused()
    }
}

const LIVE_COUNT: usize = 2;
const MESSAGE_COUNT: usize = 4000;

/// Two put, two take. What came is counted, and summed up.
struct Live(World);

/// Journal cells: how many messages each taker has had, and their sum.
const TAKEN: usize = 32;
const SUM: usize = 36;

impl Live {
    fn put_all(&self, putter: usize) -> Outcome {
        for number in 0..MESSAGE_COUNT {
            let value = (putter * MESSAGE_COUNT + number) as u64;
            self.0.queue.send(&value.to_le_bytes(), None).map_err(failed)?;
        }
        Ok(())
    }

    fn take_half(&self, taker: usize) -> Outcome {
        let mut sum = 0;
        for taken in 1..=MESSAGE_COUNT {
            let message = self.0.queue.recv(None).map_err(failed)?;
            let bytes = message.as_slice().try_into();
            sum += u64::from_le_bytes(bytes.map_err(|_| failed(Error::Damaged))?);
            self.0.journal.set_cell(TAKEN + taker, taken as u64);
        }
        self.0.journal.set_cell(SUM + taker, sum);
        Ok(())
    }
}

impl Ensemble for Live {
    fn player_count(&self) -> usize {
        2 * LIVE_COUNT
    }

    fn play(&self, index: usize) -> Outcome {
        match index.checked_sub(LIVE_COUNT) {
            None => self.put_all(index),
            Some(taker) => self.take_half(taker),
        }
    }

    fn pulse(&self) -> u64 {
        (0..LIVE_COUNT).map(|taker| self.0.journal.cell(TAKEN + taker)).sum()
    }

    fn check(&self) -> Outcome {
        let count = (LIVE_COUNT * MESSAGE_COUNT) as u64;
        let sum: u64 = (0..LIVE_COUNT).map(|taker| self.0.journal.cell(SUM + taker)).sum();
        check(sum == count * (count - 1) / 2, Kind::Lost, || format!("a sum of {sum}"))?;
        self.0.settle()
    }
}

const ROUND_COUNT: u64 = 400;

/// One puts a message for each of the others, and the next ones when all have theirs. The others
/// take one each a round, mostly asleep when it comes, and are told of the end the same way.
struct OneEach(World);

/// Journal cell: the round in which a message may be taken.
const ROUND: usize = 24;

impl OneEach {
    fn taken_count(&self) -> u64 {
        (0..LIVE_COUNT).map(|taker| self.0.journal.cell(TAKEN + taker)).sum()
    }

    fn put_rounds(&self) -> Outcome {
        for round in 1..=ROUND_COUNT {
            self.0.journal.set_cell(ROUND, round);
            pause(GLANCE); // they are asleep, or about to fall asleep
            for _ in 0..LIVE_COUNT {
                self.0.queue.send(&round.to_le_bytes(), None).map_err(failed)?;
            }
            idle_until(|| self.taken_count() == round * LIVE_COUNT as u64);
        }
        self.0.journal.set_cell(ROUND, ROUND_COUNT + 1);
        pause(GLANCE); // as above
        self.0.queue.shutdown().map_err(failed)
    }

    fn take_rounds(&self, taker: usize) -> Outcome {
        let mut message = [0; 8];
        for round in 1..=ROUND_COUNT {
            idle_until(|| self.0.journal.cell(ROUND) >= round);
            self.0.queue.recv_into(&mut message, None).map_err(failed)?;
            let is_this = u64::from_le_bytes(message) == round;
            check(is_this, Kind::Duplicate, || format!("{message:?} in round {round}"))?;
            self.0.journal.set_cell(TAKEN + taker, round);
        }
        // Not before all have theirs, or it would take another's.
        idle_until(|| self.0.journal.cell(ROUND) > ROUND_COUNT);
        let told = self.0.queue.recv_into(&mut message, None);
        check(told == Err(Error::Closed), Kind::Corrupt, || format!("{told:?}, not closed"))
    }
}

impl Ensemble for OneEach {
    fn player_count(&self) -> usize {
        1 + LIVE_COUNT
    }

    fn play(&self, index: usize) -> Outcome {
        match index.checked_sub(1) {
            None => self.put_rounds(),
            Some(taker) => self.take_rounds(taker),
        }
    }

    fn pulse(&self) -> u64 {
        self.taken_count()
    }

    fn check(&self) -> Outcome {
        self.0.journal.check_accused()
    }
}
