//! A barrier: coming, waiting, leaving, breaking and mending it.

use std::time::Duration;

use super::barrier_world::{Came, DOOMED, Hall, OTHER, PEERS, SECOND, VICTIM};
use crate::limits::SHORT_LIMIT;
use crate::patience::comes_to_be;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::is_asleep_on_futex;
use crate::sys::process::{Child, idle_until, send};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

macro_rules! row {
    ($name:literal, $about:literal, $make:expr) => {
        Scenario {
            name: concat!("barrier-", $name),
            about: concat!("barrier: ", $about),
            make: || Ok(Box::new($make?) as AnyStage),
            sweep: Sweep::Double,
        }
    };
}

pub(super) const SCENARIOS: [Scenario; 18] = [
    row!("alone", "the one party comes", Crowd::new(Errand::Come, 1)),
    row!("last", "come last while two sleep", Crowd::new(Errand::Come, 3)),
    row!("action", "come last, run the action", Crowd::with_action(Errand::Come)),
    row!("action-fails", "come last, fail in the action", Crowd::with_action(Errand::Fail)),
    row!("abort", "abort while two sleep", Crowd::new(Errand::Abort, 3)),
    row!("abort-guarded", "the same while one stands in the guard", Crowd::guarded(Errand::Abort)),
    row!("give-up", "give up while one sleeps", Crowd::new(Errand::GiveUp, 3)),
    row!(
        "give-up-guarded",
        "the same while one stands in the guard",
        Crowd::guarded(Errand::GiveUp)
    ),
    row!("reset", "reset while two sleep", Crowd::new(Errand::Reset, 3)),
    row!("enrol", "enrol and withdraw while two sleep", Crowd::new(Errand::Enrol, 3)),
    row!("member", "enrol and come, while two sleep", Crowd::new(Errand::EnrolAndCome, 3)),
    row!("first", "come first; another comes then", First::new()),
    row!("dead-party", "come when one has come and died", Remains::party()),
    row!("dead-runner", "come when a whole round has died in its action", Remains::runner(None)),
    row!("dead-runner-now", "the same without patience", Remains::runner(Some(Duration::ZERO))),
    row!("newcomer", "come while the action runs, and give up", Newcomer::new()),
    row!("leavers-passed", "break and reset; two have passed and not left", Leavers::new(true)),
    row!("leavers-broken", "reset; two were told broken and have not left", Leavers::new(false)),
];

/// What the victim does while the others sleep.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errand {
    Come,
    Fail,
    Abort,
    GiveUp,
    Reset,
    Enrol,
    EnrolAndCome,
}

/// All parties but one sleep at the barrier when the region begins; who gives up has one of them
/// missing.
struct Crowd {
    hall: Hall,
    errand: Errand,
    sleeper_count: usize,
    is_guarded: bool,
}

impl Crowd {
    fn new(errand: Errand, parties: u32) -> Result<Self, Failure> {
        let hall = Hall::new(parties)?;
        let sleeper_count = parties as usize - 1 - usize::from(errand == Errand::GiveUp);
        Ok(Self { hall, errand, sleeper_count, is_guarded: false })
    }

    fn with_action(errand: Errand) -> Result<Self, Failure> {
        Ok(Self { hall: Hall::with_action(3)?, errand, sleeper_count: 2, is_guarded: false })
    }

    fn guarded(errand: Errand) -> Result<Self, Failure> {
        Ok(Self { is_guarded: true, ..Self::new(errand, 3)? })
    }

    fn sleepers(&self) -> impl Iterator<Item = usize> {
        PEERS..PEERS + self.sleeper_count
    }

    fn run(&self, role: usize, mark: &Mark) -> Outcome {
        let hall = &self.hall;
        hall.register(role)?;
        mark.begin();
        let outcome = match self.errand {
            Errand::Come => hall.come(role, None),
            Errand::Fail => hall.come_and(role, None, || Err(())),
            Errand::GiveUp => hall.come(role, Some(SHORT_LIMIT)),
            Errand::Abort => hall.barrier.abort().map_err(Failure::from),
            Errand::Reset => hall.barrier.reset().map_err(Failure::from),
            Errand::Enrol => {
                hall.barrier.enroll().and_then(|()| hall.barrier.withdraw()).map_err(Failure::from)
            }
            Errand::EnrolAndCome => {
                hall.barrier.enroll().map_err(Failure::from).and_then(|()| hall.come(role, None))
            }
        };
        mark.end();
        outcome
    }
}

impl Stage for Crowd {
    fn peer_count(&self) -> usize {
        self.sleeper_count + usize::from(self.is_guarded)
    }

    fn peer(&self, index: usize) -> Outcome {
        let role = PEERS + index;
        self.hall.register(role)?;
        if index == self.sleeper_count {
            if self.errand == Errand::GiveUp {
                self.hall.await_sleep_or_death(VICTIM); // it needs the guard to come
            }
            self.hall.stand_in_the_guard(role)?;
            self.hall.note(0);
            idle_until(|| self.hall.journal.is_over());
            return Ok(());
        }
        self.hall.come(role, None)?;
        idle_until(|| self.hall.journal.is_over()); // what is left of it shows while it lives
        self.hall.check_left(role)
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        match index == self.sleeper_count {
            true => self.errand == Errand::GiveUp || self.hall.is_noted(0),
            false => is_asleep_on_futex(pid),
        }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.run(VICTIM, mark)
    }

    /// Comes, be it last or late, and mends what it finds.
    fn second(&self, mark: &Mark) -> Outcome {
        self.hall.register(SECOND)?;
        mark.begin();
        let outcome = if self.is_guarded {
            self.hall.barrier.abort().map_err(Failure::from) // all else waits for who stands there
        } else {
            let told = self.hall.come(SECOND, Some(Duration::ZERO));
            told.and_then(|()| self.hall.barrier.reset().map_err(Failure::from))
        };
        mark.end();
        outcome
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.hall.register(OTHER)?;
        match self.errand {
            // It may be the last to come, between the victim's look and its break. Who has the
            // guard meanwhile keeps it out for a second.
            Errand::GiveUp | Errand::Abort if !self.is_guarded => {
                self.hall.come(OTHER, Some(Duration::ZERO))
            }
            _ => self.hall.abort_before_the_action(),
        }
    }

    fn aftermath(&mut self) -> Outcome {
        self.hall.abort_for_the_missing(&[VICTIM, SECOND])?;
        let is_told = |role| !matches!(self.hall.came(role), Came::Not | Came::Called);
        let are_told = comes_to_be(|| self.sleepers().all(is_told));
        check(are_told, Kind::Hang, || "a party waits for ever".to_owned())?;
        self.hall.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        let mut same: Vec<_> = self.sleepers().collect();
        self.hall.check_agreement(&same)?;
        let begun = self.hall.actions_begun();
        if [SECOND, OTHER].iter().all(|role| self.hall.came(*role) == Came::Not) {
            same.push(VICTIM);
            self.hall.check_agreement(&same)?;
            check(begun <= 1, Kind::Duplicate, || format!("the action ran {begun} times"))?;
            if self.errand != Errand::Come && self.errand != Errand::EnrolAndCome {
                same.iter().try_for_each(|role| self.hall.expect(*role, &[Came::Broken]))?;
            }
        }
        let is_too_late = begun > 0 && self.hall.was_broken_before_the_action();
        check(!is_too_late, Kind::Duplicate, || "a broken round had its action".to_owned())?;
        check(begun <= 2, Kind::Duplicate, || format!("the action ran {begun} times"))?;
        self.hall.settle()
    }
}

/// The victim comes first; a peer comes when it sleeps, or is dead.
struct First(Hall);

impl First {
    fn new() -> Result<Self, Failure> {
        Hall::new(2).map(Self)
    }
}

impl Stage for First {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.0.register(PEERS)?;
        self.0.note(0);
        self.0.await_sleep_or_death(VICTIM);
        self.0.come(PEERS, None)
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.0.is_noted(0)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.register(VICTIM)?;
        mark.begin();
        let outcome = self.0.come(VICTIM, None);
        mark.end();
        outcome
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.register(SECOND)?;
        mark.begin();
        let outcome = self.0.come(SECOND, Some(Duration::ZERO));
        mark.end();
        outcome
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        self.0.abort_for_the_missing(&[VICTIM, SECOND])
    }

    fn check(&self) -> Outcome {
        if self.0.came(SECOND) == Came::Not {
            self.0.check_agreement(&[VICTIM, PEERS])?;
        }
        self.0.settle()
    }
}

/// Somebody is dead, and nobody has noticed.
struct Remains {
    hall: Hall,
    limit: Option<Duration>,
}

impl Remains {
    fn party() -> Result<Self, Failure> {
        let hall = Hall::new(2)?;
        hall.doomed(|| Ok(()), |child| is_asleep_on_futex(child.pid()))?.kill();
        Ok(Self { hall, limit: None })
    }

    fn runner(limit: Option<Duration>) -> Result<Self, Failure> {
        let hall = Hall::with_action(1)?;
        let stay = || {
            hall.note(0);
            idle_until(|| false);
            Err(())
        };
        hall.doomed(stay, |_| hall.is_noted(0))?.kill();
        Ok(Self { hall, limit })
    }

    fn find(&self, role: usize, mark: &Mark) -> Outcome {
        self.hall.register(role)?;
        mark.begin();
        let outcome = self.hall.come(role, self.limit);
        mark.end();
        outcome
    }
}

impl Stage for Remains {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.find(VICTIM, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.find(SECOND, mark)
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.hall.register(OTHER)?;
        Ok(self.hall.barrier.abort()?)
    }

    fn check(&self) -> Outcome {
        for role in [VICTIM, SECOND] {
            self.hall.expect(role, &[Came::Broken])?;
        }
        check(self.hall.actions_begun() <= 1, Kind::Duplicate, || {
            "the action ran again".to_owned()
        })?;
        check(self.hall.came(DOOMED) == Came::Called, Kind::Wrong, || "nobody died".to_owned())?;
        self.hall.settle()
    }
}

/// The peer runs the action of a round of its own, until all is over.
struct Newcomer(Hall);

impl Newcomer {
    fn new() -> Result<Self, Failure> {
        Hall::with_action(1).map(Self)
    }

    fn give_up(&self, role: usize, mark: &Mark) -> Outcome {
        self.0.register(role)?;
        mark.begin();
        let outcome = self.0.come(role, Some(SHORT_LIMIT));
        mark.end();
        outcome
    }
}

impl Stage for Newcomer {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.0.register(PEERS)?;
        let stay = || {
            self.0.note(0);
            idle_until(|| self.0.journal.is_over());
            Ok(())
        };
        self.0.come_and(PEERS, None, stay)
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.0.is_noted(0)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.give_up(VICTIM, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.give_up(SECOND, mark)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        for role in [VICTIM, SECOND] {
            self.0.expect(role, &[Came::TimedOut])?;
        }
        let is_passed = self.0.came(PEERS) == Came::Passed;
        check(is_passed, Kind::Corrupt, || "who gave up has broken another's round".to_owned())?;
        self.0.settle()
    }
}

/// Two were in a round that is over, passed or broken, and stand still where they sleep; they go on
/// when many a round has passed since, and must tell their own.
struct Leavers {
    hall: Hall,
    has_passed: bool,
}

impl Leavers {
    fn new(has_passed: bool) -> Result<Self, Failure> {
        Ok(Self { hall: Hall::new(3)?, has_passed })
    }

    fn send(&self, signal: i32) -> Outcome {
        for role in [PEERS, PEERS + 1] {
            let is_sent = send(self.hall.pid(role), signal);
            check(is_sent, Kind::SetupFailed, || "no such peer".to_owned())?;
        }
        Ok(())
    }

    fn mend(&self, role: usize, mark: &Mark) -> Outcome {
        self.hall.register(role)?;
        mark.begin();
        let outcome = match self.has_passed {
            true => self.hall.barrier.abort().and_then(|()| self.hall.barrier.reset()),
            false => self.hall.barrier.reset(),
        };
        mark.end();
        Ok(outcome?)
    }
}

impl Stage for Leavers {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        self.hall.register(PEERS + index)?;
        self.hall.come(PEERS + index, None)?;
        self.hall.check_left(PEERS + index)
    }

    fn curtain(&mut self) -> Outcome {
        self.send(libc::SIGSTOP)?;
        if self.has_passed { self.hall.come(OTHER, None) } else { Ok(self.hall.barrier.abort()?) }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.mend(VICTIM, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.mend(SECOND, mark)
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.hall.register(SECOND)?;
        Ok(self.hall.barrier.abort()?)
    }

    fn aftermath(&mut self) -> Outcome {
        self.hall.barrier.reset()?;
        // Nobody of another round may count what they have left.
        let come = || i32::from(self.hall.barrier.wait(None).is_err());
        let others = [Child::start(come)?, Child::start(come)?];
        let has_passed = self.hall.barrier.wait(None).is_ok();
        drop(others); // killed where they are
        self.send(libc::SIGCONT)?;
        check(has_passed, Kind::Lost, || "the others' round was broken".to_owned())
    }

    fn check(&self) -> Outcome {
        let told = if self.has_passed { Came::Passed } else { Came::Broken };
        for role in [PEERS, PEERS + 1] {
            let came = self.hall.came(role);
            check(came == told, Kind::Corrupt, || format!("a late leaver was told {came:?}"))?;
        }
        self.hall.settle()
    }
}
