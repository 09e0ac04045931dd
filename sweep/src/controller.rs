//! From scenarios to points: which points there are, and what came of each.

use std::time::{Duration, Instant};

use crate::limits::{CUT_MICROS, END_COUNT, POINT_LIMIT, REHEARSAL_COUNT};
use crate::perform::perform;
use crate::plan::{Cut, Kill, Plan};
use crate::record::{Death, Record};
use crate::stage::{Scenario, Sweep};
use crate::sys::process::{Child, adopt_orphans, is_readable, kill_group, pause, reap_orphans};
use crate::verdict::{Failure, Kind, Outcome};

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Density {
    /// Every so many instructions.
    Stride(u64),
    /// So many points in all, evenly spread, and every system call.
    Points(u64),
}

/// What was found at a point.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which point.
    pub plan: Plan,
    /// The addresses of the next instructions of those who were killed.
    pub addresses: [u64; 2],
    /// The system calls that they were in, or about to make.
    pub system_calls: [Option<u64>; 2],
    /// What is wrong.
    pub failure: Failure,
    /// It fails although nobody is killed.
    pub is_unkilled: bool,
}

/// What came of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Points that were made.
    pub point_count: u64,
    /// Instructions between the victim's marks.
    pub step_count: u64,
    /// The victim's last step slept for good; it was killed asleep.
    pub is_stuck: bool,
    /// How long it took.
    pub took: Duration,
    /// What was found.
    pub found: Vec<Found>,
    /// The system does not let us trace, or this processor is none that we can step.
    pub is_not_made: bool,
}

/// Drives scenarios. The process that it lives in has one thread and no other children.
pub struct Controller {
    record: Record,
    failure_count_max: usize,
}

impl Controller {
    /// Gets ready. A scenario is left after `failure_count_max` failures: a hang costs seconds.
    ///
    /// # Errors
    /// The system's.
    pub fn new(failure_count_max: usize) -> std::io::Result<Self> {
        adopt_orphans()?;
        Ok(Self { record: Record::new()?, failure_count_max })
    }

    /// Makes one point, and says what is wrong there, if anything.
    pub fn point(&self, scenario: &Scenario, plan: Plan) -> Option<Found> {
        let outcome = self.play(scenario, plan, false);
        self.found(plan, outcome)
    }

    /// Kills the victim at points as dense as `density` says, up to its end mark.
    pub fn singles(&self, scenario: &Scenario, density: Density) -> Tally {
        let began = Instant::now();
        let mut tally = Tally::default();
        if let Some(region) = self.rehearse(scenario, &mut tally) {
            let mut walk = Walk::new(density, &region);
            while let Some(steps) = self.next(&mut walk, &tally) {
                let death = self.single(scenario, Kill::before(steps), &mut tally);
                walk.note(&death);
                if death.system_call.is_some() {
                    for cut in walk.cuts() {
                        self.single(scenario, Kill { steps, cut }, &mut tally);
                    }
                }
            }
        }
        tally.took = began.elapsed();
        tally
    }

    /// Kills the victim, then the second that finds what it left, both as densely as it says.
    pub fn doubles(&self, scenario: &Scenario, density: Density) -> Tally {
        let began = Instant::now();
        let mut tally = Tally::default();
        if let Some(region) = self.rehearse(scenario, &mut tally) {
            let mut walk = Walk::new(density, &region.without_calls());
            while let Some(steps) = self.next(&mut walk, &tally) {
                let kill = Kill::before(steps);
                let whole = self.double(scenario, kill, Kill::before(u64::MAX), &mut tally);
                let mut second_walk = Walk::new(density, &Region::of(whole.1.steps));
                while let Some(second_steps) = self.next(&mut second_walk, &tally) {
                    let kills = self.double(scenario, kill, Kill::before(second_steps), &mut tally);
                    second_walk.note(&kills.1);
                }
                walk.note(&whole.0);
            }
        }
        tally.took = began.elapsed();
        tally
    }

    fn next(&self, walk: &mut Walk, tally: &Tally) -> Option<u64> {
        (tally.found.len() < self.failure_count_max).then(|| walk.next())?
    }

    /// Runs the scenario without a kill, then up to the end mark, to see that it is a good one and
    /// how long it is, at the longest: peers may be in the way, or do the victim's work. `None`
    /// when it is not.
    fn rehearse(&self, scenario: &Scenario, tally: &mut Tally) -> Option<Region> {
        let unkilled = self.play(scenario, Plan::UNKILLED, false);
        if let Some(mut found) = self.found(Plan::UNKILLED, unkilled) {
            if found.failure.kind == Kind::NotPermitted {
                tally.is_not_made = true;
                return None;
            }
            found.is_unkilled = true;
            tally.found.push(found);
            return None;
        }
        if scenario.sweep == Sweep::Whole {
            tally.point_count = 1;
            return None;
        }
        let mut region = Region::of(0);
        for _ in 0..REHEARSAL_COUNT {
            let outcome = self.play(scenario, Plan::single(Kill::before(u64::MAX)), true);
            let death = self.record.death(0);
            tally.count(self.found(Plan::single(Kill::before(death.steps)), outcome));
            tally.is_stuck |= death.is_stuck;
            if death.steps > region.step_count {
                region = Region { step_count: death.steps, calls: self.record.calls() };
            }
        }
        tally.step_count = region.step_count;
        Some(region)
    }

    fn single(&self, scenario: &Scenario, kill: Kill, tally: &mut Tally) -> Death {
        let plan = Plan::single(kill);
        let outcome = self.play(scenario, plan, false);
        let death = self.record.death(0);
        if !death.is_moot {
            tally.count(self.found(plan, outcome));
        }
        death
    }

    fn double(
        &self,
        scenario: &Scenario,
        first: Kill,
        second: Kill,
        tally: &mut Tally,
    ) -> (Death, Death) {
        let plan = Plan::double(first, second);
        let outcome = self.play(scenario, plan, false);
        let deaths = (self.record.death(0), self.record.death(1));
        let exact = Plan::double(first, Kill { steps: deaths.1.steps, ..second });
        tally.count(self.found(exact, outcome));
        deaths
    }

    /// Plays one point in a process of its own, and clears away whatever it left.
    fn play(&self, scenario: &Scenario, plan: Plan, lists_calls: bool) -> Outcome {
        self.record.clear();
        let mut stage = Child::start(|| perform(scenario, plan, lists_calls, &self.record))?;
        let began = Instant::now();
        while !stage.has_ended() && began.elapsed() < POINT_LIMIT {
            is_readable(&[&stage], Duration::from_secs(1));
        }
        let has_ended = stage.has_ended();
        kill_group(&stage);
        stage.kill();
        let swept = Instant::now();
        while reap_orphans() && swept.elapsed() < POINT_LIMIT {
            pause(Duration::from_millis(1));
        }
        if !has_ended {
            return Err(Failure::new(Kind::Wrong, "the stage does not end"));
        }
        self.record.outcome()
    }

    fn found(&self, plan: Plan, outcome: Outcome) -> Option<Found> {
        let (first, second) = (self.record.death(0), self.record.death(1));
        outcome.err().map(|failure| Found {
            plan,
            addresses: [first.address, second.address],
            system_calls: [first.system_call, second.system_call],
            failure,
            is_unkilled: false,
        })
    }
}

/// The part between the marks, as a run up to the end saw it.
struct Region {
    step_count: u64,
    calls: Vec<u64>,
}

impl Region {
    const fn of(step_count: u64) -> Self {
        Self { step_count, calls: Vec::new() }
    }

    const fn without_calls(&self) -> Self {
        Self::of(self.step_count)
    }
}

impl Density {
    fn stride(self, step_count: u64) -> u64 {
        match self {
            Self::Stride(stride) => stride.max(1),
            Self::Points(count) => step_count.div_ceil(count.max(1)).max(1),
        }
    }
}

impl Tally {
    /// Whether the library failed nowhere, and the instrument neither.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.found.is_empty()
    }

    fn count(&mut self, found: Option<Found>) {
        self.point_count += 1;
        self.found.extend(found);
    }
}

/// The numbers of steps to try: multiples of the stride, and in a sample some system calls, until
/// the end mark has been reached; when every point is made, a few times.
struct Walk {
    stride: u64,
    next: u64,
    calls: Vec<u64>,
    /// As long as the region is: an end before it was an easy run.
    step_count: u64,
    ends_left: u32,
    is_sample: bool,
    cut_count: usize,
}

impl Walk {
    fn new(density: Density, region: &Region) -> Self {
        let stride = density.stride(region.step_count);
        let walk = Self {
            stride,
            next: 0,
            calls: Vec::new(),
            step_count: region.step_count,
            ends_left: 1,
            is_sample: true,
            cut_count: 0,
        };
        match density {
            Density::Stride(_) => Self { ends_left: END_COUNT, is_sample: false, ..walk },
            Density::Points(count) => {
                let every = region.calls.len().div_ceil((count / 2).max(1) as usize).max(1);
                Self { calls: region.calls.iter().copied().step_by(every).collect(), ..walk }
            }
        }
    }

    /// How to cut into the system call that was just found: in every way, or, in a sample, in one
    /// at a time.
    fn cuts(&mut self) -> Vec<Cut> {
        let mut cuts: Vec<_> = CUT_MICROS.map(|micros| Cut::Within { micros }).into();
        cuts.push(Cut::Asleep);
        if self.is_sample {
            self.cut_count += 1;
            cuts = vec![cuts[self.cut_count % cuts.len()]];
        }
        cuts
    }

    fn next(&mut self) -> Option<u64> {
        if let Some(call) = self.calls.pop() {
            return Some(call);
        }
        if self.ends_left == 0 {
            return None;
        }
        let steps = self.next;
        self.next += self.stride;
        Some(steps)
    }

    /// What came of the last one.
    fn note(&mut self, death: &Death) {
        if death.is_stuck {
            self.ends_left = 0;
        } else if death.has_reached_end && self.next >= self.step_count {
            self.ends_left = self.ends_left.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(density: Density, region: &Region) -> Vec<u64> {
        let mut walk = Walk::new(density, region);
        let mut seen = Vec::new();
        while let Some(steps) = walk.next() {
            seen.push(steps);
            walk.note(&Death { has_reached_end: steps >= 20, ..Death::default() });
        }
        seen
    }

    #[test]
    fn a_walk_ends_when_the_end_was_reached_a_few_times() {
        assert_eq!(walked(Density::Stride(10), &Region::of(20)), [0, 10, 20, 30, 40]);
    }

    #[test]
    fn a_sample_has_some_system_calls_too() {
        let region = Region { step_count: 20, calls: vec![1, 3, 5, 7] };
        assert_eq!(walked(Density::Points(4), &region), [5, 1, 0, 5, 10, 15, 20]);
    }

    #[test]
    fn points_are_spread_over_the_region() {
        assert_eq!(Density::Points(10).stride(995), 100);
        assert_eq!(Density::Points(10).stride(3), 1);
        assert_eq!(Density::Stride(0).stride(3), 1);
    }
}
