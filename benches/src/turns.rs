//! Two processes that take turns, each waiting for the other's notify: a round trip is two waits,
//! two notifies, and what the kernel takes to go from one process to the other.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::io;

use purlin_sync::{Acquired, Condition, ReleasedByHolder};

use crate::sys::{Child, Shared, SharedCondition, tie_to_processor};

/// What two can take turns by.
pub trait TakesTurns {
    /// Waits until `whose` is `own`, makes it `other`, and notifies one. Failing to is a panic.
    fn take_turn(&self, whose: &AtomicU32, own: u32, other: u32);
}

impl<R: ReleasedByHolder> TakesTurns for Condition<R> {
    fn take_turn(&self, whose: &AtomicU32, own: u32, other: u32) {
        let acquired = self.lock().acquire(None).and_then(Acquired::sound);
        let mut guard = acquired.expect("the lock is sound");
        while whose.load(Relaxed) != own {
            let woken = self.wait(guard, None).expect("there is room");
            guard = woken.acquired.sound().expect("the lock is sound");
        }
        whose.store(other, Relaxed);
        self.notify_one().expect("it is held");
        drop(guard);
    }
}

impl TakesTurns for SharedCondition {
    fn take_turn(&self, whose: &AtomicU32, own: u32, other: u32) {
        self.mutex().lock().expect("the mutex is sound");
        while whose.load(Relaxed) != own {
            self.wait().expect("the mutex is held");
        }
        whose.store(other, Relaxed);
        self.signal().expect("it is a condition variable");
        self.mutex().unlock().expect("the mutex is held");
    }
}

/// Two on one processor, of which this process is one.
#[derive(Debug)]
pub struct Turns<T> {
    by: T,
    whose: Shared<AtomicU32>,
    /// Ends with this.
    _other: Child,
}

const OURS: u32 = 0;
const THEIRS: u32 = 1;

impl<T: TakesTurns> Turns<T> {
    /// Starts the other, and ties both to the first processor.
    ///
    /// # Errors
    /// What mmap(2), fork(2) or sched_setaffinity(2) answers.
    pub fn new(by: T) -> io::Result<Self> {
        let whose = Shared::<AtomicU32>::zeroed()?;
        tie_to_processor(0)?;
        let other = Child::fork(|ends| {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    ends.rest(); // until this process ends
                    std::process::abort()
                });
                loop {
                    by.take_turn(&whose, THEIRS, OURS);
                }
            })
        })?;
        Ok(Self { by, whose, _other: other })
    }

    /// One turn of each: ends when the other's is under way, and the next begins with its end.
    pub fn round_trip(&self) {
        self.by.take_turn(&self.whose, OURS, THEIRS);
    }
}
