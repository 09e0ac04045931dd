//! What is compared: things that let one caller in at a time.

use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

use purlin_sync::{ByHolder, Counting, Exclusive, Rules, Units};

use crate::sys::{BareLock, SharedMutex, SharedSemaphore};

/// Taking and giving back, with something between. Failing to is a panic: there is no figure then.
pub trait Pair {
    /// Takes, calls `inside`, gives back.
    fn with<R>(&self, inside: impl FnOnce() -> R) -> R;
}

/// One of purlin's locks, used as a user would who cannot repair: a guard, an error for a dead
/// owner.
#[derive(Debug)]
pub struct PurlinLock<K: Rules = ByHolder>(pub Exclusive<K>);

impl<K: Rules> Pair for PurlinLock<K> {
    #[inline]
    fn with<R>(&self, inside: impl FnOnce() -> R) -> R {
        let guard = black_box(&self.0).acquire(None).and_then(|acquired| acquired.sound());
        let _guard = guard.expect("the lock is sound");
        inside()
    }
}

/// One of purlin's semaphores, of one unit where it is to let one in at a time.
#[derive(Debug)]
pub struct PurlinSemaphore<K: Units>(pub Counting<K>);

impl<K: Units> Pair for PurlinSemaphore<K> {
    #[inline]
    fn with<R>(&self, inside: impl FnOnce() -> R) -> R {
        let _permit = black_box(&self.0).acquire(None).expect("the semaphore is sound");
        inside()
    }
}

/// A mutex of one process, for orientation only: it keeps out no other process, and knows of no
/// death.
#[derive(Debug, Default)]
pub struct StdMutex(Mutex<()>);

impl Pair for StdMutex {
    #[inline]
    fn with<R>(&self, inside: impl FnOnce() -> R) -> R {
        let _guard = black_box(&self.0).lock().unwrap_or_else(PoisonError::into_inner);
        inside()
    }
}

impl Pair for SharedMutex {
    #[inline]
    fn with<R>(&self, inside: impl FnOnce() -> R) -> R {
        let mutex = black_box(self);
        mutex.lock().expect("the mutex is sound");
        let answer = inside();
        mutex.unlock().expect("the mutex is held");
        answer
    }
}

impl Pair for BareLock {
    #[inline]
    fn with<R>(&self, inside: impl FnOnce() -> R) -> R {
        let lock = black_box(self);
        lock.lock();
        let answer = inside();
        lock.unlock();
        answer
    }
}

impl Pair for SharedSemaphore {
    #[inline]
    fn with<R>(&self, inside: impl FnOnce() -> R) -> R {
        let semaphore = black_box(self);
        semaphore.wait().expect("the semaphore is sound");
        let answer = inside();
        semaphore.post().expect("the semaphore is below its maximum");
        answer
    }
}
