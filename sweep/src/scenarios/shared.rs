//! Shared values and arrays: changed under their locks, by who dies amid it.

use purlin_channel::{Array, Error, Value};
use purlin_sync::Acquired;

use crate::journal::Journal;
use crate::patience::comes_to_be;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::process::{Child, idle_until};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 3] = [
    scenario("value-update", "add one to a value under its lock", || {
        Ok(Box::new(Updating(World::new()?)))
    }),
    scenario("array-write", "write a range of eight, all the same", || {
        Ok(Box::new(Writing(World::new()?)))
    }),
    scenario("array-set-suspect", "write an element of what a dead one left half written", || {
        Ok(Box::new(Suspecting::new()?))
    }),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    make: fn() -> Result<AnyStage, Failure>,
) -> Scenario {
    Scenario { name, about, make, sweep: Sweep::Double }
}

const LEN: usize = 8;

/// A value, an array, and who did what to them.
struct World {
    journal: Journal,
    value: Value<u64>,
    array: Array<u64>,
}

/// Journal cells: how far each of the mortal has come, and whether the first holder is there.
const STEPS: usize = 16;
const HOLDS: usize = 20;
const OTHERS: usize = 2;

/// What stands in the first of them.
const AMID: u64 = 1;
const DONE: u64 = 2;

impl World {
    fn new() -> Result<Self, Failure> {
        let journal = Journal::new()?;
        let value = Value::new(0).map_err(failed)?;
        let array = Array::new(LEN).map_err(failed)?;
        Ok(Self { journal, value, array })
    }

    /// A marked call of a mortal, which is registered before.
    fn act(&self, mortal: usize, mark: &Mark, call: impl FnOnce() -> Result<(), Error>) -> Outcome {
        self.value.segment().attachment().token_or_register()?;
        self.array.segment().attachment().token_or_register()?;
        mark.begin();
        self.journal.set_cell(STEPS + mortal, AMID);
        let answer = call();
        if answer.is_ok() {
            self.journal.set_cell(STEPS + mortal, DONE);
        }
        mark.end();
        self.journal.accuse(answer.map_err(failed))
    }

    /// How many have come so far.
    fn count(&self, step: u64) -> u64 {
        (0..=OTHERS).filter(|mortal| self.journal.cell(STEPS + mortal) >= step).count() as u64
    }

    fn add(&self, mortal: usize, mark: &Mark) -> Outcome {
        self.act(mortal, mark, || self.value.update(None, |sum| sum + 1).map(drop))
    }

    /// Writes its own number everywhere. What a dead one left is mended first, if need be.
    fn write(&self, mortal: usize, mark: &Mark) -> Outcome {
        let elements = [mortal as u64 + 1; LEN];
        self.act(mortal, mark, || match self.array.write(.., &elements, None) {
            Err(Error::OwnerDied) => {
                let acquired = self.array.lock().acquire(None)?;
                self.array.write(.., &elements, None)?;
                if let Acquired::OwnerDied(suspect) = acquired {
                    drop(suspect.recover());
                }
                Ok(())
            }
            other => other,
        })
    }

    /// What somebody who holds nothing may be given.
    fn read_whole(&self) -> Outcome {
        match self.array.read(.., None) {
            Ok(elements) => check_whole(&elements),
            Err(Error::OwnerDied) => Ok(()),
            Err(other) => Err(failed(other)),
        }
    }

    /// A mixture is there only if the next holder is told.
    fn settle(&self) -> Outcome {
        self.read_whole()?;
        let acquired = self.array.lock().acquire(None)?;
        let elements = self.array.read(.., None).map_err(failed)?;
        match acquired {
            Acquired::Held(_guard) => check_whole(&elements)?,
            Acquired::OwnerDied(suspect) => drop(suspect.recover()),
        }
        self.array.write(.., &[7; LEN], None).map_err(failed)?;
        check(self.array.read(.., None) == Ok(vec![7; LEN]), Kind::Lost, || "sevens".to_owned())?;
        drop(self.value.lock().acquire(None).map(recovered)?);
        let next = self.value.get(None).map_err(failed)? + 1;
        check(self.value.update(None, |sum| sum + 1) == Ok(next), Kind::Lost, || {
            format!("one to make {next}")
        })?;
        self.journal.check_accused()
    }
}

fn recovered<R: purlin_sync::Rules>(acquired: Acquired<'_, R>) -> purlin_sync::Guard<'_, R> {
    match acquired {
        Acquired::Held(guard) => guard,
        Acquired::OwnerDied(suspect) => suspect.recover(),
    }
}

fn check_whole(elements: &[u64]) -> Outcome {
    let is_whole = elements.iter().all(|element| *element == elements[0]);
    check(is_whole, Kind::Corrupt, || format!("a mixture and no word of it: {elements:?}"))
}

fn failed(error: Error) -> Failure {
    Failure::new(Kind::Corrupt, format!("the elements say {error}"))
}

/// Each adds one.
struct Updating(World);

impl Stage for Updating {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.add(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.add(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.add(1, &Mark::UNARMED)?;
        self.0.add(2, &Mark::UNARMED)?;
        let _held = self.0.value.lock().acquire(None)?;
        turn.stay();
        Ok(())
    }

    fn check(&self) -> Outcome {
        let (sum, done, begun) = (self.0.value.load(), self.0.count(DONE), self.0.count(AMID));
        check(sum >= done, Kind::Lost, || format!("{sum}, after {done} additions"))?;
        check(sum <= begun, Kind::Duplicate, || format!("{sum}, after {begun} begun"))?;
        self.0.settle()
    }
}

/// Each writes its number over all.
struct Writing(World);

impl Stage for Writing {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.write(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.write(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.read_whole()?;
        self.0.write(1, &Mark::UNARMED)?;
        let _held = self.0.array.lock().acquire(None)?;
        turn.stay();
        check_whole(&self.0.array.load_range(..))
    }

    fn check(&self) -> Outcome {
        self.0.settle()
    }
}

/// A holder wrote half of a range and was killed. Elements are written all the same.
struct Suspecting(World);

impl Suspecting {
    fn new() -> Result<Self, Failure> {
        let world = World::new()?;
        let mut owner = Child::start(|| {
            let is_held = world.array.lock().acquire(None).map(Acquired::keep).is_ok();
            let is_written = world.array.write(..LEN / 2, &[9; LEN / 2], None).is_ok();
            world.journal.set_cell(HOLDS, u64::from(is_held && is_written));
            idle_until(|| false);
            0
        })?;
        let is_there = comes_to_be(|| world.journal.cell(HOLDS) == 1);
        check(is_there, Kind::SetupFailed, || "nobody holds".to_owned())?;
        owner.kill();
        Ok(Self(world))
    }

    fn set(&self, mortal: usize, mark: &Mark) -> Outcome {
        self.0.act(mortal, mark, || self.0.array.set(mortal, 5, None))
    }
}

impl Stage for Suspecting {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.set(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.set(1, mark)
    }

    fn check(&self) -> Outcome {
        for mortal in 0..2 {
            let is_done = self.0.journal.cell(STEPS + mortal) == DONE;
            let element = self.0.array.load(mortal).map_err(failed)?;
            check(element == 5 || !is_done, Kind::Lost, || format!("{element} of {mortal}"))?;
            check(element == 5 || element == 9, Kind::Corrupt, || format!("{element}"))?;
        }
        let range = self.0.array.read(.., None);
        check(range == Err(Error::OwnerDied), Kind::Corrupt, || format!("{range:?}, untold"))?;
        self.0.settle()
    }
}
