//! What the stages of semaphores have: one, and accounts of who took and gave how many units.

use std::ops::Range;

use purlin_shm::Segment;
use purlin_sync::{Bounded, Counting, Deadline, Error, Told, Units};

use crate::journal::Journal;
use crate::patience::comes_to_be;
use crate::sys::evidence::{is_asleep_on_futex, is_gone};
use crate::verdict::{Failure, Kind, Outcome, check};

/// A semaphore whose units are counted by all who take and give them.
pub(super) struct Store<K: Units> {
    pub(super) journal: Journal,
    pub(super) segment: Segment,
    pub(super) semaphore: Counting<K>,
    /// How many units it started with.
    pub(super) start: u32,
    /// How many there may be.
    pub(super) bound: Option<u32>,
}

/// Roles by which accounts are known: the victim, the second, the peers, and who comes while the
/// victim stands still. The stage gives what the dead have taken along.
pub(super) const VICTIM: usize = 0;
pub(super) const SECOND: usize = 1;
pub(super) const PEERS: usize = 2;
pub(super) const OTHER: usize = 6;
const STAGE: usize = 7;
const ROLE_COUNT: usize = 8;

/// Journal cells of a role: units that it has begun to take, and taken; begun to give, and given;
/// whether it has one in its hands; its pid; and that it is there. Lower ones are the scenarios'.
const TAKING: usize = 128;
const TAKEN: usize = 136;
const GIVING: usize = 144;
const GIVEN: usize = 152;
const HOLDS: usize = 160;
const PIDS: usize = 168;
const NOTES: usize = 176;

impl Store<Bounded> {
    pub(super) fn bounded(start: u32) -> Result<Self, Failure> {
        Ok(Self { bound: Some(start), ..Self::new(start)? })
    }
}

impl<K: Units> Store<K> {
    pub(super) fn new(start: u32) -> Result<Self, Failure> {
        let segment = Segment::anonymous(4096)?;
        let semaphore = Counting::new_in(&segment, start)?;
        Ok(Self { journal: Journal::new()?, segment, semaphore, start, bound: None })
    }

    /// Registers the calling role, and writes down who it is.
    pub(super) fn register(&self, role: usize) -> Outcome {
        self.journal.set_cell(PIDS + role, std::process::id().into());
        self.segment.attachment().token_or_register()?;
        Ok(())
    }

    pub(super) fn pid(&self, role: usize) -> i32 {
        self.journal.cell(PIDS + role) as i32
    }

    pub(super) fn note(&self, role: usize) {
        self.journal.set_cell(NOTES + role, 1);
    }

    pub(super) fn is_noted(&self, role: usize) -> bool {
        self.journal.cell(NOTES + role) == 1
    }

    /// Takes a unit, and says whether it was a dead owner's. `None` when the limit came first.
    pub(super) fn take(
        &self,
        role: usize,
        deadline: impl Into<Deadline>,
    ) -> Result<Option<Told>, Failure> {
        take(&self.journal, &self.semaphore, role, deadline)
    }

    /// Gives so many units. False when they are too many, and none was given.
    pub(super) fn give(&self, role: usize, count: u32) -> Result<bool, Failure> {
        give(&self.journal, &self.semaphore, role, count)
    }

    pub(super) fn has_taken(&self, role: usize) -> bool {
        self.journal.cell(TAKEN + role) > 0
    }

    /// Takes a unit, waiting as long as it takes, and gives it back.
    pub(super) fn visit(&self, role: usize) -> Outcome {
        self.take(role, None)?;
        self.give(role, 1).map(drop)
    }

    /// Gives one unit after the other to these, as long as some of them have had none: those who
    /// died may have taken theirs along, or died before they gave any. Only when there is none and
    /// all sleep: a unit that is there must be found.
    pub(super) fn relieve(&self, sleepers: Range<usize>) -> Outcome {
        let mut given = Ok(true);
        let are_served = comes_to_be(|| {
            // In this order: who sleeps afterwards has not taken the last one meanwhile.
            let is_dry = self.semaphore.value() == 0;
            let mut waiting = sleepers.clone().filter(|role| !self.has_taken(*role)).peekable();
            if waiting.peek().is_none() {
                return true;
            }
            if is_dry && waiting.all(|role| is_asleep_on_futex(self.pid(role))) {
                given = self.give(STAGE, 1);
            }
            given.is_err()
        });
        given?;
        check(are_served, Kind::Hang, || "units are there, or come, and one waits".to_owned())
    }

    /// The checker's: as many units are there as the accounts say, and not one more can be had.
    pub(super) fn settle(&self) -> Outcome {
        self.journal.check_accused()?;
        let sum = |start: usize| (0..ROLE_COUNT).map(|role| self.journal.cell(start + role)).sum();
        let (taking, taken): (u64, u64) = (sum(TAKING), sum(TAKEN));
        let (giving, given): (u64, u64) = (sum(GIVING), sum(GIVEN));
        let (start, value) = (u64::from(self.start), u64::from(self.semaphore.value()));
        let is_within = self.bound.is_none_or(|bound| value <= bound.into());
        check(is_within, Kind::Duplicate, || format!("{value} units, and the bound is less"))?;
        // Beside what there is now, for a number cannot be less than none.
        let says = || format!("{value} left of {start}; {taken}/{taking} taken, {given}/{giving}");
        check(value + taking >= start + given, Kind::Lost, says)?;
        check(value + taken <= start + giving, Kind::Duplicate, says)?;
        self.empty_and_fill(value as u32)
    }

    /// As many can be had as are said to be there, and be given back.
    fn empty_and_fill(&self, value: u32) -> Outcome {
        for number in 0..value {
            let has_one = self.take(STAGE, Deadline::passed())?.is_some();
            check(has_one, Kind::Lost, || format!("number {number} of {value} is not there"))?;
        }
        let has_more = self.take(STAGE, Deadline::passed())?.is_some();
        check(!has_more, Kind::Duplicate, || format!("{value} units, and one more"))?;
        let are_given = value == 0 || self.give(STAGE, value)?;
        check(are_given, Kind::Lost, || format!("{value} units are not taken back"))?;
        let now = self.semaphore.value();
        check(now == value, Kind::Corrupt, || format!("{value} units given back, {now} there"))
    }
}

/// Who has a unit in its hands is one of at most so many.
pub(super) fn enter(journal: &Journal, role: usize, most: u32) -> Outcome {
    journal.set_cell(HOLDS + role, std::process::id().into());
    let holds = |other: &usize| {
        let pid = journal.cell(HOLDS + other) as i32;
        *other == role || pid != 0 && !is_gone(pid)
    };
    let count = (0..ROLE_COUNT).filter(holds).count();
    let says = || format!("{count} alive have a unit, of {most}");
    journal.accuse(check(count <= most as usize, Kind::Duplicate, says))
}

pub(super) fn go_out(journal: &Journal, role: usize) {
    journal.set_cell(HOLDS + role, 0);
}

/// As [`Store::take`], of a semaphore that is not the stage's own.
pub(super) fn take<K: Units>(
    journal: &Journal,
    semaphore: &Counting<K>,
    role: usize,
    deadline: impl Into<Deadline>,
) -> Result<Option<Told>, Failure> {
    add(journal, TAKING + role, 1);
    let told = match semaphore.acquire(deadline) {
        Ok(permit) => {
            let told = permit.told();
            permit.keep();
            told
        }
        Err(Error::TimedOut) => {
            subtract(journal, TAKING + role, 1);
            return Ok(None);
        }
        Err(error) => return journal.accuse(Err(error.into())).map(|()| None),
    };
    add(journal, TAKEN + role, 1);
    Ok(Some(told))
}

/// As [`Store::give`], of a semaphore that is not the stage's own.
pub(super) fn give<K: Units>(
    journal: &Journal,
    semaphore: &Counting<K>,
    role: usize,
    count: u32,
) -> Result<bool, Failure> {
    add(journal, GIVING + role, count.into());
    match semaphore.release_many(count) {
        Ok(()) => {
            add(journal, GIVEN + role, count.into());
            Ok(true)
        }
        Err(Error::OverReleased) => {
            subtract(journal, GIVING + role, count.into());
            Ok(false)
        }
        Err(error) => journal.accuse(Err(error.into())).map(|()| false),
    }
}

/// Accounts are their role's own.
fn add(journal: &Journal, cell: usize, count: u64) {
    journal.set_cell(cell, journal.cell(cell) + count);
}

fn subtract(journal: &Journal, cell: usize, count: u64) {
    journal.set_cell(cell, journal.cell(cell) - count);
}
