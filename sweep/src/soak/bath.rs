//! Starting, killing and replacing, whatever is hammered.

use std::fs;
use std::time::{Duration, Instant};

use super::{Soaked, Subject};
use crate::limits::{CALM_DONE_COUNT, CALM_PERIOD, HAMMER_COUNT, LOOK, SURVIVORS_LIMIT};
use crate::patience::{Patience, all_end};
use crate::sys::process::{Child, End, is_readable, pause, reap_orphans};
use crate::sys::segment_file::SegmentFile;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) struct Bath {
    subject: Box<dyn Subject>,
    file: SegmentFile,
    period: Duration,
    random: Random,
    soaked: Soaked,
}

impl Bath {
    pub(super) fn new(
        subject: Box<dyn Subject>,
        period: Duration,
        seed: u64,
    ) -> Result<Self, Failure> {
        let file = SegmentFile::open(subject.segment().descriptor())?;
        Ok(Self { subject, file, period, random: Random(seed), soaked: Soaked::default() })
    }

    pub(super) fn soak(mut self, length: Duration) -> Result<Soaked, Failure> {
        let descriptors = descriptor_count();
        let began = Instant::now();
        // Ends: with the time; each further turn is after a settlement.
        while self.bout(began, length)? {}
        check(descriptor_count() == descriptors, Kind::Lost, || "descriptors are left".to_owned())?;
        self.soaked.done_count = self.subject.done_count();
        self.soaked.told_count = self.subject.told_count();
        Ok(self.soaked)
    }

    /// Until the time is over, or until so much is in doubt that all are killed: then there is more
    /// to come.
    fn bout(&mut self, began: Instant, length: Duration) -> Result<bool, Failure> {
        self.subject.begin();
        let next_before = self.file.next()?;
        let mut hammers = Vec::new();
        for index in 0..HAMMER_COUNT {
            hammers.push(self.start(index)?);
        }
        let mut progress = Progress::new();
        let mut has_more = false;
        while began.elapsed() < length && !has_more {
            self.await_kill(&mut hammers)?;
            let index = self.random.below(HAMMER_COUNT as u64) as usize;
            has_more = self.kill(index, &mut hammers.remove(index))?;
            let is_calm = self.soaked.killed_count.is_multiple_of(CALM_PERIOD);
            if is_calm && !self.subject.needs_all() {
                self.be_calm(&mut hammers)?;
            }
            hammers.insert(index, self.start(index)?);
            progress.look(&*self.subject, &hammers)?;
            if is_calm && self.subject.needs_all() {
                self.be_calm(&mut hammers)?;
            }
        }
        for (index, mut hammer) in hammers.into_iter().enumerate() {
            self.kill(index, &mut hammer)?;
        }
        let next = self.file.next()?;
        check(next == next_before, Kind::Lost, || format!("the space ends at {next}"))?;
        self.settle()?;
        Ok(has_more)
    }

    /// All are dead: nothing of theirs is left, and what they did adds up.
    fn settle(&mut self) -> Outcome {
        check(!reap_orphans(), Kind::LeftChildren, || "processes are left".to_owned())?;
        let taken = self.file.taken_slots()?;
        check(taken == [0], Kind::Lost, || format!("slots {taken:?} are taken, not 0 alone"))?;
        let mut checker = Child::start(|| status(self.subject.settle()))?;
        check(all_end(&[&checker], || 0), Kind::Hang, || "the checker waits for ever".to_owned())?;
        self.soaked.settled_count += 1;
        check_end(checker.reap())
    }

    fn start(&self, index: usize) -> Result<Child, Failure> {
        Ok(Child::start(|| status(self.subject.hammer(index)))?)
    }

    /// Waits for the next kill. Nobody may end by itself meanwhile.
    fn await_kill(&mut self, hammers: &mut [Child]) -> Outcome {
        let spread = self.random.below(self.period.as_micros() as u64);
        await_end(hammers, self.period / 2 + Duration::from_micros(spread))
    }

    /// Kills and replaces nobody until they have got on.
    fn be_calm(&mut self, hammers: &mut [Child]) -> Outcome {
        let target = self.subject.done_count() + CALM_DONE_COUNT;
        let mut patience = Patience::new(SURVIVORS_LIMIT);
        while self.subject.done_count() < target {
            let is_over = patience.is_over(self.subject.done_count());
            check(!is_over, Kind::Hang, || "nobody gets on where nobody is killed".to_owned())?;
            await_end(hammers, LOOK)?;
        }
        self.soaked.calm_count += 1;
        Ok(())
    }

    /// Whether it is time to settle.
    fn kill(&mut self, index: usize, hammer: &mut Child) -> Result<bool, Failure> {
        match hammer.kill() {
            End::Signal(libc::SIGKILL) => {}
            end => check_end(end)?,
        }
        let burial = self.subject.bury(index)?;
        self.soaked.killed_count += 1;
        self.soaked.holder_count += u64::from(burial.is_holder);
        Ok(burial.is_time_to_settle)
    }
}

/// What a process ends with. What it found it says itself, for its parent gets a number only.
fn status(outcome: Outcome) -> i32 {
    outcome.map_or_else(
        |failure| {
            eprintln!("soak: {failure}");
            failure.kind.status()
        },
        |()| 0,
    )
}

/// Waits for so long, or until one ends that never should.
fn await_end(hammers: &mut [Child], limit: Duration) -> Outcome {
    if is_readable(&hammers.iter().collect::<Vec<_>>(), limit) {
        for hammer in hammers.iter_mut().filter(|hammer| hammer.has_ended()) {
            check_end(hammer.reap())?;
        }
    }
    Ok(())
}

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
    fn look(&mut self, subject: &dyn Subject, hammers: &[Child]) -> Outcome {
        loop {
            let is_over = self.patience.is_over(subject.done_count());
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
        (word ^ (word >> 31)) % bound.max(1)
    }
}

/// How many descriptors this process has open.
fn descriptor_count() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
