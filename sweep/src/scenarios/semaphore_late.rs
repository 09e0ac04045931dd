//! Who is woken at a semaphore, and finds nothing, and gives up: its wake was another's, too.

use std::time::Duration;

use purlin_sync::{Deadline, Tracked, Unbounded, Units};

use super::semaphore_world::{PEERS, Store, VICTIM};
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::clock;
use crate::sys::evidence::{is_asleep_on_futex, is_gone};
use crate::sys::process::idle_until;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Outcome};

pub(super) const SCENARIOS: [Scenario; 2] = [
    Scenario {
        name: "semaphore-late",
        about: "be woken for a unit that is taken away, when the limit is over; another sleeps",
        make: || Ok(Box::new(Late::<Unbounded>::new()?) as AnyStage),
        sweep: Sweep::Still,
    },
    Scenario {
        name: "tracked-late",
        about: "the same where units have owners",
        make: || Ok(Box::new(Late::<Tracked>::new()?) as AnyStage),
        sweep: Sweep::Still,
    },
];

/// How long the victim waits, and how long it stands still.
const LIMIT: Duration = Duration::from_millis(60);

const THIEF: usize = PEERS;
const PATIENT: usize = PEERS + 1;

/// The thief has the one unit. When the victim sleeps, and then the patient one, which has no
/// limit, it gives the unit and takes it away before the victim looks. In the end it gives it: that
/// must wake the patient one, whatever has become of the victim.
struct Late<K: Units>(Store<K>);

impl<K: Units> Late<K> {
    fn new() -> Result<Self, Failure> {
        Store::new(1).map(Self)
    }

    fn is_waiting(&self, role: usize) -> bool {
        let pid = self.0.pid(role);
        pid != 0 && is_asleep_on_futex(pid)
    }

    fn give_and_take_away(&self) -> Outcome {
        let store = &self.0;
        store.take(THIEF, None)?;
        store.note(THIEF);
        let both_wait = || self.is_waiting(VICTIM) && self.is_waiting(PATIENT);
        idle_until(|| store.journal.is_over() || both_wait());
        store.give(THIEF, 1)?;
        let has_it = store.take(THIEF, Deadline::passed())?.is_some();
        idle_until(|| store.journal.is_over());
        if has_it { store.give(THIEF, 1).map(drop) } else { Ok(()) }
    }

    fn wait_behind_the_victim(&self) -> Outcome {
        let store = &self.0;
        let is_gone = || is_gone(store.pid(VICTIM));
        idle_until(|| store.journal.is_over() || self.is_waiting(VICTIM) || is_gone());
        store.visit(PATIENT)
    }
}

impl<K: Units> Stage for Late<K> {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        self.0.register(PEERS + index)?;
        if index == 0 { self.give_and_take_away() } else { self.wait_behind_the_victim() }
    }

    fn is_in_place(&self, index: usize, _pid: i32) -> bool {
        index == 1 || self.0.is_noted(THIEF) // the patient one waits for the victim to sleep
    }

    /// It may be faster than the thief.
    fn victim(&self, mark: &Mark) -> Outcome {
        self.0.register(VICTIM)?;
        mark.begin();
        let taken = self.0.take(VICTIM, LIMIT);
        mark.end();
        if taken?.is_some() { self.0.give(VICTIM, 1).map(drop) } else { Ok(()) }
    }

    /// Lets the victim's limit pass.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        let began = clock::now();
        idle_until(|| clock::now().saturating_sub(began) > LIMIT);
        Ok(())
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.settle()
    }
}
