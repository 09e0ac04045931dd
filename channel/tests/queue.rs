//! One queue, and what each call answers.

use core::time::Duration;

use purlin_channel::{Error, LARGE_BYTES, Queue};
use purlin_shm::{Name, Segment};

use crate::bounded::{Child, LIMIT, text};

/// A message that differs from others of its length.
fn message(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|byte| (byte ^ number) as u8).collect()
}

#[test]
fn messages_come_out_whole_in_their_order_and_once() {
    // shows: queue-fifo-single-producer, queue-get-removes, queue-carries-none-and-empty
    let queue = Queue::bounded(4, 100).unwrap();
    for round in 0..200 {
        let sent: Vec<_> = (0..4).map(|place| message(round, (round * 7 + place) % 101)).collect();
        for message in &sent {
            queue.try_send(message).unwrap();
        }
        for message in &sent {
            assert_eq!(queue.try_recv().as_ref(), Ok(message), "round {round}");
        }
        assert_eq!(queue.try_recv(), Err(Error::Empty));
    }
}

#[test]
fn it_takes_exactly_what_it_was_made_for() {
    // shows: queue-fixed-room-holds-what-it-was-made-for, queue-bounded-takes-exactly-bound
    for (count, size) in [(1, 0), (1, 1), (3, 9), (5, 8), (1000, 0), (7, 40_000)] {
        let queue = Queue::bounded(count, size).unwrap();
        assert_eq!((queue.capacity(), queue.message_max_bytes()), (count, size));
        for round in 0..5 {
            for number in 0..count {
                assert_eq!(queue.len(), Ok(number));
                queue.try_send(&message(number, size)).unwrap();
            }
            assert_eq!(queue.is_full(), Ok(true));
            assert_eq!(queue.try_send(&[]), Err(Error::Full));
            assert_eq!(queue.send(&[], Duration::from_millis(1)), Err(Error::Full));
            for number in 0..count {
                assert_eq!(queue.try_recv(), Ok(message(number, size)), "round {round}");
            }
            assert_eq!(queue.is_empty(), Ok(true));
        }
    }
}

#[test]
fn large_messages_are_whole_too() {
    // shows: queue-carries-large-item, queue-mixed-sizes-unchanged
    let sizes = [LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1, 4 << 20, 3, 0];
    let queue = Queue::bounded(2, 4 << 20).unwrap();
    for (number, size) in (0..3).flat_map(|_| sizes.into_iter().enumerate()) {
        queue.try_send(&message(number, size)).unwrap();
        assert!(queue.try_recv() == Ok(message(number, size)), "{size} bytes");
    }
}

#[test]
fn what_does_not_fit_the_buffer_stays() {
    let queue = Queue::bounded(2, 50).unwrap();
    queue.try_send(&message(1, 50)).unwrap();
    let mut small = [0; 49];
    let too_large = Err(Error::MessageTooLarge { len: 50 });
    assert_eq!(queue.recv_into(&mut small, None), too_large);
    let mut large = [0; 60];
    assert_eq!(queue.recv_into(&mut large, None), Ok(50));
    assert_eq!(large[..50], message(1, 50));
    assert_eq!(queue.recv_into(&mut large, Duration::ZERO), Err(Error::Empty));
    assert_eq!(queue.try_send(&message(1, 51)), Err(Error::MessageTooLarge { len: 51 }));
}

#[test]
fn a_send_waits_for_room_and_a_receive_for_a_message() {
    // shows: queue-put-waits-for-room, queue-get-waits-for-item
    let queue = Queue::bounded(1, 8).unwrap();
    std::thread::scope(|scope| {
        let received = scope.spawn(|| (queue.recv(LIMIT), queue.recv(LIMIT)));
        queue.send(b"one", LIMIT).unwrap();
        queue.send(b"two", LIMIT).unwrap();
        assert_eq!(received.join().unwrap(), (Ok(b"one".to_vec()), Ok(b"two".to_vec())));
    });
}

#[test]
fn close_is_of_one_handle_and_its_clones() {
    // shows: queue-close-refuses-put, queue-get-closed, queue-close-is-local, queue-close-twice
    // shows: queue-close-keeps-what-was-put, queue-empty-on-closed
    let queue = Queue::bounded(2, 8).unwrap();
    let other = Queue::open(&queue.segment(), queue.offset()).unwrap();
    let clone = queue.clone();
    queue.try_send(b"kept").unwrap();
    queue.close();
    queue.close();
    for closed in [&queue, &clone] {
        assert_eq!(closed.try_send(b"no"), Err(Error::Closed));
        assert_eq!(closed.try_recv(), Err(Error::Closed));
        assert_eq!(closed.is_empty(), Err(Error::Closed));
        assert_eq!(closed.shutdown(), Err(Error::Closed));
    }
    assert_eq!(other.recv(None), Ok(b"kept".to_vec()));
    other.try_send(b"yes").unwrap();
}

#[test]
fn a_shutdown_is_everybodys_and_lets_the_rest_out() {
    // shows: queue-shutdown-refuses-put, queue-shutdown-immediate-drops
    let queue = Queue::bounded(2, 8).unwrap();
    let other = Queue::open(&queue.segment(), queue.offset()).unwrap();
    queue.try_send(b"left").unwrap();
    queue.shutdown().unwrap();
    assert_eq!(other.send(b"no", None), Err(Error::Closed));
    assert_eq!(other.recv(None), Ok(b"left".to_vec()));
    assert_eq!(other.recv(None), Err(Error::Closed));
    queue.shutdown().unwrap();
    let dropped = Queue::bounded(2, 8).unwrap();
    dropped.try_send(b"gone").unwrap();
    dropped.shutdown_now().unwrap();
    assert_eq!((dropped.recv(None), dropped.len()), (Err(Error::Closed), Ok(0)));
}

#[test]
fn a_shutdown_ends_all_waits() {
    // shows: queue-shutdown-wakes-waiters
    for is_full in [false, true] {
        let queue = Queue::bounded(1, 8).unwrap();
        if is_full {
            queue.try_send(b"full").unwrap();
        }
        std::thread::scope(|scope| {
            let wait =
                || if is_full { queue.send(b"", LIMIT).err() } else { queue.recv(LIMIT).err() };
            let waits: Vec<_> = (0..3).map(|_| scope.spawn(wait)).collect();
            queue.shutdown().unwrap();
            for waited in waits {
                assert_eq!(waited.join().unwrap(), Some(Error::Closed));
            }
        });
    }
}

#[test]
fn a_forked_child_and_one_by_name_have_the_same_queue() {
    // shows: queue-carries-value-between-processes, queue-child-close-leaves-parent
    let queue = Queue::bounded(2, 8).unwrap();
    let there = queue.clone();
    let child = Child::run(move || {
        there.send(b"child", LIMIT).map_err(text)?;
        there.close();
        Ok(())
    });
    assert_eq!(queue.recv(LIMIT), Ok(b"child".to_vec()));
    child.succeeds("it has sent");
    queue.try_send(b"open").unwrap();
    let name = Name::new(&format!("queue-{}", std::process::id())).unwrap();
    let named = Queue::create(&name, 1, 8).unwrap();
    assert_eq!(Queue::create(&name, 1, 8).err(), Some(Error::AlreadyExists));
    let opened = Queue::open_named(&name);
    name.unlink().unwrap();
    named.try_send(b"by name").unwrap();
    assert_eq!(opened.unwrap().try_recv(), Ok(b"by name".to_vec()));
    let segment = Segment::anonymous(1 << 16).unwrap();
    let inside = Queue::bounded_in(&segment, 3, 3).unwrap();
    assert_eq!(Queue::open(&segment, inside.offset()).unwrap().capacity(), 3);
}
