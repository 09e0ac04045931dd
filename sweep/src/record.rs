//! What the process that sets a stage tells the controller, in memory that both share: it survives
//! whatever becomes of its writer.

use core::ops::Range;

use crate::sys::cells::Cells;
use crate::sys::list::List;
use crate::verdict::{Failure, Kind, Outcome};

/// How a role that was stepped came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Death {
    /// How many instructions it ran after its begin mark.
    pub(crate) steps: u64,
    /// How many system calls it had come back from when it began to be stepped.
    pub(crate) calls: u64,
    /// Its next instruction.
    pub(crate) address: u64,
    /// The system call that this instruction makes, or that it was in.
    pub(crate) system_call: Option<u64>,
    pub(crate) has_reached_end: bool,
    /// It slept for good in its last step, and was killed asleep.
    pub(crate) is_stuck: bool,
    /// The cut that was asked for was not made: there is no system call here, or it does not sleep.
    pub(crate) is_moot: bool,
}

// Where things stand in the cells.
const DEATHS: [usize; 2] = [0, 8];
const NOTE: usize = 16;
const NOTE_CELLS: usize = 64;
const VERDICT: usize = 90;
const PULSE: usize = 91;
const IS_THERE: usize = 92;
const HAS_GONE_ON: usize = 93;
const IS_OFF_PATH: usize = 94;

/// For one point at a time.
pub(crate) struct Record {
    cells: Cells,
    /// Of the role of which each step is noted: after how many steps it makes a system call; after
    /// how many what others see has changed; and the address after each number of steps.
    calls: List,
    changes: List,
    addresses: List,
}

impl Record {
    pub(crate) fn new() -> std::io::Result<Self> {
        let (calls, changes, addresses) = (List::new()?, List::new()?, List::new()?);
        Ok(Self { cells: Cells::new()?, calls, changes, addresses })
    }

    pub(crate) fn clear(&self) {
        self.cells.clear();
        self.lists().iter().for_each(|list| list.clear());
    }

    const fn lists(&self) -> [&List; 3] {
        [&self.calls, &self.changes, &self.addresses]
    }

    /// The memory that it lies in.
    pub(crate) fn memory(&self) -> Vec<Range<u64>> {
        let lists = self.lists().map(List::addresses);
        [self.cells.addresses()].into_iter().chain(lists).collect()
    }

    /// Writes how the first or the second role ended.
    pub(crate) fn set_death(&self, role: usize, death: Death) {
        let flags = [death.has_reached_end, death.is_stuck, death.is_moot];
        let start = DEATHS[role];
        self.cells.set(start, death.steps);
        self.cells.set(start + 1, death.address);
        self.cells.set(start + 2, death.system_call.map_or(0, |number| number + 1));
        self.cells.set(start + 6, death.calls);
        for (index, flag) in flags.into_iter().enumerate() {
            self.cells.set(start + 3 + index, flag.into());
        }
    }

    pub(crate) fn death(&self, role: usize) -> Death {
        let at = |index| self.cells.get(DEATHS[role] + index);
        Death {
            steps: at(0),
            calls: at(6),
            address: at(1),
            system_call: at(2).checked_sub(1),
            has_reached_end: at(3) != 0,
            is_stuck: at(4) != 0,
            is_moot: at(5) != 0,
        }
    }

    /// Notes that the instruction after `steps` makes a system call.
    pub(crate) fn add_call(&self, steps: u64) {
        self.calls.push(steps);
    }

    pub(crate) fn calls(&self) -> Vec<u64> {
        self.calls.numbers()
    }

    /// Notes that after `steps` others see something else than before the last of them.
    pub(crate) fn add_change(&self, steps: u64) {
        self.changes.push(steps);
    }

    pub(crate) fn changes(&self) -> Vec<u64> {
        self.changes.numbers()
    }

    /// Notes where the role stands after one step more.
    pub(crate) fn add_address(&self, address: u64) {
        self.addresses.push(address);
    }

    pub(crate) fn addresses(&self) -> Vec<u64> {
        self.addresses.numbers()
    }

    /// Says that a role has not gone the way that it was to be landed on.
    pub(crate) fn set_off_path(&self) {
        self.cells.set(IS_OFF_PATH, 1);
    }

    pub(crate) fn is_off_path(&self) -> bool {
        self.cells.get(IS_OFF_PATH) != 0
    }

    /// Words for a failure that a role's status alone cannot tell. The first one stays.
    pub(crate) fn note(&self, says: &str) {
        let bytes = &says.as_bytes()[..says.len().min((NOTE_CELLS - 1) * 8)];
        if self.cells.swap(NOTE, 1 + bytes.len() as u64) != 0 {
            return;
        }
        for (index, chunk) in bytes.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.cells.set(NOTE + 1 + index, u64::from_le_bytes(word));
        }
    }

    pub(crate) fn noted(&self) -> String {
        let words = (1..NOTE_CELLS).flat_map(|index| self.cells.get(NOTE + index).to_le_bytes());
        let bytes: Vec<u8> = words.take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Writes how far a scenario has come that is run whole.
    pub(crate) fn set_pulse(&self, pulse: u64) {
        self.cells.set(PULSE, pulse);
    }

    pub(crate) fn pulse(&self) -> u64 {
        self.cells.get(PULSE)
    }

    /// Says that whoever acts while the victim stands still has done all it can.
    pub(crate) fn set_there(&self) {
        self.cells.set(IS_THERE, 1);
    }

    pub(crate) fn is_there(&self) -> bool {
        self.cells.get(IS_THERE) != 0
    }

    /// Says that the victim, which stood still, has ended since, or waits.
    pub(crate) fn set_gone_on(&self) {
        self.cells.set(HAS_GONE_ON, 1);
    }

    pub(crate) fn has_gone_on(&self) -> bool {
        self.cells.get(HAS_GONE_ON) != 0
    }

    /// Writes how the point ended.
    pub(crate) fn set_outcome(&self, outcome: &Outcome) {
        let status = match outcome {
            Ok(()) => 0,
            Err(failure) => {
                self.note(&failure.says);
                failure.kind.status()
            }
        };
        self.cells.set(VERDICT, 1 + status.unsigned_abs() as u64);
    }

    /// How the point ended.
    pub(crate) fn outcome(&self) -> Outcome {
        let Some(status) = self.cells.get(VERDICT).checked_sub(1) else {
            return Err(Failure::new(Kind::Wrong, "the stage ended without a word"));
        };
        match Kind::of_status(status as i32) {
            None => Ok(()),
            Some(kind) => Err(Failure::new(kind, self.noted())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_back() {
        let record = Record::new().unwrap();
        assert_eq!(record.outcome().unwrap_err().kind, Kind::Wrong);
        let death =
            Death { steps: 7, calls: 3, address: 9, system_call: Some(0), ..Death::default() };
        record.set_death(1, death);
        assert_eq!((record.death(0), record.death(1)), (Death::default(), death));
        let failure = Failure::new(Kind::Lost, "a note of more than eight bytes: ü");
        record.set_outcome(&Err(failure.clone()));
        record.note("a later one");
        assert_eq!(record.outcome(), Err(failure));
        record.clear();
        record.set_outcome(&Ok(()));
        assert_eq!(record.outcome(), Ok(()));
    }
}
