//! Who is dead, where that is not plain: slots given again, descriptions that others keep open or
//! that foreign code has closed, forked copies.

use purlin_sync::{Acquired, Error};

use super::world::{OWNER, PEERS, World};
use crate::journal::Step;
use crate::limits::SHORT_LIMIT;
use crate::stage::{AnyStage, Scenario, Stage, Sweep, Turn};
use crate::sys::descriptors::close_and_take;
use crate::sys::evidence::is_asleep_on_futex;
use crate::sys::process::{Child, idle_as_orphan, idle_until, leave};
use crate::sys::segment_file::SegmentFile;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "slot-reused",
        about: "acquire from a dead owner whose slot a living process has",
        make: || Ok(Box::new(SlotReused::new()?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "orphan-raw-clone",
        about: "acquire from a dead owner whose raw clone keeps its description",
        make: || Ok(Box::new(Orphan::new(Birth::RawClone)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "orphan-fork",
        about: "try a lock whose dead owner's forked child lives on",
        make: || Ok(Box::new(Orphan::new(Birth::Fork)?) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "closed-descriptor",
        about: "acquire from a living holder after foreign code closed the private descriptor",
        make: || Ok(Box::new(Closed(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
    Scenario {
        name: "forked-guard",
        about: "fork while holding; the child drops its copy of the guard",
        make: || Ok(Box::new(ForkedGuard(World::new()?)) as AnyStage),
        sweep: Sweep::Double,
    },
];

/// A peer lives in the dead owner's slot.
struct SlotReused(World);

impl SlotReused {
    fn new() -> Result<Self, Failure> {
        let world = World::new()?;
        let file = SegmentFile::open(world.segment.descriptor())?;
        let slot = file.cursor()?;
        world.owner()?.kill();
        file.set_cursor(slot)?; // it has gone round
        Ok(Self(world))
    }
}

impl Stage for SlotReused {
    fn peer_count(&self) -> usize {
        1
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.0.register()?;
        self.0.journal.set_cell(PEERS, 1);
        idle_until(|| self.0.journal.is_over());
        Ok(())
    }

    fn is_in_place(&self, _index: usize, _pid: i32) -> bool {
        self.0.journal.cell(PEERS) == 1
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        // Not registered before: the peer is to have the slot. The region begins with that.
        mark.begin();
        let outcome = self.0.journal.mortal(0).visit(&self.0.lock);
        mark.end();
        outcome
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.0.visit_marked(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        self.0.visit_and_stay(turn)
    }

    fn aftermath(&mut self) -> Outcome {
        // While the heir lives: with it gone, the byte would be free, and the owner dead by that.
        let mut checker = Child::start(|| {
            self.0.journal.visit(&self.0.lock).map_or_else(|failure| failure.kind.status(), |()| 0)
        })?;
        let has_ended = crate::patience::all_end(&[&checker], || 0);
        check(has_ended, Kind::Hang, || "a visitor waits for ever".to_owned())?;
        let end = checker.reap();
        self.0.journal.set_over();
        check(end == crate::End::Code(0), Kind::Corrupt, || format!("the visitor: {end:?}"))
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 1)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Birth {
    Fork,
    RawClone,
}

/// The dead owner has a child that lives until the stage is over.
struct Orphan {
    world: World,
    birth: Birth,
    stage_pid: u32,
}

const STAGE_IS_OVER: usize = 20;

impl Orphan {
    fn new(birth: Birth) -> Result<Self, Failure> {
        let stage = Self { world: World::new()?, birth, stage_pid: std::process::id() };
        let mut owner = Child::start(|| stage.own_and_split().map_or(1, |()| 0))?;
        stage.world.await_cell(OWNER)?;
        owner.kill();
        Ok(stage)
    }

    /// In the owner; its child never returns.
    fn own_and_split(&self) -> Outcome {
        self.world.lock.acquire(None)?.keep();
        let parents = [std::process::id(), self.stage_pid];
        let split = match self.birth {
            Birth::Fork => Child::split(false)?,
            Birth::RawClone => Child::split_raw()?,
        };
        if split.is_none() {
            self.world.journal.set_cell(OWNER, 1);
            idle_as_orphan(parents, || self.world.journal.cell(STAGE_IS_OVER) == 1);
            leave(0);
        }
        idle_until(|| false);
        Ok(())
    }

    fn visit(&self, index: usize, mark: &Mark) -> Outcome {
        if self.birth == Birth::RawClone {
            return self.world.visit_marked(index, mark);
        }
        // The handler closed the child's copy: no second opinion is needed, and a try sees it.
        self.world.register()?;
        let mortal = self.world.journal.mortal(index);
        mark.begin();
        mortal.set_step(Step::Entering);
        let answer = self.world.journal.accuse_error(self.world.lock.try_acquire());
        let outcome = answer.and_then(|acquired| mortal.visit_held(acquired));
        mark.end();
        outcome
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        self.world.journal.set_cell(STAGE_IS_OVER, 1);
    }
}

impl Stage for Orphan {
    fn victim(&self, mark: &Mark) -> Outcome {
        self.visit(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.visit(1, mark)
    }

    fn other(&self, turn: &Turn<'_>) -> Outcome {
        match self.birth {
            Birth::RawClone => self.world.visit_and_stay(turn),
            // The victim only tries, and must get it: nobody stays inside.
            Birth::Fork => self.world.journal.visit(&self.world.lock),
        }
    }

    fn check(&self) -> Outcome {
        self.world.journal.settle(&self.world.lock, 1)
    }
}

/// The victim sees nobody's death any more, and looks dead itself. A peer holds the lock.
struct Closed(World);

/// Where the library's private descriptors begin.
const PRIVATE_FD_MIN: i32 = 500;

impl Closed {
    fn be_blind(&self, mark: &Mark) -> Outcome {
        self.0.register()?;
        close_and_take(PRIVATE_FD_MIN)?;
        mark.begin();
        let answer = self.0.lock.acquire(SHORT_LIMIT).map(Acquired::keep);
        let outcome = self.0.journal.accuse(match answer {
            Err(Error::System { errno: libc::EBADF }) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Failure::new(Kind::Duplicate, "got what a living process holds")),
        });
        mark.end();
        outcome
    }
}

impl Stage for Closed {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, index: usize) -> Outcome {
        match index {
            0 => self.0.journal.stay_until(&self.0.lock, PEERS, || false),
            _ => self.0.journal.visit(&self.0.lock),
        }
    }

    fn is_in_place(&self, index: usize, pid: i32) -> bool {
        if index == 0 { self.0.journal.cell(PEERS) == 1 } else { is_asleep_on_futex(pid) }
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.be_blind(mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.be_blind(mark)
    }

    fn aftermath(&mut self) -> Outcome {
        self.0.journal.set_over();
        Ok(())
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}

/// Two sleep for the lock that the forking process holds.
struct ForkedGuard(World);

impl ForkedGuard {
    fn hold_and_split(&self, index: usize, mark: &Mark) -> Outcome {
        let mortal = self.0.journal.mortal(index);
        self.0.register()?;
        mortal.set_step(Step::Entering);
        let acquired = self.0.lock.acquire(None)?;
        mortal.begin_work(&acquired)?;
        mark.begin();
        match Child::split(true)? {
            None => {
                drop(acquired);
                leave(0);
            }
            Some(mut child) => child.reap(),
        };
        mortal.end_work();
        mortal.release(acquired);
        mark.end();
        Ok(())
    }
}

impl Stage for ForkedGuard {
    fn peer_count(&self) -> usize {
        2
    }

    fn peer(&self, _index: usize) -> Outcome {
        self.0.journal.visit(&self.0.lock)
    }

    fn victim(&self, mark: &Mark) -> Outcome {
        self.hold_and_split(0, mark)
    }

    fn second(&self, mark: &Mark) -> Outcome {
        self.hold_and_split(1, mark)
    }

    fn check(&self) -> Outcome {
        self.0.journal.settle(&self.0.lock, 0)
    }
}
