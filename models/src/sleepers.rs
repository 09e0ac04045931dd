//! The kernel's side of a futex, and time.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;

use loom::thread::Thread;

use crate::fault::{self, Fault};
use crate::life;

/// How long a slice is. Each shows what the others hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slices {
    /// A sleep ends by itself as soon as there is something to see: the word has changed, or
    /// somebody has died. (Sooner, its caller would look at what it has seen, and sleep again.) The
    /// sleeper learns nothing by waking up, so the words alone must order what they guard. For two
    /// processes at most: of several that look again and again, loom may run any for ever.
    Pass,
    /// The same among three and more. In loom's eyes who ends a sleep also hands over what it has
    /// seen, so this says less about orderings.
    PassAmongMany,
    /// A sleep ends by a wake, by its caller's limit, or (once for each death) because the hour is
    /// over. If a wake is lost, loom finds a deadlock: the words do not live on their slices.
    Hour,
}

/// What can be slept on.
pub(crate) trait Futex {
    /// What the kernel sees: the latest value, whatever this process has seen of it.
    fn latest(&self) -> u32;

    /// Where it is.
    fn address(&self) -> *const ();
}

/// Who sleeps, in the order in which they fell asleep.
pub(crate) struct Sleepers {
    slices: Slices,
    asleep: RefCell<VecDeque<Sleeper>>,
    deaths: Cell<u32>,
    /// How often a word changed or somebody died.
    changes: Cell<u32>,
}

struct Sleeper {
    word: *const (),
    thread: Thread,
}

/// Sleeps on `word` while it is `seen`; `has_limit` when the caller's limit passes in this sleep.
pub(crate) fn wait(word: &impl Futex, seen: u32, has_limit: bool) {
    life::sleep_in(has_limit, |world, deaths_seen| {
        // loom switches threads at its own accesses only: between this comparison and the sleep
        // nothing comes, as under the kernel's lock.
        let is_changed = word.latest() != seen && !fault::is(Fault::SleepWithoutLook);
        if !is_changed && world.sleepers.deaths() == deaths_seen {
            world.sleepers.sleep(word, has_limit);
        }
    });
}

/// Wakes who has slept longest on `word`.
pub(crate) fn wake_one(word: &impl Futex) {
    life::in_world(|world| {
        if world.sleepers.slices == Slices::Hour {
            let _ = word.latest(); // the place in loom's order; what stands there matters to nobody
            world.sleepers.wake_first(word);
        }
    });
}

/// Wakes so many of those who sleep on `word`, or all if there are fewer.
pub(crate) fn wake_many(word: &impl Futex, count: u32) {
    life::in_world(|world| {
        if world.sleepers.slices == Slices::Hour {
            let _ = word.latest(); // as in `wake_one`
            let mut left = count;
            while left > 0 && world.sleepers.wake_first(word) {
                left -= 1;
            }
        }
    });
}

/// Notes that a word of the running process's world has changed.
pub(crate) fn changed() {
    life::in_world(|world| world.sleepers.note_change());
}

impl Sleepers {
    pub(crate) const fn new(slices: Slices) -> Self {
        let asleep = RefCell::new(VecDeque::new());
        Self { slices, asleep, deaths: Cell::new(0), changes: Cell::new(0) }
    }

    pub(crate) fn deaths(&self) -> u32 {
        self.deaths.get()
    }

    /// How many sleep until they are woken.
    pub(crate) fn count(&self) -> usize {
        self.asleep.borrow().len()
    }

    pub(crate) fn changes(&self) -> u32 {
        self.changes.get()
    }

    /// A death: every sleep ends, or has a slice behind it before it begins.
    pub(crate) fn note_death(&self) {
        self.deaths.set(self.deaths.get() + 1);
        self.changes.set(self.changes.get() + 1);
        self.wake_all();
    }

    fn note_change(&self) {
        self.changes.set(self.changes.get() + 1);
        if self.slices == Slices::PassAmongMany {
            self.wake_all();
        }
    }

    fn sleep(&self, word: &impl Futex, has_limit: bool) {
        match (self.slices, has_limit) {
            (Slices::Pass | Slices::PassAmongMany, true) => {}
            (Slices::Pass, false) => self.sleep_until_change(),
            (Slices::PassAmongMany | Slices::Hour, _) => self.sleep_until_wake(word, has_limit),
        }
    }

    /// Not by parking: who unparks in loom also hands over what it has seen.
    fn sleep_until_change(&self) {
        let before = self.changes.get();
        while self.changes.get() == before {
            loom::thread::yield_now();
        }
    }

    fn sleep_until_wake(&self, word: &impl Futex, has_limit: bool) {
        let thread = loom::thread::current();
        let id = thread.id();
        self.asleep.borrow_mut().push_back(Sleeper { word: word.address(), thread });
        if has_limit {
            let _ = word.latest(); // a wake comes before the limit, or after it
            self.asleep.borrow_mut().retain(|sleeper| sleeper.thread.id() != id);
        } else {
            loom::thread::park();
        }
    }

    fn wake_all(&self) {
        while let Some(sleeper) = self.asleep.borrow_mut().pop_front() {
            sleeper.thread.unpark();
        }
    }

    /// Whether there was one.
    fn wake_first(&self, word: &impl Futex) -> bool {
        let mut asleep = self.asleep.borrow_mut();
        let first = asleep.iter().position(|sleeper| sleeper.word == word.address());
        let sleeper = first.and_then(|first| asleep.remove(first));
        sleeper.map(|sleeper| sleeper.thread.unpark()).is_some()
    }
}
