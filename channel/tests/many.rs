//! Many senders and many receivers.

use purlin_channel::{Error, LARGE_BYTES, Queue};

use crate::bounded::{Child, LIMIT, text};

const SENDER_COUNT: usize = 3;
const RECEIVER_COUNT: usize = 3;
const MESSAGE_COUNT: usize = 3000;

/// A message that says who sent it and as which, with as much behind it as its number wants.
fn message(sender: usize, number: usize, extra_max: usize) -> Vec<u8> {
    let mut bytes = vec![sender as u8];
    bytes.extend((number as u32).to_le_bytes());
    bytes.extend((0..number * 37 % extra_max).map(|byte| (byte ^ number) as u8));
    bytes
}

/// Who sent it, and as which; fails for one that is not whole.
fn parsed(bytes: &[u8], extra_max: usize) -> (usize, usize) {
    let sender = usize::from(bytes[0]);
    let number = u32::from_le_bytes(bytes[1..5].try_into().unwrap()) as usize;
    assert!(bytes == message(sender, number, extra_max), "message {number} of {sender} is torn");
    (sender, number)
}

/// All that a receiver gets until the queue is shut, each sender's in its order.
fn receive(queue: &Queue, extra_max: usize) -> Result<Vec<(usize, usize)>, Error> {
    let mut all = Vec::new();
    let mut last = [None; SENDER_COUNT];
    loop {
        match queue.recv(LIMIT) {
            Ok(bytes) => {
                let (sender, number) = parsed(&bytes, extra_max);
                assert!(last[sender].is_none_or(|last| last < number), "order of {sender}");
                last[sender] = Some(number);
                all.push((sender, number));
            }
            Err(Error::Closed) => return Ok(all),
            Err(other) => return Err(other),
        }
    }
}

fn check(mut received: Vec<(usize, usize)>, message_count: usize) {
    received.sort_unstable();
    let all = (0..SENDER_COUNT).flat_map(|s| (0..message_count).map(move |n| (s, n)));
    assert!(received.into_iter().eq(all), "each message comes once");
}

#[test]
fn between_threads_nothing_is_lost_doubled_or_torn() {
    // shows: queue-many-to-many-no-loss-no-copy, queue-many-producers-order-kept-each
    // shows: queue-used-between-threads
    for (count, message_count, extra_max) in
        [(1, MESSAGE_COUNT, 1), (16, MESSAGE_COUNT, 200), (3, 200, 3 * LARGE_BYTES)]
    {
        let queue = Queue::bounded(count, 5 + extra_max).unwrap();
        let received = std::thread::scope(|scope| {
            let receivers: Vec<_> = (0..RECEIVER_COUNT)
                .map(|_| scope.spawn(|| receive(&queue, extra_max).unwrap()))
                .collect();
            let senders: Vec<_> = (0..SENDER_COUNT)
                .map(|sender| {
                    let queue = &queue;
                    scope.spawn(move || {
                        (0..message_count).for_each(|number| {
                            queue.send(&message(sender, number, extra_max), LIMIT).unwrap();
                        });
                    })
                })
                .collect();
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            queue.shutdown().unwrap();
            receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect()
        });
        check(received, message_count);
    }
}

#[test]
fn between_processes_nothing_is_lost_doubled_or_torn() {
    // shows: queue-many-to-many-no-loss-no-copy
    const EXTRA_MAX: usize = 100;
    let queue = Queue::bounded(8, 5 + EXTRA_MAX).unwrap();
    let results = Queue::bounded(SENDER_COUNT * MESSAGE_COUNT, 5).unwrap();
    let children = (0..RECEIVER_COUNT).map(|_| {
        let (queue, results) = (queue.clone(), results.clone());
        Child::run(move || {
            for (sender, number) in receive(&queue, EXTRA_MAX).map_err(text)? {
                results.send(&message(sender, number, 1), LIMIT).map_err(text)?;
            }
            Ok(())
        })
    });
    let receivers: Vec<Child> = children.collect();
    let children = (0..SENDER_COUNT).map(|sender| {
        let queue = queue.clone();
        Child::run(move || {
            (0..MESSAGE_COUNT)
                .try_for_each(|number| queue.send(&message(sender, number, EXTRA_MAX), LIMIT))
                .map_err(text)
        })
    });
    let senders: Vec<Child> = children.collect();
    senders.into_iter().for_each(|child| child.succeeds("a sender"));
    queue.shutdown().unwrap();
    receivers.into_iter().for_each(|child| child.succeeds("a receiver"));
    results.shutdown().unwrap();
    check(receive_all(&results), MESSAGE_COUNT);
}

fn receive_all(results: &Queue) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    while let Ok(bytes) = results.recv(LIMIT) {
        all.push(parsed(&bytes, 1));
    }
    all
}
