//! The barrier: all meet there, again and again. A death breaks it for those who are there, who
//! reset it and meet again; of each number as many are given as of any other.

use purlin_shm::Segment;
use purlin_sync::{Barrier, Error};

use super::accounts::Accounts;
use super::{Burial, Subject};
use crate::limits::HAMMER_COUNT;
use crate::sys::cells::Cells;
use crate::sys::process::{Child, End};
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) fn barrier() -> Result<Box<dyn Subject>, Failure> {
    let segment = Segment::anonymous(4096)?;
    let barrier = Barrier::new_in(&segment, HAMMER_COUNT as u32)?;
    let (numbers, accounts) = (Cells::new()?, Accounts::new()?);
    Ok(Box::new(Crowd { segment, barrier, numbers, accounts, death_count: 0 }))
}

/// What each writes down: how often it has passed.
const PASSED: usize = 0;

struct Crowd {
    segment: Segment,
    barrier: Barrier,
    /// How often each number was given.
    numbers: Cells,
    accounts: Accounts,
    death_count: u64,
}

impl Crowd {
    fn meet(&self) -> Result<bool, Failure> {
        match self.barrier.wait(None) {
            Ok(number) => {
                let is_one = (number as usize) < HAMMER_COUNT;
                check(is_one, Kind::Corrupt, || format!("number {number}"))?;
                self.numbers.add(number as usize, 1);
                Ok(true)
            }
            Err(Error::BarrierBroken) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Subject for Crowd {
    fn segment(&self) -> &Segment {
        &self.segment
    }

    fn hammer(&self, index: usize) -> Outcome {
        loop {
            if self.meet()? {
                self.accounts.add_one(index, PASSED);
                continue;
            }
            if self.barrier.is_broken() {
                self.barrier.reset()?;
            }
        }
    }

    fn needs_all(&self) -> bool {
        true
    }

    fn bury(&mut self, _index: usize) -> Result<Burial, Failure> {
        self.death_count += 1;
        Ok(Burial { is_holder: true, is_time_to_settle: false })
    }

    /// A round gives each number once, but for those who died before they had written theirs down.
    fn settle(&self) -> Outcome {
        let given: Vec<u64> = (0..HAMMER_COUNT).map(|number| self.numbers.get(number)).collect();
        let least = given.iter().min().copied().unwrap_or(0);
        let most = given.iter().max().copied().unwrap_or(0);
        check(most - least <= self.death_count, Kind::Duplicate, || {
            format!("{} deaths, and of the numbers were given {given:?}", self.death_count)
        })?;
        self.barrier.reset()?;
        for _ in 0..2 {
            self.all_meet()?;
        }
        Ok(())
    }

    fn done_count(&self) -> u64 {
        self.accounts.sum(PASSED)
    }
}

impl Crowd {
    fn all_meet(&self) -> Outcome {
        let before: Vec<u64> = (0..HAMMER_COUNT).map(|number| self.numbers.get(number)).collect();
        let come = || i32::from(self.meet() != Ok(true));
        let others = (1..HAMMER_COUNT).map(|_| Child::start(come));
        let mut others = others.collect::<Result<Vec<_>, _>>()?;
        let passed = self.meet()?;
        let have_passed = others.iter_mut().all(|other| other.reap() == End::Code(0));
        check(passed && have_passed, Kind::Lost, || "broken after a reset".to_owned())?;
        for (number, before) in before.into_iter().enumerate() {
            let is_given = self.numbers.get(number) == before + 1;
            check(is_given, Kind::Duplicate, || format!("number {number}, not once"))?;
        }
        Ok(())
    }
}
