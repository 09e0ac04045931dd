//! What most stages have: a segment, a lock in it, a journal, and ways to people them.

use std::fs::OpenOptions;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, OwnedFd};

use purlin_shm::Segment;
use purlin_sync::{Acquired, ByHolder, Exclusive, Rules};

use crate::journal::Journal;
use crate::patience::comes_to_be;
use crate::stage::Turn;
use crate::sys::process::{Child, idle_until};
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Kind, Outcome, check};

/// A lock that its users visit.
pub(super) struct World<R: Rules = ByHolder> {
    pub(super) journal: Journal,
    pub(super) segment: Segment,
    pub(super) lock: Exclusive<R>,
}

/// Journal cells that stages here use. Those of peers stand at `PEERS` plus their index.
pub(super) const PEERS: usize = 0;
pub(super) const OWNER: usize = 8;
pub(super) const VICTIM_PID: usize = 9;

impl<R: Rules> World<R> {
    pub(super) fn new() -> Result<Self, Failure> {
        let segment = Segment::anonymous(4096)?;
        let lock = Exclusive::new_in(&segment)?;
        Ok(Self { journal: Journal::new()?, segment, lock })
    }

    /// As [`new`](Self::new), with a lock whose owner is dead.
    pub(super) fn with_dead_owner() -> Result<Self, Failure> {
        let world = Self::new()?;
        world.owner()?.kill();
        Ok(world)
    }

    /// Registers the calling role, so that its region does not begin with that.
    pub(super) fn register(&self) -> Outcome {
        self.segment.attachment().token_or_register()?;
        Ok(())
    }

    /// A process that holds the lock, half way through its work, until it is killed.
    pub(super) fn owner(&self) -> Result<Child, Failure> {
        let owner = Child::start(|| {
            let is_held = self.lock.acquire(None).map(Acquired::keep).is_ok();
            self.journal.set_cell(OWNER, u64::from(is_held));
            idle_until(|| false);
            0
        })?;
        self.await_cell(OWNER)?;
        Ok(owner)
    }

    /// Waits until somebody has written 1 into a cell.
    pub(super) fn await_cell(&self, index: usize) -> Outcome {
        let is_there = comes_to_be(|| self.journal.cell(index) == 1);
        check(is_there, Kind::SetupFailed, || format!("nobody wrote into cell {index}"))
    }

    /// What another does to the lock while the victim stands still.
    pub(super) fn visit_and_stay(&self, turn: &Turn<'_>) -> Outcome {
        self.journal.visit_and_stay(&self.lock, turn)
    }

    /// The region of most victims: a visit.
    pub(super) fn visit_marked(&self, index: usize, mark: &Mark) -> Outcome {
        self.register()?;
        mark.begin();
        let outcome = self.journal.mortal(index).visit(&self.lock);
        mark.end();
        outcome
    }
}

/// A world that was made by a process that has nothing to do with this one: the roles are not born
/// into the segment, and attach to it by a descriptor.
pub(super) struct Elsewhere<R: Rules = ByHolder> {
    pub(super) journal: Journal,
    maker: Child,
    rules: PhantomData<R>,
}

const DESCRIPTOR: usize = 11;
const OFFSET: usize = 12;

impl<R: Rules> Elsewhere<R> {
    pub(super) fn new() -> Result<Self, Failure> {
        Self::of(|| World::<R>::new().map(|world| (world.lock.offset(), world.segment)))
    }

    /// With something else than a lock, which `make` makes and says the place of.
    pub(super) fn of(
        make: impl FnOnce() -> Result<(u64, Segment), Failure>,
    ) -> Result<Self, Failure> {
        let journal = Journal::new()?;
        let maker = Child::start(|| match make() {
            Err(failure) => failure.kind.status(),
            Ok((offset, segment)) => {
                journal.set_cell(DESCRIPTOR, segment.descriptor().as_raw_fd() as u64);
                journal.set_cell(OFFSET, offset);
                idle_until(|| false);
                0
            }
        })?;
        let is_made = comes_to_be(|| journal.cell(OFFSET) != 0 || maker.has_ended());
        check(is_made && !maker.has_ended(), Kind::SetupFailed, || "no segment".to_owned())?;
        Ok(Self { journal, maker, rules: PhantomData })
    }

    /// A descriptor of the segment, as if somebody had sent it.
    pub(super) fn descriptor(&self) -> Result<OwnedFd, Failure> {
        let path = format!("/proc/{}/fd/{}", self.maker.pid(), self.journal.cell(DESCRIPTOR));
        Ok(OpenOptions::new().read(true).write(true).open(path)?.into())
    }

    /// Where the lock is.
    pub(super) fn offset(&self) -> u64 {
        self.journal.cell(OFFSET)
    }

    /// Attaches, and opens the lock.
    pub(super) fn attach(&self) -> Result<(Segment, Exclusive<R>), Failure> {
        self.attach_by(self.descriptor()?)
    }

    /// [`attach`](Self::attach) by a descriptor that is there already.
    pub(super) fn attach_by(
        &self,
        descriptor: OwnedFd,
    ) -> Result<(Segment, Exclusive<R>), Failure> {
        let segment = Segment::from_descriptor(descriptor)?;
        let lock = Exclusive::open(&segment, self.offset())?;
        Ok((segment, lock))
    }
}
