//! Several messages in one call.

use core::time::Duration;

use purlin_channel::{Batch, Error, LARGE_BYTES, Queue};

use crate::bounded::{Child, LIMIT, text};

#[test]
fn batches_come_out_in_their_order_whatever_their_sizes() {
    let queue = Queue::bounded(10, 50).unwrap();
    let mut batch = Batch::with_room(7, 200);
    let (mut sent, mut received) = (0_usize, 0_usize);
    let message = |number: usize| vec![number as u8; number * 13 % 51];
    for round in 0..400 {
        let messages: Vec<_> = (sent..sent + round % 12).map(message).collect();
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        match queue.send_many(&slices, Duration::ZERO) {
            Ok(count) => sent += count,
            Err(error) => assert_eq!((error, queue.is_full()), (Error::Full, Ok(true))),
        }
        match queue.recv_many(&mut batch, Duration::ZERO) {
            Ok(count) => assert!(count == batch.len() && (1..=7).contains(&count)),
            Err(error) => assert_eq!((error, sent), (Error::Empty, received)),
        }
        for bytes in batch.iter() {
            assert_eq!(*bytes, *message(received), "message {received}");
            received += 1;
        }
    }
    assert!(sent > 1000, "{sent} were sent");
}

#[test]
fn a_batch_that_is_longer_than_the_queue_waits_for_room() {
    let queue = Queue::bounded(3, 4).unwrap();
    let numbers: Vec<[u8; 4]> = (0..1000_u32).map(u32::to_le_bytes).collect();
    let messages: Vec<&[u8]> = numbers.iter().map(<[u8; 4]>::as_slice).collect();
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| queue.send_many(&messages, LIMIT));
        let mut batch = Batch::with_room(5, 20);
        let mut next = 0;
        while next < 1000 {
            queue.recv_many(&mut batch, LIMIT).unwrap();
            for message in batch.iter() {
                assert_eq!(message, numbers[next]);
                next += 1;
            }
        }
        assert_eq!(sender.join().unwrap(), Ok(1000));
    });
}

#[test]
fn what_stops_a_batch_is_told_when_nothing_was_sent() {
    let queue = Queue::bounded(2, 8).unwrap();
    let too_large: [&[u8]; 2] = [b"fits", b"does not fit"];
    assert_eq!(queue.send_many(&too_large, None), Ok(1));
    assert_eq!(queue.send_many(&too_large[1..], None), Err(Error::MessageTooLarge { len: 12 }));
    assert_eq!(queue.send_many(&[], None), Ok(0));
    assert_eq!(queue.send_many(&[b"1", b"2", b"3"], Duration::ZERO), Ok(1));
    assert_eq!(queue.send_many(&[b"2"], Duration::ZERO), Err(Error::Full));
    let mut small = Batch::with_room(4, 3);
    let too_small = Err(Error::MessageTooLarge { len: 4 });
    assert_eq!(queue.recv_many(&mut small, None), too_small);
    assert!(small.is_empty());
    let mut none = Batch::with_room(0, 30);
    assert_eq!(queue.recv_many(&mut none, None), Err(Error::InvalidArgument));
    queue.shutdown().unwrap();
    assert_eq!(queue.send_many(&[b"2"], None), Err(Error::Closed));
    let mut batch = Batch::with_room(4, 30).clone();
    assert_eq!(queue.recv_many(&mut batch, None), Ok(2));
    assert_eq!(batch.iter().collect::<Vec<_>>(), [b"fits".as_slice(), b"1"]);
    assert_eq!(queue.recv_many(&mut batch, None), Err(Error::Closed));
}

#[test]
fn large_messages_go_along() {
    let queue = Queue::bounded(4, 2 * LARGE_BYTES).unwrap();
    let messages = [1, LARGE_BYTES + 1, 3, LARGE_BYTES].map(|len| vec![len as u8; len]);
    let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    assert_eq!(queue.send_many(&slices, LIMIT), Ok(4));
    let mut batch = Batch::with_room(4, 4 * LARGE_BYTES);
    let mut received = Vec::new();
    while received.len() < 4 {
        queue.recv_many(&mut batch, LIMIT).unwrap();
        received.extend(batch.iter().map(<[u8]>::to_vec));
    }
    assert!(received == messages);
}

#[test]
fn of_a_killed_sender_each_run_is_inside_or_not() {
    let queue = Queue::bounded(64, 4).unwrap();
    for round in 0..60_u32 {
        let there = queue.clone();
        let sender = Child::run(move || {
            for number in 0_u32.. {
                let bytes = number.to_le_bytes();
                let run = [bytes.as_slice(); 8];
                // Alone, and with room for all: one run.
                while there.len().map_err(text)? > 56 {
                    std::hint::spin_loop();
                }
                there.send_many(&run, LIMIT).map_err(text)?;
            }
            Ok(())
        });
        let first = queue.recv(LIMIT).unwrap();
        (0..round * 997 % 20_000).for_each(|_| std::hint::spin_loop());
        sender.kill();
        let mut all = vec![first];
        while let Ok(message) = queue.try_recv() {
            all.push(message);
        }
        assert_eq!(all.len() % 8, 0, "round {round}: a part of a run");
        for (number, run) in all.chunks(8).enumerate() {
            let expected = (number as u32).to_le_bytes();
            assert!(run.iter().all(|message| *message == expected), "round {round}: {run:?}");
        }
    }
}
