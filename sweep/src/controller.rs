//! From scenarios to points: which points there are, and what came of each.

use std::time::{Duration, Instant};

use crate::limits::{LANDING_MIN, LOOK, POINT_LIMIT, SAMPLE_PERIOD, SAMPLE_STEPS};
use crate::path::Landing;
use crate::patience::Patience;
use crate::perform::{Aids, perform};
use crate::plan::{Kill, Plan};
use crate::record::{Death, Record};
use crate::stage::{Scenario, Sweep};
use crate::sys::process::{Child, adopt_orphans, is_readable, kill_group, pause, reap_orphans};
use crate::verdict::{Failure, Kind, Outcome};
use crate::walk::{Density, Region, Walk};

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
    /// Instructions between the victim's marks; none where only its system calls were counted.
    pub step_count: u64,
    /// System calls between them, where those were counted.
    pub call_count: u64,
    /// Rounds of a scenario that is run whole.
    pub round_count: u64,
    /// Points at which a step slept for good, so that the victim was killed asleep.
    pub stuck_count: u64,
    /// Points to which a role was stepped whole, since it had not come to where it was to be let
    /// run to at full speed.
    pub off_path_count: u64,
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
        let outcome = self.play(scenario, plan, Aids::default());
        self.found(plan, outcome)
    }

    /// Kills the victim at points as dense as `density` says, up to its end mark.
    pub fn singles(&self, scenario: &Scenario, density: Density) -> Tally {
        if let (Sweep::Long, Density::Points(count)) = (scenario.sweep, density) {
            return self.some_singles(scenario, count);
        }
        let began = Instant::now();
        let mut tally = Tally::default();
        if let Some(region) = self.rehearse(scenario, density, true, &mut tally) {
            let lands = scenario.sweep == Sweep::Long
                || density.looks_at_changes()
                || region.step_count >= LANDING_MIN;
            let mut walk = Walk::new(density, &region);
            while let Some(steps) = self.next(&mut walk, &tally) {
                let kill = match scenario.sweep {
                    Sweep::Long => region.behind_last_call(steps),
                    _ => Kill::before(steps),
                };
                let landing = region.landing(kill).filter(|_| lands);
                let death = self.single(scenario, kill, landing, &mut tally);
                walk.note(&death);
                if death.system_call.is_some() {
                    for cut in walk.cuts() {
                        self.single(scenario, Kill { cut, ..kill }, landing, &mut tally);
                    }
                }
            }
        }
        tally.took = began.elapsed();
        tally
    }

    /// Kills the victim at some points of a long region, soon after system calls that are evenly
    /// spread. Nobody steps through all of it.
    fn some_singles(&self, scenario: &Scenario, count: u64) -> Tally {
        let began = Instant::now();
        let mut tally = Tally::default();
        if self.lives_well(scenario, &mut tally) {
            let to_the_end = Kill { calls: u64::MAX, ..Kill::before(0) };
            tally.call_count = self.single(scenario, to_the_end, None, &mut tally).calls;
            for index in 0..count {
                if tally.found.len() < self.failure_count_max {
                    let calls = tally.call_count * (2 * index + 1) / (2 * count);
                    let steps = SAMPLE_STEPS * (index % SAMPLE_PERIOD);
                    let kill = Kill { calls, ..Kill::before(steps) };
                    self.single(scenario, kill, None, &mut tally);
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
        let notes = density.looks_at_changes();
        if let Some(region) = self.rehearse(scenario, density, notes, &mut tally) {
            let mut walk = Walk::new(density, &region);
            while let Some(steps) = self.next(&mut walk, &tally) {
                let death = self.doubles_after(scenario, density, &region, steps, &mut tally);
                walk.note(&death);
            }
        }
        tally.took = began.elapsed();
        tally
    }

    /// Kills the victim after so many steps, and the second at points as dense as `density` says.
    /// Returns how the victim died.
    fn doubles_after(
        &self,
        scenario: &Scenario,
        density: Density,
        region: &Region,
        steps: u64,
        tally: &mut Tally,
    ) -> Death {
        let first = Kill::before(steps);
        let noted = density.looks_at_changes().then_some(1);
        let landings = [region.landing(first), None];
        let mut aids = Aids { noted, is_watched: true, landings };
        let to_the_end = Kill::before(u64::MAX);
        let whole = self.double(scenario, first, to_the_end, aids, tally);
        let region = Region::noted(whole.1.steps, &self.record, false);
        aids.noted = None;
        let mut walk = Walk::new(density, &region);
        while let Some(steps) = self.next(&mut walk, tally) {
            let second = Kill::before(steps);
            aids.landings[1] = region.landing(second);
            let deaths = self.double(scenario, first, second, aids, tally);
            walk.note(&deaths.1);
        }
        whole.0
    }

    /// Has the victim stand still at points as dense as `density` says, up to its end mark, while
    /// another does all it can. Nobody is killed.
    pub fn pauses(&self, scenario: &Scenario, density: Density) -> Tally {
        let began = Instant::now();
        let mut tally = Tally::default();
        if let Some(region) = self.rehearse(scenario, density, true, &mut tally) {
            let lands = region.step_count >= LANDING_MIN;
            let mut walk = Walk::new(density, &region);
            while let Some(steps) = self.next(&mut walk, &tally) {
                let plan = Plan::still(steps);
                let landing = region.landing(Kill::before(steps)).filter(|_| lands);
                let aids = Aids { landings: [landing, None], ..Aids::default() };
                let outcome = self.play_well(scenario, plan, aids, &mut tally);
                let death = self.record.death(0);
                tally.count(self.found(plan, outcome), [death]);
                walk.note(&death);
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
    fn rehearse(
        &self,
        scenario: &Scenario,
        density: Density,
        notes: bool,
        tally: &mut Tally,
    ) -> Option<Region> {
        if !self.lives_well(scenario, tally) {
            return None;
        }
        if scenario.sweep == Sweep::Whole {
            (tally.point_count, tally.round_count) = (1, self.record.pulse());
            return None;
        }
        let mut region = Region::default();
        let (noted, is_watched) = (notes.then_some(0), density.looks_at_changes());
        let aids = Aids { noted, is_watched, ..Aids::default() };
        for _ in 0..density.rehearsal_count() {
            let to_the_end = Plan::single(Kill::before(u64::MAX));
            let outcome = self.play(scenario, to_the_end, aids);
            let death = self.record.death(0);
            tally.count(self.found(Plan::single(Kill::before(death.steps)), outcome), [death]);
            if death.steps > region.step_count {
                let is_long = scenario.sweep == Sweep::Long;
                region = Region::noted(death.steps, &self.record, is_long);
            }
        }
        tally.step_count = region.step_count;
        Some(region)
    }

    /// Runs the scenario without a kill, and says whether nothing is wrong then.
    fn lives_well(&self, scenario: &Scenario, tally: &mut Tally) -> bool {
        let unkilled = self.play(scenario, Plan::UNKILLED, Aids::default());
        let Some(mut found) = self.found(Plan::UNKILLED, unkilled) else { return true };
        if found.failure.kind == Kind::NotPermitted {
            tally.is_not_made = true;
        } else {
            found.is_unkilled = true;
            tally.found.push(found);
        }
        false
    }

    fn single(
        &self,
        scenario: &Scenario,
        kill: Kill,
        landing: Option<Landing>,
        tally: &mut Tally,
    ) -> Death {
        let plan = Plan::single(kill);
        let aids = Aids { landings: [landing, None], ..Aids::default() };
        let outcome = self.play_well(scenario, plan, aids, tally);
        let death = self.record.death(0);
        tally.count(self.found(plan, outcome), [death]);
        death
    }

    fn double(
        &self,
        scenario: &Scenario,
        first: Kill,
        second: Kill,
        aids: Aids,
        tally: &mut Tally,
    ) -> (Death, Death) {
        let plan = Plan::double(first, second);
        let outcome = self.play_well(scenario, plan, aids, tally);
        let deaths = (self.record.death(0), self.record.death(1));
        let exact = Plan::double(first, Kill { steps: deaths.1.steps, ..second });
        tally.count(self.found(exact, outcome), [deaths.0, deaths.1]);
        deaths
    }

    /// Plays one point with landings; again without, when a role has gone another way.
    fn play_well(&self, scenario: &Scenario, plan: Plan, aids: Aids, tally: &mut Tally) -> Outcome {
        let outcome = self.play(scenario, plan, aids);
        if !self.record.is_off_path() {
            return outcome;
        }
        tally.off_path_count += 1;
        self.play(scenario, plan, Aids { landings: [None; 2], ..aids })
    }

    /// Plays one point in a process of its own, and clears away whatever it left.
    fn play(&self, scenario: &Scenario, plan: Plan, aids: Aids) -> Outcome {
        self.record.clear();
        let mut stage = Child::start(|| perform(scenario, plan, aids, &self.record))?;
        let mut patience = Patience::new(POINT_LIMIT);
        while !stage.has_ended() && !patience.is_late_now() {
            is_readable(&[&stage], LOOK);
        }
        let has_ended = stage.has_ended();
        kill_group(&stage);
        stage.kill();
        let mut patience = Patience::new(POINT_LIMIT);
        while reap_orphans() && !patience.is_late_now() {
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

impl Tally {
    /// Whether the library failed nowhere, and the instrument neither.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.found.is_empty()
    }

    /// A cut that was not made is no point of its own; but what is found there is found.
    fn count<const N: usize>(&mut self, found: Option<Found>, deaths: [Death; N]) {
        if found.is_none() && deaths.iter().any(|death| death.is_moot) {
            return;
        }
        self.point_count += 1;
        self.stuck_count += u64::from(deaths.iter().any(|death| death.is_stuck));
        self.found.extend(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_at_a_cut_that_was_not_made_is_found() {
        let mut tally = Tally::default();
        let moot = Death { is_moot: true, ..Death::default() };
        tally.count(None, [moot]);
        assert_eq!((tally.point_count, tally.is_good()), (0, true));
        let found = Found {
            plan: Plan::UNKILLED,
            addresses: [0; 2],
            system_calls: [None; 2],
            failure: Failure::new(Kind::Lost, "something"),
            is_unkilled: false,
        };
        tally.count(Some(found), [moot]);
        assert_eq!((tally.point_count, tally.is_good()), (1, false));
    }
}
