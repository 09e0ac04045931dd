//! A process's first operation in a segment, and its last: slots, tokens, lock bytes.

use super::world::{Elsewhere, World};
use crate::journal::{Journal, Step};
use crate::stage::{AnyStage, Scenario, Stage, Sweep};
use crate::sys::process::Child;
use crate::sys::segment_file::{SegmentFile, Token};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "registration",
        about: "the first lock in a forked child: a slot, a token, the lock",
        make: || Ok(Box::new(Registration::new()?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "attach",
        about: "attach to a segment by its descriptor, open a lock, visit it",
        make: || Ok(Box::new(Attach(Elsewhere::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "detach",
        about: "drop the last handles into a segment",
        make: || Ok(Box::new(Detach(Elsewhere::new()?)) as AnyStage),
        sweep: Sweep::Single,
    },
];

/// Journal cells: the tokens of the victim and the second, once they are used.
const TOKENS: usize = 16;

/// The victim takes slot 1, after the stage's own 0.
struct Registration {
    world: World,
    generation_before: u32,
}

const FIRST_SLOT: u32 = 1;

impl Registration {
    fn new() -> Result<Self, Failure> {
        let world = World::new()?;
        // A past life of the slot, so that generation 0 is not the only one that is followed.
        Child::start(|| i32::from(world.register().is_err()))?.reap();
        let file = SegmentFile::open(world.segment.descriptor())?;
        file.set_cursor(FIRST_SLOT)?;
        Ok(Self { generation_before: file.generation(FIRST_SLOT)?, world })
    }

    fn enter(&self, index: usize, mark: &Mark) -> Outcome {
        mark.begin();
        let mortal = self.world.journal.mortal(index);
        mortal.set_step(Step::Entering);
        let acquired = self.world.lock.acquire(None)?;
        mortal.work(&acquired)?;
        let token = self.world.segment.attachment().token();
        self.world.journal.set_cell(TOKENS + index, token.into());
        mortal.release(acquired);
        mark.end();
        Ok(())
    }

    fn token(&self, index: usize) -> Option<Token> {
        let token = self.world.journal.cell(TOKENS + index) as u32;
        (token != 0).then(|| Token::of(token))
    }
}

impl Stage for Registration {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.enter(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.enter(1, mark)
    }

    fn check(&self) -> Outcome {
        let file = SegmentFile::open(self.world.segment.descriptor())?;
        let cursor = file.cursor()?;
        let dead = [self.token(0), self.token(1)].into_iter().flatten().collect::<Vec<_>>();
        check_slots(&file, &[0])?;
        let begun = u64::from(cursor - FIRST_SLOT);
        check((dead.len() as u64..=2).contains(&begun), Kind::Corrupt, || {
            format!("the cursor went on {begun} times for {} registrations", dead.len())
        })?;
        for token in &dead {
            check(token.generation == file.generation(token.slot)?, Kind::Corrupt, || {
                format!("{token:?} is in use, and its slot has another generation")
            })?;
        }
        // The cursor has gone round: the first slot must be had again, by a new name.
        let before = file.generation(FIRST_SLOT)?;
        check(
            (self.generation_before..=self.generation_before + 2).contains(&before),
            Kind::Corrupt,
            || format!("generation {} became {before}", self.generation_before),
        )?;
        file.set_cursor(FIRST_SLOT)?;
        let mine = Token::of(self.world.segment.attachment().token_or_register()?);
        check(mine.slot == FIRST_SLOT, Kind::Lost, || format!("slot 1 is not given: {mine:?}"))?;
        check(!dead.contains(&mine), Kind::Duplicate, || format!("{mine:?} is given again"))?;
        check(mine.generation == before + 1, Kind::Corrupt, || {
            format!("generation {} follows {before}", mine.generation)
        })?;
        check(file.cursor()? == FIRST_SLOT + 1, Kind::Corrupt, || "the cursor stays".to_owned())?;
        check_slots(&file, &[0, FIRST_SLOT])?;
        self.world.journal.settle(&self.world.lock, 0)
    }
}

/// Just these slots must be taken.
fn check_slots(file: &SegmentFile, expected: &[u32]) -> Outcome {
    let taken = file.taken_slots()?;
    check(taken == expected, Kind::Lost, || format!("taken are slots {taken:?}, not {expected:?}"))
}

struct Attach(Elsewhere);

impl Attach {
    fn attach_and_visit(&self, index: usize, mark: &Mark) -> Outcome {
        let descriptor = self.0.descriptor()?;
        mark.begin();
        let attached = self.0.attach_by(descriptor);
        let visited = attached.as_ref().map(|(_, lock)| self.0.journal.mortal(index).visit(lock));
        mark.end();
        visited.map_err(Clone::clone)?
    }
}

impl Stage for Attach {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.attach_and_visit(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.attach_and_visit(1, mark)
    }

    fn check(&self) -> Outcome {
        check_from_outside(&self.0, &self.0.journal)
    }
}

/// The maker's slot alone is taken; the next one can be had; the lock is as it should be.
fn check_from_outside(elsewhere: &Elsewhere, journal: &Journal) -> Outcome {
    let descriptor = elsewhere.descriptor()?;
    let file = SegmentFile::open(std::os::fd::AsFd::as_fd(&descriptor))?;
    check_slots(&file, &[0])?;
    file.set_cursor(1)?;
    let (segment, lock) = elsewhere.attach()?;
    let mine = Token::of(segment.attachment().token());
    check(mine.slot == 1, Kind::Lost, || format!("slot 1 is not given: {mine:?}"))?;
    journal.settle(&lock, 0)
}

/// The victim lives on after its detach, and must not be there any more.
struct Detach(Elsewhere);

impl Stage for Detach {
    fn victim(&self, mark: &Mark) -> Outcome {
        let (segment, lock) = self.0.attach()?;
        self.0.journal.mortal(0).visit(&lock)?;
        mark.begin();
        drop(lock);
        drop(segment);
        mark.end();
        let descriptor = self.0.descriptor()?;
        check_slots(&SegmentFile::open(std::os::fd::AsFd::as_fd(&descriptor))?, &[0])
    }

    fn check(&self) -> Outcome {
        check_from_outside(&self.0, &self.0.journal)
    }
}
