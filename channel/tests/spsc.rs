//! The queue of one to one.

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use core::time::Duration;

use purlin_channel::{Error, LARGE_BYTES, QUEUE_COUNT_MAX, Queue, Spsc};
use purlin_shm::{Carry, Luggage, Name, Object, Place, Segment, Shared};

use crate::bounded::{Child, LIMIT, text};

fn message(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|byte| (byte ^ number) as u8).collect()
}

#[test]
fn messages_come_out_whole_in_their_order_and_once() {
    let queue = Spsc::bounded(4, 100).unwrap();
    let (mut sender, mut receiver) = (queue.sender(None).unwrap(), queue.receiver(None).unwrap());
    for round in 0..200 {
        let sent: Vec<_> = (0..4).map(|place| message(round, (round * 7 + place) % 101)).collect();
        sent.iter().for_each(|message| sender.try_send(message).unwrap());
        assert_eq!((sender.try_send(&[]), queue.len()), (Err(Error::Full), 4));
        for message in &sent {
            assert_eq!(receiver.try_recv().as_ref(), Ok(message), "round {round}");
        }
        assert_eq!((receiver.try_recv(), queue.is_empty()), (Err(Error::Empty), true));
    }
}

#[test]
fn it_takes_exactly_what_it_was_made_for() {
    for (count, size) in [(1, 0), (1, 1), (3, 9), (1000, 0), (7, 40_000), (2, 4 << 20)] {
        let queue = Spsc::bounded(count, size).unwrap();
        let (mut sender, mut receiver) =
            (queue.sender(None).unwrap(), queue.receiver(None).unwrap());
        assert_eq!((queue.capacity(), queue.message_max_bytes()), (count, size));
        let too_large = Err(Error::MessageTooLarge { len: size + 1 });
        assert_eq!(sender.try_send(&vec![0; size + 1]), too_large);
        for round in 0..3 {
            (0..count).for_each(|number| sender.try_send(&message(number, size)).unwrap());
            assert_eq!(sender.send(&[], Duration::from_millis(1)), Err(Error::Full));
            for number in 0..count {
                assert!(receiver.try_recv().unwrap() == message(number, size), "round {round}");
            }
        }
    }
    for (count, size) in [(0, 8), (QUEUE_COUNT_MAX as usize + 1, 0), (1, usize::MAX)] {
        assert_eq!(Spsc::bounded(count, size).err(), Some(Error::InvalidArgument));
    }
    let small = Segment::anonymous(4096).unwrap();
    assert_eq!(Spsc::bounded_in(&small, 1000, 1000).err(), Some(Error::OutOfResources));
}

#[test]
fn what_does_not_fit_the_buffer_stays() {
    let queue = Spsc::bounded(2, 50).unwrap();
    let (mut sender, mut receiver) = (queue.sender(None).unwrap(), queue.receiver(None).unwrap());
    sender.try_send(&message(1, 50)).unwrap();
    let too_large = Err(Error::MessageTooLarge { len: 50 });
    assert_eq!(receiver.recv_into(&mut [0; 49], None), too_large);
    let mut large = [0; 60];
    assert_eq!(receiver.recv_into(&mut large, None), Ok(50));
    assert_eq!(large[..50], message(1, 50));
}

#[test]
fn an_end_is_had_by_one_at_a_time_and_its_end_is_told() {
    let queue = Spsc::bounded(1, 8).unwrap();
    let mut receiver = queue.receiver(None).unwrap();
    assert_eq!(receiver.recv(Duration::from_millis(1)), Err(Error::Empty)); // nobody came yet
    let mut sender = queue.sender(None).unwrap();
    assert_eq!(queue.sender(Duration::ZERO).err(), Some(Error::TimedOut));
    assert_eq!(queue.receiver(Duration::from_millis(1)).err(), Some(Error::TimedOut));
    sender.send(b"last", None).unwrap();
    drop(sender);
    assert_eq!(receiver.recv(None), Ok(b"last".to_vec()));
    assert_eq!(receiver.recv(None), Err(Error::EndOfFile));
    let mut sender = queue.sender(None).unwrap();
    assert_eq!(receiver.try_recv(), Err(Error::Empty));
    drop(receiver);
    sender.send(b"there is room", None).unwrap_err();
    sender.send(b"is room", None).unwrap();
    assert_eq!(sender.send(b"no more", None), Err(Error::BrokenPipe));
    let mut receiver = queue.receiver(None).unwrap();
    assert_eq!(receiver.recv(None), Ok(b"is room".to_vec()));
}

#[test]
fn whoever_waits_is_woken_by_a_message_by_room_and_by_the_end() {
    let queue = Spsc::bounded(1, 8).unwrap();
    std::thread::scope(|scope| {
        let mut receiver = queue.receiver(None).unwrap();
        let received = scope.spawn(move || {
            let all: Vec<_> = core::iter::from_fn(|| receiver.recv(LIMIT).ok()).collect();
            (all, receiver.recv(LIMIT))
        });
        let mut sender = queue.sender(None).unwrap();
        let sent: Vec<_> = (0..100).map(|number| message(number, number % 9)).collect();
        sent.iter().for_each(|message| sender.send(message, LIMIT).unwrap());
        let next = scope.spawn(|| queue.sender(LIMIT).map(drop));
        drop(sender);
        assert_eq!(next.join().unwrap(), Ok(()));
        assert_eq!(received.join().unwrap(), (sent, Err(Error::EndOfFile)));
    });
}

#[test]
fn between_processes_nothing_is_lost_doubled_or_torn() {
    const COUNT: usize = 50_000;
    for (capacity, most) in [(1, 9), (256, 300), (8, LARGE_BYTES * 2)] {
        let count = if most > LARGE_BYTES { 2000 } else { COUNT / capacity.min(10) };
        let queue = Spsc::bounded(capacity, most).unwrap();
        let there = queue.clone();
        let child = Child::run(move || {
            let mut sender = there.sender(LIMIT).map_err(text)?;
            (0..count)
                .try_for_each(|number| sender.send(&message(number, number * 37 % most), LIMIT))
                .map_err(text)
        });
        let mut receiver = queue.receiver(LIMIT).unwrap();
        for number in 0..count {
            assert!(receiver.recv(LIMIT).unwrap() == message(number, number * 37 % most));
        }
        assert_eq!(receiver.recv(LIMIT), Err(Error::EndOfFile));
        child.succeeds("all were sent");
    }
}

#[test]
fn a_dead_senders_end_is_told_and_taken_over() {
    for round in 0..100_u32 {
        let size = if round % 2 == 0 { 20 } else { LARGE_BYTES };
        let queue = Spsc::bounded(4, size).unwrap();
        let there = queue.clone();
        let child = Child::run(move || {
            let mut sender = there.sender(LIMIT).map_err(text)?;
            for number in 0.. {
                sender.send(&message(number, size), LIMIT).map_err(text)?;
            }
            Ok(())
        });
        let mut receiver = queue.receiver(LIMIT).unwrap();
        let mut next = 0;
        for _ in 0..round % 5 + 1 {
            assert!(receiver.recv(LIMIT).unwrap() == message(next, size), "round {round}");
            next += 1;
        }
        (0..round * 97).for_each(|_| std::hint::spin_loop());
        child.kill();
        let mut sender = queue.sender(LIMIT).unwrap();
        drop(queue);
        let first = loop {
            let message_next = message(next, size);
            match receiver.try_recv() {
                Ok(received) => assert!(received == message_next, "round {round}"),
                Err(other) => break other,
            }
            next += 1;
        };
        assert_eq!(first, Error::Empty);
        sender.send(b"goes on", LIMIT).unwrap();
        assert_eq!(receiver.recv(LIMIT).unwrap(), b"goes on");
    }
}

#[test]
fn a_dead_receivers_end_is_told_and_taken_over() {
    let told = Queue::bounded(1000, 1).unwrap();
    for round in 0..100_u32 {
        let size = if round % 2 == 0 { 20 } else { LARGE_BYTES };
        let queue = Spsc::bounded(4, size).unwrap();
        let mut sender = queue.sender(None).unwrap();
        let (there, tell) = (queue.clone(), told.clone());
        let child = Child::run(move || {
            let mut receiver = there.receiver(LIMIT).map_err(text)?;
            loop {
                let received = receiver.recv(LIMIT).map_err(text)?;
                tell.send(&received[..1], LIMIT).map_err(text)?;
            }
        });
        (0..20).for_each(|number| sender.send(&message(number, size), LIMIT).unwrap());
        (0..round * 97).for_each(|_| std::hint::spin_loop());
        child.kill();
        let mut seen: Vec<_> = core::iter::from_fn(|| told.try_recv().ok()).flatten().collect();
        let told_count = seen.len();
        let mut receiver = queue.receiver(LIMIT).unwrap();
        while let Ok(received) = receiver.try_recv() {
            let number = usize::from(received[0]);
            assert!(received == message(number, size), "round {round}");
            seen.push(received[0]);
        }
        // One may have been in its hands.
        let missing: Vec<u8> = (0..20).filter(|number| !seen.contains(number)).collect();
        assert!(missing.len() <= 1 && seen.is_sorted(), "round {round}: {missing:?}");
        assert!(missing.iter().all(|number| usize::from(*number) == told_count));
        assert_eq!(seen.len() + missing.len(), 20);
    }
}

#[test]
fn who_waits_for_one_that_is_killed_is_told() {
    let queue = Spsc::bounded(1, 8).unwrap();
    for is_sender in [true, false, true] {
        let there = queue.clone();
        let child = Child::run(move || {
            let ends = if is_sender {
                (Some(there.sender(LIMIT).map_err(text)?), None)
            } else {
                (None, Some(there.receiver(LIMIT).map_err(text)?))
            };
            loop {
                std::thread::park();
                let _ = &ends;
            }
        });
        let try_claim = || match is_sender {
            true => queue.sender(Duration::ZERO).err(),
            false => queue.receiver(Duration::ZERO).err(),
        };
        let begin = std::time::Instant::now();
        while try_claim().is_none() {
            assert!(begin.elapsed() < LIMIT, "it claims nothing");
            std::thread::yield_now(); // it is about to claim it
        }
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| match is_sender {
                true => queue.receiver(None).and_then(|mut end| end.recv(LIMIT)).err(),
                false => queue
                    .sender(None)
                    .and_then(|mut end| {
                        end.try_send(b"fill")?;
                        end.send(b"wait", LIMIT)
                    })
                    .err(),
            });
            child.kill();
            let expected = if is_sender { Error::EndOfFile } else { Error::BrokenPipe };
            assert_eq!(waits.join().unwrap(), Some(expected));
        });
        let _ = queue.receiver(None).unwrap().try_recv();
    }
}

#[test]
fn a_forked_child_has_no_end_of_its_parents() {
    let queue = Spsc::bounded(2, 8).unwrap();
    let (mut sender, mut receiver) = (queue.sender(None).unwrap(), queue.receiver(None).unwrap());
    let (mut sender_there, mut receiver_there) = (sender, receiver);
    let child = Child::run(move || {
        match (sender_there.try_send(b"no"), receiver_there.try_recv()) {
            (Err(Error::NotOwner), Err(Error::NotOwner)) => Ok(()), // and both are dropped
            other => Err(format!("{other:?}")),
        }
    });
    child.succeeds("it is told");
    // This process's own were moved into the closure's copy, and dropped here.
    sender = queue.sender(None).unwrap();
    receiver = queue.receiver(None).unwrap();
    sender.try_send(b"yes").unwrap();
    assert_eq!(receiver.try_recv(), Ok(b"yes".to_vec()));
}

#[test]
fn it_is_opened_named_and_carried() {
    let queue = Spsc::bounded(2, 8).unwrap();
    let mut luggage = Luggage::new();
    queue.pack(&mut luggage).unwrap();
    let (bytes, descriptors) = luggage.into_parts();
    let carried = Spsc::unpack(&mut Luggage::from_parts(&bytes, descriptors).unwrap()).unwrap();
    carried.sender(None).unwrap().send(b"carried", None).unwrap();
    let opened = Spsc::open(&queue.segment(), queue.offset()).unwrap();
    assert_eq!(opened.receiver(None).unwrap().recv(None), Ok(b"carried".to_vec()));
    let not_one = Queue::open(&queue.segment(), queue.offset());
    assert_eq!(not_one.err(), Some(Error::Incompatible));
    let name = Name::new(&format!("spsc-{}", std::process::id())).unwrap();
    let named = Spsc::create(&name, 1, 8);
    let found = Spsc::open_named(&name);
    name.unlink().unwrap();
    named.unwrap().sender(None).unwrap().send(b"found", None).unwrap();
    assert_eq!(found.unwrap().receiver(None).unwrap().recv(None), Ok(b"found".to_vec()));
}

/// The words as a peer that means harm sees them.
#[repr(C)]
struct Spoiled {
    words: [AtomicU64; 78],
}

#[expect(unsafe_code, reason = "a peer that writes what it likes")]
// SAFETY: `repr(C)`, atomics only.
unsafe impl Shared for Spoiled {}

impl Object for Spoiled {
    const KIND: u16 = 20;
    const VERSION: u16 = 1;
    type Row = AtomicU64;
}

#[test]
fn spoiled_words_are_told_and_never_followed() {
    let values = [0, 1, 2, 7, 1 << 35, (1 << 36) - 1, 1 << 36, u64::MAX >> 1, u64::MAX, 5 << 60];
    for (tail, head, first) in values.into_iter().flat_map(|tail| {
        values.into_iter().flat_map(move |head| values.into_iter().map(move |x| (tail, head, x)))
    }) {
        let queue = Spsc::bounded(4, 16).unwrap();
        let (mut sender, mut receiver) =
            (queue.sender(None).unwrap(), queue.receiver(None).unwrap());
        sender.try_send(b"a message").unwrap();
        let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
        peer.words[0].store(tail, SeqCst);
        peer.words[14].store(head, SeqCst);
        peer.row().iter().for_each(|unit| unit.store(first, SeqCst));
        // Whatever they answer, they answer, and read nothing outside.
        for _ in 0..6 {
            let _ = (receiver.try_recv(), sender.try_send(b"another"));
            let _ = receiver.recv_into(&mut [0; 4], Duration::ZERO);
        }
        let _ = (queue.len(), queue.is_empty());
    }
}

#[test]
fn a_word_or_a_shape_that_no_step_writes_is_damage() {
    let queue = Spsc::bounded(4, 16).unwrap();
    let peer = Place::<Spoiled>::open(&queue.segment(), queue.offset()).unwrap();
    for role in [1, 1023, 1 << 31, u32::MAX] {
        peer.words[1].store(role.into(), SeqCst); // | sender, count max |
        assert_eq!(queue.sender(Duration::ZERO).err(), Some(Error::Damaged), "{role:#x}");
        assert_eq!(queue.receiver(None).unwrap().try_recv(), Err(Error::Damaged));
        assert_eq!(Spsc::open(&queue.segment(), queue.offset()).err(), Some(Error::Damaged));
    }
}
