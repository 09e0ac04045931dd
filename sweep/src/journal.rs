//! What the users of a lock intended and what they did, in plain shared cells; and from that, what
//! survivors must have been told, and what they may have been.

use purlin_sync::{Acquired, Exclusive, Rules};

use crate::limits::GLANCE;
use crate::stage::Turn;
use crate::sys::cells::Cells;
use crate::sys::evidence::is_gone;
use crate::sys::process::{idle_until, pause};
use crate::verdict::{Failure, Kind, Outcome, check};

/// The data under the lock, and everybody's accounts. Shared by all roles of a stage.
//
// INSIDE  pid of whoever is inside, 0 for nobody
// A, B    two counts that each visit adds one to, first A: different means torn
#[derive(Debug)]
pub struct Journal {
    cells: Cells,
}

const INSIDE: usize = 0;
const A: usize = 1;
const B: usize = 2;
/// How often survivors were told that an owner died.
const TOLD: usize = 3;
/// Additions that survivors began, and that they finished.
const INTENT: usize = 4;
const DONE: usize = 5;
/// Raised when all who are to die are dead.
const OVER: usize = 6;
/// A failure that somebody found who may have died before it could tell: its kind, plus one.
const ACCUSED: usize = 7;
/// Visits of the mortal that vouched for what a dead owner left, and were finished.
const RECOVERED: usize = 8;
/// Where the accounts of the mortal begin, and how long one is.
const MORTALS: usize = 16;
const MORTAL_CELLS: usize = 8;
const MORTAL_COUNT: usize = 8;
/// Cells from here on are the scenario's own.
const FREE: usize = MORTALS + MORTAL_CELLS * MORTAL_COUNT;

/// How far somebody who may die had come with its hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
pub enum Step {
    /// It has done nothing.
    Out,
    /// It may hold, and may have been told.
    Entering,
    /// It holds; it was told nothing.
    Sound,
    /// It holds; it was told that an owner died, and may have vouched for the data since.
    Suspect,
    /// It may have released what was sound.
    LeavingSound,
    /// It may have released what it had vouched for.
    LeavingRecovered,
    /// It has released what was sound.
    LeftSound,
    /// It has released what it had vouched for.
    LeftRecovered,
    /// It has released, or may have, what it had not vouched for.
    LeftSuspect,
    /// It may have given the lock up while it was sound: a death, to all others.
    GivingUp,
}

const STEPS: [Step; 10] = [
    Step::Out,
    Step::Entering,
    Step::Sound,
    Step::Suspect,
    Step::LeavingSound,
    Step::LeavingRecovered,
    Step::LeftSound,
    Step::LeftRecovered,
    Step::LeftSuspect,
    Step::GivingUp,
];

impl Step {
    /// How its death changes the number of times that survivors are told: least and most. A death
    /// with what was sound adds one; vouching for what an owner left, and leaving, takes one away.
    pub(crate) const fn owes(self) -> (i64, i64) {
        match self {
            Self::Out | Self::Suspect | Self::LeftSound | Self::LeftSuspect => (0, 0),
            Self::Entering | Self::LeavingSound => (0, 1),
            Self::Sound | Self::GivingUp => (1, 1),
            Self::LeavingRecovered => (-1, 0),
            Self::LeftRecovered => (-1, -1),
        }
    }
}

/// The account of a role that may be killed.
#[derive(Clone, Copy, Debug)]
pub struct Mortal<'a> {
    journal: &'a Journal,
    start: usize,
}

impl Journal {
    /// Empty accounts.
    ///
    /// # Errors
    /// The system's, as a failed setup.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self { cells: Cells::new()? })
    }

    /// The account number `index`: whoever may die has one of its own.
    ///
    /// # Panics
    /// When there are not so many accounts; there are eight.
    #[must_use]
    pub fn mortal(&self, index: usize) -> Mortal<'_> {
        assert!(index < MORTAL_COUNT, "the journal has no account {index}");
        Mortal { journal: self, start: MORTALS + index * MORTAL_CELLS }
    }

    /// A cell of the scenario's own.
    #[must_use]
    pub fn cell(&self, index: usize) -> u64 {
        self.cells.get(FREE + index)
    }

    /// Writes a cell of the scenario's own.
    pub fn set_cell(&self, index: usize, value: u64) {
        self.cells.set(FREE + index, value);
    }

    /// Writes a cell of the scenario's own, and says what was there.
    #[must_use]
    pub fn swap_cell(&self, index: usize, value: u64) -> u64 {
        self.cells.swap(FREE + index, value)
    }

    /// Says that all who are to die are dead.
    pub fn set_over(&self) {
        self.cells.set(OVER, 1);
    }

    /// Whether all who are to die are dead.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.cells.get(OVER) != 0
    }

    /// A survivor's visit: waits for the lock without a limit, looks whether it is alone and
    /// whether the data is as it was told, repairs, adds one, vouches, releases.
    ///
    /// # Errors
    /// What it found.
    pub fn visit(&self, lock: &Exclusive<impl Rules>) -> Outcome {
        let acquired = lock.acquire(None)?;
        self.visit_held(acquired)
    }

    /// A survivor's visit with a hold that it has already.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    pub fn visit_held(&self, acquired: Acquired<'_, impl Rules>) -> Outcome {
        self.visit_while(acquired, || ())
    }

    /// [`visit_held`](Self::visit_held) that stays inside for so many idle turns.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    pub fn visit_for(&self, acquired: Acquired<'_, impl Rules>, turns: u64) -> Outcome {
        self.visit_while(acquired, || (0..turns).for_each(|_| core::hint::spin_loop()))
    }

    /// [`visit_held`](Self::visit_held) that stays inside as long as `stay` takes.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    pub fn visit_while(&self, acquired: Acquired<'_, impl Rules>, stay: impl FnOnce()) -> Outcome {
        let is_told = matches!(acquired, Acquired::OwnerDied(_));
        if is_told {
            self.note_told();
        }
        self.look_inside(is_told)?;
        self.cells.add(INTENT, 1);
        self.add_one();
        stay();
        self.cells.add(DONE, 1);
        self.go_out();
        match acquired {
            Acquired::Held(guard) => drop(guard),
            Acquired::OwnerDied(suspect) => drop(suspect.recover()),
        }
        Ok(())
    }

    /// All that a survivor can do to a lock while somebody else stands still: it visits, and then
    /// visits once more, and stays inside.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    pub fn visit_and_stay(&self, lock: &Exclusive<impl Rules>, turn: &Turn<'_>) -> Outcome {
        self.visit(lock)?;
        self.visit_while(lock.acquire(None)?, || turn.stay())
    }

    /// A survivor that visits again and again until all who are to die are dead. It leaves the lock
    /// alone for a moment in between.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    pub fn visit_until_over(&self, lock: &Exclusive<impl Rules>, ready: usize) -> Outcome {
        loop {
            self.visit(lock)?;
            self.set_cell(ready, 1);
            if self.is_over() {
                return Ok(());
            }
            pause(GLANCE);
        }
    }

    /// A survivor that stays inside until `may_leave`, and writes 1 into the cell `ready` when it
    /// is there.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    pub fn stay_until(
        &self,
        lock: &Exclusive<impl Rules>,
        ready: usize,
        may_leave: impl Fn() -> bool,
    ) -> Outcome {
        let acquired = lock.acquire(None)?;
        let is_told = matches!(acquired, Acquired::OwnerDied(_));
        check(!is_told, Kind::Wrong, || "nobody has died yet".to_owned())?;
        self.look_inside(false)?;
        self.set_cell(ready, 1);
        idle_until(|| self.is_over() || may_leave());
        self.go_out();
        Ok(())
    }

    /// The checker's visits: the first may be told, the second finds everything sound; then the
    /// accounts must come out even. `deaths_before` is how many owners the setup has killed.
    ///
    /// # Errors
    /// What is wrong.
    pub fn settle(&self, lock: &Exclusive<impl Rules>, deaths_before: i64) -> Outcome {
        self.visit(lock)?;
        let told_before = self.cells.get(TOLD);
        let acquired = lock.try_acquire().map_err(|error| {
            Failure::new(Kind::Lost, format!("nobody is left, and the lock answers {error}"))
        })?;
        self.visit_held(acquired)?;
        // A lock that its holder gets once more would have been had in any case.
        check(!lock.is_mine(), Kind::Lost, || "released, and still held".to_owned())?;
        self.check_accused()?;
        let told = self.cells.get(TOLD);
        check(told == told_before, Kind::Corrupt, || "told again after it was recovered".into())?;
        self.check_told(told as i64, deaths_before)?;
        self.check_additions()
    }

    /// Notes that a survivor was told of a death.
    pub(crate) fn note_told(&self) {
        self.cells.add(TOLD, 1);
    }

    /// Survivors were told as often as the accounts of the mortal allow. `deaths_before` is as of
    /// [`settle`](Self::settle).
    ///
    /// # Errors
    /// When they were not.
    pub(crate) fn check_told_enough(&self, deaths_before: i64) -> Outcome {
        self.check_told(self.cells.get(TOLD) as i64, deaths_before)
    }

    /// How often those who may die have vouched, and survivors were told.
    pub(crate) fn recovered_count(&self) -> u64 {
        self.cells.get(RECOVERED) + self.cells.get(TOLD)
    }

    /// How many additions were finished.
    pub(crate) fn done_count(&self) -> u64 {
        self.sum(DONE, Mortal::DONE)
    }

    fn sum(&self, own: usize, mortals: usize) -> u64 {
        let theirs = self.mortals().map(|mortal| self.cells.get(mortal.start + mortals));
        self.cells.get(own) + theirs.sum::<u64>()
    }

    fn mortals(&self) -> impl Iterator<Item = Mortal<'_>> {
        (0..MORTAL_COUNT).map(|index| self.mortal(index))
    }

    fn check_told(&self, told: i64, deaths_before: i64) -> Outcome {
        let owed = self.mortals().map(|mortal| mortal.step().owes());
        let (least, most) =
            owed.fold((deaths_before, deaths_before), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        check((least..=most).contains(&told), Kind::Corrupt, || {
            let steps: Vec<_> = self.mortals().map(|mortal| mortal.step()).collect();
            format!("survivors were told {told} times, not {least} to {most}; {steps:?}")
        })
    }

    /// Nothing that was finished is lost, and nothing that was not begun is there.
    pub(crate) fn check_additions(&self) -> Outcome {
        let (least, most) = (self.done_count(), self.sum(INTENT, Mortal::INTENT));
        let (a, b) = (self.cells.get(A), self.cells.get(B));
        check(a == b, Kind::Corrupt, || format!("repaired, and yet {a} and {b}"))?;
        check(a >= least, Kind::Lost, || format!("{least} additions were finished, {a} are left"))?;
        check(a <= most, Kind::Duplicate, || format!("{most} additions were begun, {a} are there"))
    }

    /// Fails with what somebody found who may be dead.
    ///
    /// # Errors
    /// That.
    pub fn check_accused(&self) -> Outcome {
        let accused = self.cells.get(ACCUSED).checked_sub(1);
        match accused.and_then(|status| Kind::of_status(status as i32)) {
            None => Ok(()),
            Some(kind) => Err(Failure::new(kind, "found by one that may have died since")),
        }
    }

    /// Writes a failure down for the checker, and hands it back.
    ///
    /// # Errors
    /// The failure.
    pub fn accuse(&self, outcome: Outcome) -> Outcome {
        if let Err(failure) = &outcome {
            self.cells.set(ACCUSED, 1 + u64::from(failure.kind.status().unsigned_abs()));
        }
        outcome
    }

    /// [`accuse`](Self::accuse) for an answer that must not be an error.
    ///
    /// # Errors
    /// The failure that the error means.
    pub fn accuse_error<T>(&self, answer: Result<T, purlin_sync::Error>) -> Result<T, Failure> {
        answer.map_err(|error| {
            let failure = Failure::new(Kind::Lost, format!("the lock could be had: {error}"));
            let _ = self.accuse(Err(failure.clone())); // it is handed on right here
            failure
        })
    }

    /// Enters, and looks at who is there and at the data.
    fn look_inside(&self, is_told: bool) -> Outcome {
        self.accuse(self.look(is_told))
    }

    fn look(&self, is_told: bool) -> Outcome {
        let found = self.cells.swap(INSIDE, std::process::id().into());
        let (a, b) = (self.cells.get(A), self.cells.get(B));
        if found != 0 && !is_gone(found as i32) {
            return Err(Failure::new(Kind::Duplicate, "somebody alive is inside"));
        }
        if !is_told {
            check(found == 0, Kind::Corrupt, || "a death inside was not told".to_owned())?;
            check(a == b, Kind::Corrupt, || format!("torn, {a} and {b}, and not told"))?;
        }
        self.cells.set(B, a); // the repair
        Ok(())
    }

    /// Two additions that are not atomic: two who are inside at once lose some, and a kill between
    /// them tears the data.
    fn add_one(&self) {
        self.cells.set(A, self.cells.get(A) + 1);
        self.cells.set(B, self.cells.get(B) + 1);
    }

    fn go_out(&self) {
        self.cells.set(INSIDE, 0);
    }
}

impl Mortal<'_> {
    const STEP: usize = 0;
    const INTENT: usize = 1;
    const DONE: usize = 2;

    /// Writes down how far it has come.
    pub fn set_step(&self, step: Step) {
        self.journal.cells.set(self.start + Self::STEP, step as u64);
    }

    /// How far it had come.
    #[must_use]
    pub fn step(&self) -> Step {
        STEPS[self.journal.cells.get(self.start + Self::STEP) as usize % STEPS.len()]
    }

    /// A whole visit, journalled at each step.
    ///
    /// # Errors
    /// As [`Journal::visit`].
    pub fn visit(&self, lock: &Exclusive<impl Rules>) -> Outcome {
        self.set_step(Step::Entering);
        let acquired = lock.acquire(None)?;
        self.visit_held(acquired)
    }

    /// A whole visit with a hold that was just taken.
    ///
    /// # Errors
    /// As [`Journal::visit`].
    pub fn visit_held(&self, acquired: Acquired<'_, impl Rules>) -> Outcome {
        self.work(&acquired)?;
        self.release(acquired);
        Ok(())
    }

    /// Gives back what it has worked with; vouches for it, if it was told.
    pub fn release(&self, acquired: Acquired<'_, impl Rules>) {
        match acquired {
            Acquired::Held(guard) => {
                self.set_step(Step::LeavingSound);
                drop(guard);
                self.set_step(Step::LeftSound);
            }
            Acquired::OwnerDied(suspect) => {
                let guard = suspect.recover();
                self.set_step(Step::LeavingRecovered);
                drop(guard);
                self.set_step(Step::LeftRecovered);
                self.journal.cells.add(RECOVERED, 1);
            }
        }
    }

    /// Takes the lock, works inside, and keeps it.
    ///
    /// # Errors
    /// As [`Journal::visit`].
    pub fn hold(&self, lock: &Exclusive<impl Rules>) -> Outcome {
        self.set_step(Step::Entering);
        let acquired = lock.acquire(None)?;
        self.work(&acquired)?;
        acquired.keep();
        Ok(())
    }

    /// What it does inside: looks, adds one, goes out, and still holds.
    ///
    /// # Errors
    /// As [`Journal::visit`].
    pub fn work(&self, acquired: &Acquired<'_, impl Rules>) -> Outcome {
        self.begin_work(acquired)?;
        self.end_work();
        Ok(())
    }

    /// The first half of [`work`](Self::work): it is inside, and the data is torn.
    ///
    /// # Errors
    /// As [`Journal::visit`].
    pub fn begin_work(&self, acquired: &Acquired<'_, impl Rules>) -> Outcome {
        let is_told = matches!(acquired, Acquired::OwnerDied(_));
        self.set_step(if is_told { Step::Suspect } else { Step::Sound });
        self.journal.look_inside(is_told)?;
        self.journal.cells.add(self.start + Self::INTENT, 1);
        self.journal.cells.set(A, self.journal.cells.get(A) + 1);
        Ok(())
    }

    /// The second half.
    pub fn end_work(&self) {
        self.journal.cells.set(B, self.journal.cells.get(B) + 1);
        self.journal.cells.add(self.start + Self::DONE, 1);
        self.journal.go_out();
    }
}
