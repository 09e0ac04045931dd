//! A lock that nobody else wants.

use purlin_shm::Segment;
use purlin_sync::Lock;

use crate::journal::Journal;
use crate::stage::{AnyStage, Scenario, Stage};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Outcome};

pub(super) const SCENARIOS: [Scenario; 1] = [Scenario {
    name: "lock-uncontended",
    about: "acquire, work, release; nobody else is there",
    make: || Ok(Box::new(Uncontended::new()?) as AnyStage),
    has_second: true,
}];

struct Uncontended {
    journal: Journal,
    lock: Lock,
}

impl Uncontended {
    fn new() -> Result<Self, Failure> {
        let segment = Segment::anonymous(4096)?;
        Ok(Self { journal: Journal::new()?, lock: Lock::new_in(&segment)? })
    }
}

impl Stage for Uncontended {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.lock.segment().attachment().token_or_register()?;
        mark.begin();
        let outcome = self.journal.mortal(0).visit(&self.lock);
        mark.end();
        outcome
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.lock.segment().attachment().token_or_register()?;
        mark.begin();
        let outcome = self.journal.mortal(1).visit(&self.lock);
        mark.end();
        outcome
    }

    fn check(&self) -> Outcome {
        self.journal.settle(&self.lock, 0)
    }
}
