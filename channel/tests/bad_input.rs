//! What nobody should ask for, and what no peer should have written.

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use core::time::Duration;

use purlin_channel::{Error, QUEUE_COUNT_MAX, QUEUE_RING_MAX_BYTES, Queue};
use purlin_shm::{Object, Place, Segment, Shared};

#[test]
fn sizes_that_cannot_be_are_refused() {
    // shows: queue-bound-too-big-refused, queue-item-larger-than-capacity
    let most = QUEUE_COUNT_MAX as usize;
    for (count, size) in [
        (0, 8),
        (most + 1, 0),
        (usize::MAX, 0),
        (1, usize::MAX),
        (1, QUEUE_RING_MAX_BYTES as usize),
        (most, most),
        (1 << 32, 1 << 32),
    ] {
        assert_eq!(
            Queue::bounded(count, size).err(),
            Some(Error::InvalidArgument),
            "{count} {size}"
        );
    }
    let small = Segment::anonymous(4096).unwrap();
    assert_eq!(Queue::bounded_in(&small, 1000, 1000).err(), Some(Error::OutOfResources));
}

#[test]
fn deadlines_of_any_size_are_understood() {
    // shows: queue-timeout-zero-does-not-wait, queue-timeout-huge-accepted
    let queue = Queue::bounded(1, 8).unwrap();
    assert_eq!(queue.recv(Duration::ZERO), Err(Error::Empty));
    queue.send(b"x", Duration::MAX).unwrap();
    assert_eq!(queue.send(b"x", Duration::ZERO), Err(Error::Full));
    assert_eq!(queue.recv(Duration::MAX), Ok(b"x".to_vec()));
}

/// The words of a queue as a peer that means harm sees them: so many of 64 bits.
#[repr(C)]
pub(crate) struct Spoiled {
    pub(crate) words: [AtomicU64; 110],
}

#[expect(unsafe_code, reason = "a peer that writes what it likes")]
// SAFETY: `repr(C)`, atomics only.
unsafe impl Shared for Spoiled {}

impl Object for Spoiled {
    const KIND: u16 = 16;
    const VERSION: u16 = 2;
    type Row = AtomicU64;
}

const TAIL: usize = 0;
const HEAD: usize = 14;

#[test]
fn spoiled_words_are_told_and_never_followed() {
    let values = [0, 1, 2, 7, 1 << 35, (1 << 36) - 1, 1 << 36, u64::MAX >> 1, u64::MAX, 5 << 60];
    for (tail, head, first) in values.into_iter().flat_map(|tail| {
        values.into_iter().flat_map(move |head| values.into_iter().map(move |x| (tail, head, x)))
    }) {
        let queue = Queue::bounded(4, 16).unwrap();
        queue.try_send(b"a message").unwrap();
        let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
        peer.words[TAIL].store(tail, SeqCst);
        peer.words[HEAD].store(head, SeqCst);
        peer.row().iter().for_each(|unit| unit.store(first, SeqCst));
        // Whatever they answer, they answer, and read nothing outside.
        let _ = queue.try_recv();
        let _ = queue.try_send(b"another");
        let _ = queue.recv_into(&mut [0; 4], Duration::ZERO);
        let _ = (queue.len(), queue.is_full(), queue.shutdown(), queue.shutdown_now());
    }
}

#[test]
fn a_header_that_no_step_writes_is_damage() {
    for header in [0, 1 << 62, (2 << 62) | (1 << 32), (2 << 62) | 17, u64::MAX] {
        let queue = Queue::bounded(4, 16).unwrap();
        queue.try_send(b"a message").unwrap();
        let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
        peer.row()[0].store(header, SeqCst);
        assert_eq!(queue.try_recv(), Err(Error::Damaged), "{header:#x}");
    }
}

#[test]
fn a_shape_that_no_maker_writes_is_damage() {
    for shape in [0, 4, 16 << 32, u64::MAX] {
        let queue = Queue::bounded(4, 16).unwrap();
        let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
        // | tail lock, count max | size max, zeros |
        peer.words[1].store(shape << 32, SeqCst);
        peer.words[2].store(shape >> 32, SeqCst);
        let opened = Queue::open(&queue.segment(), queue.offset());
        assert_eq!(opened.err(), Some(Error::Damaged), "{shape:#x}");
    }
}
