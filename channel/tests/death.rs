//! Users that are killed, anywhere.

use std::time::Instant;

use purlin_channel::{Error, LARGE_BYTES, Queue, Spsc};
use purlin_process::ExitStatus;
use rustix::process::{Signal, getpid, kill_process};

use crate::bounded::{Child, LIMIT, text};

/// How long children are hammered before one is killed, in turns of a busy loop: nobody waits for
/// a moment, any is good.
fn pass_some_time(turns: u32) {
    (0..turns).for_each(|_| std::hint::spin_loop());
}

#[test]
fn a_killed_sender_leaves_no_part_of_a_message() {
    // shows: queue-killed-producer-mid-item, queue-killed-anywhere-repeatedly
    for size in [64, LARGE_BYTES * 4] {
        let queue = Queue::bounded(2, size).unwrap();
        for round in 0..60_u32 {
            let there = queue.clone();
            let sender = Child::run(move || {
                for byte in 0.. {
                    there.send(&vec![byte; size], LIMIT).map_err(text)?;
                }
                Ok(())
            });
            let mut next = 0;
            let begin = Instant::now();
            // Some are received while it sends, and what is left after its death.
            while next < (round % 7) as u8 {
                let message = queue.recv(LIMIT).unwrap();
                assert!(message == vec![next; size], "round {round}: whole and in order");
                next += 1;
            }
            pass_some_time(round * 997 % 20_000);
            sender.kill();
            loop {
                match queue.try_recv() {
                    Ok(message) => {
                        assert!(message == vec![next; size], "round {round}: whole and in order");
                        next += 1;
                    }
                    Err(Error::Empty) => break,
                    Err(other) => panic!("round {round}, {:?}: {other}", begin.elapsed()),
                }
            }
            // The place of what it was amid is free.
            queue.send(&vec![1; size], LIMIT).unwrap();
            queue.send(&vec![2; size], LIMIT).unwrap();
            assert_eq!(queue.recv(LIMIT).unwrap()[0], 1);
            assert_eq!(queue.recv(LIMIT).unwrap()[0], 2);
        }
    }
}

#[test]
fn a_killed_receiver_loses_at_most_what_it_had() {
    // shows: queue-killed-consumer-mid-item, queue-killed-waiting-consumer
    for size in [64, LARGE_BYTES * 4] {
        let queue = Queue::bounded(4, size).unwrap();
        let told = Queue::bounded(1000, 1).unwrap();
        for round in 0..60_u32 {
            let (there, tell) = (queue.clone(), told.clone());
            let receiver = Child::run(move || {
                loop {
                    let message = there.recv(LIMIT).map_err(text)?;
                    tell.send(&message[..1], LIMIT).map_err(text)?;
                }
            });
            for byte in 0..20 {
                queue.send(&vec![byte; size], LIMIT).unwrap();
            }
            pass_some_time(round * 997 % 20_000);
            receiver.kill();
            let mut seen = Vec::new();
            while let Ok(message) = told.try_recv() {
                seen.push(message[0]);
            }
            let told_count = seen.len();
            while let Ok(message) = queue.try_recv() {
                assert!(message == vec![message[0]; size], "round {round}: whole");
                seen.push(message[0]);
            }
            // One may have been in its hands: received, and not told.
            let missing: Vec<u8> = (0..20).filter(|byte| !seen.contains(byte)).collect();
            assert!(missing.len() <= 1, "round {round}: {missing:?} are missing");
            assert!(missing.iter().all(|byte| usize::from(*byte) == told_count), "{missing:?}");
            assert!(
                seen.is_sorted() && seen.len() + missing.len() == 20,
                "round {round}: {seen:?}"
            );
        }
    }
}

#[test]
fn what_was_sent_survives_its_sender() {
    // shows: queue-killed-after-put
    let queue = Queue::bounded(4, 8).unwrap();
    let there = queue.clone();
    let sender = Child::run(move || {
        there.send(b"sent", LIMIT).map_err(text)?;
        loop {
            std::thread::park();
        }
    });
    assert_eq!(queue.recv(LIMIT), Ok(b"sent".to_vec()));
    queue.send(b"again", LIMIT).unwrap();
    sender.kill();
    assert_eq!(queue.recv(LIMIT), Ok(b"again".to_vec()));
    assert_eq!(queue.try_recv(), Err(Error::Empty));
}

/// What others call `join_thread` has happened when a send returns, and there is nothing that a
/// `cancel_join_thread` could lose: no thread stands behind a queue.
#[test]
fn join_thread_has_nothing_to_wait_for_and_cancel_join_thread_nothing_to_lose() {
    // shows: queue-killed-after-put
    const COUNT: u32 = 20;
    let size = LARGE_BYTES * 2;
    let spsc = Spsc::bounded(COUNT as usize, size).unwrap();
    let bounded = Queue::bounded(COUNT as usize, size).unwrap();
    let unbounded = Queue::unbounded(1 << 26).unwrap();
    for round in 0..20 {
        let (queues, one) = ([bounded.clone(), unbounded.clone()], spsc.clone());
        let sends = move || {
            let mut sender = one.sender(LIMIT).map_err(text)?;
            for number in 0..COUNT {
                let message = numbered(number, round);
                sender.send(&message, LIMIT).map_err(text)?;
                queues.iter().try_for_each(|queue| queue.send(&message, LIMIT)).map_err(text)?;
            }
            // At once, without an end of anything: no destructor runs.
            kill_process(getpid(), Signal::KILL).map_err(text)
        };
        let sender = Child::run(sends);
        assert_eq!(sender.0.join(LIMIT), Ok(ExitStatus::Signal(libc::SIGKILL)));
        let mut receiver = spsc.receiver(LIMIT).unwrap();
        for number in 0..COUNT {
            let message = numbered(number, round);
            assert!(bounded.try_recv().unwrap() == message, "round {round}: {number}");
            assert!(unbounded.try_recv().unwrap() == message, "round {round}: {number}");
            assert!(receiver.try_recv().unwrap() == message, "round {round}: {number}");
        }
        assert_eq!(bounded.try_recv(), Err(Error::Empty));
        assert_eq!(unbounded.try_recv(), Err(Error::Empty));
        assert_eq!(receiver.recv(LIMIT), Err(Error::EndOfFile));
    }
}

/// Small ones and large ones in turn.
fn numbered(number: u32, round: u8) -> Vec<u8> {
    let len = if number.is_multiple_of(2) { 64 } else { LARGE_BYTES * 2 };
    let mut message = vec![round; len];
    message[..4].copy_from_slice(&number.to_le_bytes());
    message
}
