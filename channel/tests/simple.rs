//! The small queue.

use purlin_channel::{Error, LARGE_BYTES, SimpleQueue};

use crate::bounded::{Child, text};

#[test]
fn it_sends_receives_and_tells_whether_it_is_empty() {
    // shows: simple-queue-put-get-order, simple-queue-empty-tells
    let queue = SimpleQueue::bounded(4, 8).unwrap();
    assert_eq!(queue.is_empty(), Ok(true));
    queue.send(b"one").unwrap();
    queue.send(b"two").unwrap();
    assert_eq!(queue.is_empty(), Ok(false));
    assert_eq!(queue.recv(), Ok(b"one".to_vec()));
    assert_eq!(queue.recv(), Ok(b"two".to_vec()));
    assert_eq!(queue.is_empty(), Ok(true));
}

#[test]
fn a_small_message_that_is_kept_keeps_little_memory() {
    let queue = SimpleQueue::new().unwrap();
    queue.send(b"8 bytes.").unwrap();
    let message = queue.recv().unwrap();
    assert!(message == b"8 bytes." && message.capacity() < 100, "{}", message.capacity());
}

#[test]
fn a_closed_one_refuses_here_and_not_elsewhere() {
    // shows: simple-queue-close-twice, simple-queue-closed-refuses, simple-queue-close-is-local
    let queue = SimpleQueue::bounded(4, 8).unwrap();
    let other = SimpleQueue::open(&queue.segment(), queue.offset()).unwrap();
    queue.close();
    queue.close();
    assert_eq!(queue.is_empty(), Err(Error::Closed));
    assert_eq!(queue.recv(), Err(Error::Closed));
    assert_eq!(queue.send(b"no"), Err(Error::Closed));
    other.send(b"yes").unwrap();
    assert_eq!(other.recv(), Ok(b"yes".to_vec()));
}

#[test]
fn writers_do_not_mix_and_a_get_waits() {
    // shows: simple-queue-many-writers-do-not-mix, simple-queue-get-waits
    const SIZE: usize = 100 * 1024;
    const EACH: usize = 50;
    let queue = SimpleQueue::bounded(4, SIZE).unwrap();
    let writers: Vec<Child> = (0..4)
        .map(|byte| {
            let there = queue.clone();
            Child::run(move || {
                (0..EACH).try_for_each(|_| there.send(&vec![byte; SIZE])).map_err(text)
            })
        })
        .collect();
    let mut counts = [0; 4];
    for _ in 0..4 * EACH {
        let message = queue.recv().unwrap();
        assert!(message == vec![message[0]; SIZE]);
        counts[usize::from(message[0])] += 1;
    }
    assert_eq!(counts, [EACH; 4]);
    writers.into_iter().for_each(|writer| writer.succeeds("a writer"));
}

#[test]
fn a_killed_writer_leaves_no_half_value() {
    // shows: simple-queue-killed-producer-mid-value, simple-queue-killed-waiting-consumer
    let size = 64 * LARGE_BYTES;
    let queue = SimpleQueue::bounded(2, size).unwrap();
    for round in 0..20_u32 {
        let there = queue.clone();
        let waiting = Child::run(move || there.recv().map(drop).map_err(text));
        let there = queue.clone();
        let writer = Child::run(move || there.send(&vec![7; size]).map_err(text));
        (0..round * 1997).for_each(|_| std::hint::spin_loop());
        waiting.kill();
        writer.kill();
        queue.send(b"small").unwrap();
        let first = queue.recv().unwrap();
        if first != b"small" {
            assert!(first == vec![7; size], "round {round}: whole");
            assert_eq!(queue.recv(), Ok(b"small".to_vec()));
        }
        assert_eq!(queue.is_empty(), Ok(true));
    }
}
