//! The queue that counts what was done: by who dies amid a mark, a task that is put, a join.

use std::time::Duration;

use purlin_channel::{Error, JoinableQueue, LARGE_BYTES};

use super::queue_faces::{AMID, DONE, amid, count_of, failed};
use crate::journal::Journal;
use crate::patience::comes_to_be;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::process::{Child, idle_until};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 3] = [
    scenario("joinable-mark", "mark one of three tasks, beside one who joins", || {
        Ok(Box::new(Marking::new()?))
    }),
    scenario(
        "joinable-put-large",
        "put a task that is copied outside of the lock, and join",
        || Ok(Box::new(PuttingTask::new()?)),
    ),
    scenario("joinable-skip", "join behind a place that a dead one had reserved", || {
        Ok(Box::new(Skipping::new()?))
    }),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

/// Three tasks were taken; two are marked by the mortal, and one by the aftermath.
struct Marking {
    journal: Journal,
    queue: JoinableQueue,
}

const TASK_COUNT: u64 = 3;

impl Marking {
    fn new() -> Result<Self, Failure> {
        let queue = JoinableQueue::bounded(4, 8).map_err(failed)?;
        for _ in 0..TASK_COUNT {
            queue.try_send(b"task").map_err(failed)?;
            queue.try_recv().map_err(failed)?;
        }
        Ok(Self { journal: Journal::new()?, queue })
    }

    fn mark(&self, mortal: usize, mark: &Mark) -> Outcome {
        amid(&self.journal, mortal, mark, || self.queue.task_done().map_err(failed))
    }
}

impl Stage for Marking {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.queue.join(None).map_err(failed)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.mark(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.mark(1, mark)
    }

    /// Marks what is left: as much as those have not.
    fn aftermath(&mut self) -> Outcome {
        let mut marked = 0;
        while self.queue.task_done().is_ok() {
            marked += 1;
        }
        let (done, amid) = (count_of(&self.journal, DONE), count_of(&self.journal, AMID));
        check(marked + done <= TASK_COUNT, Kind::Lost, || format!("{marked} were left"))?;
        let all = marked + done + amid;
        check(all >= TASK_COUNT, Kind::Duplicate, || format!("only {marked} were left"))
    }

    fn check(&self) -> Outcome {
        let more = self.queue.task_done();
        let is_told = more == Err(Error::TaskDoneTooOften);
        check(is_told, Kind::Corrupt, || format!("all marked, and says {more:?}"))?;
        self.queue.try_send(b"more").map_err(failed)?;
        let joined = self.queue.join(Duration::ZERO);
        check(joined == Err(Error::TimedOut), Kind::Corrupt, || format!("joined: {joined:?}"))?;
        self.queue.try_recv().map_err(failed)?;
        self.queue.task_done().map_err(failed)?;
        self.queue.join(None).map_err(failed)?;
        self.journal.check_accused()
    }
}

/// Two put a large task each. What did not come into being is not waited for.
struct PuttingTask {
    journal: Journal,
    queue: JoinableQueue,
}

impl PuttingTask {
    fn new() -> Result<Self, Failure> {
        let queue = JoinableQueue::bounded(3, LARGE_BYTES + 8).map_err(failed)?;
        Ok(Self { journal: Journal::new()?, queue })
    }

    fn put(&self, mortal: usize, mark: &Mark) -> Outcome {
        let message = vec![mortal as u8; LARGE_BYTES + 8];
        amid(&self.journal, mortal, mark, || self.queue.send(&message, None).map_err(failed))
    }

    /// Takes what is there, and marks each.
    fn work(&self) -> Result<u64, Failure> {
        let mut count = 0;
        loop {
            match self.queue.try_recv() {
                Ok(_) => self.queue.task_done().map_err(failed)?,
                Err(Error::Empty) => return Ok(count),
                Err(other) => return Err(failed(other)),
            }
            count += 1;
        }
    }
}

impl Stage for PuttingTask {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.put(0, mark)
    }

    /// Joins, which skips what the victim has left, and is killed in that.
    fn second(&self, mark: &Mark) -> Outcome {
        mark.begin();
        let joined = self.queue.join(Duration::ZERO);
        mark.end();
        match joined {
            Ok(()) | Err(Error::TimedOut) => Ok(()),
            Err(other) => self.journal.accuse(Err(failed(other))),
        }
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.put(1, &Mark::UNARMED)
    }

    fn check(&self) -> Outcome {
        let worked = self.work()?;
        let done = count_of(&self.journal, DONE);
        check(worked >= done, Kind::Lost, || format!("{worked} came of {done} that were put"))?;
        self.queue.join(None).map_err(failed)?;
        let more = self.queue.task_done();
        let is_told = more == Err(Error::TaskDoneTooOften);
        check(is_told, Kind::Corrupt, || format!("joined, and says {more:?}"))?;
        self.journal.check_accused()
    }
}

/// One task was taken, and is not done. Of another there is a place, and who had it is dead.
struct Skipping {
    journal: Journal,
    queue: JoinableQueue,
}

const TASK_SIZE: usize = 8;

/// Journal cell: whether the place is there.
const HAS_PLACE: usize = 24;

impl Skipping {
    fn new() -> Result<Self, Failure> {
        let stage = Self {
            journal: Journal::new()?,
            queue: JoinableQueue::bounded(TASK_COUNT as usize, TASK_SIZE).map_err(failed)?,
        };
        stage.queue.try_send(b"task").map_err(failed)?;
        stage.queue.try_recv().map_err(failed)?;
        let mut owner = Child::start(|| {
            let place = stage.queue.reserve(TASK_SIZE, Duration::ZERO);
            stage.journal.set_cell(HAS_PLACE, u64::from(place.is_ok()));
            idle_until(|| false);
            0
        })?;
        let is_there = comes_to_be(|| stage.journal.cell(HAS_PLACE) == 1);
        check(is_there, Kind::SetupFailed, || "nobody reserved".to_owned())?;
        owner.kill();
        Ok(stage)
    }

    /// Looks once, and skips the place.
    fn look(&self, mortal: usize, mark: &Mark) -> Outcome {
        amid(&self.journal, mortal, mark, || self.finds_one_undone())
    }

    fn finds_one_undone(&self) -> Outcome {
        let joined = self.queue.join(Duration::ZERO);
        check(joined == Err(Error::TimedOut), Kind::Duplicate, || {
            format!("one is not done, and join says {joined:?}")
        })
    }
}

impl Stage for Skipping {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.look(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.look(1, mark)
    }

    fn check(&self) -> Outcome {
        self.finds_one_undone()?;
        let left = self.queue.unfinished();
        check(left == 1, Kind::Lost, || format!("{left} are not done, and not one"))?;
        self.queue.task_done().map_err(failed)?;
        self.queue.join(None).map_err(failed)?;
        let more = self.queue.task_done();
        let is_told = more == Err(Error::TaskDoneTooOften);
        check(is_told, Kind::Corrupt, || format!("joined, and says {more:?}"))?;
        for _ in 0..TASK_COUNT {
            self.queue.try_send(&[0; TASK_SIZE]).map_err(failed)?;
        }
        self.journal.check_accused()
    }
}
