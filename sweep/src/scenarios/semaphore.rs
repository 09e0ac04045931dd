//! The semaphores whose units nobody owns: what the killed had taken is gone, by contract, and
//! nothing else; whoever waits for a unit that is there gets it.

use purlin_sync::{Bounded, Deadline, Unbounded, Units};

use super::semaphore_world::{OTHER, PEERS, SECOND, Store, VICTIM};
use crate::limits::SHORT_LIMIT;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::evidence::{is_asleep_on_futex, is_gone};
use crate::sys::process::idle_until;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

macro_rules! row {
    ($name:literal, $about:literal, $make:expr) => {
        Scenario {
            name: $name,
            about: concat!("semaphore: ", $about),
            make: || Ok(Box::new($make?) as AnyStage),
            sweep: Sweep::Double,
        }
    };
}

pub(super) const SCENARIOS: [Scenario; 8] = [
    row!("semaphore-alone", "take a unit and give it, where there are enough", alone()),
    row!("semaphore-waiter", "wait for a unit beside another, be woken", Waiter::new()),
    row!("semaphore-timed-out", "wait with a limit beside one without, give up", InVain::new()),
    row!("semaphore-sleepers", "give a unit while two sleep", Giving::unbounded(2, 1)),
    row!(
        "semaphore-sleepers-many",
        "give three at once while three sleep",
        Giving::unbounded(3, 3)
    ),
    row!("bounded-alone", "with a bound: take a unit and give it", bounded_alone()),
    row!("bounded-full", "with a bound: give where none is missing, be refused", Full::new()),
    row!("bounded-sleepers", "with a bound: give all while two sleep, not more", Giving::bounded()),
];

/// A unit for the victim, and one for whoever comes.
struct Alone<K: Units>(Store<K>);

fn alone() -> Result<Alone<Unbounded>, Failure> {
    Store::new(2).map(Alone)
}

fn bounded_alone() -> Result<Alone<Bounded>, Failure> {
    Store::bounded(2).map(Alone)
}

impl<K: Units> Alone<K> {
    fn visit(&self, role: usize, mark: &Mark) -> Outcome {
        self.0.register(role)?;
        mark.begin();
        let outcome = self.0.visit(role);
        mark.end();
        outcome
    }
}

impl<K: Units> Stage for Alone<K> {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.visit(VICTIM, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.visit(SECOND, mark)
    }

    /// Stays with a unit; where there is a bound, it gives what the victim may be about to give.
    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.register(OTHER)?;
        self.0.visit(OTHER)?;
        if self.0.bound.is_some() {
            return self.0.give(OTHER, 1).map(drop);
        }
        self.0.take(OTHER, None)?;
        turn.stay();
        self.0.give(OTHER, 1).map(drop)
    }

    fn check(&self) -> Outcome {
        self.0.settle()
    }
}

/// Peer 0 has the one unit until the victim sleeps, or is dead; peer 1 sleeps beside the victim.
struct Waiter(Store<Unbounded>);

const HOLDER: usize = PEERS;
const SLEEPER: usize = PEERS + 1;

impl Waiter {
    fn new() -> Result<Self, Failure> {
        Store::new(1).map(Self)
    }

    fn visit(&self, role: usize, limit: impl Into<Deadline>, mark: &Mark) -> Outcome {
        self.0.register(role)?;
        mark.begin();
        let outcome = self.visit_within(role, limit);
        mark.end();
        outcome
    }

    fn visit_within(&self, role: usize, limit: impl Into<Deadline>) -> Outcome {
        if self.0.take(role, limit)?.is_some() { self.0.give(role, 1).map(drop) } else { Ok(()) }
    }

    fn hold(&self) -> Outcome {
        let store = &self.0;
        store.take(HOLDER, None)?;
        store.note(HOLDER);
        let waits = |pid| pid != 0 && (is_asleep_on_futex(pid) || is_gone(pid));
        idle_until(|| store.journal.is_over() || waits(store.pid(VICTIM)));
        store.give(HOLDER, 1).map(drop)
    }
}

impl Stage for Waiter {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        self.0.register(PEERS + index)?;
        if index == 0 {
            return self.hold();
        }
        self.0.visit(SLEEPER)
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        if index == 0 { self.0.is_noted(HOLDER) } else { is_asleep_on_futex(pid) }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.visit(VICTIM, None, mark)
    }

    /// The first may have taken the unit along, and nobody gives another as long as this one waits.
    fn second(&self, mark: &Mark) -> Outcome {
        self.visit(SECOND, SHORT_LIMIT, mark)
    }

    /// Takes the unit away, and stays with it, when it is there; or gives one more.
    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.register(OTHER)?;
        if self.0.take(OTHER, Deadline::passed())?.is_some() {
            turn.stay();
        }
        self.0.give(OTHER, 1).map(drop)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        self.0.relieve(SLEEPER..SLEEPER + 1)
    }

    fn check(&self) -> Outcome {
        self.0.settle()
    }
}

/// There is no unit; peer 0 sleeps for one without a limit, and gets one at the end.
struct InVain(Store<Unbounded>);

impl InVain {
    fn new() -> Result<Self, Failure> {
        Store::new(0).map(Self)
    }

    fn give_up(&self, role: usize, mark: &Mark) -> Outcome {
        self.0.register(role)?;
        mark.begin();
        let outcome = self.wait_in_vain(role);
        mark.end();
        outcome
    }

    fn wait_in_vain(&self, role: usize) -> Outcome {
        let has_one = self.0.take(role, SHORT_LIMIT)?.is_some();
        let says = || "got a unit, and nobody gave one".to_owned();
        self.0.journal.accuse(check(!has_one, Kind::Duplicate, says))
    }
}

impl Stage for InVain {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.0.register(PEERS)?;
        self.0.take(PEERS, None).map(drop)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.give_up(VICTIM, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.give_up(SECOND, mark)
    }

    /// Gives a unit, and takes it away again, unless the peer was faster: either way the victim,
    /// which stands still, does not see it.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.register(OTHER)?;
        self.0.give(OTHER, 1)?;
        self.0.take(OTHER, Deadline::passed()).map(drop)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.relieve(PEERS..PEERS + 1)
    }

    fn check(&self) -> Outcome {
        self.0.settle()
    }
}

/// Several sleep for a unit each, and the victim gives: what it had taken itself where there is a
/// bound.
struct Giving<K: Units> {
    store: Store<K>,
    sleeper_count: usize,
    gift: u32,
    /// So many must be refused in any case.
    refused: Option<u32>,
}

impl Giving<Unbounded> {
    fn unbounded(sleeper_count: usize, gift: u32) -> Result<Self, Failure> {
        Ok(Self { store: Store::new(0)?, sleeper_count, gift, refused: None })
    }
}

impl Giving<Bounded> {
    fn bounded() -> Result<Self, Failure> {
        Ok(Self { store: Store::bounded(2)?, sleeper_count: 2, gift: 2, refused: Some(3) })
    }
}

impl<K: Units> Giving<K> {
    fn give(&self, role: usize) -> Outcome {
        if let Some(refused) = self.refused {
            let is_given = self.store.give(role, refused)?;
            let says = || format!("{refused} were given beyond the bound");
            self.store.journal.accuse(check(!is_given, Kind::Duplicate, says))?;
        }
        self.store.give(role, self.gift).map(drop) // another may have given so many
    }

    fn sleepers(&self) -> core::ops::Range<usize> {
        PEERS..PEERS + self.sleeper_count
    }
}

impl<K: Units> Stage for Giving<K> {
    fn peer_count(&self) -> usize {
        self.sleeper_count
    }

    fn peer(&self, index: usize) -> Outcome {
        self.store.register(PEERS + index)?;
        self.store.take(PEERS + index, None).map(drop)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.store.register(VICTIM)?;
        for _ in 0..self.store.start {
            self.store.take(VICTIM, None)?;
        }
        mark.begin();
        let outcome = self.give(VICTIM);
        mark.end();
        outcome
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.store.register(SECOND)?;
        mark.begin();
        let outcome = self.give(SECOND);
        mark.end();
        outcome
    }

    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.store.register(OTHER)?;
        self.give(OTHER)
    }

    fn aftermath(&mut self) -> Outcome {
        self.store.relieve(self.sleepers())
    }

    fn check(&self) -> Outcome {
        self.store.settle()
    }
}

/// All units are there, as many as the bound allows.
struct Full(Store<Bounded>);

impl Full {
    fn new() -> Result<Self, Failure> {
        Store::bounded(1).map(Self)
    }

    fn give(&self, role: usize) -> Outcome {
        self.0.give(role, 1).map(drop)
    }
}

impl Stage for Full {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.register(VICTIM)?;
        mark.begin();
        let outcome = self.give(VICTIM);
        mark.end();
        outcome
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.register(SECOND)?;
        mark.begin();
        let outcome = self.give(SECOND);
        mark.end();
        outcome
    }

    /// Makes room for a moment: what it took itself is the last that there is room for.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.0.register(OTHER)?;
        if self.0.take(OTHER, Deadline::passed())?.is_some() {
            self.give(OTHER)?;
        }
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.settle()
    }
}
