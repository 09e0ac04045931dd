//! The soak: processes that hammer a lock, one of them killed every ten milliseconds and replaced,
//! for as long as one likes. What the sweep cannot have: several at full speed, killed wherever
//! they are, thousands of times in one segment.

use std::fs;
use std::time::{Duration, Instant};

use purlin_shm::Segment;
use purlin_sync::Lock;

use crate::journal::{Journal, Step};
use crate::limits::{
    HAMMER_COUNT, KILL_PERIOD, LONG_VISIT_PERIOD, LONG_VISIT_TURNS, LOOK, SURVIVORS_LIMIT,
};
use crate::patience::{Patience, all_end};
use crate::sys::process::{Child, End, is_readable, pause, reap_orphans};
use crate::sys::segment_file::SegmentFile;
use crate::verdict::{Failure, Kind, Outcome, check};

/// What a soak came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Soaked {
    /// Processes that were killed.
    pub killed_count: u64,
    /// Of them, those that held the lock, or may have.
    pub holder_count: u64,
    /// Visits that were finished.
    pub visit_count: u64,
    /// Deaths that somebody was told of.
    pub told_count: u64,
}

/// Hammers for `length`. The same `seed` chooses the same victims and pauses, but not the same
/// instructions.
///
/// # Errors
/// What was found.
pub fn soak(length: Duration, seed: u64) -> Result<Soaked, Failure> {
    let segment = Segment::anonymous(4096)?;
    let lock = Lock::new_in(&segment)?;
    let mut bath = Bath {
        journal: Journal::new()?,
        file: SegmentFile::open(segment.descriptor())?,
        lock,
        random: Random(seed),
        owed: (0, 0),
        soaked: Soaked::default(),
    };
    let descriptors = descriptor_count();
    bath.run(length)?;
    bath.settle()?;
    check(descriptor_count() == descriptors, Kind::Lost, || "descriptors are left".to_owned())?;
    Ok(bath.soaked)
}

struct Bath {
    journal: Journal,
    lock: Lock,
    file: SegmentFile,
    random: Random,
    /// How often somebody must have vouched, and may have.
    owed: (i64, i64),
    soaked: Soaked,
}

impl Bath {
    fn run(&mut self, length: Duration) -> Outcome {
        let next_before = self.file.next()?;
        let mut hammers = Vec::new();
        for index in 0..HAMMER_COUNT {
            hammers.push(self.start(index)?);
        }
        let began = Instant::now();
        let mut progress = Progress::new();
        while began.elapsed() < length {
            self.await_kill(&mut hammers)?;
            let index = self.random.below(HAMMER_COUNT as u64) as usize;
            self.kill(index, &mut hammers[index])?;
            hammers[index] = self.start(index)?;
            progress.look(&self.journal, &hammers)?;
        }
        for (index, mut hammer) in hammers.into_iter().enumerate() {
            self.kill(index, &mut hammer)?;
        }
        let next = self.file.next()?;
        check(next == next_before, Kind::Lost, || format!("the space ends at {next}"))
    }

    /// All are dead: nothing of theirs is left, and what they did adds up.
    fn settle(&mut self) -> Outcome {
        check(!reap_orphans(), Kind::LeftChildren, || "processes are left".to_owned())?;
        let taken = self.file.taken_slots()?;
        check(taken == [0], Kind::Lost, || format!("slots {taken:?} are taken, not 0 alone"))?;
        let mut checker = Child::start(|| match self.journal.visit(&self.lock) {
            Ok(()) => 0,
            Err(failure) => failure.kind.status(),
        })?;
        check(all_end(&[&checker], || 0), Kind::Hang, || {
            "the last visitor waits for ever".to_owned()
        })?;
        check_end(checker.reap())?;
        self.journal.check_additions()?;
        let told = self.journal.recovered_count();
        self.soaked.told_count = told;
        self.soaked.visit_count = self.journal.done_count();
        let (least, most) = self.owed;
        check((least..=most).contains(&(told as i64)), Kind::Corrupt, || {
            format!("deaths were told {told} times, not {least} to {most}")
        })
    }

    fn start(&self, index: usize) -> Result<Child, Failure> {
        self.journal.mortal(index).set_step(Step::Out);
        let hammer = || -> Outcome {
            let mortal = self.journal.mortal(index);
            for visit in 0_u64.. {
                mortal.set_step(Step::Entering);
                let acquired = self.lock.acquire(None)?;
                mortal.begin_work(&acquired)?;
                // Now and then longer than the others spin: they sleep.
                let turns = if visit % LONG_VISIT_PERIOD == 0 { LONG_VISIT_TURNS } else { 0 };
                (0..turns).for_each(|_| core::hint::spin_loop());
                mortal.end_work();
                mortal.release(acquired);
            }
            Ok(())
        };
        Ok(Child::start(|| hammer().map_or_else(|failure| failure.kind.status(), |()| 0))?)
    }

    /// Waits for the next kill. Nobody may end by itself meanwhile.
    fn await_kill(&mut self, hammers: &mut [Child]) -> Outcome {
        let half = KILL_PERIOD / 2;
        let wait = half + Duration::from_micros(self.random.below(KILL_PERIOD.as_micros() as u64));
        if is_readable(&hammers.iter().collect::<Vec<_>>(), wait) {
            for hammer in hammers.iter_mut().filter(|hammer| hammer.has_ended()) {
                check_end(hammer.reap())?;
            }
        }
        Ok(())
    }

    fn kill(&mut self, index: usize, hammer: &mut Child) -> Outcome {
        match hammer.kill() {
            End::Signal(libc::SIGKILL) => {}
            end => check_end(end)?,
        }
        let step = self.journal.mortal(index).step();
        // What it vouched for last may not have been counted when it died.
        let owes = if step == Step::LeftRecovered { (-1, 0) } else { step.owes() };
        self.owed = (self.owed.0 + owes.0, self.owed.1 + owes.1);
        self.soaked.killed_count += 1;
        self.soaked.holder_count += u64::from(owes != (0, 0) || step == Step::Suspect);
        Ok(())
    }
}

/// A hammer never ends by itself.
fn check_end(end: End) -> Outcome {
    match end {
        End::Code(0) => Ok(()),
        End::Code(status) => {
            let kind = Kind::of_status(status).unwrap_or(Kind::Crashed);
            Err(Failure::new(kind, "found by one of the hammers"))
        }
        End::Signal(number) => Err(Failure::crashed(format!("a hammer got signal {number}"))),
    }
}

/// Whether visits go on.
struct Progress {
    patience: Patience,
}

impl Progress {
    fn new() -> Self {
        Self { patience: Patience::new(SURVIVORS_LIMIT) }
    }

    /// Where nobody has got on for long, nobody is killed either until it is known why: hammers
    /// that are killed before they have had a processor get nowhere, and are not hung.
    fn look(&mut self, journal: &Journal, hammers: &[Child]) -> Outcome {
        loop {
            let is_over = self.patience.is_over(journal.done_count());
            check(!is_over, Kind::Hang, || "nobody gets on".to_owned())?;
            if !self.patience.is_late() || hammers.iter().any(Child::has_ended) {
                return Ok(());
            }
            pause(LOOK);
        }
    }
}

/// Numbers that look random: splitmix64, as in the library's checks of headers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }
}

/// How many descriptors this process has open.
fn descriptor_count() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
