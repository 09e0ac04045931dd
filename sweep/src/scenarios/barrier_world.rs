//! What stages of a barrier have: one, its parties, and their accounts.

use std::time::Duration;

use purlin_shm::Segment;
use purlin_sync::{Barrier, BarrierOptions, Error};

use crate::journal::Journal;
use crate::patience::comes_to_be;
use crate::sys::evidence::{is_asleep_on_futex, is_gone};
use crate::sys::process::{Child, End, idle_until};
use crate::sys::segment_file::SegmentFile;
use crate::verdict::{Failure, Kind, Outcome, check};

/// A barrier that parties meet at.
pub(super) struct Hall {
    pub(super) journal: Journal,
    pub(super) segment: Segment,
    pub(super) barrier: Barrier,
    pub(super) has_action: bool,
}

/// Roles by which parties are known: the victim, the second, then the peers.
pub(super) const VICTIM: usize = 0;
pub(super) const SECOND: usize = 1;
pub(super) const PEERS: usize = 2;
/// Who comes while the victim stands still, and whom the setup kills.
pub(super) const OTHER: usize = 5;
pub(super) const DOOMED: usize = 6;
const ROLE_COUNT: usize = 8;

/// Journal cells. How far each role has come, its number and its pid; how often the action was
/// begun and ended; and what a scenario wants to note.
const STAGES: usize = 0;
const NUMBERS: usize = 8;
const PIDS: usize = 16;
const TOKENS: usize = 24;
const ACTION_BEGUN: usize = 32;
const ACTION_ENDED: usize = 33;
const NOTES: usize = 40;
/// A note: the round was broken before it could have its action.
const BROKEN_EARLY: usize = 1;
/// Which numbers were given in a round of the checker's.
const SEEN: usize = 48;

/// How far a role has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Came {
    Not,
    /// It has called, and was not answered.
    Called,
    Passed,
    Broken,
    TimedOut,
}

const STAGES_OF_A_CALL: [Came; 5] =
    [Came::Not, Came::Called, Came::Passed, Came::Broken, Came::TimedOut];

/// From an object's start to the row of a barrier, and where its guard's word is.
const ROW_OFFSET: u64 = 24;

impl Hall {
    pub(super) fn new(parties: u32) -> Result<Self, Failure> {
        Self::of(BarrierOptions::new(parties), false)
    }

    pub(super) fn with_action(parties: u32) -> Result<Self, Failure> {
        Self::of(BarrierOptions::new(parties).with_action(), true)
    }

    fn of(options: BarrierOptions, has_action: bool) -> Result<Self, Failure> {
        let segment = Segment::anonymous(4096)?;
        let barrier = Barrier::new_in(&segment, options)?;
        Ok(Self { journal: Journal::new()?, segment, barrier, has_action })
    }

    /// Registers the calling role, and writes down who it is.
    pub(super) fn register(&self, role: usize) -> Outcome {
        let token = self.segment.attachment().token_or_register()?;
        self.journal.set_cell(TOKENS + role, token.into());
        self.journal.set_cell(PIDS + role, std::process::id().into());
        Ok(())
    }

    pub(super) fn pid(&self, role: usize) -> i32 {
        self.journal.cell(PIDS + role) as i32
    }

    pub(super) fn note(&self, index: usize) {
        self.journal.set_cell(NOTES + index, 1);
    }

    pub(super) fn is_noted(&self, index: usize) -> bool {
        self.journal.cell(NOTES + index) == 1
    }

    /// Comes to the barrier, with the action that is due there, and writes down the answer. Who
    /// passes looks whether as many have called as there are parties.
    pub(super) fn come(&self, role: usize, limit: Option<Duration>) -> Outcome {
        self.come_and(role, limit, || Ok(()))
    }

    /// [`come`](Self::come) with something that the action does.
    pub(super) fn come_and(
        &self,
        role: usize,
        limit: Option<Duration>,
        act: impl FnOnce() -> Result<(), ()>,
    ) -> Outcome {
        self.set_came(role, Came::Called);
        let answer = if self.has_action {
            match self.barrier.wait_with(limit, || self.run_action(act)) {
                Ok(Ok(number)) => Ok(number),
                Ok(Err(())) => Err(Error::BarrierBroken), // the action's failure
                Err(error) => Err(error),
            }
        } else {
            self.barrier.wait(limit)
        };
        self.journal.accuse(self.write_down(role, answer))
    }

    fn run_action(&self, act: impl FnOnce() -> Result<(), ()>) -> Result<(), ()> {
        let begun = self.journal.cell(ACTION_BEGUN);
        self.journal.set_cell(ACTION_BEGUN, begun + 1);
        act()?;
        self.journal.set_cell(ACTION_ENDED, self.journal.cell(ACTION_ENDED) + 1);
        Ok(())
    }

    fn write_down(&self, role: usize, answer: Result<u32, Error>) -> Outcome {
        match answer {
            Ok(number) => {
                self.journal.set_cell(NUMBERS + role, number.into());
                self.set_came(role, Came::Passed);
                let called = (0..ROLE_COUNT).filter(|role| self.came(*role) != Came::Not).count();
                let parties = self.barrier.parties() as usize;
                let says = || format!("passed when {called} of {parties} had come");
                check(called >= parties, Kind::Corrupt, says)?;
                let has_run = !self.has_action || self.journal.cell(ACTION_ENDED) > 0;
                check(has_run, Kind::Corrupt, || "passed before the action was over".to_owned())
            }
            Err(Error::BarrierBroken) => {
                self.set_came(role, Came::Broken);
                Ok(())
            }
            Err(Error::TimedOut) => {
                self.set_came(role, Came::TimedOut);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn came(&self, role: usize) -> Came {
        STAGES_OF_A_CALL[self.journal.cell(STAGES + role) as usize % STAGES_OF_A_CALL.len()]
    }

    fn set_came(&self, role: usize, came: Came) {
        self.journal.set_cell(STAGES + role, came as u64);
    }

    pub(super) fn actions_begun(&self) -> u64 {
        self.journal.cell(ACTION_BEGUN)
    }

    /// What a role must have been told, if it was told anything.
    pub(super) fn expect(&self, role: usize, allowed: &[Came]) -> Outcome {
        let came = self.came(role);
        let is_allowed = matches!(came, Came::Not | Came::Called) || allowed.contains(&came);
        check(is_allowed, Kind::Corrupt, || format!("role {role} was told {came:?}"))
    }

    /// A process that comes, with this to do in the action, until it is killed.
    pub(super) fn doomed(
        &self,
        act: impl FnOnce() -> Result<(), ()>,
        is_there: impl Fn(&Child) -> bool,
    ) -> Result<Child, Failure> {
        let child = Child::start(|| {
            let outcome = self.register(DOOMED).and_then(|()| self.come_and(DOOMED, None, act));
            outcome.map_or_else(|failure| failure.kind.status(), |()| 0)
        })?;
        let has_come = comes_to_be(|| is_there(&child) || child.has_ended());
        check(has_come && !child.has_ended(), Kind::SetupFailed, || "nobody came".to_owned())?;
        Ok(child)
    }

    /// Frees those who wait for a role that has not come and never will: nobody can know that but
    /// who has killed it. One that has come, or is enrolled, must be missed without that.
    pub(super) fn abort_for_the_missing(&self, roles: &[usize]) -> Outcome {
        for role in roles {
            if self.stands_somewhere(*role)? {
                return Ok(());
            }
        }
        Ok(self.barrier.abort()?)
    }

    /// Whether a word of the row has this role's token: a cell or a member's.
    pub(super) fn stands_somewhere(&self, role: usize) -> Result<bool, Failure> {
        let token = self.journal.cell(TOKENS + role);
        let file = SegmentFile::open(self.segment.descriptor())?;
        for index in 0..3 * u64::from(self.barrier.parties()) {
            let word = file.u64_of(self.barrier.offset(), ROW_OFFSET + 8 * index)?;
            if token != 0 && word & 0x3fff_ffff == token && word != 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Aborts while the victim stands still, and notes it if it has not completed the round: then
    /// its action must not run.
    pub(super) fn abort_before_the_action(&self) -> Outcome {
        let file = SegmentFile::open(self.segment.descriptor())?;
        let is_open = file.u64_of(self.barrier.offset(), 0)? >> 32 == 0; // round 0, open
        self.barrier.abort()?;
        if is_open {
            self.note(BROKEN_EARLY);
        }
        Ok(())
    }

    pub(super) fn was_broken_before_the_action(&self) -> bool {
        self.is_noted(BROKEN_EARLY)
    }

    /// Says in the guard's word that this role is amid an arrival: it stands still there until all
    /// is over.
    pub(super) fn stand_in_the_guard(&self, role: usize) -> Outcome {
        let file = SegmentFile::open(self.segment.descriptor())?;
        file.set_word(self.barrier.offset(), self.journal.cell(TOKENS + role) as u32)?;
        Ok(())
    }

    /// All of these roles were told the same, if they were told at all; and no number twice.
    pub(super) fn check_agreement(&self, roles: &[usize]) -> Outcome {
        let told = |what: Came| roles.iter().filter(|role| self.came(**role) == what).count();
        let (passed, broken) = (told(Came::Passed), told(Came::Broken));
        let says = || format!("{passed} passed, and {broken} were told that it is broken");
        check(passed == 0 || broken == 0, Kind::Corrupt, says)?;
        let passed = roles.iter().filter(|role| self.came(**role) == Came::Passed);
        let mut numbers: Vec<_> = passed.map(|role| self.journal.cell(NUMBERS + role)).collect();
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        check(numbers.len() == count, Kind::Duplicate, || "a number was given twice".to_owned())
    }

    /// A party's last look, before it goes: nothing of it is left at the barrier.
    pub(super) fn check_left(&self, role: usize) -> Outcome {
        let is_left = self.stands_somewhere(role)?;
        let left =
            check(!is_left, Kind::Lost, || "its cell is taken though it has left".to_owned());
        self.journal.accuse(left)
    }

    /// The checker's: a reset makes it whole, and a full set of parties meets, twice.
    pub(super) fn settle(&self) -> Outcome {
        self.journal.check_accused()?;
        self.barrier.reset()?;
        let is_whole = !self.barrier.is_broken() && self.barrier.waiting()? == 0;
        check(is_whole, Kind::Corrupt, || "a reset has not made it whole".to_owned())?;
        (0..2).try_for_each(|round| self.meet(round))
    }

    fn meet(&self, round: u32) -> Outcome {
        let come = || {
            let answer = if self.has_action {
                self.barrier.wait_with(None, || Ok::<(), Failure>(()))?
            } else {
                Ok(self.barrier.wait(None)?)
            };
            self.journal.set_cell(SEEN + answer? as usize, 1);
            Ok::<(), Failure>(())
        };
        let status = || come().map_or_else(|failure| failure.kind.status(), |()| 0);
        let others = (1..self.barrier.parties()).map(|_| Child::start(status));
        let mut others = others.collect::<Result<Vec<_>, _>>()?;
        come()?;
        let have_passed = others.iter_mut().all(|other| other.reap() == End::Code(0));
        check(have_passed, Kind::Lost, || format!("round {round} after the reset is broken"))?;
        for number in 0..self.barrier.parties() as usize {
            let was_given = self.journal.swap_cell(SEEN + number, 0) == 1;
            check(was_given, Kind::Lost, || format!("nobody got number {number}"))?;
        }
        Ok(())
    }

    /// Waits until a role sleeps on the barrier, or is gone.
    pub(super) fn await_sleep_or_death(&self, role: usize) {
        idle_until(|| {
            let pid = self.pid(role);
            self.journal.is_over() || (pid != 0 && (is_asleep_on_futex(pid) || is_gone(pid)))
        });
    }
}
