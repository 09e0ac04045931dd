//! A worker's mailbox: the tasks that it was handed, and what came of them.
//!
//! ```text
//!            owner                          worker
//! FREE       H1 input; H2 state = READY --> W1 CAS(READY -> BEGUN)
//! READY      S1 CAS(READY -> FREE)          W2 runs it; output
//! DONE       C1 output; C2 state = FREE <-- W3 state = DONE;  W4 rings
//! ```
//!
//! Slots are used one after the other, by both. Each belongs to one of both at a time, by its
//! state. Inputs and outputs stand in a ring each, beyond these words. The steps, and what is left
//! by whom who is killed at which, are in ARCHITECTURE.md.

use super::cell::{
    AtomicU32, AtomicU64, Deadline, Error, EventCount,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    SLOT_COUNT, Wait, fence, spin,
};

const FREE: u32 = 0;
const READY: u32 = 1;
const BEGUN: u32 = 2;
const DONE: u32 = 3;

/// All zeros is one with nothing in it.
//
// 0      4         8          12     16             24
// | news | is over | is ready | room | output taken | slots
#[derive(Default)]
#[repr(C)]
pub(crate) struct MailboxWords {
    /// What the worker sleeps on for tasks.
    pub(super) news: EventCount,
    is_over: AtomicU32,
    is_ready: AtomicU32,
    /// What the worker sleeps on for room for an output.
    pub(super) room: EventCount,
    /// How many units of outputs the owner has taken, in all.
    output_taken: AtomicU64,
    slots: [Slot; SLOT_COUNT],
}

// 0       4         8          16          24          32
// | state | function| input at | input len | output at | output len |
#[derive(Default)]
#[repr(C)]
struct Slot {
    state: AtomicU32,
    function: AtomicU32,
    input_at: AtomicU64,
    input_len: AtomicU64,
    output_at: AtomicU64,
    output_len: AtomicU64,
}

/// What a slot says to the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Unbegun,
    Begun,
    Done,
}

/// Where in its ring an input or an output is. What comes from a slot is checked by who follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// In units from the start of the ring.
    pub(super) at: u64,
    pub(super) len_bytes: u64,
}

/// The owner's side.
impl MailboxWords {
    /// H2 and H3: hands a task over in a free slot, whose input is there.
    pub(super) fn hand(&self, slot: usize, function: u32, input: Body) {
        let words = self.slot(slot);
        // Relaxed, all: published by H2.
        words.function.store(function, Relaxed);
        words.input_at.store(input.at, Relaxed);
        words.input_len.store(input.len_bytes, Relaxed);
        words.state.store(READY, Release); // H2, the commit; pairs with W1
        tell(&self.news, 1); // H3. Killed before: the worker ends with its owner
    }

    /// S1: takes a task back if nobody has begun it; whether it did.
    pub(super) fn take_back(&self, slot: usize) -> bool {
        // Relaxed, both: the owner has all that it had written.
        self.slot(slot).state.compare_exchange(READY, FREE, Relaxed, Relaxed).is_ok()
    }

    /// What stands in a slot that something was handed over in.
    #[inline]
    pub(super) fn look(&self, slot: usize) -> Seen {
        // Acquire pairs with W3: the output is seen.
        match self.slot(slot).state.load(Acquire) {
            READY | FREE => Seen::Unbegun,
            DONE => Seen::Done,
            _ => Seen::Begun,
        }
    }

    /// Where the output of a task is that is done.
    pub(super) fn output(&self, slot: usize) -> Body {
        let words = self.slot(slot);
        // Relaxed, both: ordered by the load of `look`.
        let (at, len_bytes) = (words.output_at.load(Relaxed), words.output_len.load(Relaxed));
        Body { at, len_bytes }
    }

    /// C2: its output was read, of so many units; the slot is free.
    pub(super) fn free(&self, slot: usize, unit_count: u64) {
        // Release: it was read before the worker writes there again; pairs with `room`.
        self.output_taken.fetch_add(unit_count, Release);
        // Relaxed: it is this side that writes there next.
        self.slot(slot).state.store(FREE, Relaxed);
        if unit_count > 0 {
            tell(&self.room, 1); // the worker may wait for it
        }
    }

    /// After the worker's death: all slots are free.
    pub(super) fn clear(&self) {
        for words in &self.slots {
            words.state.store(FREE, Relaxed); // Relaxed: the next worker is started after this
        }
        // Relaxed, all: as above.
        self.is_over.store(0, Relaxed);
        self.is_ready.store(0, Relaxed);
        self.output_taken.store(0, Relaxed);
    }

    /// Whether its worker has ever begun to take tasks.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready.load(Relaxed) != 0 // Relaxed: it guards nothing
    }

    /// E1: tells the worker to end when it has nothing more to do.
    pub(super) fn end(&self) {
        self.is_over.store(1, Release); // Release: after what was handed over
        tell(&self.news, 1);
    }
}

/// The worker's side.
impl MailboxWords {
    /// The worker says that it begins to take tasks.
    pub(super) fn set_ready(&self) {
        self.is_ready.store(1, Relaxed); // Relaxed: as in `is_ready`
    }

    /// W1: the next task, its function and its input, waiting for one: after so many looks, asleep.
    /// `None` when it is to end.
    ///
    /// # Errors
    /// * [`Error::Damaged`] when the kernel refuses a sleep.
    pub(super) fn next(&self, slot: usize, look_count: u32) -> Result<Option<(u32, Body)>, Error> {
        wait(&self.news, look_count, || {
            if let Some(begun) = self.begin(slot) {
                return Some(Some(begun));
            }
            // SeqCst: after the flag of `prepare`. Acquire: what was handed over before is seen.
            if self.is_over.load(SeqCst) == 0 {
                return None;
            }
            // What was handed over before that was said, and after the look above.
            Some(self.begin(slot))
        })
    }

    fn begin(&self, slot: usize) -> Option<(u32, Body)> {
        let words = self.slot(slot);
        // SeqCst: after the flag of `prepare`; Acquire pairs with H2. Relaxed: nothing was read.
        words.state.compare_exchange(READY, BEGUN, SeqCst, Relaxed).ok()?;
        // Relaxed, all: ordered by W1.
        let (at, len_bytes) = (words.input_at.load(Relaxed), words.input_len.load(Relaxed));
        Some((words.function.load(Relaxed), Body { at, len_bytes }))
    }

    /// Waits until `fits`, which gets how many units of outputs were taken in all, says where the
    /// next one goes.
    ///
    /// # Errors
    /// * As [`next`](Self::next).
    pub(super) fn room<T>(
        &self,
        look_count: u32,
        mut fits: impl FnMut(u64) -> Option<T>,
    ) -> Result<T, Error> {
        // SeqCst: after the flag of `prepare`; Acquire pairs with `free`: it was read.
        wait(&self.room, look_count, || fits(self.output_taken.load(SeqCst)))
    }

    /// W3: the task that was begun is done, and its output there. The caller rings.
    pub(super) fn done(&self, slot: usize, output: Body) {
        let words = self.slot(slot);
        // Relaxed, both: published by W3.
        words.output_at.store(output.at, Relaxed);
        words.output_len.store(output.len_bytes, Relaxed);
        words.state.store(DONE, Release); // W3, the commit; pairs with `look`
    }

    fn slot(&self, slot: usize) -> &Slot {
        &self.slots[slot % SLOT_COUNT]
    }
}

/// Wakes so many who sleep there, after a change.
pub(super) fn tell(who: &EventCount, count: u32) {
    fence(SeqCst); // SeqCst: between the change and the look at the flag, see `EventCount`
    who.notify(count);
}

/// Looks until there is something: once, so often with a moment before, and then asleep in between.
/// Nobody but the worker sleeps there; who finds something before has not said that it may sleep.
fn wait<T>(
    on: &EventCount,
    look_count: u32,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, Error> {
    for turn in 0..=look_count {
        if turn > 0 {
            spin();
        }
        if let Some(found) = look() {
            return Ok(found);
        }
    }
    let mut wait = Wait::new(0, Deadline::never());
    // Ends: with what is looked for; each sleep is a slice at most.
    loop {
        let key = on.prepare();
        if let Some(found) = look() {
            return Ok(found);
        }
        on.sleep(key, &mut wait).map_err(|_| Error::Damaged)?;
    }
}
