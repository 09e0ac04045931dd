//! What a scenario is made of: a stage, and the roles that are played on it.

use crate::record::Record;
use crate::sys::cells::Cells;
use crate::sys::evidence;
use crate::sys::process::idle_until;
use crate::sys::trace::Mark;
use crate::verdict::{Failure, Outcome};

/// One world, made anew for every point. Its methods run in processes of their own, forked from the
/// one that made it; they share what the stage holds in shared memory, and nothing else.
///
/// In the order of a point: the stage is made; the victim runs to its begin mark; the peers take
/// their places; [`curtain`](Self::curtain); the victim is stepped and killed; the second,
/// likewise, if second deaths are swept; [`aftermath`](Self::aftermath); the peers end; the
/// checker.
pub trait Stage {
    /// How many peers there are.
    fn peer_count(&self) -> usize {
        0
    }

    /// A peer: runs or sleeps at the objects while the victim is stepped, and must end by itself
    /// soon after [`aftermath`](Self::aftermath). One that is to prove wake-ups waits without a
    /// limit.
    ///
    /// # Errors
    /// What it found wrong.
    fn peer(&self, _index: usize) -> Outcome {
        Ok(())
    }

    /// Whether the peer is where it should be before the first step: asleep on a futex, if nothing
    /// else is said.
    fn is_in_place(&self, _index: usize, pid: i32) -> bool {
        evidence::is_asleep_on_futex(pid)
    }

    /// Everybody is in place, the victim at its begin mark. Runs where the stage was made.
    ///
    /// # Errors
    /// What could not be done.
    fn curtain(&mut self) -> Outcome {
        Ok(())
    }

    /// Where a victim says its number that is no child of the stage's, but was started by peer 0:
    /// then that is in its place first, and nobody plays [`victim`](Self::victim).
    fn waif(&self) -> Option<&Waif> {
        None
    }

    /// The role that is killed. What lies between its marks is stepped. When nobody kills it, it
    /// says what it found.
    ///
    /// # Errors
    /// What it found wrong.
    fn victim(&self, mark: &Mark) -> Outcome;

    /// Whether this stage wants to hear of the victim's system calls while that is stepped.
    fn hears_calls(&self) -> bool {
        false
    }

    /// The victim, number `pid`, is about to make a system call, and may be killed in it. Heard
    /// where the stage was made, while the victim stands.
    ///
    /// # Errors
    /// What could not be done.
    fn call_begins(&self, _pid: i32, _number: u64) -> Outcome {
        Ok(())
    }

    /// The victim has come back from a system call, and stands behind it.
    ///
    /// # Errors
    /// What could not be done.
    fn call_is_over(&self, _pid: i32, _number: u64) -> Outcome {
        Ok(())
    }

    /// The role that finds the victim's remains, and is killed in turn.
    ///
    /// # Errors
    /// What it found wrong.
    fn second(&self, mark: &Mark) -> Outcome {
        mark.begin();
        mark.end();
        Ok(())
    }

    /// Comes while the victim stands still between two instructions, and does all it can to the
    /// same objects; what it waits for may be the victim's to give. If it is not told otherwise, it
    /// does what the second does.
    ///
    /// # Errors
    /// What it found wrong.
    fn other(&self, _turn: &Turn<'_>) -> Outcome {
        self.second(&Mark::UNARMED)
    }

    /// How far the roles of a scenario have come that is run whole: as long as this grows, somebody
    /// gets on. Those who sleep and wake in turn look hung without it, after some seconds. Looked
    /// at where the stage was made.
    fn pulse(&self) -> u64 {
        0
    }

    /// All who are to die are dead. Runs where the stage was made.
    ///
    /// # Errors
    /// What could not be done.
    fn aftermath(&mut self) -> Outcome {
        Ok(())
    }

    /// Goes over everything when all others have ended, and asserts what must and what may be.
    ///
    /// # Errors
    /// What it found wrong.
    fn check(&self) -> Outcome;
}

/// The time in which the victim stands still, as whoever acts in it knows it.
pub struct Turn<'a> {
    record: &'a Record,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(record: &'a Record) -> Self {
        Self { record }
    }

    /// Says that all is done but for staying, and stays until the victim has gone on and ended, or
    /// has come to wait.
    pub fn stay(&self) {
        self.record.set_there();
        idle_until(|| self.record.has_gone_on());
    }
}

/// A victim that somebody else has started, before the stage traces it.
#[derive(Debug)]
pub struct Waif {
    cells: Cells,
}

/// Cells: whether somebody is it, who, and whether the stage traces it.
const IS_CLAIMED: usize = 0;
const PID: usize = 1;
const IS_TRACED: usize = 2;

impl Waif {
    /// Nobody so far.
    ///
    /// # Errors
    /// The system's, when it has no memory.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { cells: Cells::new()? })
    }

    /// The first process that calls this is the victim: it waits until it is traced, and gets marks
    /// that trap. All others get some that do nothing.
    pub fn claim(&self) -> Mark {
        if self.cells.swap(IS_CLAIMED, 1) != 0 {
            return Mark::UNARMED;
        }
        self.cells.set(PID, std::process::id().into());
        idle_until(|| self.cells.get(IS_TRACED) == 1);
        Mark::ARMED
    }

    /// Its number; 0 before there is one.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.cells.get(PID) as i32
    }

    /// Lets it go on to its begin mark.
    pub(crate) fn set_traced(&self) {
        self.cells.set(IS_TRACED, 1);
    }
}

/// A stage, boxed.
pub type AnyStage = Box<dyn Stage>;

/// How a scenario is swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// The victim is stepped and killed; it has no second.
    Single,
    /// The same, in a region that is too long to be stepped from its begin for each point: the
    /// victim is stepped from the last system call before the point.
    Long,
    /// There is a second role too, so that second deaths can be swept.
    Double,
    /// Only who comes while the victim stands still differs from a neighbour's: a victim that is
    /// killed, and a second, would be the neighbour's once more.
    Still,
    /// Nobody is stepped or killed: it runs as a whole, at full speed.
    Whole,
}

/// Something that is swept.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// By which it is asked for.
    pub name: &'static str,
    /// What happens, in a line.
    pub about: &'static str,
    /// Makes the stage.
    pub make: fn() -> Result<AnyStage, Failure>,
    /// How it is swept.
    pub sweep: Sweep,
}
