//! Many queues, and large ones.

use purlin_channel::{Error, Queue};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::bounded::{Child, text};

#[test]
fn a_thousand_queues_are_open_within_a_thousand_descriptors() {
    let child = Child::run(|| {
        let most = Rlimit { current: Some(1024), maximum: getrlimit(Resource::Nofile).maximum };
        setrlimit(Resource::Nofile, most).map_err(text)?;
        let queues: Result<Vec<_>, _> = (0..1000).map(|_| Queue::bounded(16, 64)).collect();
        let queues = queues.map_err(text)?;
        for (number, queue) in queues.iter().enumerate() {
            queue.try_send(&number.to_le_bytes()).map_err(text)?;
        }
        for (number, queue) in queues.iter().enumerate() {
            if queue.try_recv().map_err(text)? != number.to_le_bytes() {
                return Err(format!("queue {number} has another's message"));
            }
        }
        Ok(())
    });
    child.succeeds("all are open, and each is its own");
}

#[test]
fn a_queue_of_a_gigabyte_is_one() {
    let size = (64 << 10) - 8; // with its header a power of two
    let queue = match Queue::bounded(1 << 14, size) {
        Ok(queue) => queue,
        Err(Error::OutOfResources) => {
            println!("NOT MADE: this machine has no gigabyte to spare");
            return;
        }
        Err(other) => panic!("{other}"),
    };
    for round in 0..3 {
        queue.try_send(&vec![round; size]).unwrap();
        assert!(queue.try_recv().unwrap() == vec![round; size]);
    }
    assert_eq!(queue.capacity(), 1 << 14);
}

#[test]
fn a_queue_of_a_gigabyte_is_filled_and_emptied_and_goes_round_its_end() {
    const COUNT: usize = 1 << 10;
    let size = (1 << 20) - 8; // with its header a power of two
    let queue = match Queue::bounded(COUNT, size) {
        Ok(queue) => queue,
        Err(Error::OutOfResources) => {
            println!("NOT MADE: this machine has no gigabyte to spare");
            return;
        }
        Err(other) => panic!("{other}"),
    };
    // So that one of them goes round the end.
    queue.try_send(&[0; 100]).unwrap();
    queue.try_recv().unwrap();
    let mut message = vec![0; size];
    for number in 0..COUNT {
        mark(&mut message, number);
        queue.try_send(&message).unwrap();
    }
    assert_eq!((queue.is_full(), queue.try_send(b"")), (Ok(true), Err(Error::Full)));
    let mut came = vec![0; size];
    for number in 0..COUNT {
        mark(&mut message, number);
        assert_eq!(queue.recv_into(&mut came, None), Ok(size));
        assert!(came == message, "message {number}");
    }
    assert_eq!(queue.try_recv(), Err(Error::Empty));
}

/// Its number and the place, once a page and at its end.
fn mark(message: &mut [u8], number: usize) {
    let last = message.len() - 8;
    for at in (0..last).step_by(4096).chain([last]) {
        message[at..at + 8].copy_from_slice(&(number * (1 << 20) + at).to_le_bytes());
    }
}
