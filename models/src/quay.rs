//! The scene of the tracked semaphore's models: a quay with a berth for each permit, and a ledger
//! beside it of who lies there in truth.

use core::cell::Cell;
use std::rc::Rc;

use loom::cell::Cell as Modelled;

use crate::cell::{AtomicU32, Deadline, Error};
use crate::event_count::EventCount;
use crate::exclusive::Told;
use crate::life::{self, Attachment, Scene, World};
use crate::sleepers::{Futex, Slices};
use crate::tracked::{Permits, Taken};

pub(crate) struct Quay {
    world: World,
    freed: EventCount,
    permits: Vec<AtomicU32>,
    berths: Vec<Berth>,
}

struct Berth {
    /// The token of who lies there; 0 for nobody.
    inside: Cell<u32>,
    /// Whether the next one is told that an owner died.
    has_died: Cell<bool>,
    /// What each owner writes; loom notes it when that is not ordered after the last one's.
    data: Modelled<u32>,
}

impl Quay {
    pub(crate) fn new(slices: Slices, units: usize) -> Rc<Self> {
        let berth =
            |_| Berth { inside: Cell::new(0), has_died: Cell::new(false), data: Modelled::new(0) };
        Rc::new(Self {
            world: World::new(slices),
            freed: EventCount::default(),
            permits: (0..units).map(|_| AtomicU32::new(0)).collect(),
            berths: (0..units).map(berth).collect(),
        })
    }

    pub(crate) fn words(&self) -> Permits<'_> {
        Permits { freed: &self.freed, permits: &self.permits }
    }

    /// Takes a unit; checks that nobody else has it and that what was told is so.
    pub(crate) fn enter(&self, at: &Attachment, deadline: Deadline) -> Result<usize, Error> {
        let Taken { told, index } = self.words().acquire(at, at.token(), 0, deadline)?;
        let berth = &self.berths[index];
        assert_eq!(berth.inside.replace(at.token()), 0, "two have one unit");
        let truth = if berth.has_died.replace(false) { Told::OwnerDied } else { Told::Held };
        assert_eq!(told, truth, "what was told is not so");
        Ok(index)
    }

    /// Writes, a step, and gives the unit back.
    pub(crate) fn leave(&self, at: &Attachment, index: usize) {
        self.leave_by(at, index, index);
    }

    fn leave_by(&self, at: &Attachment, index: usize, hint: usize) {
        self.write(index);
        self.berths[index].inside.set(0);
        assert_eq!(self.words().release(at.token(), hint, 1), Ok(index), "what was given back");
    }

    /// Uses a unit, and does not remember which.
    pub(crate) fn use_and_forget(&self, at: &Attachment) {
        let index = self.enter(at, Deadline::Never).expect("no limit, no damage");
        self.leave_by(at, index, 0);
    }

    fn write(&self, index: usize) {
        life::step();
        let data = &self.berths[index].data;
        data.set(data.get() + 1);
    }

    pub(crate) fn use_it(&self, at: &Attachment) {
        let index = self.enter(at, Deadline::Never).expect("no limit, no damage");
        self.leave(at, index);
    }

    /// Uses a unit, if there is one before the limit passes.
    pub(crate) fn visit(&self, at: &Attachment) {
        match self.enter(at, Deadline::FirstSleep) {
            Ok(index) => self.leave(at, index),
            Err(error) => assert_eq!(error, Error::TimedOut),
        }
    }

    /// Takes a unit, and keeps it.
    pub(crate) fn take(&self, at: &Attachment) {
        let index = self.enter(at, Deadline::Never).expect("no limit, no damage");
        self.write(index);
    }

    /// Gives all units back at once, for their only owner.
    pub(crate) fn leave_all(&self, at: &Attachment) {
        life::step();
        self.berths.iter().for_each(|berth| berth.is_left_by(at));
        let count = self.permits.len().try_into().expect("units are few");
        assert!(self.words().release(at.token(), 0, count).is_ok());
    }

    /// Takes a unit, and leaves it as if it had died.
    pub(crate) fn abandon(&self, at: &Attachment) {
        let index = self.enter(at, Deadline::Never).expect("no limit, no damage");
        self.write(index);
        self.berths[index].is_left_by(at);
        // From its first step on: killed before, it is a dead owner.
        self.berths[index].has_died.set(true);
        self.words().abandon(at.token());
    }

    pub(crate) fn all_ended(&self) {
        self.world.all_ended();
    }

    /// When all have ended: all units can be had at once, and what is told is so.
    pub(crate) fn inspect(self: &Rc<Self>) {
        self.all_ended();
        let at = Attachment::new(self, None);
        life::act_as(&at, || {
            for permit in &self.permits {
                let _ = permit.latest(); // from here on nothing older is seen
            }
            for _ in &self.permits {
                let index = self.enter(&at, Deadline::Passed).expect("nobody who lives has it");
                self.write(index);
            }
            assert_eq!(self.words().value(), 0);
        });
    }
}

impl Berth {
    fn is_left_by(&self, at: &Attachment) {
        if self.inside.get() == at.token() {
            self.inside.set(0);
        }
    }
}

impl Scene for Quay {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, at: &Attachment) {
        for (berth, permit) in self.berths.iter().zip(&self.permits) {
            berth.is_left_by(at);
            if permit.latest() == at.token() {
                berth.has_died.set(true);
            }
        }
    }
}
