//! Locks of every kind: one is inside, the data is whole or somebody is told, and each death is
//! told once.

use purlin_shm::Segment;
use purlin_sync::{ByAnyone, ByHolder, ByThread, Exclusive, Reentrant, Rules};

use super::accounts::stay;
use super::{Burial, Subject};
use crate::journal::{Journal, Step};
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) fn lock() -> Result<Box<dyn Subject>, Failure> {
    Locked::<ByHolder>::make(false)
}

pub(super) fn handover() -> Result<Box<dyn Subject>, Failure> {
    Locked::<ByAnyone>::make(false)
}

pub(super) fn checked() -> Result<Box<dyn Subject>, Failure> {
    Locked::<ByThread>::make(false)
}

pub(super) fn recursive() -> Result<Box<dyn Subject>, Failure> {
    Locked::<Reentrant>::make(true)
}

struct Locked<R: Rules> {
    segment: Segment,
    lock: Exclusive<R>,
    /// Whether its holder goes one level deeper.
    goes_deeper: bool,
    journal: Journal,
    /// How often somebody must have vouched, and may have.
    owed: (i64, i64),
}

impl<R: Rules> Locked<R> {
    fn make(goes_deeper: bool) -> Result<Box<dyn Subject>, Failure> {
        let segment = Segment::anonymous(4096)?;
        let lock = Exclusive::new_in(&segment)?;
        Ok(Box::new(Self { segment, lock, goes_deeper, journal: Journal::new()?, owed: (0, 0) }))
    }
}

impl<R: Rules> Subject for Locked<R> {
    fn segment(&self) -> &Segment {
        &self.segment
    }

    fn hammer(&self, index: usize) -> Outcome {
        let mortal = self.journal.mortal(index);
        for visit in 0_u64.. {
            mortal.set_step(Step::Entering);
            let acquired = self.lock.acquire(None)?;
            mortal.begin_work(&acquired)?;
            if self.goes_deeper && visit.is_multiple_of(2) {
                self.lock.acquire(None)?.keep();
                self.lock.release()?;
            }
            stay(visit);
            mortal.end_work();
            mortal.release(acquired);
        }
        Ok(())
    }

    fn bury(&mut self, index: usize) -> Result<Burial, Failure> {
        let mortal = self.journal.mortal(index);
        let step = mortal.step();
        mortal.set_step(Step::Out);
        // What it vouched for last may not have been counted when it died.
        let owes = if step == Step::LeftRecovered { (-1, 0) } else { step.owes() };
        self.owed = (self.owed.0 + owes.0, self.owed.1 + owes.1);
        let is_holder = owes != (0, 0) || step == Step::Suspect;
        Ok(Burial { is_holder, is_time_to_settle: false })
    }

    fn settle(&self) -> Outcome {
        self.journal.visit(&self.lock)?;
        self.journal.check_additions()?;
        let told = self.told_count();
        let (least, most) = self.owed;
        check((least..=most).contains(&(told as i64)), Kind::Corrupt, || {
            format!("deaths were told {told} times, not {least} to {most}")
        })
    }

    fn done_count(&self) -> u64 {
        self.journal.done_count()
    }

    fn told_count(&self) -> u64 {
        self.journal.recovered_count()
    }
}
