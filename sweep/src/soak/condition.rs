//! Conditions: a store for one thing, half of them fill it, the others empty it, and each waits for
//! the others by a condition of its own side. A wake-up that is lost leaves all of them asleep.

use purlin_shm::Segment;
use purlin_sync::{Acquired, ByHolder, Condition, Guard, Lock};

use super::accounts::{Accounts, stay};
use super::{Burial, Subject};
use crate::sys::cells::Cells;
use crate::sys::evidence::is_gone;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) fn condition() -> Result<Box<dyn Subject>, Failure> {
    let segment = Segment::anonymous(16 * 1024)?;
    let lock = Lock::new_in(&segment)?;
    let (filled, emptied) = (Condition::over(&lock)?, Condition::over(&lock)?);
    let (store, accounts) = (Cells::new()?, Accounts::new()?);
    Ok(Box::new(Store { segment, filled, emptied, store, accounts, doubt: (0, 0) }))
}

/// The store: who is at it, and whether it is full.
const INSIDE: usize = 0;
const FULL: usize = 1;

/// What each writes down: fillings and emptyings that were begun, and that are done; and how many
/// deaths it was told of.
const BEGUN: usize = 0;
const DONE: usize = 1;
const TOLD: usize = 2;

struct Store {
    segment: Segment,
    filled: Condition<ByHolder>,
    emptied: Condition<ByHolder>,
    store: Cells,
    accounts: Accounts,
    /// Fillings and emptyings that were cut short, and may count.
    doubt: (i64, i64),
}

type Held<'a> = Guard<'a, ByHolder>;

impl Store {
    /// Under the lock, alone: fills the store, or empties it, when it is the time for that.
    fn turn(&self, index: usize) -> Outcome {
        let fills = index.is_multiple_of(2);
        let (own, others) = match fills {
            true => (&self.emptied, &self.filled),
            false => (&self.filled, &self.emptied),
        };
        let mut guard = self.hold(index, own.lock().acquire(None)?)?;
        while (self.store.get(FULL) == 1) == fills {
            self.store.set(INSIDE, 0);
            guard = self
                .hold(index, own.wait(guard, None).map_err(purlin_sync::Error::from)?.acquired)?;
        }
        let begun = self.accounts.get(index, BEGUN);
        self.accounts.set(index, BEGUN, begun + 1);
        self.store.set(FULL, u64::from(fills));
        self.accounts.add_one(index, DONE);
        stay(begun);
        others.notify_one()?;
        self.store.set(INSIDE, 0);
        drop(guard);
        Ok(())
    }

    /// Who is told that an owner died wakes all of both sides, for the dead one may have owed them
    /// that.
    fn hold<'a>(
        &self,
        index: usize,
        acquired: Acquired<'a, ByHolder>,
    ) -> Result<Held<'a>, Failure> {
        let inside = self.store.swap(INSIDE, std::process::id().into());
        let is_alone = inside == 0 || is_gone(inside as i32);
        check(is_alone, Kind::Duplicate, || "somebody alive is inside".to_owned())?;
        match acquired {
            Acquired::Held(guard) => {
                check(inside == 0, Kind::Corrupt, || "a death inside was not told".to_owned())?;
                Ok(guard)
            }
            Acquired::OwnerDied(suspect) => {
                let guard = suspect.recover();
                self.accounts.add_one(index, TOLD);
                self.filled.notify_all()?;
                self.emptied.notify_all()?;
                Ok(guard)
            }
        }
    }

    /// Of the even, or of the odd.
    fn sum(&self, cell: usize, parity: usize) -> i64 {
        let own = (parity..crate::limits::HAMMER_COUNT).step_by(2);
        own.map(|index| self.accounts.get(index, cell) as i64).sum()
    }
}

impl Subject for Store {
    fn segment(&self) -> &Segment {
        &self.segment
    }

    fn hammer(&self, index: usize) -> Outcome {
        loop {
            self.turn(index)?;
        }
    }

    fn bury(&mut self, index: usize) -> Result<Burial, Failure> {
        let (begun, done) = (self.accounts.get(index, BEGUN), self.accounts.get(index, DONE));
        let cut = (begun - done) as i64;
        self.accounts.set(index, BEGUN, done); // what is in doubt is counted apart
        match index.is_multiple_of(2) {
            true => self.doubt.0 += cut,
            false => self.doubt.1 += cut,
        }
        Ok(Burial { is_holder: cut > 0, is_time_to_settle: false })
    }

    /// What was filled and not emptied is in the store.
    fn settle(&self) -> Outcome {
        let left = self.store.get(FULL) as i64;
        let difference = self.sum(DONE, 0) - self.sum(DONE, 1);
        let (least, most) = (difference - self.doubt.1, difference + self.doubt.0);
        check((least..=most).contains(&left), Kind::Corrupt, || {
            format!("{left} in the store, not {least} to {most}")
        })?;
        let acquired = self.filled.lock().acquire(None)?;
        drop(self.hold(0, acquired)?);
        drop(self.filled.lock().try_acquire()?.sound()?);
        Ok(())
    }

    fn done_count(&self) -> u64 {
        self.accounts.sum(DONE)
    }

    fn told_count(&self) -> u64 {
        self.accounts.sum(TOLD)
    }
}
