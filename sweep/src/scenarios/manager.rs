//! A manager's client that is killed anywhere in its calls, beside others: nobody hangs, no lock
//! stays held, no reference is left, and what it had done is done.
//!
//! The server is a child of the stage's; who is stepped, who waits, and the checker are clients.

use purlin_manager::{Acquired, Error, List, Lock, Manager, Queue};

use crate::limits::{ANSWER_COUNT_MAX, GLANCE};
use crate::stage::{AnyStage, Scenario, Stage, Sweep};
use crate::sys::cells::Cells;
use crate::sys::evidence::is_asleep;
use crate::sys::process::pause;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 2] = [
    scenario(
        "manager-lock",
        "a client: acquire a lock, append to a list under it, release",
        || Ok(Box::new(Client::new(lock_and_append)?)),
    ),
    scenario("manager-queue", "a client: put for one that waits, get, make an object", || {
        Ok(Box::new(Client::new(put_get_and_make)?))
    }),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Long }
}

/// Cells: how far each call of the victim's has come; and who is where.
const ACQUIRES: usize = 0;
const APPENDS: usize = 1;
const RELEASES: usize = 2;
const PUTS: usize = 3;
const GETS: usize = 4;
const MAKES: usize = 5;
const CALL_COUNT: usize = 6;
const IS_GOING_TO_WAIT: usize = 8;
/// What the one that waits has got.
const GOT: usize = 9;

const BEGUN: u64 = 1;
const DONE: u64 = 2;

/// Numbers in the queues: the victim's, what comes after its death, and what is inside at first.
const OWN: u64 = 100;
const LAST: u64 = 200;
const INSIDE: [u64; 2] = [1, 2];

struct Client {
    cells: Cells,
    manager: Manager,
    lock: Lock,
    list: List<u64>,
    /// Empty, with one that waits.
    requests: Queue<u64>,
    answers: Queue<u64>,
    object_count: u64,
    act: fn(&Self) -> Result<(), Error>,
}

fn failed(error: Error) -> Failure {
    Failure::crashed(format!("the manager says {error}"))
}

/// Has a call written down, before it and after it.
fn noted<T>(
    cells: &Cells,
    cell: usize,
    call: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    cells.set(cell, BEGUN);
    let answer = call()?;
    cells.set(cell, DONE);
    Ok(answer)
}

fn lock_and_append(client: &Client) -> Result<(), Error> {
    let cells = &client.cells;
    noted(cells, ACQUIRES, || client.lock.acquire(None).map(Acquired::keep))?;
    noted(cells, APPENDS, || client.list.push(&OWN))?;
    noted(cells, RELEASES, || client.lock.release())
}

fn put_get_and_make(client: &Client) -> Result<(), Error> {
    let cells = &client.cells;
    noted(cells, PUTS, || client.requests.put(&OWN, None))?;
    noted(cells, GETS, || client.answers.get(None))?;
    noted(cells, MAKES, || client.manager.list([client.manager.list([OWN])?]).map(drop))
}

impl Client {
    fn new(act: fn(&Self) -> Result<(), Error>) -> Result<Self, Failure> {
        let made = || -> Result<Self, Error> {
            let manager = Manager::start()?;
            let (lock, list) = (manager.lock()?, manager.list([])?);
            let (requests, answers) = (manager.queue()?, manager.queue()?);
            INSIDE.iter().try_for_each(|item| answers.put(item, None))?;
            let object_count = manager.object_count()?;
            let cells = Cells::new().map_err(|_| Error::OutOfResources)?;
            Ok(Self { cells, manager, lock, list, requests, answers, object_count, act })
        };
        made().map_err(failed)
    }

    /// The number of a call's cell, as words.
    fn how(&self, call: usize) -> &'static str {
        ["not begun", "begun", "done"][self.cells.get(call) as usize % 3]
    }

    /// The next one has the lock at once, and is told of a death if the victim died with it.
    fn check_lock(&self) -> Outcome {
        let acquired = self.lock.acquire(None).map_err(failed)?;
        let was_told = matches!(acquired, Acquired::OwnerDied(_));
        let (acquires, releases) = (self.cells.get(ACQUIRES), self.cells.get(RELEASES));
        let may_be_told = acquires > 0 && releases != DONE;
        let must_be_told = acquires == DONE && releases == 0;
        check(may_be_told || !was_told, Kind::Corrupt, || "told of a death with it".to_owned())?;
        check(was_told || !must_be_told, Kind::Lost, || "a death with the lock".to_owned())?;
        match acquired {
            Acquired::Held(guard) => drop(guard),
            Acquired::OwnerDied(suspect) => drop(suspect.recover().map_err(failed)?),
        }
        Ok(())
    }

    fn check_list(&self) -> Outcome {
        let items = self.list.to_vec().map_err(failed)?;
        let is_whole = items.iter().all(|item| *item == OWN);
        check(is_whole, Kind::Corrupt, || format!("{items:?}"))?;
        check_count("an append", self.cells.get(APPENDS), items.len())
    }

    fn check_queues(&self) -> Outcome {
        let drain = |queue: &Queue<u64>| core::iter::from_fn(|| queue.try_get().ok()).collect();
        let mut came: Vec<u64> = drain(&self.requests);
        came.push(self.cells.get(GOT));
        let count = |number: u64| came.iter().filter(|item| **item == number).count();
        check_count("a put", self.cells.get(PUTS), count(OWN))?;
        check(count(LAST) == 1, Kind::Lost, || format!("who waited, and what is left: {came:?}"))?;
        let left: Vec<u64> = drain(&self.answers);
        check(left.ends_with(&INSIDE[1..]), Kind::Lost, || format!("{left:?} is left"))?;
        check_count("a get", self.cells.get(GETS), INSIDE.len() - left.len())
    }
}

/// How often something may have happened that was begun, or is done.
fn check_count(what: &str, how_far: u64, count: usize) -> Outcome {
    let (least, most) = (usize::from(how_far == DONE), usize::from(how_far >= BEGUN));
    let says = || format!("{what}, {how_far} of 2, happened {count} times");
    check(count >= least, Kind::Lost, says)?;
    check(count <= most, Kind::Duplicate, says)
}

impl Stage for Client {
    fn peer_count(&self) -> usize {
        1
    }

    /// Waits for an item without a limit.
    fn peer(&self, _index: usize) -> Outcome {
        self.requests.is_empty().map_err(failed)?; // connected before it is in its place
        self.cells.set(IS_GOING_TO_WAIT, 1);
        let got = self.requests.get(None).map_err(failed)?;
        self.cells.set(GOT, got);
        // Nobody but the checker vouches, so that it is told, too.
        self.lock.acquire(None).map(drop).map_err(failed)
    }

    fn is_in_place(&self, _index: usize, pid: i32) -> bool {
        self.cells.get(IS_GOING_TO_WAIT) == 1 && is_asleep(pid)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        mark.begin();
        let outcome = (self.act)(self);
        mark.end();
        outcome.map_err(failed)
    }

    fn aftermath(&mut self) -> Outcome {
        self.requests.put(&LAST, None).map_err(failed)
    }

    fn check(&self) -> Outcome {
        self.check_lock()?;
        self.check_list()?;
        self.check_queues()?;
        // Each answer is time that the server has had. A limit of seconds would be the same as that
        // after which the harness takes whoever asks and asks for hung.
        let is_clean = (0..ANSWER_COUNT_MAX).any(|_| {
            pause(GLANCE);
            self.manager.object_count() == Ok(self.object_count)
        });
        let says = || {
            let count = self.manager.object_count();
            let how = (0..CALL_COUNT).map(|call| self.how(call)).collect::<Vec<_>>();
            format!("{count:?} objects, not {}; its calls: {how:?}", self.object_count)
        };
        check(is_clean, Kind::Lost, says)
    }
}
