//! Segments with names: made, found, collected, unlinked.

use purlin_shm::Segment;
use purlin_sync::Lock;

use super::name_world::{FREE, NameWorld, Who};
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::process::idle_until;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 8] = [
    Scenario {
        name: "name-create",
        about: "make a lock with a name",
        make: || Ok(Box::new(Create::new(Start::Nothing)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "name-link",
        about: "put a lock into a new segment, and give that a name",
        make: || Ok(Box::new(Create::new(Start::Empty)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "name-open",
        about: "open a lock by its name; still: another collects it",
        make: || Ok(Box::new(Open::new(Then::Leaves)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "name-open-replaced",
        about: "open a lock by its name; still: another collects it, and makes one",
        make: || Ok(Box::new(Open::new(Then::MakesAnother)?) as AnyStage),
        sweep: Sweep::Still,
    },
    Scenario {
        name: "name-collect",
        about: "collect a name that nobody lives under; still: another opens it",
        make: || Ok(Box::new(Collect::new(Meets::Opener)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "name-collect-replaced",
        about: "collect a name that nobody lives under; still: another unlinks it, and makes one",
        make: || Ok(Box::new(Collect::new(Meets::Replacer)?) as AnyStage),
        sweep: Sweep::Still,
    },
    Scenario {
        name: "name-collect-living",
        about: "collect a name that somebody lives under; still: another opens it",
        make: || Ok(Box::new(Beside::new(What::Collect)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "name-unlink",
        about: "unlink a name that somebody lives under; still: another does, and makes one",
        make: || Ok(Box::new(Beside::new(What::Unlink)?) as AnyStage),
        sweep: Sweep::Double,
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// The region is the whole creation.
    Nothing,
    /// It begins when the segment is there, empty and without a name.
    Empty,
}

/// Nobody has the name.
struct Create {
    world: NameWorld,
    start: Start,
}

impl Create {
    fn new(start: Start) -> Result<Self, Failure> {
        Ok(Self { world: NameWorld::new()?, start })
    }

    fn make(&self, mark: &Mark) -> Result<Option<Lock>, Failure> {
        let victim = self.world.account(Who::Victim);
        if self.start == Start::Nothing {
            mark.begin();
            return victim.create();
        }
        victim.make(|| {
            let fill = |segment: &Segment| {
                mark.begin();
                Lock::new_in(segment)
            };
            Segment::create_with(&self.world.name, 4096, 0o600, fill).map(|(_, lock)| lock)
        })
    }

    /// What somebody else has made is there.
    fn open_the_others(&self) -> Result<Lock, Failure> {
        let is_made = self.world.is_made_by(Who::Other);
        check(is_made, Kind::Corrupt, || "the name is taken, and nobody has it".to_owned())?;
        let found = self.world.account(Who::Victim).open()?;
        found.ok_or_else(|| Failure::new(Kind::Lost, "another lives under the name; it is gone"))
    }
}

impl Stage for Create {
    fn victim(&self, mark: &Mark) -> Outcome {
        let made = self.make(mark);
        mark.end();
        let lock = match made? {
            Some(lock) => lock,
            None => self.open_the_others()?,
        };
        self.world.check_lives(&lock)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        let second = self.world.account(Who::Second);
        mark.begin();
        let found = match second.open() {
            Ok(None) => second.create(),
            answer => answer,
        };
        mark.end();
        let lock = found?.ok_or_else(|| Failure::new(Kind::Corrupt, "taken, and not there"))?;
        self.world.check_lives(&lock)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        let other = self.world.account(Who::Other);
        let found = match other.open()? {
            None => other.create()?,
            found => found,
        };
        let lock = found.ok_or_else(|| Failure::new(Kind::Corrupt, "taken, and not there"))?;
        drop(lock.try_acquire()?.sound()?);
        self.world.check_lives(&lock)?;
        turn.stay();
        self.world.check_lives(&lock)
    }

    fn check(&self) -> Outcome {
        self.world.settle()
    }
}

/// What another does that has collected the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Leaves,
    MakesAnother,
}

/// Nobody lives under the name.
struct Open {
    world: NameWorld,
    then: Then,
}

impl Open {
    fn new(then: Then) -> Result<Self, Failure> {
        Ok(Self { world: NameWorld::with_segment()?, then })
    }

    fn open_marked(&self, who: Who, mark: &Mark) -> Outcome {
        mark.begin();
        let found = self.world.account(who).open();
        mark.end();
        match found? {
            Some(lock) => self.world.check_lives(&lock),
            None => {
                let is_taken = self.world.may_be_taken_by(Who::Other);
                check(is_taken, Kind::Lost, || "nobody took it, and it is gone".to_owned())
            }
        }
    }
}

impl Stage for Open {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.open_marked(Who::Victim, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.open_marked(Who::Second, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        let other = self.world.account(Who::Other);
        if !other.collect()? || self.then == Then::Leaves {
            return Ok(());
        }
        let lock = other.create()?.ok_or_else(|| Failure::new(Kind::Lost, "no name, and taken"))?;
        turn.stay();
        self.world.check_lives(&lock)
    }

    fn check(&self) -> Outcome {
        self.world.settle()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meets {
    /// Opens it, and lives in it.
    Opener,
    /// Takes the name away, makes another of it, and lives in that.
    Replacer,
}

/// Nobody lives under the name; the victim collects it.
struct Collect {
    world: NameWorld,
    meets: Meets,
}

impl Collect {
    fn new(meets: Meets) -> Result<Self, Failure> {
        Ok(Self { world: NameWorld::with_segment()?, meets })
    }

    fn collect_marked(&self, who: Who, mark: &Mark) -> Outcome {
        mark.begin();
        let answer = self.world.account(who).collect();
        mark.end();
        answer.map(|_| ())
    }

    fn come_to_live(&self) -> Result<Option<Lock>, Failure> {
        let other = self.world.account(Who::Other);
        if self.meets == Meets::Opener {
            return other.open();
        }
        other.unlink()?;
        other.create()
    }
}

impl Stage for Collect {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.collect_marked(Who::Victim, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.collect_marked(Who::Second, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        let Some(lock) = self.world.while_still(turn, || self.come_to_live())? else {
            return Ok(());
        };
        turn.stay();
        self.world.check_lives(&lock)
    }

    fn check(&self) -> Outcome {
        self.world.settle()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Collect,
    Unlink,
}

/// A peer lives under the name.
struct Beside {
    world: NameWorld,
    what: What,
}

/// Journal cell: the peer is there.
const PEER: usize = FREE;

impl Beside {
    fn new(what: What) -> Result<Self, Failure> {
        Ok(Self { world: NameWorld::with_segment()?, what })
    }

    fn take_marked(&self, who: Who, mark: &Mark) -> Outcome {
        let account = self.world.account(who);
        mark.begin();
        let answer = match self.what {
            What::Collect => account.collect(),
            What::Unlink => account.unlink(),
        };
        mark.end();
        let is_right = !(answer? && self.what == What::Collect);
        let says = || "a living segment was collected".to_owned();
        self.world.journal.accuse(check(is_right, Kind::Lost, says))
    }
}

impl Stage for Beside {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        let lock = Lock::open_named(&self.world.name)?;
        self.world.journal.set_cell(PEER, 1);
        idle_until(|| self.world.journal.is_over());
        drop(lock.try_acquire()?.sound()?);
        match self.what {
            What::Collect => self.world.check_lives(&lock),
            What::Unlink => Ok(()),
        }
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.world.journal.cell(PEER) == 1
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.take_marked(Who::Victim, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.take_marked(Who::Second, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        let other = self.world.account(Who::Other);
        if self.what == What::Unlink {
            return self.world.while_still(turn, || {
                other.unlink()?;
                other.create().map(|_| ())
            });
        }
        let found = self.world.while_still(turn, || other.open())?;
        let lock = found.ok_or_else(|| Failure::new(Kind::Lost, "a living segment has no name"))?;
        turn.stay();
        self.world.check_lives(&lock)
    }

    fn aftermath(&mut self) -> Outcome {
        self.world.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.world.settle()
    }
}
