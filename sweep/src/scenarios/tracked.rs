//! The semaphore whose units have owners: each unit of a dead one comes back exactly once, and is
//! told once.

use purlin_shm::Segment;
use purlin_sync::{Deadline, Told, Tracked, TrackedSemaphore};

use super::semaphore_world::{OTHER, PEERS, SECOND, Store, VICTIM, enter, give, go_out, take};
use super::world::Elsewhere;
use crate::journal::{Journal, Step};
use crate::limits::{GLANCE, LONG_SLICES_COUNT, SHORT_LIMIT};
use crate::patience::comes_to_be;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::{is_asleep_on_futex, is_gone, sleep_count};
use crate::sys::process::{Child, idle_until, pause};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

macro_rules! row {
    ($name:literal, $about:literal, $make:expr) => {
        Scenario {
            name: concat!("tracked-", $name),
            about: concat!("tracked semaphore: ", $about),
            make: || Ok(Box::new($make?) as AnyStage),
            sweep: Sweep::Double,
        }
    };
}

pub(super) const SCENARIOS: [Scenario; 9] = [
    row!("alone", "take a unit and give it, where there are enough", Visit::new(2, Peers::None)),
    row!("waiter", "wait for a unit beside another, be woken", Visit::new(1, Peers::Hold)),
    row!("timed-out", "wait with a limit beside one without, give up", Visit::in_vain()),
    row!("sleepers", "give a unit while two sleep", Giving::new(2, 1)),
    row!("sleepers-many", "give three at once while three sleep", Giving::new(3, 3)),
    row!("takeover", "take a dead owner's unit, and give it", Visit::of_the_dead(Peers::None)),
    row!("takeover-sleepers", "the same while two sleep", Visit::of_the_dead(Peers::Sleep)),
    row!(
        "takeover-running",
        "the same beside two that come and go",
        Visit::of_the_dead(Peers::Run)
    ),
    row!("abandon", "drop the last handle with two units; two sleep", Abandon::new()),
];

/// A survivor's visit. `most` is how many units there are.
fn visit(journal: &Journal, semaphore: &TrackedSemaphore, role: usize, most: u32) -> Outcome {
    visit_while(journal, semaphore, role, most, || ())
}

/// The same, and stays as long as `stay` takes.
fn visit_while(
    journal: &Journal,
    semaphore: &TrackedSemaphore,
    role: usize,
    most: u32,
    stay: impl FnOnce(),
) -> Outcome {
    if take(journal, semaphore, role, None)? == Some(Told::OwnerDied) {
        journal.note_told();
    }
    enter(journal, role, most)?;
    stay();
    go_out(journal, role);
    give_own(journal, semaphore, role, 1)
}

/// Gives back what it has: that is never too much.
fn give_own(journal: &Journal, semaphore: &TrackedSemaphore, role: usize, count: u32) -> Outcome {
    let is_given = give(journal, semaphore, role, count)?;
    journal.accuse(check(is_given, Kind::Lost, || "it has a unit that is not missing".to_owned()))
}

/// The visit of one who may die: `index` is that of its account of what it was told.
fn visit_mortal(
    journal: &Journal,
    semaphore: &TrackedSemaphore,
    index: usize,
    most: u32,
) -> Outcome {
    let mortal = journal.mortal(index);
    mortal.set_step(Step::Entering);
    let is_told = take(journal, semaphore, index, None)? == Some(Told::OwnerDied);
    mortal.set_step(if is_told { Step::Suspect } else { Step::Sound });
    enter(journal, index, most)?;
    go_out(journal, index);
    mortal.set_step(if is_told { Step::LeavingRecovered } else { Step::LeavingSound });
    give_own(journal, semaphore, index, 1)?;
    mortal.set_step(if is_told { Step::LeftRecovered } else { Step::LeftSound });
    Ok(())
}

/// The checker's: all units can be had, each death was told once, and none is told again.
fn settle(journal: &Journal, semaphore: &TrackedSemaphore, total: u32, deaths: i64) -> Outcome {
    journal.check_accused()?;
    let look = |semaphore: &TrackedSemaphore| -> Result<u32, Failure> {
        let mut told_count = 0;
        for number in 0..total {
            let told = take(journal, semaphore, OTHER, Deadline::passed())?;
            let says = || format!("unit {number} of {total} does not come back");
            check(told.is_some(), Kind::Lost, says)?;
            told_count += u32::from(told == Some(Told::OwnerDied));
        }
        let more = take(journal, semaphore, OTHER, Deadline::passed())?;
        check(more.is_none(), Kind::Duplicate, || format!("{total} units, and one more"))?;
        let is_given = give(journal, semaphore, OTHER, total)?;
        check(is_given, Kind::Lost, || format!("{total} units are not taken back"))?;
        let is_over = !give(journal, semaphore, OTHER, 1)?;
        check(is_over, Kind::Duplicate, || "all are there, and one more was given".to_owned())?;
        let value = semaphore.value();
        check(value == total, Kind::Corrupt, || format!("{total} given back, {value} there"))?;
        Ok(told_count)
    };
    (0..look(semaphore)?).for_each(|_| journal.note_told());
    let again = look(semaphore)?;
    check(again == 0, Kind::Duplicate, || format!("{again} deaths are told again"))?;
    journal.check_told_enough(deaths)
}

/// What the peers do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    None,
    /// The first has the unit until the victim sleeps, or is dead; the second sleeps for it.
    Hold,
    /// The same, but the first stays until all is over: the victim gives up.
    HoldOn,
    Sleep,
    Run,
}

/// The victim takes a unit, and gives it back.
struct Visit {
    store: Store<Tracked>,
    peers: Peers,
    owner: Option<Child>,
    deaths: i64,
}

impl Visit {
    fn new(total: u32, peers: Peers) -> Result<Self, Failure> {
        Ok(Self { store: Store::new(total)?, peers, owner: None, deaths: 0 })
    }

    fn in_vain() -> Result<Self, Failure> {
        Self::new(1, Peers::HoldOn)
    }

    /// The owner of the one unit dies when everybody is in place.
    fn of_the_dead(peers: Peers) -> Result<Self, Failure> {
        let new = Self::new(1, peers)?;
        let store = &new.store;
        let owner = Child::start(|| {
            if store.semaphore.acquire(None).map(purlin_sync::Permit::keep).is_ok() {
                store.note(OTHER);
            }
            idle_until(|| false);
            0
        })?;
        let has_it = comes_to_be(|| store.is_noted(OTHER) || owner.has_ended());
        check(has_it && !owner.has_ended(), Kind::SetupFailed, || "no owner".to_owned())?;
        Ok(Self { owner: Some(owner), deaths: 1, ..new })
    }

    fn visit(&self, role: usize) -> Outcome {
        visit(&self.store.journal, &self.store.semaphore, role, self.store.start)
    }

    fn visit_marked(&self, index: usize, mark: &Mark) -> Outcome {
        self.store.register(index)?;
        mark.begin();
        let outcome = if self.peers == Peers::HoldOn {
            self.wait_in_vain(index)
        } else {
            visit_mortal(&self.store.journal, &self.store.semaphore, index, self.store.start)
        };
        mark.end();
        outcome
    }

    fn wait_in_vain(&self, role: usize) -> Outcome {
        let told = self.store.take(role, SHORT_LIMIT)?;
        let says = || "got what a living process has".to_owned();
        self.store.journal.accuse(check(told.is_none(), Kind::Duplicate, says))
    }

    fn hold(&self) -> Outcome {
        let store = &self.store;
        visit_while(&store.journal, &store.semaphore, PEERS, store.start, || {
            store.note(PEERS);
            let waits = |pid| pid != 0 && (is_asleep_on_futex(pid) || is_gone(pid));
            let may_go = || self.peers == Peers::Hold && waits(store.pid(VICTIM));
            idle_until(|| store.journal.is_over() || may_go());
        })
    }

    fn run(&self, role: usize) -> Outcome {
        loop {
            self.visit(role)?;
            if self.store.journal.is_over() {
                return Ok(());
            }
            pause(GLANCE);
        }
    }
}

impl Stage for Visit {
    fn peer_count(&self) -> usize {
        if self.peers == Peers::None { 0 } else { 2 }
    }

    fn peer(&self, index: usize) -> Outcome {
        let role = PEERS + index;
        self.store.register(role)?;
        match self.peers {
            Peers::Hold | Peers::HoldOn if index == 0 => self.hold(),
            Peers::Run => self.run(role),
            _ => self.visit(role),
        }
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        match self.peers {
            Peers::Hold | Peers::HoldOn if index == 0 => self.store.is_noted(PEERS),
            Peers::Hold | Peers::HoldOn => is_asleep_on_futex(pid),
            // The first has slept longer than the second.
            _ => is_asleep_on_futex(pid) && (index == 0 || sleep_count(pid) >= LONG_SLICES_COUNT),
        }
    }

    fn curtain(&mut self) -> Outcome {
        self.owner = None; // killed and reaped
        Ok(())
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.visit_marked(VICTIM, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.visit_marked(SECOND, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.store.register(OTHER)?;
        if self.peers == Peers::HoldOn {
            return self.wait_in_vain(OTHER);
        }
        self.visit(OTHER)?;
        let store = &self.store;
        visit_while(&store.journal, &store.semaphore, OTHER, store.start, || turn.stay())
    }

    fn aftermath(&mut self) -> Outcome {
        self.store.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        settle(&self.store.journal, &self.store.semaphore, self.store.start, self.deaths)
    }
}

/// The accounts of the victim's units, so many at most.
const OF_THE_VICTIM: [usize; 3] = [0, 2, 3];

/// Several sleep for the units that the victim has, and gives.
struct Giving {
    store: Store<Tracked>,
    sleeper_count: usize,
}

impl Giving {
    fn new(sleeper_count: usize, total: u32) -> Result<Self, Failure> {
        Ok(Self { store: Store::new(total)?, sleeper_count })
    }

    fn accounts(&self) -> &'static [usize] {
        &OF_THE_VICTIM[..self.store.start as usize]
    }

    fn set_steps(&self, step: Step) {
        for index in self.accounts() {
            self.store.journal.mortal(*index).set_step(step);
        }
    }
}

impl Stage for Giving {
    fn peer_count(&self) -> usize {
        self.sleeper_count
    }

    fn peer(&self, index: usize) -> Outcome {
        self.store.register(PEERS + index)?;
        visit(&self.store.journal, &self.store.semaphore, PEERS + index, self.store.start)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        let store = &self.store;
        store.register(VICTIM)?;
        for _ in 0..store.start {
            store.take(VICTIM, None)?;
        }
        self.set_steps(Step::Sound);
        mark.begin();
        self.set_steps(Step::LeavingSound);
        let outcome = give_own(&store.journal, &store.semaphore, VICTIM, store.start);
        self.set_steps(Step::LeftSound);
        mark.end();
        outcome
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.store.register(SECOND)?;
        mark.begin();
        let store = &self.store;
        let outcome = visit_mortal(&store.journal, &store.semaphore, SECOND, store.start);
        mark.end();
        outcome
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        let store = &self.store;
        store.register(OTHER)?;
        visit_while(&store.journal, &store.semaphore, OTHER, store.start, || turn.stay())
    }

    fn check(&self) -> Outcome {
        settle(&self.store.journal, &self.store.semaphore, self.store.start, 0)
    }
}

/// Each role attaches for itself, so that a process has one handle, and its drop is the last. The
/// victim has both units, and lives on.
struct Abandon(Elsewhere);

const TOTAL: u32 = 2;
/// Journal cells: whether a peer has a unit.
const SERVED: usize = 64;

impl Abandon {
    fn new() -> Result<Self, Failure> {
        let make = || {
            let segment = Segment::anonymous(4096)?;
            let semaphore = TrackedSemaphore::new_in(&segment, TOTAL)?;
            Ok((semaphore.offset(), segment))
        };
        Elsewhere::of(make).map(Self)
    }

    fn attach(&self) -> Result<(Segment, TrackedSemaphore), Failure> {
        let segment = Segment::from_descriptor(self.0.descriptor()?)?;
        let semaphore = TrackedSemaphore::open(&segment, self.0.offset())?;
        Ok((segment, semaphore))
    }

    fn set_steps(&self, step: Step) {
        for index in &OF_THE_VICTIM[..TOTAL as usize] {
            self.0.journal.mortal(*index).set_step(step);
        }
    }

    fn are_served(&self) -> bool {
        (0..2).all(|index| self.0.journal.cell(SERVED + index) == 1)
    }
}

impl Stage for Abandon {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        let (_segment, semaphore) = self.attach()?;
        let (journal, role) = (&self.0.journal, PEERS + index);
        visit_while(journal, &semaphore, role, TOTAL, || {
            journal.set_cell(SERVED + index, 1);
            idle_until(|| self.are_served()); // both units must come back
        })
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        let (_segment, semaphore) = self.attach()?;
        for _ in 0..TOTAL {
            take(&self.0.journal, &semaphore, VICTIM, None)?;
        }
        self.set_steps(Step::Sound);
        mark.begin();
        self.set_steps(Step::GivingUp);
        drop(semaphore);
        mark.end();
        idle_until(|| self.are_served()); // by its end they come back in any case
        Ok(())
    }

    fn second(&self, mark: &Mark) -> Outcome {
        let (_segment, semaphore) = self.attach()?;
        mark.begin();
        let outcome = visit_mortal(&self.0.journal, &semaphore, SECOND, TOTAL);
        mark.end();
        outcome
    }

    /// Does not stay, for the victim waits until the peers have both units.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        let (_segment, semaphore) = self.attach()?;
        visit(&self.0.journal, &semaphore, OTHER, TOTAL)
    }

    fn check(&self) -> Outcome {
        let (_segment, semaphore) = self.attach()?;
        settle(&self.0.journal, &semaphore, TOTAL, 0)
    }
}
