//! A worker's mailbox: the tasks that it was handed, and what came of them.
//!
//! ```text
//!            owner                          worker
//! FREE       H1 input; H2 state = READY --> W1 CAS(READY -> BEGUN)
//! READY      S1 CAS(READY -> FREE)          W2 runs it; output
//! DONE       C1 output; C2 state = FREE <-- W3 state = DONE;  W4 rings
//! ```
//!
//! Each slot has one of both at a time, by its state. The steps and who may be killed at which are
//! in ARCHITECTURE.md.
#![expect(unsafe_code, reason = "a promise about the layout, argued here")]

use core::ops::Range;
use core::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

use purlin_shm::{Carry, Luggage, Object, Place, Shared};
use purlin_sync::Deadline;
use purlin_sync::parts::{EventCount, Wait};

use crate::error::Error;
use crate::limits::{BODY_KEPT_BYTES, BODY_STEP_BYTES};

/// How many tasks a worker may have been handed: one to run, one to go on with.
pub(crate) const SLOT_COUNT: usize = 2;

const FREE: u32 = 0;
const READY: u32 = 1;
const BEGUN: u32 = 2;
const DONE: u32 = 3;

/// The words behind a [`Mailbox`]. All zeros is one with nothing in it.
//
// 0      4         8          12      16      16 + 24 a slot
// | news | is over | is ready | zeros | slots | bodies
#[repr(C)]
pub(crate) struct MailboxWords {
    news: EventCount,
    is_over: AtomicU32,
    is_ready: AtomicU32,
    zeros: AtomicU32,
    slots: [Slot; SLOT_COUNT],
}

// 0       4         8           16            24
// | state | function| input len | output len |
#[repr(C)]
struct Slot {
    state: AtomicU32,
    function: AtomicU32,
    input_len: AtomicU64,
    output_len: AtomicU64,
}

const _: () = assert!(size_of::<MailboxWords>() == 64 && align_of::<MailboxWords>() == 8);

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

/// Which body of a slot.
#[derive(Clone, Copy)]
enum Body {
    Input,
    Output,
}

const UNIT_BYTES: usize = 8;

impl Mailbox {
    /// One whose bodies have so many bytes at most, rounded up to a page.
    pub(crate) fn new(body_max_bytes: usize) -> Result<Self, Error> {
        let body_units = body_max_bytes.next_multiple_of(4096) / UNIT_BYTES;
        let place = Place::new_sparse_with(2 * SLOT_COUNT * body_units, |_, _| ())?;
        Ok(Self { place })
    }

    /// H1 to H3: hands a task over in a free slot.
    ///
    /// # Errors
    /// * [`Error::TooLarge`], [`Error::OutOfResources`]: nothing was handed over.
    pub(crate) fn hand(&self, slot: usize, function: u32, input: &[u8]) -> Result<(), Error> {
        let words = self.slot(slot);
        self.write(slot, Body::Input, input)?; // H1
        // Relaxed, both: published by H2.
        words.function.store(function, Relaxed);
        words.input_len.store(input.len() as u64, Relaxed);
        words.state.store(READY, Release); // H2, the commit; pairs with W1
        self.tell(); // H3. Killed before: the worker ends with its owner
        Ok(())
    }

    /// S1: takes a task back that nobody has begun; whether it did.
    pub(crate) fn take_back(&self, slot: usize) -> bool {
        // Relaxed, both: the owner has all that it had written.
        self.slot(slot).state.compare_exchange(READY, FREE, Relaxed, Relaxed).is_ok()
    }

    /// What stands in a slot that something was handed over in.
    pub(crate) fn look(&self, slot: usize) -> Seen {
        // Acquire pairs with W3: the output is seen.
        match self.slot(slot).state.load(Acquire) {
            READY | FREE => Seen::Unbegun,
            DONE => Seen::Done,
            _ => Seen::Begun,
        }
    }

    /// C1 and C2: what came of a task that is done; the slot is free.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a length that no worker leaves.
    pub(crate) fn collect(&self, slot: usize) -> Result<Vec<u8>, Error> {
        let words = self.slot(slot);
        // Relaxed, both: ordered by the load of `look`.
        let len = words.output_len.load(Relaxed);
        let input_len = words.input_len.load(Relaxed);
        let output = self.read(slot, Body::Output, len);
        self.give(slot, Body::Output, len);
        self.give(slot, Body::Input, input_len);
        words.state.store(FREE, Release); // C2. Release: before the worker writes there again
        output
    }

    /// After the worker's death: all slots are free.
    pub(crate) fn clear(&self) {
        for words in &self.place.slots {
            words.state.store(FREE, Relaxed); // Relaxed: the next worker is started after this
        }
        self.place.is_over.store(0, Relaxed); // as above
        self.place.is_ready.store(0, Relaxed); // as above
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

    /// W1: the worker's next task, and its function and its input, waiting for one. `None` when it
    /// is to end.
    ///
    /// # Errors
    /// * [`Error::Damaged`] for a length that no owner leaves.
    pub(crate) fn next(&self, slot: usize) -> Result<Option<(u32, Vec<u8>)>, Error> {
        let mut wait = Wait::new(0, Deadline::never());
        let mut has_slept = false;
        // Ends: with a task, or when it is over; each sleep is a slice at most.
        loop {
            let is_spin = !has_slept && wait.spins();
            let key = if is_spin { None } else { Some(self.place.news.prepare()) };
            if let Some(begun) = self.begin(slot) {
                return begun.map(Some);
            }
            let Some(key) = key else { continue };
            // SeqCst: after the flag. Acquire: what was handed over before is seen.
            if self.place.is_over.load(SeqCst) != 0 {
                // What was handed over before that was said, and after the look above.
                return self.begin(slot).transpose();
            }
            if self.place.news.sleep(key, &mut wait).is_err() {
                return Err(Error::Damaged);
            }
            has_slept = true;
        }
    }

    fn begin(&self, slot: usize) -> Option<Result<(u32, Vec<u8>), Error>> {
        let words = self.slot(slot);
        // SeqCst: after the flag of `prepare`; Acquire pairs with H2. Relaxed: nothing was read.
        words.state.compare_exchange(READY, BEGUN, SeqCst, Relaxed).ok()?;
        // Relaxed, both: ordered by W1.
        let function = words.function.load(Relaxed);
        let input = self.read(slot, Body::Input, words.input_len.load(Relaxed));
        Some(input.map(|input| (function, input)))
    }

    /// W2 to W3: says what came of the task that was begun. The caller rings.
    ///
    /// # Errors
    /// * [`Error::TooLarge`], [`Error::OutOfResources`]: nothing was said.
    pub(crate) fn answer(&self, slot: usize, output: &[u8]) -> Result<(), Error> {
        let words = self.slot(slot);
        self.write(slot, Body::Output, output)?;
        words.output_len.store(output.len() as u64, Relaxed); // Relaxed: published by W3
        words.state.store(DONE, Release); // W3, the commit; pairs with `look`
        Ok(())
    }

    fn slot(&self, slot: usize) -> &Slot {
        &self.place.slots[slot % SLOT_COUNT]
    }

    fn body_units(&self) -> usize {
        self.place.row().len() / (2 * SLOT_COUNT)
    }

    /// The units of a body.
    fn units(&self, slot: usize, body: Body) -> Range<usize> {
        let count = self.body_units();
        let start = (slot % SLOT_COUNT * 2 + body as usize) * count;
        start..start + count
    }

    /// Where a part of a body is, in bytes from the start of the segment.
    fn bytes_at(&self, slot: usize, body: Body, part: Range<u64>) -> Range<u64> {
        let start = self.place.row_offset() + (self.units(slot, body).start * UNIT_BYTES) as u64;
        start + part.start..start + part.end
    }

    fn write(&self, slot: usize, body: Body, bytes: &[u8]) -> Result<(), Error> {
        let units = &self.place.row()[self.units(slot, body)];
        let body_max_bytes = units.len() * UNIT_BYTES;
        if bytes.len() > body_max_bytes {
            return Err(Error::TooLarge { len: bytes.len() });
        }
        let len = bytes.len() as u64;
        if len > 0 {
            let end = len.next_multiple_of(BODY_STEP_BYTES).min(body_max_bytes as u64);
            let range = self.bytes_at(slot, body, 0..end);
            self.place.attachment().take_pages(range, end)?;
        }
        write_units(units, bytes);
        Ok(())
    }

    fn read(&self, slot: usize, body: Body, len: u64) -> Result<Vec<u8>, Error> {
        let units = &self.place.row()[self.units(slot, body)];
        let len = usize::try_from(len).map_err(|_| Error::Damaged)?;
        if len > units.len() * UNIT_BYTES {
            return Err(Error::Damaged);
        }
        Ok(read_units(units, len))
    }

    /// Gives back what a large body took beyond what is kept.
    fn give(&self, slot: usize, body: Body, len: u64) {
        let end = (self.body_units() * UNIT_BYTES) as u64;
        if len > BODY_KEPT_BYTES && BODY_KEPT_BYTES < end {
            let range = self.bytes_at(slot, body, BODY_KEPT_BYTES..end);
            // What is not given back is used again.
            let _ = self.place.attachment().give_pages(range);
        }
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

fn write_units(units: &[AtomicU64], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<UNIT_BYTES>();
    for (unit, chunk) in units.iter().zip(whole) {
        unit.store(u64::from_le_bytes(*chunk), Relaxed); // Relaxed: published by a state
    }
    if let Some(unit) = units.get(whole.len()).filter(|_| !rest.is_empty()) {
        let mut last = [0; UNIT_BYTES];
        last[..rest.len()].copy_from_slice(rest);
        unit.store(u64::from_le_bytes(last), Relaxed); // Relaxed: as above
    }
}

fn read_units(units: &[AtomicU64], len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len.next_multiple_of(UNIT_BYTES));
    // Relaxed: ordered by the load of a state.
    let words = units[..len.div_ceil(UNIT_BYTES)].iter().map(|unit| unit.load(Relaxed));
    bytes.extend(words.flat_map(u64::to_le_bytes));
    bytes.truncate(len);
    bytes
}
