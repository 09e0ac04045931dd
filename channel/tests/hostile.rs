//! Peers that write what they like, where they like, while a queue is used.

use core::sync::atomic::Ordering::SeqCst;
use core::time::Duration;

use proptest::prelude::*;
use purlin_channel::{Error, JoinableQueue};
use purlin_shm::Place;

use crate::bad_input::Spoiled;
use crate::bounded::LIMIT;
use crate::random::config;

/// What the fuzzer runs: calls of a queue of any kind, and writes between them.
#[path = "../../fuzz/src"]
#[expect(dead_code, unreachable_pub, reason = "others of its targets, and its own face")]
mod fuzzed {
    mod input;
    pub(crate) mod ring;
}

/// The kind, and the steps: calls; and writes of words that mean something, or of any bytes.
fn program() -> impl Strategy<Value = Vec<u8>> {
    let call = (0..16_u8, any::<u8>()).prop_map(|(call, size)| vec![call | 0x10, size]);
    let word = prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(1 << 63),
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..6_u64, 0..60_u64).prop_map(|(count, place)| (count << 36) | place),
        (0..4_u64, 0..60_u64).prop_map(|(top, len)| (top << 62) | len),
        any::<u64>(),
    ];
    // Words that the steps read, and the first messages' headers; or anywhere.
    let place = prop_oneof![
        4 => proptest::sample::select(vec![
            0, 8, 16, 24, 32, 48, 128, 136, 144, 256, 384, 512, 520, 528, 640, 768, 776, 1024,
            1032, 1040, 1064, 1072,
        ]),
        1 => 0..1300_u16,
    ];
    let write = (place, word).prop_map(|(place, word)| {
        [&[0x88][..], &place.to_le_bytes(), &word.to_le_bytes()].concat()
    });
    let any_write =
        (0..1300_u16, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(place, bytes)| {
            [&[0x80 | bytes.len() as u8][..], &place.to_le_bytes(), &bytes].concat()
        });
    let step = prop_oneof![6 => call, 2 => write, 1 => any_write];
    (0..5_u8, proptest::collection::vec(step, 4..40))
        .prop_map(|(kind, steps)| [vec![kind], steps.concat()].concat())
}

proptest! {
    #![proptest_config(config(300))]

    /// A value or an error, each time: no call panics, reads outside or waits, whatever is written.
    #[test]
    fn whatever_is_written_over_a_queue_of_any_kind_each_call_answers(bytes in program()) {
        fuzzed::ring::run(&bytes);
    }
}

/// The word that says how much was done, as a peer sees it, and the bit that no step sets there.
const DONE: usize = 62 + 32;
const NEVER_SET: u64 = 1 << 63;

fn of_two_messages() -> (JoinableQueue, Place<Spoiled>) {
    let queue = JoinableQueue::bounded(4, 8).unwrap();
    queue.send(b"one", None).unwrap();
    queue.send(b"two", None).unwrap();
    let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
    (queue, peer)
}

#[test]
fn a_count_of_what_was_done_that_no_step_writes_is_damage() {
    for rest in [0, 1, 2 << 36, (1 << 63) - 1] {
        let (queue, peer) = of_two_messages();
        peer.words[DONE].store(NEVER_SET | rest, SeqCst);
        assert_eq!(queue.task_done(), Err(Error::Damaged), "{rest:#x}");
        assert_eq!(queue.join(LIMIT), Err(Error::Damaged), "{rest:#x}");
        assert_eq!(queue.join(None), Err(Error::Damaged), "never waited for: {rest:#x}");
        assert_eq!(queue.try_send(b"more"), Err(Error::Damaged), "{rest:#x}");
        assert_eq!(queue.try_recv(), Ok(b"one".to_vec()), "what is inside is still to be had");
    }
}

#[test]
fn a_count_of_what_was_done_that_is_a_lie_is_a_number_and_no_more() {
    let (short, most) = (Duration::from_millis(1), (1 << 27) - 1);
    for done in (0..=27).map(|bit| (1_u64 << bit) - 1).chain([2]) {
        let (queue, peer) = of_two_messages();
        peer.words[DONE].store(done << 36, SeqCst);
        let unfinished = queue.unfinished();
        assert!(unfinished <= most, "{done}");
        assert_eq!(unfinished as u64, 2_u64.wrapping_sub(done) & most as u64, "{done}");
        let joined = queue.join(short);
        assert_eq!(joined, if done == 2 { Ok(()) } else { Err(Error::TimedOut) }, "{done}");
        let marked = queue.task_done();
        assert_eq!(marked, if done == 2 { Err(Error::TaskDoneTooOften) } else { Ok(()) }, "{done}");
        let sent = queue.try_send(b"more");
        assert_eq!(sent, Ok(()), "{done}");
        assert_eq!(queue.try_recv(), Ok(b"one".to_vec()));
    }
    // As many as can be counted are said to be undone: one more could not be.
    let (queue, peer) = of_two_messages();
    peer.words[DONE].store(3 << 36, SeqCst);
    assert_eq!((queue.unfinished(), queue.try_send(b"more")), (most, Err(Error::OutOfResources)));
}

#[test]
fn places_of_what_was_skipped_that_are_a_lie_count_one_message_wrongly_at_most() {
    for place in [1, 2, 4, 5, 6, 1 << 35, (1 << 36) - 1] {
        let (queue, peer) = of_two_messages();
        drop(queue.reserve(3, None).unwrap()); // to be skipped, and counted
        peer.words[DONE].store(place, SeqCst);
        queue.recv(None).unwrap();
        queue.recv(None).unwrap();
        assert_eq!(queue.try_recv(), Err(Error::Empty));
        assert!((2..=3).contains(&queue.unfinished()), "{place}: {}", queue.unfinished());
    }
}
