//! The scene of the lock's models: a room that one process at a time may be in, and a ledger beside
//! it of what is true. The ledger is outside the model: it is exact, and costs no interleavings.

use core::cell::Cell;
use std::rc::Rc;

use loom::cell::Cell as Modelled;

use crate::cell::{Deadline, Error};
use crate::life::{self, Attachment, Scene, World};
use crate::lock::{LockWord, Told};
use crate::sleepers::Slices;

/// What the lock guards is written in two steps; loom notes it when a read or a write of it is not
/// ordered after the last one, so the models check the orderings too.
pub(crate) struct Room {
    world: World,
    pub(crate) word: LockWord,
    left: Modelled<u32>,
    right: Modelled<u32>,
    /// The token of who is inside, 0 for nobody.
    inside: Cell<u32>,
    /// How often both sides were written.
    written: Cell<u32>,
    /// An owner died, and nobody has vouched since.
    is_suspect: Cell<bool>,
}

impl Room {
    pub(crate) fn new(slices: Slices) -> Rc<Self> {
        Self::in_world(World::new(slices))
    }

    pub(crate) fn in_world(world: World) -> Rc<Self> {
        Rc::new(Self {
            world,
            word: LockWord::default(),
            left: Modelled::new(0),
            right: Modelled::new(0),
            inside: Cell::new(0),
            written: Cell::new(0),
            is_suspect: Cell::new(false),
        })
    }

    /// Acquires; checks that nobody else is inside and that what was told is so.
    pub(crate) fn enter(&self, at: &Attachment, deadline: Deadline) -> Result<Told, Error> {
        let told = self.word.acquire(at, deadline)?;
        assert_eq!(self.inside.replace(at.token()), 0, "two holders");
        let truth = if self.is_suspect.get() { Told::OwnerDied } else { Told::Held };
        assert_eq!(told, truth, "what was told is not so");
        let (left, right) = (self.left.get(), self.right.get());
        if told == Told::Held {
            assert_eq!((left, right), (self.written.get(), self.written.get()), "torn");
        }
        Ok(told)
    }

    /// Writes both sides, a step each.
    pub(crate) fn write(&self) {
        life::step();
        self.left.set(self.left.get() + 1);
        life::step();
        self.right.set(self.right.get() + 1);
        self.written.set(self.written.get() + 1);
    }

    /// Makes the sides equal and vouches for them.
    pub(crate) fn repair(&self, at: &Attachment) {
        life::step();
        self.right.set(self.left.get());
        self.written.set(self.left.get());
        assert_eq!(self.word.recover(at), Ok(()));
        self.is_suspect.set(false); // its commit was the last step
    }

    pub(crate) fn leave(&self, at: &Attachment) {
        self.inside.set(0);
        assert_eq!(self.word.release(at), Ok(()));
    }

    /// Gives the lock up without having left.
    pub(crate) fn abandon(&self, at: &Attachment) {
        self.inside.set(0);
        self.is_suspect.set(true); // from its first step on: killed before, it is a dead owner
        self.word.abandon(at);
    }

    /// A whole use of the room by somebody who can repair.
    pub(crate) fn use_it(&self, at: &Attachment) {
        let told = self.enter(at, Deadline::Never).expect("no limit, no damage");
        self.go_on(at, told);
    }

    /// What comes after a successful [`enter`](Self::enter).
    pub(crate) fn go_on(&self, at: &Attachment, told: Told) {
        if told == Told::OwnerDied {
            self.repair(at);
        }
        self.write();
        self.leave(at);
    }

    pub(crate) fn all_ended(&self) {
        self.world.all_ended();
    }

    /// When all have ended: the lock can be had at once, and what is told is so.
    pub(crate) fn inspect(self: &Rc<Self>) {
        self.all_ended();
        let at = Attachment::new(self, None);
        let told = self.enter(&at, Deadline::Passed).expect("nobody who lives holds it");
        self.go_on(&at, told);
    }
}

impl Scene for Room {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, at: &Attachment) {
        if self.word.is_mine(at) {
            self.is_suspect.set(true);
        }
        if self.inside.get() == at.token() {
            self.inside.set(0);
        }
    }
}
