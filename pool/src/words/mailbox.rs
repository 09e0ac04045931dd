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
//! state. Inputs and outputs stand in a ring each. The steps, and what is left by whom who is
//! killed at which, are in ARCHITECTURE.md.
#![expect(unsafe_code, reason = "a promise about the layout, argued here")]

use core::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

use purlin_shm::{Carry, Luggage, Object, Place, Shared};
use purlin_sync::Deadline;
use purlin_sync::parts::{EventCount, Wait};

use super::bodies::{Bodies, UNIT_BYTES, units_of};
use super::space::Space;
use crate::error::Error;

/// How many tasks a worker may have been handed.
pub(crate) const SLOT_COUNT: usize = 32;

const FREE: u32 = 0;
const READY: u32 = 1;
const BEGUN: u32 = 2;
const DONE: u32 = 3;

/// The words behind a [`Mailbox`]. All zeros is one with nothing in it.
//
// 0      4         8          12      16             24      24 + 40 a slot
// | news | is over | is ready | zeros | output taken | slots | inputs | outputs
#[repr(C)]
pub(crate) struct MailboxWords {
    news: EventCount,
    is_over: AtomicU32,
    is_ready: AtomicU32,
    zeros: AtomicU32,
    /// How many units of outputs the owner has taken, in all.
    output_taken: AtomicU64,
    slots: [Slot; SLOT_COUNT],
}

// 0       4         8          16          24          32
// | state | function| input at | input len | output at | output len |
#[repr(C)]
struct Slot {
    state: AtomicU32,
    function: AtomicU32,
    input_at: AtomicU64,
    input_len: AtomicU64,
    output_at: AtomicU64,
    output_len: AtomicU64,
}

const _: () = assert!(size_of::<MailboxWords>() == 24 + 40 * SLOT_COUNT);
const _: () = assert!(align_of::<MailboxWords>() == 8);

// SAFETY: `repr(C)`, of atomics and of words that are one atomic each; zeros and any other bits are
// valid values of them.
unsafe impl Shared for MailboxWords {}

impl Object for MailboxWords {
    const KIND: u16 = 41;
    const VERSION: u16 = 1;
    type Row = AtomicU64;
}

/// What a slot says to the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Unbegun,
    Begun,
    Done,
}

/// A handle of a mailbox.
#[derive(Clone)]
pub(crate) struct Mailbox {
    place: Place<MailboxWords>,
}

/// Where a worker is in its mailbox.
pub(crate) struct Reader {
    slot: usize,
    outputs: Space,
    /// How many units of outputs it has put, in all.
    put_count: u64,
}

/// Where an input was put.
#[derive(Clone, Copy)]
pub(crate) struct Input {
    at: u64,
    unit_count: u64,
}

impl Mailbox {
    /// One whose inputs, and whose outputs, have so many bytes at most, rounded up to a page.
    pub(crate) fn new(body_max_bytes: usize) -> Result<Self, Error> {
        let body_units = body_max_bytes.next_multiple_of(4096) / UNIT_BYTES;
        Ok(Self { place: Place::new_sparse_with(2 * body_units, |_, _| ())? })
    }

    /// The owner's ring of inputs, with nothing in it.
    pub(crate) fn input_space(&self) -> Space {
        Space::new(self.inputs().unit_count())
    }

    /// H1 to H3: hands a task over in a free slot. `None` when there is no room for its input
    /// before others are done.
    ///
    /// # Errors
    /// * [`Error::TooLarge`], [`Error::OutOfResources`]: nothing was handed over.
    pub(crate) fn hand(
        &self,
        slot: usize,
        space: &mut Space,
        function: u32,
        input: &[u8],
    ) -> Result<Option<Input>, Error> {
        let unit_count = units_of(input.len());
        if !space.could_fit(unit_count) {
            return Err(Error::TooLarge { len: input.len() });
        }
        self.inputs().give_surplus(space);
        let Some(at) = space.take(unit_count) else { return Ok(None) };
        if let Err(error) = self.inputs().prepare(space, at, unit_count) {
            space.take_back(at, unit_count);
            return Err(error);
        }
        self.inputs().write(at, input); // H1
        let words = self.slot(slot);
        // Relaxed, all: published by H2.
        words.function.store(function, Relaxed);
        words.input_at.store(at, Relaxed);
        words.input_len.store(input.len() as u64, Relaxed);
        words.state.store(READY, Release); // H2, the commit; pairs with W1
        self.tell(); // H3. Killed before: the worker ends with its owner
        Ok(Some(Input { at, unit_count }))
    }

    /// S1: takes the youngest task back if nobody has begun it; whether it did.
    pub(crate) fn take_back(&self, slot: usize, space: &mut Space, input: Input) -> bool {
        // Relaxed, both: the owner has all that it had written.
        let taken = self.slot(slot).state.compare_exchange(READY, FREE, Relaxed, Relaxed);
        if taken.is_ok() {
            space.take_back(input.at, input.unit_count);
        }
        taken.is_ok()
    }

    /// What stands in a slot that something was handed over in.
    #[inline]
    pub(crate) fn look(&self, slot: usize) -> Seen {
        // Acquire pairs with W3: the output is seen.
        match self.slot(slot).state.load(Acquire) {
            READY | FREE => Seen::Unbegun,
            DONE => Seen::Done,
            _ => Seen::Begun,
        }
    }

    /// C1 and C2: what came of the oldest task, which is done; its slot is free.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a place or a length that no worker leaves.
    pub(crate) fn collect(
        &self,
        slot: usize,
        space: &mut Space,
        input: Input,
    ) -> Result<Vec<u8>, Error> {
        let words = self.slot(slot);
        // Relaxed, both: ordered by the load of `look`.
        let (at, len) = (words.output_at.load(Relaxed), words.output_len.load(Relaxed));
        let output = self.outputs().read(at, len);
        space.free(input.unit_count);
        let unit_count = units_of(output.as_ref().map_or(0, Vec::len));
        // Release: it was read before the worker writes there again; pairs with `room`.
        self.place.output_taken.fetch_add(unit_count, Release);
        words.state.store(FREE, Relaxed); // C2. Relaxed: it is this side that writes there next
        if unit_count > 0 {
            self.tell(); // the worker may wait for room
        }
        output
    }

    /// After the worker's death: all slots are free.
    pub(crate) fn clear(&self) {
        for words in &self.place.slots {
            words.state.store(FREE, Relaxed); // Relaxed: the next worker is started after this
        }
        let words = &self.place;
        // Relaxed, all: as above.
        words.is_over.store(0, Relaxed);
        words.is_ready.store(0, Relaxed);
        words.output_taken.store(0, Relaxed);
    }

    /// The worker says that it begins to take tasks.
    pub(crate) fn set_ready(&self) {
        self.place.is_ready.store(1, Relaxed); // Relaxed: it guards nothing
    }

    /// Whether its worker has ever begun to take tasks.
    pub(crate) fn is_ready(&self) -> bool {
        self.place.is_ready.load(Relaxed) != 0 // Relaxed: as above
    }

    /// Tells the worker to end when it has nothing more to do.
    pub(crate) fn end(&self) {
        self.place.is_over.store(1, Release); // Release: after what was handed over
        self.tell();
    }

    fn tell(&self) {
        fence(SeqCst); // SeqCst: between the change and the look at the flag, see `EventCount`
        self.place.news.notify(1);
    }

    /// A worker's start.
    pub(crate) fn reader(&self) -> Reader {
        Reader { slot: 0, outputs: Space::new(self.outputs().unit_count()), put_count: 0 }
    }

    /// W1: the worker's next task, its function and its input, waiting for one. `None` when it is
    /// to end.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a place or a length that no owner leaves.
    pub(crate) fn next(&self, reader: &Reader) -> Result<Option<(u32, Vec<u8>)>, Error> {
        self.wait(|| {
            if let Some(begun) = self.begin(reader.slot) {
                return Some(begun.map(Some));
            }
            // SeqCst: after the flag of `prepare`. Acquire: what was handed over before is seen.
            if self.place.is_over.load(SeqCst) == 0 {
                return None;
            }
            // What was handed over before that was said, and after the look above.
            Some(self.begin(reader.slot).transpose())
        })?
    }

    fn begin(&self, slot: usize) -> Option<Result<(u32, Vec<u8>), Error>> {
        let words = self.slot(slot);
        // SeqCst: after the flag of `prepare`; Acquire pairs with H2. Relaxed: nothing was read.
        words.state.compare_exchange(READY, BEGUN, SeqCst, Relaxed).ok()?;
        // Relaxed, all: ordered by W1.
        let (at, len) = (words.input_at.load(Relaxed), words.input_len.load(Relaxed));
        let input = self.inputs().read(at, len);
        Some(input.map(|input| (words.function.load(Relaxed), input)))
    }

    /// W2 to W3: says what came of the task that was begun, waiting for room. The caller rings.
    ///
    /// # Errors
    /// * [`Error::TooLarge`], [`Error::OutOfResources`]: nothing was said.
    pub(crate) fn answer(&self, reader: &mut Reader, output: &[u8]) -> Result<(), Error> {
        let at = self.room(reader, output.len())?;
        let unit_count = units_of(output.len());
        if let Err(error) = self.outputs().prepare(&mut reader.outputs, at, unit_count) {
            reader.outputs.take_back(at, unit_count);
            return Err(error);
        }
        self.outputs().write(at, output);
        reader.put_count += unit_count;
        let words = self.slot(reader.slot);
        // Relaxed, both: published by W3.
        words.output_at.store(at, Relaxed);
        words.output_len.store(output.len() as u64, Relaxed);
        words.state.store(DONE, Release); // W3, the commit; pairs with `look`
        reader.slot = (reader.slot + 1) % SLOT_COUNT;
        Ok(())
    }

    /// Where the next output goes.
    fn room(&self, reader: &mut Reader, len: usize) -> Result<u64, Error> {
        let unit_count = units_of(len);
        if !reader.outputs.could_fit(unit_count) {
            return Err(Error::TooLarge { len });
        }
        self.wait(|| {
            // SeqCst: after the flag of `prepare`; Acquire pairs with `collect`: it was read.
            let taken_count = self.place.output_taken.load(SeqCst);
            reader.outputs.set_used(reader.put_count.wrapping_sub(taken_count));
            self.outputs().give_surplus(&mut reader.outputs);
            reader.outputs.take(unit_count)
        })
    }

    /// Looks until there is something, asleep in between.
    fn wait<T>(&self, mut look: impl FnMut() -> Option<T>) -> Result<T, Error> {
        let mut wait = Wait::new(0, Deadline::never());
        // Ends: with what is looked for; each sleep is a slice at most. Nobody else sleeps here.
        loop {
            let key = if wait.spins() { None } else { Some(self.place.news.prepare()) };
            if let Some(found) = look() {
                return Ok(found);
            }
            if let Some(key) = key {
                self.place.news.sleep(key, &mut wait).map_err(|_| Error::Damaged)?;
            }
        }
    }

    fn slot(&self, slot: usize) -> &Slot {
        &self.place.slots[slot % SLOT_COUNT]
    }

    fn inputs(&self) -> Bodies<'_, MailboxWords> {
        Bodies { place: &self.place, units: 0..self.place.row().len() / 2 }
    }

    fn outputs(&self) -> Bodies<'_, MailboxWords> {
        let half = self.place.row().len() / 2;
        Bodies { place: &self.place, units: half..2 * half }
    }
}

impl Carry for Mailbox {
    fn pack(&self, luggage: &mut Luggage) -> Result<(), purlin_shm::Error> {
        self.place.pack(luggage)
    }

    fn unpack(luggage: &mut Luggage) -> Result<Self, purlin_shm::Error> {
        Place::unpack(luggage).map(|place| Self { place })
    }
}
