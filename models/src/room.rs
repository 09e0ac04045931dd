//! The scene of the lock's models: a room that one process at a time may be in, and a ledger beside
//! it of what is true. The ledger is outside the model: it is exact, and costs no interleavings.

use core::cell::Cell;
use std::rc::Rc;

use loom::cell::Cell as Modelled;

use crate::bits::{self, Bits};
use crate::cell::{Deadline, Error, Ordering};
use crate::exclusive::{ExclusiveWord, Steps, Told};
use crate::life::{self, Attachment, Scene, World};
use crate::lock::ByHolder;
use crate::sleepers::Slices;

/// What the lock guards is written in two steps; loom notes it when a read or a write of it is not
/// ordered after the last one, so the models check the orderings too.
pub(crate) struct RoomOf<S: Steps> {
    world: World,
    pub(crate) word: ExclusiveWord<S>,
    left: Modelled<u32>,
    right: Modelled<u32>,
    /// Who is inside, as the word names it; 0 for nobody.
    inside: Cell<u64>,
    /// How often both sides were written.
    written: Cell<u32>,
    warning: Cell<Warning>,
    /// An owner has made its last step, and the kernel is not done with it.
    is_unburied: Cell<bool>,
    /// The token of a stranger that is amid a release, 0 for nobody.
    releaser: Cell<u32>,
}

/// What the next holder is told, in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Warning {
    Nothing,
    /// An owner died, and nobody has vouched since.
    OwnerDied,
    /// An owner died amid a stranger's release: before it, or after.
    Either,
}

/// The room of a plain lock.
pub(crate) type Room = RoomOf<ByHolder>;

impl<S: Steps> RoomOf<S> {
    pub(crate) fn new(slices: Slices) -> Rc<Self> {
        Self::in_world(World::new(slices))
    }

    pub(crate) fn in_world(world: World) -> Rc<Self> {
        Rc::new(Self {
            world,
            word: ExclusiveWord::default(),
            left: Modelled::new(0),
            right: Modelled::new(0),
            inside: Cell::new(0),
            written: Cell::new(0),
            warning: Cell::new(Warning::Nothing),
            is_unburied: Cell::new(false),
            releaser: Cell::new(0),
        })
    }

    /// Acquires; checks that nobody else is inside and that what was told is so.
    pub(crate) fn enter(&self, at: &Attachment, deadline: Deadline) -> Result<Told, Error> {
        self.look_around(at, self.word.acquire(at, deadline)?)
    }

    /// What comes after an acquire that succeeded: see [`enter`](Self::enter).
    fn look_around(&self, at: &Attachment, told: Told) -> Result<Told, Error> {
        self.note_entry(at, told);
        let (left, right) = (self.left.get(), self.right.get());
        if told == Told::Held {
            assert_eq!((left, right), (self.written.get(), self.written.get()), "torn");
        }
        Ok(told)
    }

    /// [`enter`](Self::enter) without a look at what is inside.
    pub(crate) fn come_in(&self, at: &Attachment, deadline: Deadline) -> Result<Told, Error> {
        let told = self.word.acquire(at, deadline)?;
        self.note_entry(at, told);
        Ok(told)
    }

    fn note_entry(&self, at: &Attachment, told: Told) {
        assert_eq!(self.inside.replace(S::owner(at.token())), 0, "two holders");
        self.compare(told);
    }

    /// Holds what was told against the truth. Where there are two, one has been chosen.
    fn compare(&self, told: Told) {
        let truth = match self.warning.get() {
            Warning::Nothing => Told::Held,
            Warning::OwnerDied => Told::OwnerDied,
            Warning::Either => told,
        };
        assert_eq!(told, truth, "what was told is not so");
        let chosen = if told == Told::Held { Warning::Nothing } else { Warning::OwnerDied };
        self.warning.set(chosen);
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
        self.warning.set(Warning::Nothing); // its commit was the last step
    }

    pub(crate) fn leave(&self, at: &Attachment) {
        self.inside.set(0);
        assert_eq!(self.word.release(at), Ok(()));
    }

    /// Leaves with all levels of its hold, which must be so many.
    pub(crate) fn give_up(&self, at: &Attachment, depth: u32) {
        self.inside.set(0);
        assert_eq!(self.word.release_fully(at), Ok(depth), "the levels that were given up");
    }

    /// Comes back to a hold of so many levels; otherwise as [`enter`](Self::enter).
    pub(crate) fn come_back(&self, at: &Attachment, depth: u32) -> Result<Told, Error> {
        self.look_around(at, self.word.acquire_at_depth(at, Deadline::Never, depth)?)
    }

    /// Leaves, and lets somebody else release.
    pub(crate) fn hand_over(&self) {
        self.inside.set(0);
    }

    /// Releases what another has handed over.
    pub(crate) fn release_for_another(&self, at: &Attachment) -> Result<(), Error> {
        self.releaser.set(at.token());
        if self.is_unburied.get() && self.warning.get() == Warning::OwnerDied {
            self.warning.set(Warning::Either); // who asks now is told that it lives
        }
        let answer = self.word.release(at);
        self.releaser.set(0); // its commit, or its refusal, is over
        answer
    }

    /// Gives the lock up without having left.
    pub(crate) fn abandon(&self, at: &Attachment) {
        self.inside.set(0);
        // From its first step on: killed before, it is a dead owner.
        self.warning.set(Warning::OwnerDied);
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

    /// Who is named by the word, now and not as this process has seen it last: by an exchange that
    /// changes nothing.
    fn owner_now(&self) -> u64 {
        let word = self.word.word.compare_exchange(0, 0, Ordering::Relaxed, Ordering::Relaxed);
        bits::owner(word.unwrap_or_else(|word| word))
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

impl<S: Steps> Scene for RoomOf<S> {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, at: &Attachment) {
        if self.owner_now() == S::owner(at.token()) {
            self.is_unburied.set(true);
            let is_open = self.releaser.get() != 0;
            self.warning.set(if is_open { Warning::Either } else { Warning::OwnerDied });
        }
        if self.releaser.get() == at.token() {
            self.releaser.set(0);
            if self.warning.get() == Warning::Either && self.owner_now() != 0 {
                self.warning.set(Warning::OwnerDied); // it did not come to release
            }
        }
        if self.inside.get() == S::owner(at.token()) {
            self.inside.set(0);
        }
    }

    fn is_buried(&self) {
        self.is_unburied.set(false);
    }
}
