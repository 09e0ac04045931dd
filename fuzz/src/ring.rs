//! A queue of any kind whose words and messages a peer writes over while it is used.
//!
//! | bytes | what they say |
//! |---|---|
//! | 0 | the kind: 0 `Queue`, 1 `JoinableQueue`, 2 and 3 these without a bound, 4 `Spsc` |
//! | 1 | of a step: below 0x80 a call, see [`call`] and [`Ends::call`], and 1 byte of its size |
//! | 1 | else 0x80 and how many bytes are written: |
//! | 2 | where: below 0x400 into the object from its header on, else into its ring |
//! | … | the bytes; more steps follow |
//!
//! A token of this process in a lock is taken out again: it says that another thread is amid a
//! call, for which each other one would wait.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use purlin_channel::{
    Batch, Error, JoinableQueue, LARGE_BYTES, Queue, Receiver, Reservation, Sender, Spsc,
};
use purlin_shm::Segment;

use super::input::Input;

const WRITES: u8 = 0x80;
const RING: u64 = 0x400;
/// Before the words of an object.
const OBJECT_HEADER_BYTES: u64 = 16;
const QUEUE_WORDS_BYTES: u64 = 880;
const SPSC_WORDS_BYTES: u64 = 624;
/// Where the locks of a queue are, in its words.
const LOCKS: [u64; 2] = [8, 120];
/// A ring whose pages are taken begins at a multiple of this.
const PAGES_ALIGN_BYTES: u64 = 1 << 16;
/// How far into an unbounded one's ring is written.
const REACH_BYTES: u64 = 1 << 14;

const COUNT: usize = 4;
const SIZE: usize = 40;
/// Messages that are copied outside of the locks.
const LARGE_SIZE: usize = LARGE_BYTES + 16;
/// Room for any of the queues that have a bound.
const SEGMENT_BYTES: u64 = 1 << 18;
const STEPS_MAX: usize = 64;

/// Does with a queue what the input says, and what a peer would. Says `damaged` or `incompatible`
/// if any call was told so, and `whole` if none was.
pub fn run(data: &[u8]) -> &'static str {
    let mut input = Input::new(data);
    let told = match input.byte() % 5 {
        4 => run_spsc(input),
        kind => run_queue(kind, input),
    };
    match told {
        Told { damaged: true, .. } => "damaged",
        Told { incompatible: true, .. } => "incompatible",
        Told { .. } => "whole",
    }
}

/// What any call has said so far.
#[derive(Default)]
struct Told {
    damaged: bool,
    incompatible: bool,
}

impl Told {
    fn note<T>(&mut self, answer: Result<T, Error>) -> Option<T> {
        self.damaged |= matches!(answer, Err(Error::Damaged));
        self.incompatible |= matches!(answer, Err(Error::Incompatible));
        answer.ok()
    }

    fn hear<T>(&mut self, answer: Result<T, Error>) {
        self.note(answer);
    }
}

/// A queue; of one that counts what was done, also that.
struct Used {
    queue: Queue,
    joinable: Option<JoinableQueue>,
}

impl From<JoinableQueue> for Used {
    fn from(joinable: JoinableQueue) -> Self {
        Self { queue: (*joinable).clone(), joinable: Some(joinable) }
    }
}

impl From<Queue> for Used {
    fn from(queue: Queue) -> Self {
        Self { queue, joinable: None }
    }
}

impl Used {
    fn make(kind: u8) -> Self {
        match kind {
            0 => Queue::bounded_in(&segment(), COUNT, SIZE).expect("a queue").into(),
            1 => JoinableQueue::bounded_in(&segment(), COUNT, LARGE_SIZE).expect("a queue").into(),
            2 => Queue::unbounded(1).expect("a queue").into(),
            _ => JoinableQueue::unbounded(1).expect("a queue").into(),
        }
    }

    fn open_again(&self) -> Result<Self, Error> {
        let (segment, offset) = (self.queue.segment(), self.queue.offset());
        match self.joinable {
            Some(_) => JoinableQueue::open(&segment, offset).map(Self::from),
            None => Queue::open(&segment, offset).map(Self::from),
        }
    }
}

/// One for the queue alone: what is written may reach beyond its object, and would be another's in
/// the segment that a process keeps for all of them.
fn segment() -> Segment {
    Segment::anonymous(SEGMENT_BYTES).expect("a segment")
}

fn run_queue(kind: u8, mut input: Input<'_>) -> Told {
    let mut used = Used::make(kind);
    let (segment, offset) = (used.queue.segment(), used.queue.offset());
    let row = offset + OBJECT_HEADER_BYTES + QUEUE_WORDS_BYTES;
    let ring = if kind < 2 { row } else { row.next_multiple_of(PAGES_ALIGN_BYTES) };
    let peer = Peer { segment, offset, ring, locks: &LOCKS };
    let mut told = Told::default();
    for _ in 0..STEPS_MAX {
        match input.byte() {
            0 if input.is_over() => break,
            step @ WRITES.. => peer.write(&mut input, step),
            step => call(&mut used, step, input.byte(), &mut told),
        }
    }
    told
}

/// A call of a queue, none of which waits; `size` says of how many bytes, or of how many times 200
/// where the message may be a large one.
fn call(used: &mut Used, step: u8, size: u8, told: &mut Told) {
    let now = Duration::ZERO;
    let large = usize::from(size) * 200;
    let (queue, size) = (&used.queue, usize::from(size));
    let message = vec![step; large];
    match step % 16 {
        0 => told.hear(queue.try_send(&message[..size])),
        1 => told.hear(queue.try_recv()),
        2 => told.hear(queue.recv_into(&mut vec![0; size], now)),
        3 => told.hear(queue.send_many(&[&message[..size], b"two", b""], now)),
        4 => told.hear(queue.recv_many(&mut Batch::with_room(3, size), now)),
        5 => told.hear(queue.reserve(size, now).and_then(written)),
        6 => told.hear(queue.reserve(size, now)),
        7 => told.hear(queue.recv_ref(now).and_then(|lent| {
            std::hint::black_box(lent.iter().max());
            lent.finish()
        })),
        8 => told.hear(queue.recv_ref(now).map(|lent| lent.give_back())),
        9 => told.hear(queue.len().and(queue.is_full()).and(queue.is_empty())),
        10 => told.hear(queue.shutdown()),
        11 => told.hear(queue.shutdown_now()),
        12 => {
            if let Some(opened) = told.note(used.open_again()) {
                *used = opened;
            }
        }
        13 => told.hear(queue.try_send(&message)),
        14 => {
            if let Some(joinable) = &used.joinable {
                told.hear(joinable.task_done());
            }
        }
        _ => {
            if let Some(joinable) = &used.joinable {
                told.hear(joinable.join(now));
            }
        }
    }
}

fn written(mut place: Reservation<'_>) -> Result<(), Error> {
    place.fill(7);
    place.commit()
}

fn run_spsc(mut input: Input<'_>) -> Told {
    let queue = Spsc::bounded_in(&segment(), COUNT, SIZE).expect("a queue");
    let (segment, offset) = (queue.segment(), queue.offset());
    let ring = offset + OBJECT_HEADER_BYTES + SPSC_WORDS_BYTES;
    let peer = Peer { segment, offset, ring, locks: &[] };
    let mut ends = Ends { queue, sender: None, receiver: None };
    let mut told = Told::default();
    for _ in 0..STEPS_MAX {
        match input.byte() {
            0 if input.is_over() => break,
            step @ WRITES.. => peer.write(&mut input, step),
            step => ends.call(step, input.byte(), &mut told),
        }
    }
    told
}

/// A queue of one to one, and what this process has of it.
struct Ends {
    queue: Spsc,
    sender: Option<Sender>,
    receiver: Option<Receiver>,
}

impl Ends {
    /// A call that does not wait; `size` says of how many bytes.
    fn call(&mut self, step: u8, size: u8, told: &mut Told) {
        let now = Duration::ZERO;
        let message = vec![step; usize::from(size)];
        let (sender, receiver) = (self.sender.as_mut(), self.receiver.as_mut());
        match step % 8 {
            0 => self.sender = told.note(self.queue.sender(now)).or(self.sender.take()),
            1 => self.receiver = told.note(self.queue.receiver(now)).or(self.receiver.take()),
            2 => {
                if let Some(end) = sender {
                    told.hear(end.try_send(&message));
                }
            }
            3 => {
                if let Some(end) = receiver {
                    told.hear(end.try_recv());
                }
            }
            4 => {
                let mut buffer = message;
                if let Some(end) = receiver {
                    told.hear(end.recv_into(&mut buffer, now));
                }
            }
            5 => self.sender = None,
            6 => self.receiver = None,
            _ => {
                let opened = Spsc::open(&self.queue.segment(), self.queue.offset());
                if let Some(opened) = told.note(opened) {
                    self.queue = opened;
                }
            }
        }
    }
}

/// Somebody who writes to the segment what he likes.
struct Peer<'a> {
    segment: Segment,
    offset: u64,
    ring: u64,
    locks: &'a [u64],
}

impl Peer<'_> {
    fn write(&self, input: &mut Input<'_>, step: u8) {
        let place = input.number(2);
        let at = match place.checked_sub(RING) {
            None => self.offset + place,
            Some(place) => self.ring + place % REACH_BYTES,
        };
        let file = self.file();
        // Refused beyond the end of a sealed file.
        let _ = file.write_all_at(input.bytes(usize::from(step & !WRITES)), at);
        let me = self.segment.attachment().token().to_ne_bytes();
        for lock in self.locks {
            let at = self.offset + OBJECT_HEADER_BYTES + lock;
            let mut word = [0; 4];
            if file.read_exact_at(&mut word, at).is_ok() && holder(word) == holder(me) {
                let _ = file.write_all_at(&[0; 4], at);
            }
        }
    }

    fn file(&self) -> File {
        let descriptor = self.segment.descriptor().as_fd().try_clone_to_owned();
        File::from(descriptor.expect("a descriptor"))
    }
}

/// What a lock's word says of who has it, without its flags.
fn holder(word: [u8; 4]) -> u32 {
    u32::from_ne_bytes(word) & ((1 << 30) - 1)
}
