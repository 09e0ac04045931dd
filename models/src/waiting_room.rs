//! The scene of the condition's models: a room in which some wait until it is made ready. Whoever
//! has it ready passes the news on to one more, and leaves.
//!
//! So everybody alive comes to an end if and only if no notification is lost: the one that made it
//! ready notifies once, and each that goes on notifies once.

use std::rc::Rc;

use loom::cell::Cell as Modelled;

use crate::cell::{AtomicU32, AtomicU64, Deadline, Error};
use crate::condition::{Pool, PoolHead, Woken};
use crate::exclusive::{ExclusiveWord, Told};
use crate::life::{Attachment, Scene, World};
use crate::lock::ByHolder;
use crate::sleepers::{Futex, Slices};

const CELL_COUNT: usize = 3;

pub(crate) struct WaitingRoom {
    world: World,
    lock: ExclusiveWord<ByHolder>,
    head: PoolHead,
    cells: [AtomicU64; CELL_COUNT],
    is_ready: Modelled<bool>,
}

impl WaitingRoom {
    pub(crate) fn new(slices: Slices) -> Rc<Self> {
        Rc::new(Self {
            world: World::with_looks_at_all(slices),
            lock: ExclusiveWord::default(),
            // Not a ticket that sweeps: it would be many steps more, with nothing to sweep.
            head: PoolHead { ticket: AtomicU32::new(1), reach: AtomicU32::new(0) },
            cells: core::array::from_fn(|_| AtomicU64::new(0)),
            is_ready: Modelled::new(false),
        })
    }

    fn pool(&self) -> Pool<'_> {
        Pool::new(&self.head, &self.cells)
    }

    fn acquire(&self, at: &Attachment) -> Told {
        self.lock.acquire(at, Deadline::Never).expect("no limit, no damage")
    }

    fn wait(&self, at: &Attachment, deadline: Deadline) -> Woken<Told> {
        self.pool().wait(&self.lock, at, deadline).expect("the lock is held, and there is room")
    }

    /// Notifies one, and leaves.
    fn pass_on(&self, at: &Attachment, told: Told) {
        let notified = self.pool().notify(&self.lock, at, 1);
        assert!(notified.is_ok_and(|count| count <= 1), "{notified:?}");
        self.leave(at, told);
    }

    fn leave(&self, at: &Attachment, told: Told) {
        if told == Told::OwnerDied {
            assert_eq!(self.lock.recover(at), Ok(()));
        }
        assert_eq!(self.lock.release(at), Ok(()));
    }

    /// Waits until it is ready.
    pub(crate) fn attend(&self, at: &Attachment) {
        let mut told = self.acquire(at);
        while !self.is_ready.get() {
            if told == Told::OwnerDied {
                assert_eq!(self.lock.recover(at), Ok(()));
            }
            let woken = self.wait(at, Deadline::Never);
            told = woken.acquired;
            assert!(woken.is_notified || told == Told::OwnerDied, "returned without a reason");
        }
        self.pass_on(at, told);
    }

    /// Waits until it is ready, or its limit passes. Who was not notified passes nothing on.
    pub(crate) fn attend_for_a_while(&self, at: &Attachment) {
        let told = self.acquire(at);
        if self.is_ready.get() {
            return self.leave(at, told);
        }
        let woken = self.wait(at, Deadline::FirstSleep);
        if woken.is_notified {
            self.pass_on(at, woken.acquired);
        } else {
            self.leave(at, woken.acquired);
        }
    }

    /// Makes it ready, and notifies one.
    pub(crate) fn prepare(&self, at: &Attachment) {
        let told = self.acquire(at);
        self.is_ready.set(true);
        self.pass_on(at, told);
    }

    /// When all have ended: nobody is left to notify, and the lock is as it was told.
    pub(crate) fn inspect(self: &Rc<Self>) {
        self.world.all_ended();
        let at = Attachment::new(self, None);
        let told = self.lock.acquire(&at, Deadline::Passed).expect("nobody who lives holds it");
        assert_eq!(self.pool().notify(&self.lock, &at, u32::MAX), Ok(0), "somebody waits");
        self.leave(&at, told);
        assert_eq!(self.pool().notify(&self.lock, &at, 1), Err(Error::NotOwner));
    }
}

impl Scene for WaitingRoom {
    fn world(&self) -> &World {
        &self.world
    }

    fn died(&self, _at: &Attachment) {}

    fn is_seen(&self) {
        let _ = self.lock.word.latest();
        self.cells.iter().for_each(|cell| _ = cell.latest());
    }
}
