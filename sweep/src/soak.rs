//! The soak: processes that hammer an object, one of them killed every few milliseconds and
//! replaced, for as long as one likes. What the sweep cannot have: several at full speed, killed
//! wherever they are, thousands of times in one segment.
//!
//! Now and then one is not replaced, and nobody else killed, until the others have got on: those
//! who come anew would hide that all others sleep for good.

use std::fmt;
use std::time::Duration;

use purlin_shm::Segment;

use crate::verdict::{Failure, Outcome};

mod accounts;
mod barrier;
mod bath;
mod condition;
mod event;
mod locks;
mod queues;
mod semaphores;
mod tracked;

/// What can be hammered.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What it goes by.
    pub name: &'static str,
    make: fn() -> Result<Box<dyn Subject>, Failure>,
}

/// All that can be hammered.
pub const KINDS: [Kind; 14] = [
    Kind { name: "lock", make: locks::lock },
    Kind { name: "handover-lock", make: locks::handover },
    Kind { name: "checked-lock", make: locks::checked },
    Kind { name: "rlock", make: locks::recursive },
    Kind { name: "semaphore", make: semaphores::plain },
    Kind { name: "bounded-semaphore", make: semaphores::bounded },
    Kind { name: "tracked-semaphore", make: tracked::tracked },
    Kind { name: "event", make: event::event },
    Kind { name: "condition", make: condition::condition },
    Kind { name: "barrier", make: barrier::barrier },
    Kind { name: "queue", make: queues::queue },
    Kind { name: "joinable-queue", make: queues::joinable },
    Kind { name: "unbounded-queue", make: queues::unbounded },
    Kind { name: "spsc", make: queues::spsc },
];

impl Kind {
    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.name == name)
    }

    /// Hammers for `length`, and kills about every `period`. The same `seed` chooses the same
    /// victims and pauses, but not the same instructions.
    ///
    /// # Errors
    /// What was found.
    pub fn soak(self, length: Duration, period: Duration, seed: u64) -> Result<Soaked, Failure> {
        bath::Bath::new((self.make)()?, period, seed)?.soak(length)
    }
}

/// What a soak came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Soaked {
    /// Processes that were killed.
    pub killed_count: u64,
    /// Of them, those that had something of the object's, or may have.
    pub holder_count: u64,
    /// What was finished: visits, waits, rounds.
    pub done_count: u64,
    /// Deaths that somebody was told of.
    pub told_count: u64,
    /// How often nobody was killed or replaced until the others got on.
    pub calm_count: u64,
    /// How often all were killed, and the accounts looked at.
    pub settled_count: u64,
}

impl fmt::Display for Soaked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { killed_count, holder_count, done_count, told_count, .. } = self;
        write!(out, "{killed_count} killed, {holder_count} of them holding or about to, ")?;
        write!(out, "{done_count} done, {told_count} deaths told, ")?;
        write!(out, "{} calms, {} times settled", self.calm_count, self.settled_count)
    }
}

/// Something that is hammered, and the accounts of it.
trait Subject {
    /// Where it is.
    fn segment(&self) -> &Segment;

    /// All are dead, or nobody has begun: what is looked at later begins here.
    fn begin(&mut self) {}

    /// What number `index` does until it is killed.
    ///
    /// # Errors
    /// What it finds.
    fn hammer(&self, index: usize) -> Outcome;

    /// Whether none of them gets on where one is missing.
    fn needs_all(&self) -> bool {
        false
    }

    /// Number `index` is dead, and another will take its place.
    ///
    /// # Errors
    /// What its accounts show.
    fn bury(&mut self, index: usize) -> Result<Burial, Failure>;

    /// In a process of its own, when all are dead: what they did adds up.
    ///
    /// # Errors
    /// What does not.
    fn settle(&self) -> Outcome;

    /// How much was done.
    fn done_count(&self) -> u64;

    /// How many deaths were told.
    fn told_count(&self) -> u64 {
        0
    }
}

/// What a death has shown.
#[derive(Clone, Copy, Debug, Default)]
struct Burial {
    /// It had something of the object's, or may have.
    is_holder: bool,
    /// So much is in doubt by now that all have to die.
    is_time_to_settle: bool,
}
