//! What can be built of futex(2) with the fewest instructions: what purlin's waiting is held
//! against. It knows no holder, hence no death, and sleeps without an end.

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::io;

use rustix::thread::futex;

use super::memory::Shared;

/// Words that several processes map.
const SHARED: futex::Flags = futex::Flags::empty();

const FREE: u32 = 0;
const HELD: u32 = 1;
const HELD_AND_WANTED: u32 = 2;

/// A lock of three states (U. Drepper, Futexes Are Tricky, 2011: the third of its mutexes), without
/// a spin.
#[derive(Debug)]
pub struct BareLock {
    word: Shared<AtomicU32>,
}

impl BareLock {
    /// A free one, in memory that forked children share.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn new() -> io::Result<Self> {
        Ok(Self { word: Shared::zeroed()? })
    }

    /// Takes it, waiting without a limit.
    #[inline]
    pub fn lock(&self) {
        // Acquire pairs with the Release in `unlock`. Relaxed when it fails: a swap follows.
        if self.word.compare_exchange(FREE, HELD, Acquire, Relaxed).is_err() {
            self.lock_slow();
        }
    }

    /// Gives it back, and wakes one that sleeps.
    #[inline]
    pub fn unlock(&self) {
        // Release pairs with the Acquire in `lock`.
        if self.word.swap(FREE, Release) == HELD_AND_WANTED {
            // It has no reason to fail.
            let _ = futex::wake(&self.word, SHARED, 1);
        }
    }

    #[cold]
    fn lock_slow(&self) {
        // Acquire as in `lock`. Ends: with the lock.
        while self.word.swap(HELD_AND_WANTED, Acquire) != FREE {
            // Whatever it answers, the word is looked at again.
            let _ = futex::wait(&self.word, SHARED, HELD_AND_WANTED, None);
        }
    }
}

/// A flag to wait for, in a word of its own, set once.
#[derive(Debug)]
pub struct BareFlag {
    word: Shared<AtomicU32>,
}

impl BareFlag {
    /// One that is not set, in memory that forked children share.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn new() -> io::Result<Self> {
        Ok(Self { word: Shared::zeroed()? })
    }

    /// Waits until it is set.
    pub fn wait(&self) {
        // Acquire pairs with the Release in `set`. Ends: when it is set.
        while self.word.load(Acquire) == 0 {
            let _ = futex::wait(&self.word, SHARED, 0, None); // as in `lock_slow`
        }
    }

    /// Sets it, and wakes all that sleep.
    pub fn set(&self) {
        self.word.store(1, Release); // pairs with the Acquire in `wait`
        let _ = futex::wake(&self.word, SHARED, i32::MAX.unsigned_abs());
    }
}

/// A number from one to another, who sleeps until it is there.
#[derive(Debug)]
pub struct BareMail {
    word: Shared<AtomicU32>,
}

impl BareMail {
    /// One with nothing in it, in memory that forked children share.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn new() -> io::Result<Self> {
        Ok(Self { word: Shared::zeroed()? })
    }

    /// Puts a number that is not zero, over what is there.
    pub fn put(&self, number: u32) {
        self.word.store(number, Release); // pairs with the Acquire in `take`
        let _ = futex::wake(&self.word, SHARED, 1); // it has no reason to fail
    }

    /// Takes the number, waiting for one.
    pub fn take(&self) -> u32 {
        // Ends: when one was put.
        loop {
            // Acquire pairs with the Release in `put`.
            match self.word.swap(0, Acquire) {
                0 => {
                    let _ = futex::wait(&self.word, SHARED, 0, None); // as in `lock_slow`
                }
                number => return number,
            }
        }
    }
}
