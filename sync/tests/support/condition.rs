//! A condition over a lock of any kind, and those who wait for it.

use purlin_shm::{Place, Segment};
use purlin_sync::{Acquired, Condition, Exclusive, ReleasedByHolder, Told, Woken};

use super::{Cell, Child, LIMIT, Signal, idle};

pub(crate) const NOTIFIED: Woken<Told> = Woken { acquired: Told::Held, is_notified: true };
pub(crate) const TIMED_OUT: Woken<Told> = Woken { acquired: Told::Held, is_notified: false };
pub(crate) const OWNER_DIED: Woken<Told> = Woken { acquired: Told::OwnerDied, is_notified: false };
pub(crate) const BOTH: Woken<Told> = Woken { acquired: Told::OwnerDied, is_notified: true };

/// A condition over a lock in a segment with room, and a cell.
pub(crate) struct Scene<R: ReleasedByHolder> {
    pub(crate) segment: Segment,
    pub(crate) condition: Condition<R>,
    pub(crate) cell: Place<Cell>,
}

impl<R: ReleasedByHolder> Scene<R> {
    pub(crate) fn new() -> Self {
        Self::with_room(128)
    }

    pub(crate) fn with_room(waiter_count: u32) -> Self {
        let segment = Segment::anonymous(1 << 14).unwrap();
        let lock = Exclusive::<R>::new_in(&segment).unwrap();
        let condition = Condition::over_with_room(&lock, waiter_count).unwrap();
        let cell = Place::new_in(&segment).unwrap();
        Self { segment, condition, cell }
    }

    pub(crate) fn acquire(&self) -> Told {
        self.condition.lock().acquire(LIMIT).map(Acquired::keep).unwrap()
    }

    pub(crate) fn release(&self) {
        self.condition.lock().release().unwrap();
    }

    /// A child that waits once, leaves the lock, and is successful when its wait ended so.
    pub(crate) fn waiter(&self, expected: Woken<Told>) -> Child {
        let child = Child::run("waiter", || {
            self.acquire();
            let woken = self.condition.wait_kept(LIMIT);
            let is_left = self.condition.lock().recover().and(self.condition.lock().release());
            i32::from(woken != Ok(expected)) + 2 * i32::from(is_left.is_err())
        });
        child.sleeps_on_a_word();
        child
    }

    /// A child that holds the lock, has done `act` under it, and idles.
    pub(crate) fn holder(&self, act: impl FnOnce(&Self)) -> Child {
        let holds = Signal::new();
        let child = Child::run("holder", || {
            self.acquire();
            act(self);
            holds.give();
            idle()
        });
        holds.take("the holder to hold");
        child
    }

    pub(crate) fn notify(&self, count: u32) -> u32 {
        self.acquire();
        let notified = self.condition.notify(count).unwrap();
        self.release();
        notified
    }

    /// Writes into a cell of the condition, as a peer that means harm.
    pub(crate) fn forge(&self, index: u64, cell: u64) {
        use std::os::unix::fs::FileExt;
        let copy = self.segment.descriptor().try_clone_to_owned().expect("a descriptor");
        let place = self.condition.offset() + 16 + 16 + 8 * index;
        std::fs::File::from(copy).write_all_at(&cell.to_le_bytes(), place).expect("its file");
    }
}

/// Runs a test for each kind of lock that a condition is made over.
macro_rules! for_each_lock {
    ($($test:ident)+) => {
        mod over_lock {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::ByHolder>();
            })+
        }

        mod over_checked_lock {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::ByThread>();
            })+
        }

        mod over_rlock {
            $(#[test]
            fn $test() {
                super::$test::<purlin_sync::Reentrant>();
            })+
        }
    };
}

pub(crate) use for_each_lock;
