//! Semaphores whose units have no owners: what a dead process had is gone, and nothing else is. The
//! parent gives a unit for each that is surely lost; where that is in doubt, the doubt is counted,
//! and when there is too much of it, all die and the value says what is so.

use purlin_shm::Segment;
use purlin_sync::{BoundedSemaphore, Counting, Error, Semaphore, Units};

use super::accounts::{Accounts, stay};
use super::{Burial, Subject};
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) fn plain() -> Result<Box<dyn Subject>, Failure> {
    let segment = Segment::anonymous(4096)?;
    let semaphore = Semaphore::new_in(&segment, UNIT_COUNT)?;
    Counted::make(segment, semaphore)
}

/// Its bound leaves room for what is in doubt.
pub(super) fn bounded() -> Result<Box<dyn Subject>, Failure> {
    let segment = Segment::anonymous(4096)?;
    let semaphore = BoundedSemaphore::new_in(&segment, UNIT_COUNT + DOUBT_MAX)?;
    take(&semaphore, DOUBT_MAX)?;
    Counted::make(segment, semaphore)
}

const UNIT_COUNT: u32 = 4;
/// Before the parent has given so many units too many, it looks.
const DOUBT_MAX: u32 = 12;

/// What each writes down: how far it has come, and how often.
const STEP: usize = 0;
const DONE: usize = 1;

const OUT: u64 = 0;
const TAKING: u64 = 1;
const HOLDING: u64 = 2;
const GIVING: u64 = 3;

struct Counted<K: Units> {
    segment: Segment,
    semaphore: Counting<K>,
    accounts: Accounts,
    /// How many units there are, free ones and those that somebody alive has: at least, at most.
    units: (u32, u32),
}

impl<K: Units> Counted<K> {
    fn make(segment: Segment, semaphore: Counting<K>) -> Result<Box<dyn Subject>, Failure> {
        let units = (UNIT_COUNT, UNIT_COUNT);
        Ok(Box::new(Self { segment, semaphore, accounts: Accounts::new()?, units }))
    }
}

impl<K: Units> Subject for Counted<K> {
    fn segment(&self) -> &Segment {
        &self.segment
    }

    fn begin(&mut self) {
        self.units = (UNIT_COUNT, UNIT_COUNT);
    }

    fn hammer(&self, index: usize) -> Outcome {
        for visit in 0_u64.. {
            self.accounts.set(index, STEP, TAKING);
            self.semaphore.acquire(None)?.keep();
            self.accounts.set(index, STEP, HOLDING);
            stay(visit);
            self.accounts.add_one(index, DONE);
            self.accounts.set(index, STEP, GIVING);
            self.semaphore.release()?;
            self.accounts.set(index, STEP, OUT);
        }
        Ok(())
    }

    fn bury(&mut self, index: usize) -> Result<Burial, Failure> {
        let step = self.accounts.get(index, STEP);
        self.accounts.set(index, STEP, OUT);
        match step {
            OUT => {}
            HOLDING => self.semaphore.release()?,
            _ => {
                self.semaphore.release()?; // or they would be fewer and fewer
                self.units.1 += 1;
            }
        }
        // A dozen more can be buried before the others have been killed, too.
        let doubt = self.units.1 - UNIT_COUNT;
        let is_time_to_settle = doubt + crate::limits::HAMMER_COUNT as u32 > DOUBT_MAX;
        Ok(Burial { is_holder: step != OUT, is_time_to_settle })
    }

    /// All units are free; there are as many as there may be; and one more cannot be had.
    fn settle(&self) -> Outcome {
        let (least, most) = self.units;
        let value = self.semaphore.value();
        let says = || format!("there are {value} units, not {least} to {most}");
        check(value >= least, Kind::Lost, says)?;
        check(value <= most, Kind::Duplicate, says)?;
        take(&self.semaphore, value)?;
        let more = self.semaphore.try_acquire().map(purlin_sync::Permit::keep);
        check(more == Err(Error::TimedOut), Kind::Duplicate, || {
            format!("one more than the value was answered by {more:?}")
        })?;
        Ok(self.semaphore.release_many(UNIT_COUNT)?)
    }

    fn done_count(&self) -> u64 {
        self.accounts.sum(DONE)
    }
}

fn take<K: Units>(semaphore: &Counting<K>, count: u32) -> Outcome {
    for _ in 0..count {
        semaphore.try_acquire()?.keep();
    }
    Ok(())
}
