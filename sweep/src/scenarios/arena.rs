//! Space in a segment: objects that were made, or half made, when their maker was killed.

use std::collections::BTreeSet;

use purlin_shm::Segment;
use purlin_sync::{Acquired, Error, Lock, Told};

use crate::journal::Journal;
use crate::stage::{AnyStage, Scenario, Stage, Sweep};
use crate::sys::segment_file::{ARENA_OFFSET, LINE_BYTES, SegmentFile};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "arena-allocate",
        about: "make a lock in a segment",
        make: || Ok(Box::new(Allocate::new(Whose::Named)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "arena-beside",
        about: "make a lock in a segment beside two that make one after the other",
        make: || Ok(Box::new(Beside::new()?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "arena-chunk",
        about: "make a lock in the segment that the process's parent keeps for such",
        make: || Ok(Box::new(Allocate::new(Whose::Kept)?) as AnyStage),
        sweep: Sweep::Double,
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The segment is named by the caller.
    Named,
    /// It is the current one of those that `new()` draws on.
    Kept,
}

struct Allocate {
    journal: Journal,
    /// In the segment, made first.
    lock: Lock,
    segment: Segment,
    next_before: u64,
    whose: Whose,
}

/// Journal cells: where the locks of the victim and the second are, once they are made.
const MADE: usize = 16;

impl Allocate {
    fn new(whose: Whose) -> Result<Self, Failure> {
        let lock = match whose {
            Whose::Named => Lock::new_in(&Segment::anonymous(4096)?)?,
            Whose::Kept => Lock::new()?,
        };
        let segment = lock.segment();
        let next_before = SegmentFile::open(segment.descriptor())?.next()?;
        Ok(Self { journal: Journal::new()?, lock, segment, next_before, whose })
    }

    fn make(&self) -> Result<Lock, Error> {
        match self.whose {
            Whose::Named => Lock::new_in(&self.segment),
            Whose::Kept => Lock::new(),
        }
    }

    fn make_marked(&self, index: usize, mark: &Mark) -> Outcome {
        self.segment.attachment().token_or_register()?;
        mark.begin();
        let made = self.make();
        self.journal.set_cell(MADE + index, made.as_ref().map_or(0, Lock::offset));
        mark.end();
        made?;
        Ok(())
    }

    fn made(&self) -> Vec<u64> {
        (0..2).map(|index| self.journal.cell(MADE + index)).filter(|made| *made != 0).collect()
    }

    /// What the dead have taken: no more than a line each, and what they finished.
    fn check_space(&self, file: &SegmentFile) -> Outcome {
        let made = self.made();
        let lines = (file.next()? - self.next_before) / LINE_BYTES;
        check((made.len() as u64..=2).contains(&lines), Kind::Lost, || {
            format!("{lines} lines are taken for {} locks", made.len())
        })?;
        let distinct: BTreeSet<_> = made.iter().collect();
        check(distinct.len() == made.len(), Kind::Duplicate, || format!("two at {made:?}"))
    }

    /// Every line: what was finished can be opened and used, what was not cannot.
    fn check_objects(&self, file: &SegmentFile) -> Outcome {
        let (made, size_bytes, next) = (self.made(), file.size_bytes()?, file.next()?);
        let lines = (ARENA_OFFSET..size_bytes).step_by(LINE_BYTES as usize);
        for offset in lines.filter(|offset| *offset != self.lock.offset()) {
            let (what, mark) = file.object(offset)?;
            let is_whole = what != 0 && mark != 0;
            match Lock::open(&self.segment, offset) {
                Ok(lock) => {
                    let is_whole = is_whole && offset < next;
                    check(is_whole, Kind::Corrupt, || format!("half a lock opens at {offset}"))?;
                    drop(lock.try_acquire()?.sound()?);
                }
                Err(error) => {
                    check(error == Error::Damaged, Kind::Corrupt, || {
                        format!("at {offset}, never finished, stands {error}")
                    })?;
                    check(!made.contains(&offset), Kind::Lost, || format!("no lock at {offset}"))?;
                }
            }
        }
        Ok(())
    }

    /// All that is left can be had, each line once.
    fn check_rest(&self, file: &SegmentFile) -> Outcome {
        let left = (file.size_bytes()? - file.next()?) / LINE_BYTES;
        let mut known: BTreeSet<u64> = self.made().into_iter().collect();
        known.insert(self.lock.offset());
        let mut kept = Vec::new();
        for _ in 0..left {
            let lock = self.make()?;
            check(known.insert(lock.offset()), Kind::Duplicate, || {
                format!("{} is given twice", lock.offset())
            })?;
            kept.push(lock);
        }
        let next = file.next()?;
        check(next == file.size_bytes()?, Kind::Lost, || format!("the space ends at {next}"))?;
        match (self.whose, self.make()) {
            (Whose::Named, Err(Error::OutOfResources)) | (Whose::Kept, Ok(_)) => Ok(()),
            (_, other) => Err(Failure::new(Kind::Corrupt, format!("a full segment: {other:?}"))),
        }
    }
}

impl Stage for Allocate {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.make_marked(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.make_marked(1, mark)
    }

    fn check(&self) -> Outcome {
        let file = SegmentFile::open(self.segment.descriptor())?;
        self.check_space(&file)?;
        self.check_objects(&file)?;
        self.check_rest(&file)?;
        drop(self.lock.try_acquire()?.sound()?);
        Ok(())
    }
}

/// Each holds what it makes: space that is given twice is a lock that is held already, or whose
/// owner has died.
struct Beside {
    journal: Journal,
    segment: Segment,
}

/// Locks that a peer makes at most, and idle turns between two: longer than a region is stepped.
const PEER_MAKE_COUNT: u64 = 4000;
const PEER_TURNS: u64 = 200;
/// Journal cells: what the peers have made, and what the victim and the second have.
const PEERS_MADE: usize = 8;

impl Beside {
    fn new() -> Result<Self, Failure> {
        let segment = Segment::anonymous((2 * PEER_MAKE_COUNT + 4) * LINE_BYTES)?;
        Ok(Self { journal: Journal::new()?, segment })
    }

    fn make(&self) -> Result<Lock, Failure> {
        let lock = Lock::new_in(&self.segment)?;
        let is_alone = lock.try_acquire().map(Acquired::keep) == Ok(Told::Held);
        check(is_alone, Kind::Duplicate, || format!("somebody else's lock at {}", lock.offset()))?;
        Ok(lock)
    }

    fn make_marked(&self, index: usize, mark: &Mark) -> Outcome {
        self.segment.attachment().token_or_register()?;
        mark.begin();
        let made = self.make();
        self.journal.set_cell(MADE + index, u64::from(made.is_ok()));
        mark.end();
        core::mem::forget(made?); // held to the end of this process
        Ok(())
    }
}

impl Stage for Beside {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        self.segment.attachment().token_or_register()?;
        for count in 1..=PEER_MAKE_COUNT {
            core::mem::forget(self.make()?);
            self.journal.set_cell(PEERS_MADE + index, count);
            if self.journal.is_over() {
                break;
            }
            (0..PEER_TURNS).for_each(|_| core::hint::spin_loop());
        }
        Ok(())
    }

    fn is_in_place(&self, index: usize, _pid: i32) -> bool {
        self.journal.cell(PEERS_MADE + index) > 0
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.make_marked(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.make_marked(1, mark)
    }

    fn aftermath(&mut self) -> Outcome {
        self.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        let next = SegmentFile::open(self.segment.descriptor())?.next()?;
        let lines = (next - ARENA_OFFSET) / LINE_BYTES;
        let sum = |start: usize| self.journal.cell(start) + self.journal.cell(start + 1);
        let (least, most) = (sum(PEERS_MADE) + sum(MADE), sum(PEERS_MADE) + 2);
        check((least..=most).contains(&lines), Kind::Lost, || {
            format!("{lines} lines are taken, not {least} to {most}")
        })
    }
}
