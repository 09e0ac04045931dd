//! The semaphore whose units have owners: all come back, and each dead one's is told once.

use purlin_shm::Segment;
use purlin_sync::{Error, Permit, Told, TrackedSemaphore};

use super::accounts::{Accounts, stay};
use super::{Burial, Subject};
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) fn tracked() -> Result<Box<dyn Subject>, Failure> {
    let segment = Segment::anonymous(4096)?;
    let semaphore = TrackedSemaphore::new_in(&segment, UNIT_COUNT)?;
    Ok(Box::new(Tracked { segment, semaphore, accounts: Accounts::new()?, owed: (0, 0) }))
}

const UNIT_COUNT: u32 = 3;

/// What each writes down: how far it has come, how often, and how many deaths it was told of.
const STEP: usize = 0;
const DONE: usize = 1;
const TOLD: usize = 2;

const OUT: u64 = 0;
/// It has a unit, or may have, and may have been told of a death that it has not written down.
const ABOUT: u64 = 1;
const HOLDING: u64 = 2;

struct Tracked {
    segment: Segment,
    semaphore: TrackedSemaphore,
    accounts: Accounts,
    /// How many deaths must be told, and may be.
    owed: (u64, u64),
}

impl Subject for Tracked {
    fn segment(&self) -> &Segment {
        &self.segment
    }

    fn hammer(&self, index: usize) -> Outcome {
        for visit in 0_u64.. {
            self.accounts.set(index, STEP, ABOUT);
            let permit = self.semaphore.acquire(None)?;
            if permit.told() == Told::OwnerDied {
                self.accounts.add_one(index, TOLD);
            }
            self.accounts.set(index, STEP, HOLDING);
            stay(visit);
            self.accounts.add_one(index, DONE);
            self.accounts.set(index, STEP, ABOUT);
            drop(permit);
            self.accounts.set(index, STEP, OUT);
        }
        Ok(())
    }

    /// With a unit, its death is to be told. One that was told of another's and could not write it
    /// down leaves that to be told for its own.
    fn bury(&mut self, index: usize) -> Result<Burial, Failure> {
        let step = self.accounts.get(index, STEP);
        self.accounts.set(index, STEP, OUT);
        self.owed.0 += u64::from(step == HOLDING);
        self.owed.1 += u64::from(step != OUT);
        Ok(Burial { is_holder: step != OUT, is_time_to_settle: false })
    }

    fn settle(&self) -> Outcome {
        let mut told = self.told_count();
        let mut permits = Vec::new();
        for number in 0..UNIT_COUNT {
            let permit = self.semaphore.try_acquire().map_err(|error| {
                Failure::new(Kind::Lost, format!("unit {number} does not come back: {error}"))
            })?;
            told += u64::from(permit.told() == Told::OwnerDied);
            permits.push(permit);
        }
        let more = self.semaphore.try_acquire().map(Permit::keep);
        check(more == Err(Error::TimedOut), Kind::Duplicate, || format!("one more: {more:?}"))?;
        let (least, most) = self.owed;
        check((least..=most).contains(&told), Kind::Corrupt, || {
            format!("deaths were told {told} times, not {least} to {most}")
        })?;
        drop(permits);
        let value = self.semaphore.value();
        check(value == UNIT_COUNT, Kind::Lost, || format!("given back, and {value} are free"))
    }

    fn done_count(&self) -> u64 {
        self.accounts.sum(DONE)
    }

    fn told_count(&self) -> u64 {
        self.accounts.sum(TOLD)
    }
}
