//! One point, from setting the stage to the last look. Runs in a process of its own, which is the
//! tracer of the roles that are stepped and the parent of all others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::limits::{
    ASLEEP_LIMIT, GLANCE, LOOK, NOT_PERMITTED_STATUS, ORPHANS_LIMIT, PANIC_STATUS, PLACES_LIMIT,
};
use crate::path::Landing;
use crate::patience::{Patience, all_end, comes_to_be, comes_within};
use crate::plan::{Cut, Fate, Kill, Plan};
use crate::record::{Death, Record};
use crate::slumber::{Slumber, Waiting};
use crate::stage::{AnyStage, Scenario, Turn};
use crate::sys::process::{Child, End, lead_group, pause, reap_orphans};
use crate::sys::trace::{self, Mark, Resume, Stop, Traced};
use crate::sys::watch::Watch;
use crate::sys::{clock, evidence};
use crate::verdict::{Failure, Kind, Outcome, check};

/// How the roles that are stepped come to their points.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Aids {
    /// Which of them has each of its steps noted, which costs a look at each.
    pub(crate) noted: Option<usize>,
    /// And is watched at each for what others can see, which costs many.
    pub(crate) is_watched: bool,
    /// Where they run to at full speed.
    pub(crate) landings: [Option<Landing>; 2],
}

/// Performs one point and records how it ended.
pub(crate) fn perform(scenario: &Scenario, plan: Plan, aids: Aids, record: &Record) -> i32 {
    let play = || Play { record, aids }.point(scenario, plan);
    let outcome = catch_unwind(AssertUnwindSafe(play))
        .unwrap_or_else(|_| Err(Failure::new(Kind::Wrong, "the harness panicked")));
    record.set_outcome(&outcome);
    0
}

const NOT_PERMITTED: &str = "the system does not let us trace";

/// How failures name who is stepped.
const NAMES: [&str; 2] = ["the victim", "the second"];

/// What came of a step.
enum Stepped {
    On,
    /// To the end mark, or into a sleep for good.
    ToTheEnd,
    /// This signal is about to be delivered, and no step was made.
    Signalled(i32),
}

/// The system calls of a role that is stepped, told to whoever wants to hear of them.
struct Calls<'a> {
    hearer: Option<&'a AnyStage>,
    pid: i32,
    /// The one that the role is in.
    amid: Option<u64>,
}

impl Calls<'_> {
    fn begin(&mut self, number: u64) -> Outcome {
        self.amid = Some(number);
        self.hearer.map_or(Ok(()), |stage| stage.call_begins(self.pid, number))
    }

    fn end(&mut self) -> Outcome {
        match (self.amid.take(), self.hearer) {
            (Some(number), Some(stage)) => stage.call_is_over(self.pid, number),
            _ => Ok(()),
        }
    }
}

/// What is noted of a role at each of its steps.
struct Notes<'a> {
    record: &'a Record,
    watch: Option<Watch>,
}

impl Notes<'_> {
    /// It has made a step, which was a system call or not.
    fn step(&mut self, death: &Death, is_call: bool) -> Outcome {
        self.record.add_address(death.address);
        let Some(watch) = &mut self.watch else { return Ok(()) };
        if is_call {
            watch.look_for_mappings()?;
        }
        if watch.has_changed()? || is_call {
            self.record.add_change(death.steps);
        }
        Ok(())
    }
}

struct Play<'a> {
    record: &'a Record,
    aids: Aids,
}

impl Play<'_> {
    fn point(&self, scenario: &Scenario, plan: Plan) -> Outcome {
        lead_group()?;
        trace::start_ticks()?;
        let mut stage = catch_unwind(scenario.make)
            .unwrap_or_else(|_| Err(Failure::crashed("the setup panicked")))
            .map_err(|failure| Failure::new(Kind::SetupFailed, failure.to_string()))?;
        let acts = self.acts(&mut stage, plan);
        self.record.set_pulse(stage.pulse());
        drop(stage); // ends what the setup started
        acts.and(await_orphans())
    }

    fn acts(&self, stage: &mut AnyStage, plan: Plan) -> Outcome {
        let (mut victim, mut others) = self.cast(stage)?;
        stage.curtain().map_err(as_setup)?;
        others.extend(self.act(0, stage, &mut victim, plan.victim)?);
        if plan.second != Fate::Absent {
            let mut second = self.to_begin_mark("second", |mark| stage.second(mark))?;
            others.extend(self.act(1, stage, &mut second, plan.second)?);
        }
        stage.aftermath().map_err(as_setup)?;
        let waited: Vec<_> = others.iter().collect();
        let have_ended = all_end(&waited, || stage.pulse());
        check(have_ended, Kind::Hang, || "a peer waits for ever".to_owned())?;
        for peer in &mut others {
            self.judge("a peer", peer.reap())?;
        }
        let mut checker = self.start(|| stage.check())?;
        check(all_end(&[&checker], || 0), Kind::Hang, || "the checker waits for ever".to_owned())?;
        self.judge("the checker", checker.reap())
    }

    /// The victim at its begin mark, and the peers in their places.
    fn cast(&self, stage: &AnyStage) -> Result<(Traced, Vec<Child>), Failure> {
        let Some(waif) = stage.waif() else {
            let victim = self.to_begin_mark("victim", |mark| stage.victim(mark))?;
            return Ok((victim, self.start_peers(stage)?));
        };
        let peers = self.start_peers(stage)?;
        check(waif.pid() > 0, Kind::SetupFailed, || "nobody has started a victim".to_owned())?;
        let traced = Traced::seize(waif.pid())?;
        let traced = traced.ok_or_else(|| Failure::new(Kind::NotPermitted, NOT_PERMITTED))?;
        waif.set_traced();
        Ok((self.await_begin_mark("victim", traced)?, peers))
    }

    /// Starts a role and waits until it stands at its begin mark.
    fn to_begin_mark(
        &self,
        name: &str,
        role: impl FnOnce(&Mark) -> Outcome,
    ) -> Result<Traced, Failure> {
        self.await_begin_mark(name, Traced::start(|mark| self.status_of(role(mark)))?)
    }

    fn await_begin_mark(&self, name: &str, mut traced: Traced) -> Result<Traced, Failure> {
        loop {
            let signal = match next_stop(&mut traced, || ())? {
                Stop::At(address) if address == trace::begin_address() => {
                    traced.tie_to_tracer()?;
                    return Ok(traced);
                }
                Stop::At(_) => {
                    let says = format!("the {name} met another trap before its begin mark");
                    return Err(Failure::new(Kind::Wrong, says));
                }
                Stop::Signal(number) => number,
                Stop::Ended(end) => return Err(self.no_mark(name, end)),
                Stop::Late => {
                    let says = format!("the {name} does not come to its begin mark");
                    return Err(Failure::new(Kind::NoMark, says));
                }
            };
            traced.resume(Resume::Run, signal)?;
        }
    }

    fn no_mark(&self, name: &str, end: End) -> Failure {
        if end == End::Code(NOT_PERMITTED_STATUS) {
            return Failure::new(Kind::NotPermitted, NOT_PERMITTED);
        }
        match self.judge(name, end) {
            Err(failure) => Failure::new(Kind::NoMark, failure.to_string()),
            Ok(()) => Failure::new(Kind::NoMark, format!("the {name} ended without a begin mark")),
        }
    }

    fn start_peers(&self, stage: &AnyStage) -> Result<Vec<Child>, Failure> {
        let mut peers = Vec::new();
        for index in 0..stage.peer_count() {
            let peer = self.start(|| stage.peer(index))?;
            let is_there = comes_to_be(|| peer.has_ended() || stage.is_in_place(index, peer.pid()));
            check(is_there, Kind::SetupFailed, || format!("peer {index} is not in its place"))?;
            peers.push(peer);
        }
        Ok(peers)
    }

    /// Steps a role to its fate. Returns who has come meanwhile, if anybody.
    fn act(
        &self,
        index: usize,
        stage: &AnyStage,
        role: &mut Traced,
        fate: Fate,
    ) -> Result<Option<Child>, Failure> {
        let name = NAMES[index];
        match fate {
            Fate::Absent => {}
            Fate::Lives => self.let_live(name, role, Some(0), || ())?,
            Fate::Dies(kill) => self.step_and_kill(index, stage, role, kill)?,
            Fate::StandsStill { steps } => return self.stand_still(name, stage, role, steps),
        }
        Ok(None)
    }

    fn step_and_kill(
        &self,
        index: usize,
        stage: &AnyStage,
        role: &mut Traced,
        kill: Kill,
    ) -> Outcome {
        let name = NAMES[index];
        let hearer = (index == 0 && stage.hears_calls()).then_some(stage);
        let death = self.step_to(index, hearer, role, kill)?;
        self.record.set_death(index, death);
        if death.has_reached_end {
            // Nothing is left to be killed in: it lives, and says what it found.
            return self.run_out(name, role, Some(0), || ()).map(drop);
        }
        match role.kill() {
            End::Signal(libc::SIGKILL) => Ok(()),
            end => self.judge(name, end),
        }
    }

    /// Steps a role, lets another do all it can, and lets the role go on. Returns the other.
    fn stand_still(
        &self,
        name: &str,
        stage: &AnyStage,
        role: &mut Traced,
        steps: u64,
    ) -> Result<Option<Child>, Failure> {
        let death = self.step_to(0, None, role, Kill::before(steps))?;
        self.record.set_death(0, death);
        if death.has_reached_end {
            return self.run_out(name, role, Some(0), || ()).map(|_| None);
        }
        let other = self.start(|| stage.other(&Turn::new(self.record)))?;
        let mut waiting = Waiting::new(other.pid());
        let has_done = || other.has_ended() || self.record.is_there() || waiting.is_seen();
        check(comes_to_be(has_done), Kind::Hang, || "another neither ends nor waits".to_owned())?;
        // One that sleeps in its last step runs: it goes on by itself.
        let signal = (!death.is_stuck).then_some(0);
        self.let_live(name, role, signal, || self.record.set_gone_on())?;
        self.record.set_gone_on();
        Ok(Some(other))
    }

    /// Runs an unharmed role to its end, which must come after its end mark.
    fn let_live(
        &self,
        name: &str,
        role: &mut Traced,
        signal: Option<i32>,
        tell_waiting: impl Fn(),
    ) -> Outcome {
        let has_met_end = self.run_out(name, role, signal, tell_waiting)?;
        check(has_met_end, Kind::NoMark, || format!("{name} ended without an end mark"))
    }

    /// Runs an unharmed role to its end, and says whether it met its end mark. The role stands
    /// before `signal`, or is amid a step. When it comes to wait for others, that is told.
    fn run_out(
        &self,
        name: &str,
        role: &mut Traced,
        mut signal: Option<i32>,
        tell_waiting: impl Fn(),
    ) -> Result<bool, Failure> {
        let mut waiting = Waiting::new(role.pid());
        let (mut has_met_end, mut is_amid_step) = (false, signal.is_none());
        loop {
            if let Some(signal) = signal {
                role.resume(Resume::Run, signal)?;
            }
            let look = || {
                if waiting.is_seen() {
                    tell_waiting();
                }
            };
            match next_stop(role, look)? {
                Stop::At(address) if address == trace::end_address() => has_met_end = true,
                Stop::At(_) if is_amid_step => is_amid_step = false,
                Stop::At(_) => {
                    return Err(Failure::new(Kind::Wrong, format!("{name} met a strange trap")));
                }
                Stop::Signal(number) => {
                    signal = Some(number);
                    continue;
                }
                Stop::Ended(end) => return self.judge(name, end).map(|()| has_met_end),
                Stop::Late => {
                    return Err(Failure::new(Kind::Hang, format!("{name} waits for ever")));
                }
            }
            signal = Some(0);
        }
    }

    /// Steps a role to its point. Its calls are told to `hearer`, and noted if they are to be.
    fn step_to(
        &self,
        index: usize,
        hearer: Option<&AnyStage>,
        role: &mut Traced,
        kill: Kill,
    ) -> Result<Death, Failure> {
        let name = NAMES[index];
        let mut death = Death { address: trace::begin_address(), ..Death::default() };
        let mut calls = Calls { hearer, pid: role.pid(), amid: None };
        if !self.run_calls(name, &mut calls, role, kill.calls, &mut death)? {
            return Ok(death);
        }
        let landing = self.aids.landings[index];
        if let Some(landing) = landing {
            self.land(name, role, landing, &mut death)?;
        }
        let is_noted = self.aids.noted == Some(index);
        let mut notes = is_noted.then(|| self.notes(role.pid(), death.address)).transpose()?;
        let looks = is_noted || hearer.is_some();
        let mut signal = 0;
        while death.steps < kill.steps {
            // A signal may have come between a call and the stop behind it.
            if looks
                && calls.amid.is_none()
                && let Some(number) = role.system_call_at(death.address)
            {
                if is_noted {
                    self.record.add_call(death.steps);
                }
                calls.begin(number)?;
            }
            role.resume(Resume::Step, signal)?;
            signal = match self.stepped(name, role, &mut death)? {
                Stepped::On => {
                    death.steps += 1;
                    if let Some(notes) = &mut notes {
                        notes.step(&death, calls.amid.is_some())?;
                    }
                    calls.end()?;
                    0
                }
                Stepped::ToTheEnd => {
                    death.steps += u64::from(death.has_reached_end);
                    self.arrive(landing, None)?;
                    return Ok(death);
                }
                Stepped::Signalled(number) => number,
            };
        }
        self.arrive(landing, Some(death.address))?;
        death.system_call = role.system_call_at(death.address);
        if kill.cut != Cut::Before {
            if let Some(number) = death.system_call {
                calls.begin(number)?;
            }
            death.is_moot = death.system_call.is_none() || !cut_into(role, kill.cut)?;
        }
        Ok(death)
    }

    /// Begins to note what a role does, which stands at this address.
    fn notes(&self, pid: i32, address: u64) -> std::io::Result<Notes<'_>> {
        let watch = || Watch::new(pid, self.record.memory());
        let watch = self.aids.is_watched.then(watch).transpose()?;
        self.record.add_change(0);
        self.record.add_address(address);
        Ok(Notes { record: self.record, watch })
    }

    /// Runs a role at full speed to where it is to be stepped from.
    fn land(&self, name: &str, role: &mut Traced, landing: Landing, death: &mut Death) -> Outcome {
        role.stop_before(Some(landing.address))?;
        let how = if landing.makes_no_call { Resume::Call } else { Resume::Run };
        let (mut count, mut signal) = (0, 0);
        while count < landing.rank {
            role.resume(how, signal)?;
            signal = match self.stepped(name, role, death)? {
                Stepped::On if death.address == landing.address => {
                    count += 1;
                    0
                }
                Stepped::On | Stepped::ToTheEnd => return Err(self.off_path()),
                Stepped::Signalled(number) => number,
            };
        }
        death.steps = landing.steps;
        Ok(role.stop_before(None)?)
    }

    /// Whether the role that was landed is where it should be: at this address; or, with none, past
    /// the end mark or in a sleep for good.
    fn arrive(&self, landing: Option<Landing>, address: Option<u64>) -> Outcome {
        match landing.and_then(|landing| landing.goal) {
            Some(goal) if address != Some(goal) => Err(self.off_path()),
            _ => Ok(()),
        }
    }

    /// Whoever drives the points has the role stepped whole, then: this is told to nobody.
    fn off_path(&self) -> Failure {
        self.record.set_off_path();
        Failure::new(Kind::Wrong, "a role has not gone the way that it went before")
    }

    /// Runs a role through so many system calls at full speed. False when there were none so many.
    fn run_calls(
        &self,
        name: &str,
        calls: &mut Calls<'_>,
        role: &mut Traced,
        count: u64,
        death: &mut Death,
    ) -> Result<bool, Failure> {
        let mut signal = 0;
        while death.calls < count {
            role.resume(Resume::Call, signal)?;
            signal = match self.stepped(name, role, death)? {
                Stepped::On if calls.amid.is_some() => {
                    calls.end()?;
                    death.calls += 1;
                    0
                }
                Stepped::On => {
                    calls.begin(role.system_call()?)?;
                    0
                }
                Stepped::ToTheEnd => return Ok(false),
                Stepped::Signalled(number) => number,
            };
        }
        Ok(true)
    }

    /// Waits for the role that was resumed, and writes down where it stands.
    fn stepped(
        &self,
        name: &str,
        role: &mut Traced,
        death: &mut Death,
    ) -> Result<Stepped, Failure> {
        match wait_for_step(role)? {
            Stop::At(address) => {
                death.address = address;
                death.has_reached_end = address == trace::end_address();
                Ok(if death.has_reached_end { Stepped::ToTheEnd } else { Stepped::On })
            }
            Stop::Late => {
                death.is_stuck = true;
                Ok(Stepped::ToTheEnd)
            }
            Stop::Ended(end) => Err(self.early(name, end, death.steps)),
            Stop::Signal(number) if is_crash(number) => {
                Err(Failure::crashed(format!("signal {number} after {}", death.steps)))
            }
            Stop::Signal(number) => Ok(Stepped::Signalled(number)),
        }
    }

    /// A role that ended while it was stepped.
    fn early(&self, name: &str, end: End, steps: u64) -> Failure {
        self.judge(name, end).err().unwrap_or_else(|| {
            let says = format!("{name} ended after {steps} instructions, without an end mark");
            Failure::new(Kind::NoMark, says)
        })
    }

    /// Starts a role that is not traced.
    fn start(&self, role: impl FnOnce() -> Outcome) -> Result<Child, Failure> {
        Ok(Child::start(|| self.status_of(role()))?)
    }

    /// In a role: what it ends with. Its words go into the record.
    fn status_of(&self, outcome: Outcome) -> i32 {
        match outcome {
            Ok(()) => 0,
            Err(failure) => {
                self.record.note(&failure.says);
                failure.kind.status()
            }
        }
    }

    /// What a role's end means.
    fn judge(&self, name: &str, end: End) -> Outcome {
        match end {
            End::Code(0) => Ok(()),
            End::Code(PANIC_STATUS) => Err(Failure::crashed(format!("{name} panicked"))),
            End::Code(status) => {
                let kind = Kind::of_status(status).unwrap_or(Kind::Wrong);
                Err(Failure::new(kind, format!("{name}: {}", self.record.noted())))
            }
            End::Signal(number) => Err(Failure::crashed(format!("{name} got signal {number}"))),
        }
    }
}

/// Waits for the next stop of a role that runs; "late" when it will not come. Each look that finds
/// it running calls `look`.
fn next_stop(role: &mut Traced, mut look: impl FnMut()) -> std::io::Result<Stop> {
    let mut patience = Patience::new(PLACES_LIMIT);
    loop {
        let is_over = patience.is_over(0);
        let stop = role.look()?;
        if stop != Stop::Late || is_over {
            return Ok(stop);
        }
        look();
        pause(if patience.is_late() { LOOK } else { GLANCE });
    }
}

/// Waits for a step; "late" when it sleeps for good.
fn wait_for_step(role: &mut Traced) -> std::io::Result<Stop> {
    let mut slumber = Slumber::default();
    loop {
        let stop = role.wait()?;
        if stop != Stop::Late || slumber.is_for_good(role.pid()) {
            return Ok(stop);
        }
    }
}

/// Lets the system call that comes next run a little. False when it came back: there was nothing to
/// cut, or it does not sleep.
fn cut_into(role: &Traced, cut: Cut) -> Result<bool, Failure> {
    role.resume(Resume::Step, 0)?;
    let began = clock::now();
    Ok(match cut {
        Cut::Before => false,
        Cut::Within { micros } => {
            let limit = Duration::from_micros(micros.into());
            while clock::now().saturating_sub(began) < limit {
                core::hint::spin_loop();
            }
            true
        }
        Cut::Asleep => evidence::shows_within(ASLEEP_LIMIT, || evidence::is_asleep(role.pid())),
    })
}

/// The stage is gone; whoever is still there was left behind.
fn await_orphans() -> Outcome {
    let are_gone = comes_within(ORPHANS_LIMIT, || !reap_orphans());
    check(are_gone, Kind::LeftChildren, || "processes are left that nobody ended".to_owned())
}

/// Signals that a process raises by what it does.
fn is_crash(signal: i32) -> bool {
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT].contains(&signal)
}

/// What fails between the acts is the stage's doing, unless it says that it was the library's.
fn as_setup(failure: Failure) -> Failure {
    if failure.kind.is_the_librarys() {
        return failure;
    }
    Failure::new(Kind::SetupFailed, failure.says)
}
