//! The scene of the semaphore's models: a yard with room for as many as there are units, and a
//! ledger beside it of what is true.

use core::cell::Cell;
use std::rc::Rc;

use loom::cell::Cell as Modelled;

use crate::cell::{Deadline, Error};
use crate::life::{self, Attachment, Scene, World};
use crate::semaphore::{Bounds, SemaphoreWord, Unbounded};
use crate::sleepers::{Futex, Slices};

/// A word of each kind is a yard of its own.
pub(crate) struct YardOf<B: Bounds> {
    world: World,
    word: SemaphoreWord<B>,
    /// How many units there are, those of the dead too.
    total: Cell<u32>,
    /// How many have one, as far as they have come back with it.
    inside: Cell<u32>,
    /// What each writes before it gives a unit; loom notes it when a read of it is not ordered
    /// after the write.
    written: [Modelled<u32>; SLOT_COUNT],
    /// What whoever is alone inside writes.
    data: Modelled<u32>,
    victim: Cell<Victim>,
}

pub(crate) type Yard = YardOf<Unbounded>;

const SLOT_COUNT: usize = 8;

/// How far a condemned process has come with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    HasNone,
    Takes,
    /// It is counted as one that is inside.
    HasOne,
    Gives,
}

impl<B: Bounds> YardOf<B> {
    pub(crate) fn new(slices: Slices, units: u32) -> Rc<Self> {
        Rc::new(Self {
            world: World::new(slices),
            word: SemaphoreWord::with_value(units),
            total: Cell::new(units),
            inside: Cell::new(0),
            written: core::array::from_fn(|_| Modelled::new(0)),
            data: Modelled::new(0),
            victim: Cell::new(Victim::HasNone),
        })
    }

    fn note(&self, at: &Attachment, victim: Victim) {
        if at.is_condemned() {
            self.victim.set(victim);
        }
    }

    /// Takes a unit, and checks that there was one.
    pub(crate) fn enter(&self, at: &Attachment, deadline: Deadline) -> Result<(), Error> {
        self.note(at, Victim::Takes);
        let answer = self.word.acquire(deadline);
        self.note(at, if answer.is_ok() { Victim::HasOne } else { Victim::HasNone });
        if answer.is_ok() {
            self.inside.set(self.inside.get() + 1);
            assert!(self.inside.get() <= self.total.get(), "more are inside than there are units");
        }
        answer
    }

    /// Writes what only one at a time may, where there is one unit, and gives the unit back.
    pub(crate) fn leave(&self, at: &Attachment) {
        life::step();
        if self.total.get() == 1 {
            self.data.set(self.data.get() + 1);
        }
        self.inside.set(self.inside.get() - 1);
        self.note(at, Victim::Gives);
        assert_eq!(self.word.release(1), Ok(()));
        self.note(at, Victim::HasNone);
    }

    pub(crate) fn use_it(&self, at: &Attachment) {
        assert_eq!(self.enter(at, Deadline::Never), Ok(()));
        self.leave(at);
    }

    /// Takes a unit for good.
    pub(crate) fn take(&self, at: &Attachment) {
        assert_eq!(self.enter(at, Deadline::Never), Ok(()));
    }

    /// Writes, and gives units that nobody had before.
    pub(crate) fn give(&self, at: &Attachment, count: u32) -> Result<(), Error> {
        life::step();
        self.written[at.slot()].set(1);
        self.total.set(self.total.get() + count); // from before its commit: a bound from above
        self.note(at, Victim::Gives);
        let answer = self.word.release(count);
        self.note(at, Victim::HasNone);
        if answer.is_err() {
            self.total.set(self.total.get() - count);
        }
        answer
    }

    pub(crate) fn give_one(&self, at: &Attachment) {
        assert_eq!(self.give(at, 1), Ok(()));
    }

    /// What came with the units of those in these slots is seen.
    pub(crate) fn reads(&self, slots: &[usize]) {
        life::step();
        slots.iter().for_each(|slot| assert_eq!(self.written[*slot].get(), 1));
    }

    /// When all have ended: no unit is lost, or doubled, but one that the victim was taking or
    /// giving.
    pub(crate) fn inspect(&self) {
        self.world.all_ended();
        let _ = self.word.word.latest(); // from here on nothing older is seen
        let units = self.word.value();
        assert!(units <= B::bound(&self.word.bound), "the bound was exceeded");
        let there = self.inside.get() + units;
        let missing = self.total.get().checked_sub(there);
        let can_miss_one = matches!(self.victim.get(), Victim::Takes | Victim::Gives);
        let is_so = missing == Some(0) || missing == Some(1) && can_miss_one;
        assert!(is_so, "units are lost or doubled: {missing:?}, {:?}", self.victim.get());
    }
}

impl<B: Bounds> Scene for YardOf<B> {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, _: &Attachment) {}
}
