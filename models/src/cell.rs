//! What the words stand on when they are modelled: the names of `purlin-sync`'s own `cell`, with
//! bodies that loom schedules. Every access to shared memory and every system call is one step of
//! the process that makes it, and a process can be stopped before any of its steps.

use core::convert::Infallible;
use core::time::Duration;

use loom::sync::atomic as modelled;
pub(crate) use loom::sync::atomic::Ordering;
pub(crate) use purlin_shm::is_issued;

use crate::fault::{self, Fault};
use crate::life;
pub(crate) use crate::life::Attachment;
use crate::sleepers::{self, Futex};

/// Few enough to be reached.
pub(crate) const RLOCK_DEPTH_MAX_COUNT: u32 = 2;

/// One bit of its word is a flag.
pub(crate) const SEMAPHORE_VALUE_MAX: u32 = (1 << 31) - 1;

/// One look before the first sleep, so that the spinning is in the models too.
pub(crate) const SPIN_LIMIT_ITERATIONS: u32 = 1;
/// None after a sleep: it would be the same look again.
pub(crate) const SPIN_AGAIN_ITERATIONS: u32 = 0;
/// More than any model has parties.
pub(crate) const WATCH_COUNT: usize = 8;
/// Time does not count here: see [`Deadline`].
pub(crate) const INNER_PATIENCE_NANOS: u64 = 1_000_000_000;
pub(crate) const NAP_NANOS: u64 = 1_000_000;
/// The clock goes on when a death is about to be seen, and not before: see [`now_nanos`].
pub(crate) const DEATH_UNSEEN_NANOS: u64 = 1;

/// An atomic each of whose accesses is a step. An exchange goes by way of the planted faults.
macro_rules! stepped {
    ($name:ident, $value:ty) => {
        #[expect(unreachable_pub, reason = "the words say in public what they are made of")]
        pub struct $name(modelled::$name);

        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self(modelled::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                life::step();
                self.0.load(fault::load_ordering(order))
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                life::step();
                fault::exchange(&self.0, current.into(), new.into(), (success, failure))
                    .inspect(|_| sleepers::changed())
                    .map(|seen| seen as $value)
                    .map_err(|seen| seen as $value)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new(0)
            }
        }

        impl Futex for $name {
            fn latest(&self) -> u32 {
                // Relaxed: the kernel's look orders nothing for its caller.
                self.0.fetch_or(0, Ordering::Relaxed) as u32
            }

            fn address(&self) -> *const () {
                core::ptr::from_ref(self).cast()
            }
        }
    };
}

stepped!(AtomicU32, u32);
stepped!(AtomicU64, u64);

impl AtomicU32 {
    /// A store is for words that nobody sleeps on: it is no change that a sleeper looks for.
    pub(crate) fn store(&self, value: u32, order: Ordering) {
        life::step();
        if !fault::store_is_lost() {
            self.0.store(value, fault::store_ordering(order));
        }
    }

    pub(crate) fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
        life::step();
        let before = self.0.fetch_or(value, fault::ordering(order));
        if before | value != before {
            sleepers::changed(); // else two that look again and again would wake each other
        }
        before
    }

    pub(crate) fn fetch_and(&self, value: u32, order: Ordering) -> u32 {
        life::step();
        let before = if fault::is(Fault::ClearByStore) {
            let before = self.0.load(order);
            self.0.store(before & value, Ordering::Release);
            before
        } else {
            self.0.fetch_and(value, fault::ordering(order))
        };
        sleepers::changed();
        before
    }
}

impl AtomicU64 {
    /// A step. What is stored is slept on by nobody. Not a store of loom's: for loom that may come
    /// before a read-modify-write which it has not seen, as a look of the kernel's at the word is
    /// here, and who stored it would read what was there before.
    pub(crate) fn store(&self, value: u64, order: Ordering) {
        if let Some(half) = fault::half_of(&self.0, value) {
            life::step();
            self.0.swap(half, order);
        }
        life::step();
        self.0.swap(value, fault::store_ordering(order));
    }

    pub(crate) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        life::step();
        self.0.fetch_add(value, fault::store_ordering(order))
    }
}

pub(crate) fn fence(order: Ordering) {
    life::step();
    if !fault::is(Fault::AcquireForgotten) {
        modelled::fence(order);
    }
}

/// What makes two `SeqCst` accesses keep their order, since loom takes them for weaker ones. Its
/// partner is the one between the other side's two. No step: what ships has nothing in its place.
pub(crate) fn between_accesses() {
    if !fault::is(Fault::FenceForgotten) {
        modelled::fence(Ordering::SeqCst);
    }
}

/// What ships has a fence there; it is no step: a kill between it and the access before changes
/// nothing.
pub(crate) fn fence_after_prepare() {
    between_accesses();
}

/// Nothing: the spins are few, and loom lets others run at the next look in any case.
pub(crate) const fn spin(_turns: u32) {}

/// What a caller without a limit may sleep at a time; a limit is shorter. How time passes is the
/// world's matter, see [`sleepers::Slices`].
const SLICE: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_secs(1);

pub(crate) const fn slice(_sleeps: u32) -> Duration {
    SLICE
}

/// `futex(2)`, waiting: see [`sleepers`].
pub(crate) fn wait(word: &AtomicU32, seen: u32, limit: Duration) -> Result<(), Error> {
    sleep(word, seen, limit)
}

/// The same on the lower half of a word.
pub(crate) fn wait_lower(word: &AtomicU64, seen: u32, limit: Duration) -> Result<(), Error> {
    sleep(word, seen, limit)
}

fn sleep(word: &impl Futex, seen: u32, limit: Duration) -> Result<(), Error> {
    life::step();
    sleepers::wait(word, seen, limit < SLICE);
    Ok(())
}

/// `futex(2)`, waking: see [`sleepers`].
pub(crate) fn wake_one(word: &AtomicU32) {
    if fault::is(Fault::BatonForgotten) {
        return; // of a semaphore whose units have no owners it is the only one
    }
    wake(word);
}

/// The same for so many.
pub(crate) fn wake_many(word: &AtomicU32, count: u32) {
    life::step();
    if !fault::is(Fault::WakeForgotten) && !fault::is_baton_lost() {
        sleepers::wake_many(word, count);
    }
}

/// The same on the lower half of a word.
pub(crate) fn wake_one_lower(word: &AtomicU64) {
    wake(word);
}

/// The same for all who sleep.
pub(crate) fn wake_all(word: &AtomicU32) {
    if fault::is(Fault::OneOfAllWoken) {
        return wake(word);
    }
    wake_many(word, u32::MAX);
}

fn wake(word: &impl Futex) {
    life::step();
    if !fault::is(Fault::WakeForgotten) {
        sleepers::wake_one(word);
    }
}

/// Which thread of its process is running: see [`life`].
pub(crate) fn thread_number() -> u32 {
    if fault::is(Fault::ThreadForgotten) { 1 } else { life::thread_number() }
}

/// The monotonic clock, as far as the words care: whether a death can be seen of somebody who ran
/// then. No step, for what it reads is nobody's memory.
pub(crate) fn now_nanos() -> u64 {
    if fault::is(Fault::TimesStayRecent) { 0 } else { life::now() }
}

/// When a call gives up. There is no clock in a model: a limit passes while its caller sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    Never,
    Passed,
    /// Passes during the first sleep, whether a wake came in it or not.
    FirstSleep,
}

impl Deadline {
    pub(crate) const fn never() -> Self {
        Self::Never
    }

    pub(crate) const fn passed() -> Self {
        Self::Passed
    }

    pub(crate) fn start(self) -> Self {
        self
    }

    /// Nobody stands still in a model, so a second is as long as it takes.
    pub(crate) const fn at_least(self, _: Duration) -> Self {
        Self::Never
    }

    pub(crate) fn remaining(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Passed => Some(Duration::ZERO),
            Self::FirstSleep if life::is_limit_passed() => Some(Duration::ZERO),
            Self::FirstSleep => Some(LIMIT),
        }
    }
}

/// The time that is given to who may stand still: as in [`at_least`](Deadline::at_least).
impl From<Duration> for Deadline {
    fn from(_: Duration) -> Self {
        Self::Never
    }
}

/// The kinds of error that a word can answer here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    TimedOut,
    BarrierBroken,
    NotOwner,
    OverReleased,
    WouldDeadlock,
    OutOfRange,
    InvalidArgument,
    Damaged,
    OutOfResources,
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
