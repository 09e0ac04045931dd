//! The pool: a worker that is killed anywhere in its loop, and an owner anywhere in its hand-out.
//!
//! A worker is its owner's child, and the owner a peer: the stage traces the worker once it is
//! there. Each task says when it begins and when it ends, and the owner what it was told.

use std::sync::{Arc, OnceLock};

use purlin_pool::{AsyncResult, Builder, Callbacks, Error, Pool};
use purlin_process::{ExitStatus, at_exit};

use crate::limits::{ORPHANS_LIMIT, STILL_MIN};
use crate::patience::{comes_to_be, comes_within};
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn, Waif};
use crate::sys::cells::Cells;
use crate::sys::evidence::{is_asleep_on_futex, is_gone, shows_within};
use crate::sys::process::reap_orphans;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "pool-worker",
        about: "a worker: two tasks, nothing to do, a third, its end",
        make: || worker(Tasks::InTurn),
        sweep: Sweep::Long,
    },
    Scenario {
        name: "pool-worker-last",
        about: "a worker with the last task of a closed pool, beside one that has nothing to do",
        make: || worker(Tasks::OneEach),
        sweep: Sweep::Long,
    },
    Scenario {
        name: "pool-worker-beside",
        about: "a worker that stands still, beside one that gets what it has not begun",
        make: || worker(Tasks::TwoEach),
        sweep: Sweep::Still,
    },
    Scenario {
        name: "pool-owner",
        about: "an owner: tasks handed out to two, their results, a close",
        make: || owner(false),
        sweep: Sweep::Long,
    },
    Scenario {
        name: "pool-owner-opens",
        about: "an owner: two workers started, a task each",
        make: || owner(true),
        sweep: Sweep::Long,
    },
];

/// Cells: how often each task was begun and ended by anybody, was begun by the victim, and how
/// often the owner was told of it.
const BEGUN: usize = 0;
const ENDED: usize = 16;
const BEGUN_BY_VICTIM: usize = 32;
const TOLD: usize = 48;
/// How many tasks have been handed out; and whether the victim has come to its end mark.
const HANDED: usize = 64;
const LIVED: usize = 65;

/// What all processes of a stage share.
struct Scene {
    cells: Cells,
    waif: Waif,
}

impl Scene {
    fn new() -> Result<Arc<Self>, Failure> {
        Ok(Arc::new(Self { cells: Cells::new()?, waif: Waif::new()? }))
    }

    fn told_count(&self) -> u64 {
        (0..TASK_COUNT).map(|task| self.cells.get(TOLD + task)).sum()
    }

    /// What must be so of each task, whoever was killed.
    fn check(&self) -> Outcome {
        (0..TASK_COUNT).try_for_each(|task| {
            let (begun, ended) = (self.cells.get(BEGUN + task), self.cells.get(ENDED + task));
            check(begun <= 1, Kind::Duplicate, || format!("task {task} was run {begun} times"))?;
            check(ended <= begun, Kind::Duplicate, || format!("task {task} ended {ended} times"))
        })
    }
}

const TASK_COUNT: usize = 8;

/// A task's function captures nothing: it finds the scene here, in the owner and in its children.
static SCENE: OnceLock<Arc<Scene>> = OnceLock::new();

fn scene() -> &'static Scene {
    SCENE.get().expect("the owner has set it before it made the pool")
}

/// A few words, so that half of an input or of an output would be seen.
type Words = [u64; 6];

const fn input(task: usize) -> Words {
    [task as u64; 6]
}

fn output(task: usize) -> Words {
    input(task).map(|word| !word)
}

/// What a worker runs.
fn run(words: Words) -> Words {
    let (scene, task) = (scene(), words[0] as usize % TASK_COUNT);
    if scene.waif.pid() == std::process::id().cast_signed() {
        scene.cells.add(BEGUN_BY_VICTIM + task, 1); // first: it may die before the next line
    }
    scene.cells.add(BEGUN + task, 1);
    scene.cells.add(ENDED + task, 1);
    words.map(|word| !word)
}

/// What each worker runs first: one of them is the victim, up to the end of its process.
fn first((): (), (): ()) {
    let mark = scene().waif.claim();
    if mark.is_armed() {
        mark.begin();
        at_exit(move || {
            mark.end();
            scene().cells.set(LIVED, 1);
        });
    }
}

fn unexpected(error: Error) -> Failure {
    Failure::crashed(format!("the pool says {error}"))
}

/// Workers of a pool whose owner is a peer.
struct Worker {
    scene: Arc<Scene>,
    tasks: Tasks,
}

/// How tasks are handed to them. But for one each, a last one follows as the pool is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tasks {
    /// One worker: two at once, and a third when it has nothing to do.
    InTurn,
    /// Two workers: one each, and the pool is closed.
    OneEach,
    /// Two workers: four at once, of which two lie in each mailbox.
    TwoEach,
}

fn worker(tasks: Tasks) -> Result<AnyStage, Failure> {
    Ok(Box::new(Worker { scene: Scene::new()?, tasks }))
}

impl Worker {
    fn own(&self) -> Outcome {
        let _ = SCENE.set(Arc::clone(&self.scene));
        let worker_count = if self.tasks == Tasks::InTurn { 1 } else { 2 };
        let builder = Builder::new().workers(worker_count).message_max_bytes(1 << 16);
        let builder = builder.initializer(first, (), ()).map_err(unexpected)?;
        let pool = builder.fork().map_err(unexpected)?;
        // All waits have no limit: the harness sees who waits for ever.
        let mut outcomes = match self.tasks {
            Tasks::InTurn => self.in_turn(&pool)?,
            Tasks::OneEach => return self.at_the_end(pool),
            Tasks::TwoEach => self.at_once(&pool)?,
        };
        // The last task of a pool that is closed.
        let last = Self::hand(&pool, outcomes.len())?;
        pool.close().map_err(unexpected)?;
        outcomes.push(last.into_value(None));
        pool.join(None).map_err(unexpected)?;
        self.judge(&outcomes)
    }

    /// Two tasks; when they are over, and the worker sleeps, a third.
    fn in_turn(&self, pool: &Pool) -> Result<Vec<Result<Words, Error>>, Failure> {
        let handed = [Self::hand(pool, 0)?, Self::hand(pool, 1)?];
        self.scene.cells.set(HANDED, 2);
        let mut outcomes = Vec::from(handed.map(|result| result.into_value(None)));
        let pid = self.scene.waif.pid();
        let is_idle = comes_to_be(|| is_asleep_on_futex(pid) || is_gone(pid));
        check(is_idle, Kind::Hang, || "a worker with nothing to do does not sleep".to_owned())?;
        outcomes.push(Self::hand(pool, 2)?.into_value(None));
        Ok(outcomes)
    }

    /// Four tasks: two lie in each mailbox.
    fn at_once(&self, pool: &Pool) -> Result<Vec<Result<Words, Error>>, Failure> {
        let handed = (0..4).map(|task| Self::hand(pool, task)).collect::<Result<Vec<_>, _>>()?;
        self.scene.cells.set(HANDED, 4);
        Ok(handed.into_iter().map(|result| result.into_value(None)).collect())
    }

    /// A task each, and nothing after them.
    fn at_the_end(&self, pool: Pool) -> Outcome {
        let handed = [Self::hand(&pool, 0)?, Self::hand(&pool, 1)?];
        self.scene.cells.set(HANDED, 2);
        pool.close().map_err(unexpected)?;
        let outcomes = handed.map(|result| result.into_value(None));
        pool.join(None).map_err(unexpected)?;
        self.judge(&outcomes)
    }

    fn hand(pool: &Pool, task: usize) -> Result<AsyncResult<Words>, Failure> {
        let tell = move || scene().cells.add(TOLD + task, 1);
        let callbacks = Callbacks::new().value(move |_| tell()).error(move |_| tell());
        pool.apply_async_with(run, input(task), callbacks).map_err(unexpected)
    }

    /// What may have come of the tasks: one is lost at most, and that the victim's last.
    fn judge(&self, outcomes: &[Result<Words, Error>]) -> Outcome {
        let cells = &self.scene.cells;
        let is_lost = |outcome: &Result<Words, Error>| outcome.is_err();
        let lost_count = outcomes.iter().filter(|outcome| is_lost(outcome)).count();
        let has_lived = cells.get(LIVED) == 1;
        check(lost_count <= 1, Kind::Lost, || format!("{lost_count} tasks, by one death"))?;
        check(!has_lived || lost_count == 0, Kind::Lost, || "a task, by no death".to_owned())?;
        for (task, outcome) in outcomes.iter().enumerate() {
            let told = cells.get(TOLD + task);
            check(told == 1, Kind::Duplicate, || format!("task {task} was told {told} times"))?;
            match outcome {
                Ok(words) => {
                    let ended = cells.get(ENDED + task);
                    check(ended <= 1, Kind::Duplicate, || {
                        format!("task {task} ended {ended} times")
                    })?;
                    let is_right = *words == output(task) && ended == 1;
                    check(is_right, Kind::Corrupt, || format!("task {task}: {words:?}"))?;
                }
                Err(Error::WorkerLost(ExitStatus::Signal(libc::SIGKILL))) => {
                    let later = task + 1..TASK_COUNT;
                    let is_last = later.clone().all(|task| cells.get(BEGUN_BY_VICTIM + task) == 0);
                    check(is_last, Kind::Lost, || format!("task {task}, which was handed in"))?;
                    let ran_elsewhere = cells.get(BEGUN + task) > cells.get(BEGUN_BY_VICTIM + task);
                    check(!ran_elsewhere, Kind::Lost, || format!("task {task}, of the living"))?;
                }
                Err(error) => return Err(unexpected(error.clone())),
            }
        }
        Ok(())
    }
}

impl Stage for Worker {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.own()
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.scene.waif.pid() > 0 && self.scene.cells.get(HANDED) > 0
    }

    fn waif(&self) -> Option<&Waif> {
        Some(&self.scene.waif)
    }

    fn victim(&self, _mark: &Mark) -> Outcome {
        Err(Failure::new(Kind::Wrong, "the victim is the peer's child"))
    }

    /// Stays until the other worker has done all that it can get.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        let handed = self.scene.cells.get(HANDED);
        // What the victim has begun does not come before it goes on.
        let _ = shows_within(STILL_MIN, || self.scene.told_count() == handed);
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.scene.check()
    }
}

/// An owner that is stepped, all of its workers its daemons.
struct Owner {
    scene: Arc<Scene>,
    /// It is stepped from before the pool is there.
    opens: bool,
}

fn owner(opens: bool) -> Result<AnyStage, Failure> {
    Ok(Box::new(Owner { scene: Scene::new()?, opens }))
}

impl Stage for Owner {
    fn victim(&self, mark: &Mark) -> Outcome {
        let _ = SCENE.set(Arc::clone(&self.scene));
        let builder = Builder::new().workers(2).message_max_bytes(1 << 16);
        if self.opens {
            mark.begin();
        }
        let pool = builder.fork().map_err(unexpected)?;
        if !self.opens {
            mark.begin();
        }
        let tasks = 0..if self.opens { 2 } else { 6 };
        let results: Result<Vec<_>, _> =
            tasks.map(|task| pool.apply_async(run, input(task))).collect();
        let outcomes: Result<Vec<_>, _> =
            results.and_then(|all| all.into_iter().map(|one| one.into_value(None)).collect());
        let closed = pool.close().and_then(|()| pool.join(None));
        mark.end();
        let outcomes = outcomes.and_then(|outcomes| closed.map(|()| outcomes));
        for (task, words) in outcomes.map_err(unexpected)?.iter().enumerate() {
            check(*words == output(task), Kind::Corrupt, || format!("task {task}: {words:?}"))?;
        }
        Ok(())
    }

    /// Whoever was left is the stage's child, and has to end by itself.
    fn aftermath(&mut self) -> Outcome {
        let are_gone = comes_within(ORPHANS_LIMIT, || !reap_orphans());
        check(are_gone, Kind::Orphan, || "a worker outlives its owner".to_owned())
    }

    fn check(&self) -> Outcome {
        self.scene.check()
    }
}
